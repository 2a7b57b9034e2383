"""What takes two people: one asks for it, another one decides. Where there is only one, a day lies between.

Always true here: it is never in the way of what a person confirmed themself; a single person's decision is marked as
one for good. Source: GDPR Art. 12(5); law S-17.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import Refused
from portal.rights.letters.reasons import reason
from portal.rights.requests import RequestView

SLEEP_ON_IT = timedelta(hours=24)


class Verb(StrEnum):
    """What takes two people. The last five are about no request."""

    REFUSE = "refuse"
    """A refusal that blames the request itself: unfounded, excessive."""
    BEGIN = "begin"
    """An erasure that the person never confirmed with a code or signed in: staff said who they are."""
    CHILD_ERASE = "child-erase"
    """The erasure of an account that staff found to be a child's."""
    NEW_ADDRESS = "new-address"
    """Another address to sign in with, for somebody who lost their mailbox."""
    BULK_EXPORT = "bulk-export"
    RETENTION_CHANGE = "retention-change"
    SEVERITY_DOWN = "severity-down"
    POLICY_ACTIVATION = "policy-activation"
    KEY_ROTATION = "key-rotation"


ABOUT_NO_REQUEST = frozenset(
    {Verb.BULK_EXPORT, Verb.RETENTION_CHANGE, Verb.SEVERITY_DOWN, Verb.POLICY_ACTIVATION, Verb.KEY_ROTATION}
)


SAID_BY_STAFF = frozenset({f"rights:request:{event}" for event in ("identified", "entered", "joined")})
"""Events by which staff said who asks, or what."""


class NeedsSecond(Refused):
    """A second person has to look at it first."""

    status = 409
    sentence = "This takes a second person. Ask for it, and let somebody else of your staff decide."


class NeedsTime(NeedsSecond):
    """There is no second person: a day must pass."""

    sentence = "This takes a day where one person decides alone. Decide when 24 hours have passed since you asked."


class SamePerson(NeedsSecond):
    """Whoever asked must not decide."""

    sentence = "You asked for this yourself. Somebody else has to decide."


class AlreadyAsked(Refused):
    """Something waits for a second person already."""

    status = 409
    sentence = "Something about this request waits for a second person already. Nothing was asked."


class Overtaken(Refused):
    """It is not as it was when it was asked for, or somebody else was quicker."""

    status = 409
    sentence = (
        "This does not wait any more: somebody decided it, or the request has moved on. Nothing was done now. "
        "Look at the request, and ask again if it is still right."
    )


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """A second person's yes to exactly one thing, used up by the verb that carries it out."""

    approval: UUID
    digest: str
    """Of what they saw."""
    alone: bool
    """True when nobody else could have been asked: the same person may decide, a day later."""
    answer: bytes | None
    """Both reasons, sealed: what is left to read afterwards."""


def takes_two(reasons: Sequence[str]) -> bool:
    """Tell whether one of these grounds takes a second person."""
    return any(reason(id).second_person for id in reasons)


async def erasure_takes_two(request: RequestView) -> bool:
    """Tell whether an erasure needs a second person: staff said who asks, or what. Source: law S-17.

    Whoever asks signed in, or typed a code from the mailbox of the account, needs nobody but themself.
    """
    if request.right != "erasure":
        return False
    rows = await engine().run_querystring(
        QueryString(
            "SELECT EXISTS (SELECT FROM evidence WHERE reference = {} AND actor LIKE 'staff:%' AND event = ANY({}))"
            " AS theirs",
            request.reference, sorted(SAID_BY_STAFF),
        )
    )  # fmt: skip
    return bool(rows[0]["theirs"])


def erasure_takes_two_of(request: RequestView, happened: Iterable[tuple[str, str]]) -> bool:
    """Tell the same of a request whose entries of the evidence, each with who it was, are known."""
    theirs = any(event in SAID_BY_STAFF and actor.startswith("staff:") for event, actor in happened)
    return request.right == "erasure" and theirs


async def lost_mailbox(request: RequestView) -> bool:
    """Tell whether staff found out whose account it is because they could not read its mailbox any more."""
    if request.subject is None:
        return False
    rows = await engine().run_querystring(
        QueryString(
            "SELECT EXISTS (SELECT FROM intake_form f JOIN evidence e ON e.reference = {} WHERE f.request = {}"
            " AND f.kind = 'lost' AND e.event = 'rights:identity:established') AS lost",
            request.reference, request.id,
        )
    )  # fmt: skip
    return bool(rows[0]["lost"])
