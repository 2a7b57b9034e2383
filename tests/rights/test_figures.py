"""Figures are what a slow, obvious count gives, whatever happened, in the controller's zone; and they stay."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from zoneinfo import ZoneInfo

import msgspec
import pytest

from portal.database import engine
from portal.evidence.log import append, head
from portal.mail.tables import Mail
from portal.policy.load import load
from portal.rights.deadlines import deadline, extend, inputs_for, join, to_json
from portal.rights.figures import Figures, months
from portal.rights.figures_ccpa import metrics
from portal.rights.figures_files import as_csv, as_json
from portal.rights.figures_tally import SETTLED, fold, read
from portal.rights.lifecycle import RIGHTS
from portal.rights.register import Line, Moment, moment, walk
from portal.rights.tables import SubjectRequest
from portal.rights.tables_figures import RequestTally

POLICY = load(Path(__file__).parent.parent.parent / "policies" / "casagbic.toml")
ZONE = POLICY.controller.zone
PARIS = ZoneInfo(ZONE)
LONG_AGO, NOW = datetime(2000, 1, 1, tzinfo=UTC), datetime(2027, 3, 10, 12, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "figures.csv"
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


def by_hand(history: Sequence[Told], today: date) -> Mapping[str, object]:
    """Count a history slowly and obviously."""
    answered = [told for told in history if told.answered]
    spread = [told.days for told in answered]
    taken = [told for told in history if told.outcome != "joined"]
    grounds: dict[str, int] = {}
    for told in history:
        for ground in filter(None, told.grounds.split(",")):
            grounds[ground] = grounds.get(ground, 0) + 1
    return {
        "received": len(taken), "answered": len(answered),
        "open": sum(not told.ended_at for told in history),
        "late_now": sum(not told.ended_at and told.due < today for told in history),
        **{name.replace("-", "_"): sum(told.outcome == name for told in history) for name in ENDS},
        "extended": sum(told.extended for told in taken),
        "median_days": median(spread) if spread else None, "worst_days": max(spread, default=None),
        "in_time": sum(told.answered <= told.due for told in answered if told.answered),
        "promised": sum(told.promise is not None for told in answered),
        "in_time_promise": sum((told.answered or date.max) <= (told.promise or date.min) for told in answered),
        "bound": len(answered), "in_time_law": sum(told.answered <= told.law for told in answered if told.answered),
        "by_staff": sum(told.staff for told in answered), "by_program": sum(not told.staff for told in answered),
        "channels": {
            channel: sum(told.channel == channel for told in taken)
            for channel in sorted({told.channel for told in taken})
        },
        "grounds": dict(sorted(grounds.items())),
    }  # fmt: skip


def same(found: Figures, history: Sequence[Told]) -> None:
    """Compare figures with the count by hand."""
    wanted = by_hand(history, NOW.astimezone(PARIS).date())
    assert {name: getattr(found, name) for name in wanted} == wanted


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("folded", [False, True])
async def test_figures_are_what_a_count_by_hand_gives(database: str, seed: int, folded: bool) -> None:  # noqa: FBT001
    """In total, for each right and for each month, of receipt and of answer; before and after they were counted."""
    dice = Random(seed)
    history = await happened(*(at_random(dice, number) for number in range(80)))
    if folded:
        assert await fold(ZONE, at=NOW) > 0
    first, last = date(2026, 2, 1), date(2027, 3, 1)
    found = await read(ZONE, first, last, "received", at=NOW)
    within = [told for told in history if first <= told.month]
    same(found.total, within)
    for month in months(first, last):
        same(found.months[month], [told for told in within if told.month == month])
    for right, figures in found.rights.items():
        same(figures, [told for told in within if told.right == right])
    for row in found.rows:
        same(row.figures, [told for told in within if (told.month, told.right) == (row.month, row.right)])
    answers = await read(ZONE, first, last, "answered", at=NOW)
    same(answers.total, [told for told in history if told.answered and told.answered >= first])


async def test_counting_again_changes_nothing(database: str) -> None:
    """Ends that are counted are not counted twice, and the newest wait until their mail has left."""
    dice = Random(7)
    await happened(*(at_random(dice, number) for number in range(60)))
    counted = await fold(ZONE, at=NOW)
    assert await fold(ZONE, at=NOW) == 0
    rest = await fold(ZONE, at=NOW + SETTLED + timedelta(days=1))
    assert sum(row["times"] for row in await RequestTally.select()) == counted + rest


async def test_figures_stay_when_the_requests_are_forgotten(database: str) -> None:
    """What the policy has deleted after some years was still answered."""
    dice = Random(3)
    await happened(*(at_random(dice, number) for number in range(40)))
    late = NOW + timedelta(days=30)
    await fold(ZONE, at=late)
    before = await read(ZONE, date(2026, 1, 1), date(2027, 3, 1), "answered", at=late)
    assert before.total.answered
    await SubjectRequest.delete().where(SubjectRequest.closed_at.is_not_null())
    assert await read(ZONE, date(2026, 1, 1), date(2027, 3, 1), "answered", at=late) == before


@pytest.mark.parametrize(
    ("received", "month"),
    [
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), date(2026, 12, 1)),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), date(2027, 1, 1)),
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), date(2026, 6, 1)),
        (datetime(2026, 3, 31, 22, 0, tzinfo=UTC), date(2026, 4, 1)),
    ],
)
@pytest.mark.parametrize("ended", [False, True])
async def test_a_month_is_a_month_in_paris(database: str, received: datetime, month: date, ended: bool) -> None:  # noqa: FBT001
    """An hour and a half before midnight UTC, the year has begun; open requests and ended ones agree."""
    told = Told(reference="DR-2026-0001", right="access", channel="portal", received_at=received)
    if ended:
        told.ended_at, told.outcome = received + timedelta(hours=1), "fulfilled"
    await happened(told)
    found = await read(ZONE, date(2026, 1, 1), date(2027, 3, 1), "received", at=NOW)
    assert {at: figures.received for at, figures in found.months.items() if figures.received} == {month: 1}


async def test_a_day_of_twenty_three_hours_is_a_day(database: str) -> None:
    """Over the night in which the clocks go forward, and the one in which they go back."""
    for number, (start, end, days) in enumerate([
        (datetime(2026, 3, 28, 22, 30, tzinfo=UTC), datetime(2026, 3, 29, 21, 59, tzinfo=UTC), 1),
        (datetime(2026, 10, 24, 21, 30, tzinfo=UTC), datetime(2026, 10, 25, 22, 59, tzinfo=UTC), 1),
    ]):  # fmt: skip
        told = Told(reference=f"DR-2026-000{number}", right="access", channel="portal", received_at=start)
        told.ended_at, told.outcome = end, "fulfilled"
        await happened(told)
        month = start.date().replace(day=1)
        found = await read(ZONE, month, month, "received", at=NOW)
        assert (found.total.median_days, found.total.worst_days) == (days, days)


async def test_an_answer_that_leaves_late_is_late(database: str) -> None:
    """It is decided on its last day, and the mail leaves after midnight. Source: law D8."""
    told = Told(
        reference="DR-2026-0001", right="access", channel="portal", received_at=datetime(2026, 9, 1, 9, tzinfo=UTC)
    )
    due = deadline(inputs_for(told.received_at, POLICY)).due
    told.ended_at = datetime(due.year, due.month, due.day, 20, tzinfo=UTC)
    told.outcome, told.left_at = "fulfilled", told.ended_at + timedelta(hours=3)
    await happened(told)
    found = (await read(ZONE, date(2026, 9, 1), date(2026, 9, 1), "received", at=NOW)).total
    assert (found.answered, found.in_time, found.late, found.worst_days) == (1, 0, 1, (due - date(2026, 9, 1)).days + 1)


async def test_an_extension_is_in_time_by_law_and_not_by_the_promise(database: str) -> None:
    """Where the promise is strict, both are said."""
    told = Told(
        reference="DR-2026-0001", right="access", channel="portal", received_at=datetime(2026, 9, 1, 9, tzinfo=UTC),
        extended=True, ended_at=datetime(2026, 10, 20, 9, tzinfo=UTC), outcome="fulfilled", staff=True,
    )  # fmt: skip
    await happened(told)
    found = (await read(ZONE, date(2026, 9, 1), date(2026, 9, 1), "received", at=NOW)).total
    assert (found.extended, found.in_time_promise, found.in_time_law, found.in_time) == (1, 0, 1, 0)


async def test_nothing_has_happened(database: str) -> None:
    """No request gives zeros, and no median, and every month is there."""
    found = await read(ZONE, date(2026, 1, 1), date(2026, 12, 1), "received", at=NOW)
    assert (found.total.received, found.total.median_days, found.total.worst_days) == (0, None, None)
    assert len(found.months) == 12 and not found.rows and not found.rights
    assert as_csv(found).count(b"\r\n") == 2


async def test_the_csv_is_the_one_that_was_looked_at(database: str) -> None:
    """Byte for byte; whoever reads it by a program finds the same columns in the same order."""
    dice = Random(11)
    await happened(*(at_random(dice, number) for number in range(60)))
    found = await read(ZONE, date(2026, 10, 1), date(2027, 2, 1), "received", at=NOW)
    assert as_csv(found) == GOLDEN.read_bytes()
    body = json.loads(as_json(found, POLICY, at=NOW))
    assert body["total"]["received"] == found.total.received and body["from"] == "2026-10"


async def test_california_is_told_whom_it_counts(database: str) -> None:
    """Access and portability are requests to know; the median is of both together; nobody is called a Californian."""
    start = datetime(2026, 9, 1, 9, tzinfo=UTC)
    ends = [
        ("access", "fulfilled", 2),
        ("portability", "no-data", 4),
        ("access", "refused", 9),
        ("erasure", "partly", 1),
    ]
    await happened(
        *(
            Told(
                reference=f"DR-2026-{number:04d}", right=right, channel="portal", received_at=start, outcome=outcome,
                ended_at=start + timedelta(days=days),
            )
            for number, (right, outcome, days) in enumerate(ends)
        )
    )  # fmt: skip
    know, delete, *others = metrics(await read(ZONE, date(2026, 9, 1), date(2026, 9, 1), "received", at=NOW))
    assert (know.received, know.complied, know.denied, know.median_days, know.mean_days) == (3, 2, 1, 4, 5)
    assert (delete.received, delete.complied, delete.denied) == (1, 1, 0)
    assert [one.received for one in others] == [0, 0, 0]


async def register(at: datetime) -> list[Line]:
    """Return the register as of an instant."""
    async with engine().transaction():
        known = await moment(engine().connection, at)
        found: list[Line] = []
        async for piece in walk(engine().connection, known, ZONE, {}):
            found += piece
    return found


def as_it_was(told: Told, day: datetime) -> Told:
    """Return a request without what happened to it after a day."""
    open_then = told.ended_at is not None and told.ended_at > day
    return msgspec.structs.replace(
        told, extended=told.extended and told.received_at + timedelta(days=9) <= day,
        ended_at=None if open_then else told.ended_at, outcome="" if open_then else told.outcome,
        left_at=told.left_at if told.left_at and told.left_at <= day else None,
    )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_register_of_a_day_stays_what_it_was(database: str, seed: int) -> None:
    """Taken on that day and taken long afterwards, it holds the same lines."""
    dice, day = Random(seed), datetime(2026, 8, 1, tzinfo=UTC)
    whole = [at_random(dice, number) for number in range(60)]
    for told in whole:
        if told.received_at <= day:
            await tell(as_it_was(told, day))
    await log(whole, until=day)
    before = await register(day)
    await SubjectRequest.delete(force=True)
    await Mail.delete(force=True)
    for told in whole:
        await tell(told)
    await log(whole, since=day)
    assert sorted(line.reference for line in await register(NOW)) == sorted(told.reference for told in whole)
    assert await register(day) == before
    assert {line.outcome for line in before} > {""}


async def test_what_happens_to_one_request_shows_only_afterwards(database: str) -> None:
    """Received, extended, answered: the register of each day knows what had happened by then."""
    start = datetime(2026, 9, 1, 9, tzinfo=UTC)
    told = Told(
        reference="DR-2026-0001", right="erasure", channel="letter", received_at=start, extended=True, staff=True,
        ended_at=start + timedelta(days=50), outcome="refused", grounds="claims",
    )  # fmt: skip
    await happened(told)
    first = deadline(inputs_for(start, POLICY))
    assert await register(start - timedelta(days=1)) == []
    (new,) = await register(start + timedelta(days=1))
    assert (new.law, new.extended, new.outcome, new.by) == (first.law, False, "", "program")
    (longer,) = await register(start + timedelta(days=20))
    assert (longer.law, longer.extended, longer.extended_for) == (told.law, True, "complexity")
    assert told.law > first.law and longer.by == "staff" and longer.closed is None
    (ended,) = await register(NOW)
    assert (ended.outcome, ended.grounds, ended.days, ended.in_time_law) == ("refused", ("claims",), 50, True)


async def test_a_joined_form_counts_once_and_from_its_earlier_day(database: str) -> None:
    """The answer's days run from the earliest receipt; the register knows it from the day it was joined."""
    start = datetime(2026, 9, 10, 9, tzinfo=UTC)
    (told,) = await happened(
        Told(reference="DR-2026-0001", right="access", channel="portal", received_at=start)
    )  # fmt: skip
    earlier, at = start - timedelta(days=5), start + timedelta(days=1)
    inputs = join(inputs_for(start, POLICY), received_at=earlier)
    due = deadline(inputs)
    await SubjectRequest.update({
        SubjectRequest.clock: to_json(inputs), SubjectRequest.due_day: due.due, SubjectRequest.law_day: due.law,
    }).where(SubjectRequest.reference == told.reference)  # fmt: skip
    async with engine().transaction():
        details = {"received_at": earlier.isoformat(), "due": due.due.isoformat()}
        await append("rights:request:joined", at=at, actor="worker", reference=told.reference, details=details)
        await append(
            "rights:request:ready", at=start + timedelta(days=3), actor="worker", reference=told.reference,
            details={"to": "fulfilled"},
        )  # fmt: skip
    (before,) = await register(start)
    (after,) = await register(NOW)
    assert (before.due > after.due, after.due, after.days) == (True, due.due, 8)


async def test_the_moment_names_the_head_of_the_log(database: str) -> None:
    """So that whoever has the register can hold it against the log."""
    async with engine().transaction():
        assert (await moment(engine().connection, NOW)).head.seq == 0
    await happened(Told(reference="DR-2026-0001", right="access", channel="portal", received_at=NOW))
    async with engine().transaction():
        assert await moment(engine().connection, NOW) == Moment(NOW, await head())
