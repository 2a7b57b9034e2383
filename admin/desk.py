"""The desk: one request with everything that can be done about it, and the tasks.

Always true here: only an active member of staff reaches it; every change is a form of our own page; a mistake keeps
what was typed; opening a request is evidence, as is every verb. It needs no script.
"""

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect, Template

from admin import desk_request, desk_shapes, looks, notes
from admin.desk_act import Act
from admin.desk_request import request_page
from admin.desk_request_version import need_unmoved, seen_in
from admin.desk_verbs import PERMISSIONS, VERBS, preview
from admin.roles import Permission
from admin.who import need_staff
from portal.errors import Refused
from portal.identity.forms import form
from portal.rights import tasks
from portal.rights.erasure_end import after_task
from portal.rights.requests import REFERENCE
from portal.web import Req, go, now, policy_of, settings_of

PATH = desk_request.PATH


@get(f"{PATH}/{{reference:str}}")
async def show_one(
    request: Req,
    reference: FromPath[str],
    done: Annotated[str, QueryParameter(name="done")] = "",
    why: Annotated[str, QueryParameter(name="why")] = "",
) -> Template:
    """Show one request. `why` is a task that was to be called not needed, without a reason."""
    staff = await need_staff(request, Permission.CASE, reference=reference)
    return await request_page(request, await desk_shapes.by_reference(reference), staff, done=bool(done), why=why)


@post(f"{PATH}/{{reference:str}}", status_code=200)
async def act(request: Req, reference: FromPath[str]) -> Template | Redirect:
    """Do one thing, or show the letter that it would send. Who is second is told who was first, and keeps the words."""
    staff = await need_staff(request, Permission.CASE, reference=reference)
    fields = await form(request)
    found = await desk_shapes.by_reference(reference)
    do = fields.get("do", "")
    verb = "propose" if "propose" in fields and do == "refuse" else do
    sent = Act(
        request=found, fields=fields, policy=policy_of(request), settings=settings_of(request), at=now(request),
        staff=staff,
    )  # fmt: skip
    if verb not in VERBS:
        return await request_page(request, found, staff)
    await need_staff(request, PERMISSIONS[verb], reference=reference)
    seen = seen_in(fields.get("seen", ""))
    try:
        await need_unmoved(found, seen)
        letter = await preview(sent, verb) if "preview" in fields else None
        if letter is not None:
            return await request_page(request, found, staff, verb=do, typed=fields, letter=letter)
        await VERBS[verb](sent)
    except Refused as wrong:
        after = await desk_shapes.by_reference(reference)
        return await request_page(request, after, staff, verb=do, typed=fields, wrong=wrong, seen=seen)
    return go(request, f"{PATH}/{reference}?done=1")


@post("/staff/tasks/{task:uuid}")
async def act_on_task(request: Req, task: FromPath[UUID]) -> Redirect:
    """Note that a task is done, that somebody was asked, or why it is not needed. A second click changes nothing."""
    staff = (await need_staff(request, Permission.TASKS)).actor
    fields = await form(request)
    at, back, why = now(request), fields.get("back", ""), fields.get("reason", "").strip()[:200]
    where = f"{PATH}/{back}" if REFERENCE.fullmatch(back) else PATH
    match fields.get("do"):
        case "asked":
            await tasks.asked(task, at=at, actor=staff)
        case "done":
            await tasks.end_task(task, "done", at=at, actor=staff)
        case "not-needed" if why:
            await tasks.end_task(task, "not-needed", at=at, actor=staff, reason=why)
        case _:
            return go(request, f"{where}?why={task}")
    await after_task(task, policy=policy_of(request), settings=settings_of(request), at=at)
    return go(request, f"{where}?done=1")


routes = [show_one, act, act_on_task, *looks.routes, *notes.routes]
