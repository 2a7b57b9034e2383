"""What is late, and what was in time: said to the person the morning after, by itself.

Always true here: being late is measured by the instants of the stored clock, and said once; an answer was in time when
its mail was accepted before the last local midnight. Source: law D8; design/ux.md, sections 8 and 13.
"""

from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from piccolo.querystring import QueryString

from portal.database import engine
from portal.mail.messages import late
from portal.policy.model import Policy
from portal.rights import clocks
from portal.rights.reach import reach_of, write_to
from portal.rights.replies import words_for
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import SubjectRequest, TimelineEntry
from portal.rights.timeline import record
from portal.rights.workshop import Workshop
from portal.settings import Settings

MORNING = time(8)
"""In the controller's zone: nobody is written to at night."""

ANSWERS = ("answered", "refused", "partly", "erasure-done", "paused")
"""The kinds of mail that carry an answer, or say that it can be read. A copy is an answer once nothing is missing."""


async def say_late(shop: Workshop) -> int:
    """Write to everybody whose answer is late and who was not told yet. Returns how many. Does nothing before eight."""
    at = shop.clock()
    if not is_morning(shop.policy, at):
        return 0
    today = at.astimezone(ZoneInfo(shop.policy.controller.zone)).date()
    return sum([await _say(id, shop.policy, shop.settings, at) for id in await _over(today)])


def is_morning(policy: Policy, at: datetime) -> bool:
    """Tell whether people may be written to about what is due: from eight o'clock on, where the controller is."""
    return at.astimezone(ZoneInfo(policy.controller.zone)).time() >= MORNING


async def late_at(request: UUID) -> datetime:
    """Return the first instant (UTC) at which an answer is late."""
    return (await clocks.deadline_of(request)).late_at


async def answered_in_time(request: RequestView, *, at: datetime) -> bool | None:
    """Tell whether the answer left in time; None while it has not left and is not late, or where none is owed.

    It has left when its mail was accepted by the mail provider, and must have before the last local midnight. A mail
    that still waits has not left. What the person withdrew or what was joined is owed no answer of its own.
    """
    if request.outcome in {"withdrawn", "joined"}:
        return None
    last, left = await late_at(request.id), await _left(request)
    if left is not None:
        return left < last
    return False if at >= last else None


async def _left(request: RequestView) -> datetime | None:
    rows = await engine().run_querystring(
        QueryString(
            "SELECT min(accepted_at) AS at FROM mail WHERE reference = {} AND (kind = ANY({})"
            " OR (kind = 'copy-ready' AND created_at >= {}))",
            request.reference, list(ANSWERS), request.closed_at,
        )
    )  # fmt: skip
    found = rows[0]["at"]
    return found.astimezone(UTC) if found else None


async def _over(today: date) -> list[UUID]:
    """Return the open requests whose stored day is over and that were not told of it."""
    rows = await SubjectRequest.raw(
        "SELECT r.id FROM subject_request r WHERE r.closed_at IS NULL AND r.due_day < {} AND NOT EXISTS"
        " (SELECT FROM timeline_entry t WHERE t.request = r.id AND t.event = 'late') ORDER BY r.due_day",
        today,
    )
    return [row["id"] for row in rows]


async def _say(id: UUID, policy: Policy, settings: Settings, at: datetime) -> bool:
    request = await find_by_id(id)
    reach = await reach_of(request, settings)
    if reach is None:
        return False
    async with engine().transaction():
        await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", id)
        request = await find_by_id(id)
        due = await clocks.deadline_of(id)
        if not request.is_open or at < due.late_at or await _said(id):
            return False
        await record(id, request.reference, "late", at=at, actor="worker", details={"due": due.due.isoformat()})
        message = late(
            words_for(request, policy), policy, reference=request.reference, due_day=due.due, link=reach.link
        )
        await write_to(reach, message, request, at=at)
    return True


async def _said(id: UUID) -> bool:
    return await TimelineEntry.exists().where((TimelineEntry.request == id) & (TimelineEntry.event == "late"))
