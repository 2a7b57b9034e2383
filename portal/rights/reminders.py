"""Remind of a question on the seventh and the fourteenth day, and of the day on which we must say who cannot be told.

Always true here: each reminder is written once; nobody is pressed and nothing is closed by it: that we cannot tell who
somebody is, is said by a person of ours, who has a task for it in time. Source: law D13; design/ux.md, 8.
"""

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.database import engine
from portal.mail.messages import question_again
from portal.policy.model import Policy
from portal.rights import clocks
from portal.rights.late import is_morning
from portal.rights.replies import link_to, tell, words_for
from portal.rights.requests import find_by_id
from portal.rights.tables import SubjectRequest, Task
from portal.rights.tasks import open_task
from portal.rights.timeline import record
from portal.rights.workshop import Workshop
from portal.settings import Settings

STEPS = ((14, "reminded-again"), (7, "reminded"))
"""Days after the question, and what the reminder is called; the later one first."""
AHEAD = timedelta(days=3)
"""How long before the day to close a person of ours is asked to look at it."""


async def remind_due(shop: Workshop) -> int:
    """Remind of every question that has waited for seven or fourteen days. Returns how many were reminded."""
    at = shop.clock()
    if not is_morning(shop.policy, at):
        return 0
    rows = await SubjectRequest.raw(
        "SELECT r.id FROM subject_request r WHERE r.waits AND r.closed_at IS NULL AND r.subject IS NOT NULL"
    )
    return sum([await _remind(row["id"], shop.policy, shop.settings, at) for row in rows])


async def look_at_unidentified(shop: Workshop) -> int:
    """Give staff a task for everybody who has not shown who they are, some days before the answer must leave."""
    at = shop.clock()
    rows = await SubjectRequest.raw(
        "SELECT r.id FROM subject_request r WHERE r.state = 'verifying' AND r.waits AND r.subject IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM task t WHERE t.request = r.id AND t.kind = 'identify')"
    )
    return sum([await _have_it_decided(row["id"], shop.policy, at) for row in rows])


async def _remind(id: UUID, policy: Policy, settings: Settings, at: datetime) -> bool:
    async with engine().transaction():
        await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", id)
        request = await find_by_id(id)
        asked_at, said = await _so_far(id)
        if not request.waits or not request.is_open or asked_at is None:
            return False
        asked_on = _day(asked_at, policy)
        event = _step(asked_on, _day(at, policy), said)
        if event is None:
            return False
        await record(id, request.reference, event, at=at, actor="worker")
        message = question_again(
            words_for(request, policy), policy, reference=request.reference, asked_on=asked_on,
            due_day=request.due_day, link=link_to(request, settings),
        )  # fmt: skip
        await tell(request, message, at=at)
    return True


def _step(asked_on: date, today: date, said: set[str]) -> str | None:
    """Return the reminder that is due now: never two at once, and none again."""
    event = next((event for days, event in STEPS if today >= asked_on + timedelta(days=days)), None)
    return None if event is None or event in said else event


async def _so_far(id: UUID) -> tuple[datetime | None, set[str]]:
    """Return when the last question was asked, and which reminders of it were written."""
    rows = await SubjectRequest.raw(
        "SELECT q.at, array_remove(array_agg(t.event::text), NULL) AS said FROM"
        " (SELECT max(at) AS at FROM request_message WHERE request = {} AND kind = 'question') q"
        " LEFT JOIN timeline_entry t ON t.request = {} AND t.at >= q.at AND t.event IN ('reminded', 'reminded-again')"
        " GROUP BY q.at",
        id, id,
    )  # fmt: skip
    return rows[0]["at"], set(rows[0]["said"])


async def _have_it_decided(id: UUID, policy: Policy, at: datetime) -> bool:
    due = await clocks.deadline_of(id)
    if due.close_on is None or _day(at, policy) < due.close_on - AHEAD:
        return False
    async with engine().transaction():
        await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", id)
        request = await find_by_id(id)
        known = await Task.exists().where((Task.request == id) & (Task.kind == "identify"))
        if request.state != "verifying" or not request.waits or known:
            return False
        await open_task(id, request.reference, "identify", "no-answer", due=due.close_on, at=at)
    return True


def _day(at: datetime, policy: Policy) -> date:
    return at.astimezone(ZoneInfo(policy.controller.zone)).date()
