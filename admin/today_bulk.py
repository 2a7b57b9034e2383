"""What is done with several requests at once: give them to somebody, take longer, put their days into a calendar.

Always true here: `VERBS` is everything there is. Nothing is approved, refused, answered or erased in bulk: that takes a
look at each. Each request changes in a transaction of its own, and a second click changes nothing.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect, Template
from multidict import MultiDict

from admin import today_extend
from admin.roles import Permission
from admin.today import PATH, today_page
from admin.today_calendar import calendar
from admin.today_chosen import chosen_of, query_of
from admin.today_extend import MOST, checked
from admin.today_owners import owners
from admin.who import Staff, need_staff
from portal.errors import Invalid
from portal.identity.forms import form
from portal.rights import assignees
from portal.rights.lifecycle import NotPossible
from portal.rights.queue import Chosen, rows_of
from portal.web import Req, go, now, settings_of, words_of

type Answer = Template | Redirect | Response[bytes]


class Bulk(msgspec.Struct, frozen=True, kw_only=True):
    """One form with chosen requests."""

    request: Req
    staff: Staff
    fields: MultiDict[str]
    references: Sequence[str]
    chosen: Chosen


type Verb = Callable[[Bulk], Awaitable[Answer]]


@get("/staff/bulk")
async def look_again(request: Req) -> Redirect:
    """Lead back to Today."""
    await need_staff(request, Permission.QUEUE)
    return go(request, PATH)


@post("/staff/bulk", status_code=200)
async def act(request: Req) -> Answer:
    """Do one thing with the chosen requests; nothing, when none is chosen."""
    staff = await need_staff(request, Permission.QUEUE)
    fields = await form(request)
    chosen = chosen_of(fields.get("back", "")[:500], me=staff.id)
    verb = fields.get("do", "")
    if verb not in VERBS:
        return go(request, f"{PATH}?{query_of(chosen)}")
    await need_staff(request, PERMISSIONS[verb])
    sent = Bulk(
        request=request, staff=staff, fields=fields, references=checked(fields.getall("ref", [])), chosen=chosen
    )
    try:
        return await VERBS[verb](_with_some(sent))
    except Invalid as wrong:
        return await today_page(request, staff, chosen, status=422, wrong=words_of(request)(wrong.sentence))


def _with_some(bulk: Bulk) -> Bulk:
    """Refuse a form in which nothing was chosen. Raises: Invalid."""
    if not bulk.references:
        raise Invalid("Choose at least one request.", field="ref")
    return bulk


async def give(bulk: Bulk) -> Redirect:
    """Give each to one member of staff, or to nobody. Those that have ended meanwhile are counted and left."""
    to = await _to(bulk)
    given = left = 0
    for row in await rows_of("r.reference = ANY({})", list(bulk.references), most=MOST):
        try:
            await assignees.give(row.id, to, at=now(bulk.request), actor=bulk.staff.actor)
            given += 1
        except NotPossible:
            left += 1
    query = f"{query_of(bulk.chosen)}&given={given}&left={left}".lstrip("&")
    return go(bulk.request, f"{PATH}?{query}")


async def extend(bulk: Bulk) -> Redirect:
    """Lead to the page that says which can take longer, and asks for the reason."""
    return today_extend.go_to(bulk.request, bulk.references)


async def calendar_file(bulk: Bulk) -> Response[bytes]:
    """Hand out the days of those that are open as a calendar file. Nothing is changed."""
    rows = await rows_of("r.closed_at IS NULL AND r.reference = ANY({})", list(bulk.references), most=MOST)
    body = calendar(rows, words_of(bulk.request), public_url=settings_of(bulk.request).public_url, at=now(bulk.request))
    headers = {"Content-Disposition": 'attachment; filename="habeas-due.ics"', "Cache-Control": "no-store"}
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)


async def _to(bulk: Bulk) -> int | None:
    """Return who is to have them, None for nobody. Raises: Invalid."""
    to = bulk.fields.get("to", "")
    if to == "nobody":
        return None
    known = await owners()
    number = bulk.staff.id if to == "me" else int(to) if to.isdecimal() and len(to) < 10 else 0
    if not known.can_have(number):
        raise Invalid("Choose somebody who works on requests.", field="to")
    return number


VERBS: Mapping[str, Verb] = {"give": give, "extend": extend, "calendar": calendar_file}
PERMISSIONS: Mapping[str, Permission] = {
    "give": Permission.ASSIGN, "extend": Permission.DECIDE, "calendar": Permission.QUEUE,
}  # fmt: skip

routes = [look_again, act]
