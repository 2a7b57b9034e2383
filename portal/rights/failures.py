"""What failed and waits for a person: jobs, mails, places, recipients, copies, and whatever has stopped.

Always true here: the list is read from what really is, so nothing has to be remembered to put it there; it holds
references, masked addresses and names of errors, and no person.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

import msgspec

from portal.policy.model import Policy
from portal.rights import failures_found as found

type Kind = Literal["job", "mail", "place", "recipient", "copy", "beat"]
"""`job` was parked · `mail` came back or was refused · `place` is silent or says no · `recipient` must be told and
cannot be · `copy` lacks what a place did not give · `beat` something that must not stop has stopped."""

type Action = Literal["retry", "skip", "by-hand"]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that failed."""

    id: str
    """Its kind and number, such as job:12."""
    turn: int
    """How often it was tried again by a person: who acts names the turn they saw, and is the only one to act on it."""
    kind: Kind
    what: str
    """A job's name, a mail's kind, a beat's name; for a place and a copy the name of the error; for a recipient
    unknown or no-contact."""
    about: str = ""
    """A source's or recipient's id, or a masked address."""
    error: str = ""
    """The name of what went wrong, never its words."""
    attempts: int = 0
    reference: str = ""
    """The request it belongs to, if any."""
    since: datetime | None
    by: date | None = None
    """The last working day on which to act for that request; None when nothing waits for it."""
    actions: tuple[Action, ...] = ()


async def open_failures(policy: Policy, *, at: datetime, reference: str = "") -> list[Failure]:
    """Return everything that failed and nobody has ended, the most urgent first; of one request, if named."""
    rows = [
        *await found.jobs(), *await found.mails(), *await found.places(at=at),
        *await found.recipients({one.id for one in policy.recipients}), *await found.copies(at=at),
        *await found.stopped(at=at),
    ]  # fmt: skip
    turns = await found.turns([row["id"] for row in rows])
    failures = [msgspec.convert({**row, "turn": turns.get(str(row["id"]), 0)}, Failure) for row in rows]
    return sorted((one for one in failures if not reference or one.reference == reference), key=_urgency)


async def find_failure(id: str, policy: Policy, *, at: datetime) -> Failure | None:
    """Return one of them; None when it is no failure, or none any more."""
    return next((one for one in await open_failures(policy, at=at) if one.id == id), None)


async def count_open(policy: Policy, *, at: datetime) -> int:
    """Return how many things failed and wait for a person, in one query."""
    return await found.count({one.id for one in policy.recipients}, at=at)


async def for_today(policy: Policy, *, at: datetime, most: int = 20) -> Sequence[Failure]:
    """Return the most urgent of them, for Today."""
    return (await open_failures(policy, at=at))[:most]


def _urgency(failure: Failure) -> tuple[bool, bool, date, float]:
    """What has stopped comes first, then what a request waits for, by its day."""
    since = failure.since.timestamp() if failure.since else 0.0
    return failure.kind != "beat", failure.by is None, failure.by or date.max, since
