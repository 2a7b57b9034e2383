"""An alarm is raised before a day is missed, by the calendar of the controller, and once."""

from datetime import date, timedelta

import pytest

from portal.clock import SetClock
from portal.database import engine
from portal.rights import late
from portal.rights.alarms import Alarm, day_before, due_alarms, raise_alarms
from portal.rights.tables import SubjectRequest
from portal.working_days import Calendar
from tests.admin.reminding import local, request
from tests.web_app import organisation

POLICY = organisation()
FRANCE = Calendar("FR")
SUNDAY = date(2026, 10, 18)


async def due(clock: SetClock, day: date, hour: int = 9, holders: tuple[int, ...] = ()) -> list[str]:
    """The kinds of alarms at an hour in Paris."""
    clock.now = local(day, hour)
    return [one.kind for one in await due_alarms(POLICY, holders, at=clock())]


async def raised(clock: SetClock, found: list[Alarm], holders: tuple[int, ...] = ()) -> list[str]:
    """Raise what was found."""
    async with engine().transaction():
        mine = await raise_alarms(found, POLICY, holders, at=clock())
    return [one.kind for one in mine]


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 10, 15), date(2026, 10, 14)),  # a Thursday
        (date(2026, 10, 19), date(2026, 10, 16)),  # a Monday: the Friday before
        (date(2026, 12, 28), date(2026, 12, 24)),  # Christmas is a Friday
        (date(2026, 5, 26), date(2026, 5, 22)),  # after the Monday of Pentecost
    ],
)
def test_the_day_before_is_one_on_which_people_work(day: date, before: date) -> None:
    """Nobody is told on a Sunday that something is due tomorrow."""
    assert day_before(day, FRANCE) == before


async def test_a_request_of_a_sunday_is_near_on_thursday_and_now_on_friday(database: str, clock: SetClock) -> None:
    """What counts is the day to act by; nothing is said before eight, and after its day it is late."""
    await request("DR-2026-0001", SUNDAY)
    kinds = {ago: await due(clock, SUNDAY - timedelta(days=ago)) for ago in (5, 4, 3, 2, 1, 0, -1)}
    assert kinds == {
        5: [], 4: [], 3: ["unowned-soon"], 2: ["unowned-today"], 1: ["unowned-today"], 0: ["unowned-today"],
        -1: ["late"],
    }  # fmt: skip
    assert await due(clock, SUNDAY + timedelta(days=1), hour=7) == []


async def test_an_owner_who_is_there_keeps_it_quiet_until_it_is_late(database: str, clock: SetClock) -> None:
    """An owner who has left is nobody."""
    await request("DR-2026-0001", SUNDAY, assignee=7)
    assert await due(clock, SUNDAY, holders=(7,)) == []
    assert await due(clock, SUNDAY, holders=(8,)) == ["unowned-today"]
    assert await due(clock, SUNDAY + timedelta(days=1), holders=(7,)) == ["late"]


async def test_what_changed_since_it_was_looked_at_is_not_raised(database: str, clock: SetClock) -> None:
    """Somebody took one and answered another between the look and the alarm."""
    clock.now = local(SUNDAY, 9)
    for number in range(3):
        await request(f"DR-2026-000{number}", SUNDAY)
    found = await due_alarms(POLICY, (7,), at=clock())
    await SubjectRequest.update({SubjectRequest.assignee: 7}).where(SubjectRequest.reference == "DR-2026-0000")
    await SubjectRequest.update({SubjectRequest.closed_at: clock()}).where(SubjectRequest.reference == "DR-2026-0001")
    assert await raised(clock, found, (7,)) == ["unowned-today"]
    assert await raised(clock, found, (7,)) == []
    assert await due_alarms(POLICY, (7,), at=clock()) == []


async def test_a_day_that_moves_is_another_alarm(database: str, clock: SetClock) -> None:
    """An extension gives a new day, which is watched like the first."""
    clock.now = local(SUNDAY, 9)
    await request("DR-2026-0001", SUNDAY)
    assert await raised(clock, await due_alarms(POLICY, (), at=clock())) == ["unowned-today"]
    later = date(2026, 12, 17)
    await SubjectRequest.update({SubjectRequest.due_day: later, SubjectRequest.act_by_day: later}).where(
        SubjectRequest.reference == "DR-2026-0001"
    )
    assert await due(clock, later) == ["unowned-today"]


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 10, 14)])
def test_the_morning_is_eight_o_clock_where_the_controller_is(day: date) -> None:
    """On the days on which clocks change, too: the person hears of a late answer then, and so do staff."""
    assert not late.is_morning(POLICY, local(day, 7, 59))
    assert late.is_morning(POLICY, local(day, 8))
    assert late.is_morning(POLICY, local(day, 23, 59))
