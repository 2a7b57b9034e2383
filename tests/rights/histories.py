"""Requests that have happened, as the tables and the log tell of them: by hand, or at random."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from portal.database import engine
from portal.evidence.log import append
from portal.mail.tables import Mail
from portal.policy.load import load
from portal.rights.deadlines import deadline, extend, inputs_for, to_json
from portal.rights.lifecycle import RIGHTS
from portal.rights.tables import SubjectRequest

POLICY = load(Path(__file__).parent.parent.parent / "policies" / "casagbic.toml")
ZONE = POLICY.controller.zone
PARIS = ZoneInfo(ZONE)
LONG_AGO, NOW = datetime(2000, 1, 1, tzinfo=UTC), datetime(2027, 3, 10, 12, tzinfo=UTC)
ENDS = ("fulfilled", "partly", "refused", "no-data", "unidentified", "withdrawn", "joined")


class Told(msgspec.Struct, kw_only=True):
    """One request of a history, as the test itself remembers it."""

    reference: str
    right: str
    channel: str
    received_at: datetime
    ended_at: datetime | None = None
    left_at: datetime | None = None
    outcome: str = ""
    grounds: str = ""
    staff: bool = False
    extended: bool = False
    promise: date | None = None
    law: date = date.max
    due: date = date.max

    @property
    def month(self) -> date:
        return self.received_at.astimezone(PARIS).date().replace(day=1)

    @property
    def answered(self) -> date | None:
        if self.ended_at is None or self.outcome in {"withdrawn", "joined"}:
            return None
        return (self.left_at or self.ended_at).astimezone(PARIS).date()

    @property
    def days(self) -> int:
        assert self.answered is not None
        return (self.answered - self.received_at.astimezone(PARIS).date()).days


async def tell(told: Told) -> Told:
    """Write a request into the tables and the log as the product does. Fills in its days."""
    inputs = inputs_for(told.received_at, POLICY)
    first = deadline(inputs)
    if told.extended:
        inputs = extend(inputs, noticed_at=told.received_at + timedelta(days=9), reason="complexity")
    found = deadline(inputs)
    told.promise, told.law, told.due = found.promise, found.law, found.due
    await SubjectRequest(
        reference=told.reference, right=told.right, channel=told.channel, categories=[], language="en",
        state="closed" if told.ended_at else "received", outcome=told.outcome, received_at=told.received_at,
        promise_day=found.promise, law_day=found.law, due_day=found.due, clock=to_json(inputs),
        extended_on=first.due if told.extended else None, closed_at=told.ended_at,
    ).save()  # fmt: skip
    if told.left_at:
        await Mail(
            kind="answered", to_address="", language="en", reference=told.reference, state="accepted",
            created_at=told.ended_at, accepted_at=told.left_at,
        ).save()  # fmt: skip
    return told


async def log(history: Sequence[Told], since: datetime = LONG_AGO, until: datetime = NOW) -> None:
    """Write what the log says of a history, in the order in which it happened, between two instants."""
    entries = []
    for told in history:
        received = {"right": told.right, "channel": told.channel, "received_at": told.received_at.isoformat()}
        entries.append((told.received_at, told, "rights:request:received", "person", received))
        if told.extended:
            at = told.received_at + timedelta(days=9)
            entries.append((at, told, "rights:request:extended", "staff:1", {"ground": "complexity"}))
        if told.ended_at:
            actor = "staff:1" if told.staff else "worker"
            ended = {"to": told.outcome, "reasons": told.grounds}
            entries.append((told.ended_at, told, "rights:request:answered", actor, ended))
    async with engine().transaction():
        for at, told, event, actor, details in sorted(entries, key=lambda entry: entry[0]):
            if since < at <= until:
                await append(event, at=at, actor=actor, reference=told.reference, details=details)


async def happened(*history: Told) -> list[Told]:
    """Let a history have happened."""
    for told in history:
        await tell(told)
    await log(history)
    return list(history)


def at_random(dice: Random, number: int) -> Told:
    """Make one request up, between January 2026 and now, near midnights and changes of the clocks too."""
    received = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(
        days=dice.randrange(420), minutes=dice.choice([0, 59, 60, 119, 120, 720, 1379, 1380, 1410, 1439])
    )
    told = Told(
        reference=f"DR-{received.year}-{number:04d}", right=dice.choice([*RIGHTS]), received_at=received,
        channel=dice.choice(["portal", "letter", "email"]), extended=dice.random() < 0.2,
    )  # fmt: skip
    ended = received + timedelta(days=dice.choice([0, 1, 12, 29, 30, 31, 45, 95]), minutes=dice.randrange(1440))
    if ended < NOW and dice.random() < 0.9 and (not told.extended or ended > received + timedelta(days=9)):
        told.ended_at, told.outcome, told.staff = ended, dice.choice(ENDS), told.extended or dice.random() < 0.4
        if told.outcome in {"refused", "partly"}:
            told.grounds = dice.choice(["", "accurate", "claims,legal-duty"])
        if dice.random() < 0.3:
            told.left_at = min(ended + timedelta(minutes=dice.choice([1, 200, 2800])), NOW)
    return told
