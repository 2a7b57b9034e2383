"""Today: what to do, in which order, and when the next thing can go wrong; then everything that is open.

Always true here: it shows references, days and masked addresses; it is made in a fixed number of queries, whatever is
open; and it is there when the worker is not, and says so. Source: design/ux.md, section 10.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from litestar import get
from litestar.params import QueryParameter
from litestar.response import Template
from piccolo.querystring import QueryString

from admin.desk_words import days_in_words, right_in_words, task_in_words
from admin.nav import staff_page
from admin.roles import Permission
from admin.today_chosen import chosen_of, query_of, unpaged
from admin.today_owners import Owners, owners
from admin.today_strip import strip
from admin.today_things import Asked, things_of_today
from admin.today_words import act_in_words, duration, next_of, other_day, owner_of, title_of, weekday
from admin.who import Staff, need_staff
from portal.database import engine
from portal.rights import queue, queue_plan
from portal.rights.lifecycle import RIGHTS
from portal.rights.queue import Chosen
from portal.rights.queue_pulse import pulse
from portal.rights.reference import Contact
from portal.rights.tasks import TaskView
from portal.web import Req, now, policy_of, words_of
from portal.working_days import Calendar

PATH = "/staff/desk"
TASKS = 20
"""Of more open tasks, the most urgent."""


class OpenTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task with the request it belongs to."""

    task: TaskView
    reference: str
    contact: Contact | None
    """Whom to write to at the recipient that is to be told."""


class OpenBreach(msgspec.Struct, frozen=True, kw_only=True):
    """A breach whose clock runs, as the bar above everything shows it."""

    reference: str
    left: str
    """In words: 31 h 12 min left."""
    sentence: str
    """Whom to notify, and until when."""
    path: str


async def open_breach(at: datetime) -> OpenBreach | None:  # noqa: ARG001  the breach room will need the time
    """Return the breach that is most urgent. There is no breach room yet, so there never is one."""
    return None


@get(PATH, name="staff-desk")
async def show_today(request: Req, why: Annotated[str, QueryParameter(name="why")] = "") -> Template:
    """Show what to do, and what is open. `why` is a task that was to be called not needed, without a reason."""
    staff = await need_staff(request, Permission.QUEUE)
    chosen = chosen_of(request.url.query, me=staff.id)
    given = {name: request.query_params.get(name, "") for name in ("given", "left")}
    return await today_page(
        request, staff, chosen, why=why, given={k: int(v) for k, v in given.items() if v.isdecimal()}
    )


async def today_page(
    request: Req, staff: Staff, chosen: Chosen, *, status: int = 200, wrong: str = "", find: str = "", why: str = "",
    given: Mapping[str, int] | None = None,
) -> Template:  # fmt: skip
    """Make the page. `wrong` is what was wrong with a form of it, in words; `find` what was searched for."""
    policy, words, at = policy_of(request), words_of(request), now(request)
    today = at.astimezone(ZoneInfo(policy.controller.zone)).date()
    known = await owners()
    asked = Asked(staff=staff, policy=policy, words=words, at=at, today=today)
    alone = policy.controller.single_operator and known.alone(staff.id)
    ahead, open_now = await queue_plan.ahead(chosen, today), await open_tasks()
    return staff_page(
        request, staff, "staff/today.html", status=status, wrong=wrong, find=find, why=why, given=given or {},
        today=today, chosen=chosen, owners=known, breach=await open_breach(at), pulse=await pulse(at),
        plan=await things_of_today(asked, known.names, alone=alone), ahead=ahead,
        pages=await queue.pages(chosen, today),
        strip=strip(ahead.days, today, Calendar(policy.controller.holidays)), open_tasks=open_now,
        rights=[(right, right_in_words(words, right)) for right in RIGHTS], may_assign=staff.may(Permission.ASSIGN),
        may_extend=staff.may(Permission.DECIDE), duration=lambda minutes: duration(words, minutes),
        back=query_of(chosen), more=lambda page: query_of(chosen, group=page.group, after="~".join(page.after)),
        only=lambda group: query_of(unpaged(chosen), group=group), weekday=lambda day: weekday(words, day),
        contacts={one.task.about: one.contact for one in open_now if one.contact},
        task=lambda one: task_in_words(words, policy, one, words.language), **rows_in_words(request, staff, known),
    )  # fmt: skip


def rows_in_words(request: Req, staff: Staff, known: Owners) -> Mapping[str, object]:
    """Return what the template of a row calls: each takes the row, and says one thing about it."""
    policy, words = policy_of(request), words_of(request)
    today = now(request).astimezone(ZoneInfo(policy.controller.zone)).date()
    return {
        "title_of": lambda row: title_of(words, row),
        "next_of": lambda row: next_of(words, policy, row, staff, today),
        "owner_of": lambda row: owner_of(words, row, known.names),
        "days": lambda due: days_in_words(words, due, today),
        "act_day": lambda row: act_in_words(words, row, today),
        "other_day": lambda row: other_day(words, row),
        "gone": lambda row: gone_percent(row, at=now(request), today_ordinal=today.toordinal()),
    }


def gone_percent(row: queue.Row, *, at: datetime, today_ordinal: int) -> int:
    """Return how much of the time for a request is over, 0 to 100."""
    days = row.due_day.toordinal() - row.received_at.astimezone(at.tzinfo).date().toordinal()
    used = days - (row.due_day.toordinal() - today_ordinal)
    return 100 if days <= 0 else max(0, min(100, round(100 * used / days)))


async def open_tasks() -> list[OpenTask]:
    """Return the most urgent tasks that are not ended. What is to be decided stands with the requests."""
    rows = await engine().run_querystring(
        QueryString(
            "SELECT t.*, r.reference, to_json(c)::text AS contact FROM task t"
            " JOIN subject_request r ON r.id = t.request"
            " LEFT JOIN recipient_contact c ON t.kind = 'tell' AND c.recipient = t.about"
            " WHERE t.ended_at IS NULL AND t.kind <> 'decide' ORDER BY t.due_day, t.opened_at LIMIT {}",
            TASKS,
        )
    )
    return [
        OpenTask(
            task=msgspec.convert(row, TaskView), reference=row["reference"],
            contact=msgspec.json.decode(row["contact"], type=Contact) if row["contact"] else None,
        )
        for row in rows
    ]  # fmt: skip


routes = [show_today]
