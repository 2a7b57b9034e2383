"""Figures are what a slow, obvious count gives, whatever happened, in the controller's zone; and they stay."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median

import pytest

from portal.rights.deadlines import deadline, inputs_for
from portal.rights.figures import Figures, months
from portal.rights.figures_ccpa import metrics
from portal.rights.figures_files import as_csv, as_json
from portal.rights.figures_tally import SETTLED, fold, read
from portal.rights.tables import SubjectRequest
from portal.rights.tables_figures import RequestTally
from tests.rights.histories import ENDS, NOW, PARIS, POLICY, ZONE, Told, at_random, happened

GOLDEN = Path(__file__).parent / "figures.csv"


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
    rows = await RequestTally.select().where((RequestTally.by == "received") & (RequestTally.kind == "outcome"))
    assert sum(row["times"] for row in rows) == counted + rest


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
