"""The plan of a day as its mail tells it: the same as Today's, with nobody's name.

Always true here: what the mail lists and what Today lists come from the same look.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from admin.approvals import alone
from admin.today_things import Asked, Thing, things_of_today
from admin.who import Staff
from portal.mail.messages.staff_reminders import Day, Line
from portal.policy.model import Policy
from portal.rights.deadlines import deadline
from portal.rights.intake import clock_of
from portal.rights.lifecycle import RIGHTS, Right
from portal.rights.queue import Chosen
from portal.rights.queue_plan import ahead
from portal.words import Words


async def plan_for(staff: Staff, colleagues: list[int], words: Words, policy: Policy, *, at: datetime) -> Day:
    """Return the plan of the day for a member of staff, in the language of `words`."""
    today = at.astimezone(ZoneInfo(policy.controller.zone)).date()
    somebody = {id: words("A colleague") for id in colleagues} | {staff.id: staff.name}
    asked = Asked(staff=staff, policy=policy, words=words, at=at, today=today)
    plan = await things_of_today(asked, somebody, alone=await alone(policy, staff))
    rest = await ahead(Chosen(), today)
    return Day(
        lines=[_line(thing, words) for thing in plan.things],
        more=plan.count - sum(thing.count for thing in plan.things),
        count=plan.count,
        late=sum(day.count for day in rest.days if day.day < today),
        minutes=plan.minutes,
        open=rest.open,
        safe_until=min(filter(None, [rest.next_late, earliest_new(policy, at)])),
    )


def earliest_new(policy: Policy, at: datetime) -> date:
    """Return the first day on which something could be late that comes in at `at`, whichever right it is."""
    rights: list[Right] = list(RIGHTS)  # type: ignore[arg-type]
    return min(deadline(clock_of(right, at, policy)).due for right in rights) + timedelta(days=1)


def _line(thing: Thing, words: Words) -> Line:
    return Line(thing.reference or words("Also"), " ".join(filter(None, [_sentence(thing.title), thing.why])))


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
