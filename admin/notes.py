"""What staff do on a request's page that its person never sees: a note for colleagues, and who has the request.

Always true here: neither changes what becomes of the request; a note that is not kept comes back as it was typed.
"""

from litestar import post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from admin import desk_shapes
from admin.desk_request import PATH, request_page
from admin.desk_shapes import OfStaff
from admin.roles import Permission
from admin.who import Staff, need_staff
from portal.errors import Invalid, Refused
from portal.identity.forms import form
from portal.rights.assignees import give
from portal.rights.notes import write_note
from portal.rights.requests import RequestView
from portal.web import Req, go, now, policy_of


@post(f"{PATH}/{{reference:str}}/notes", status_code=200)
async def keep_note(request: Req, reference: FromPath[str]) -> Template | Redirect:
    """Keep a note for colleagues."""
    staff = await need_staff(request, Permission.WRITE, reference=reference)
    fields = await form(request)
    found = await desk_shapes.by_reference(reference)
    try:
        await write_note(found, fields.get("text", ""), staff=staff.id, at=now(request))
    except Refused as wrong:
        return await request_page(request, found, staff, verb="note", typed=fields, wrong=wrong)
    return go(request, f"{PATH}/{reference}?done=1")


@post(f"{PATH}/{{reference:str}}/owner", status_code=200)
async def change_owner(request: Req, reference: FromPath[str]) -> Template | Redirect:
    """Give the request to somebody who may work on it, or to nobody. Who is second is told who has it."""
    staff = await need_staff(request, Permission.ASSIGN, reference=reference)
    fields = await form(request)
    found = await desk_shapes.by_reference(reference)
    try:
        extra = await desk_shapes.extra_of(found, policy_of(request))
        to = _chosen(fields.get("to", ""), staff, [one for one in extra.staff if one.works])
        before = _number(fields.get("before", ""))
        await give(found.id, to, at=now(request), actor=staff.actor, before=before)
    except Refused as wrong:
        after: RequestView = await desk_shapes.by_reference(reference)
        return await request_page(request, after, staff, verb="owner", typed=fields, wrong=wrong)
    return go(request, f"{PATH}/{reference}?done=1")


def _chosen(to: str, staff: Staff, colleagues: list[OfStaff]) -> int | None:
    """Return the number of whoever was chosen, None for nobody. Raises: Invalid."""
    if to == "nobody":
        return None
    number = staff.id if to == "me" else _number(to)
    if number is None or all(one.id != number for one in colleagues):
        raise Invalid("Choose one of them.", field="to")
    return number


def _number(text: str) -> int | None:
    """Return a number of staff; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


routes = [keep_note, change_owner]
