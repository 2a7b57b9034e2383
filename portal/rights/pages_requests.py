"""Follow a request: the list of them, and one with its dates, what is done where, what was written, what happened.

Always true here: every open request shows the day by which it is answered, and says so when that day has passed; what
a person typed is never lost by a mistake in it.
"""

from datetime import datetime

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from portal.errors import Invalid
from portal.identity.visitor import form, need_session, visitor_of
from portal.policy.model import Policy
from portal.rights import intake_child, messages, questions
from portal.rights.dossier import dossier_of
from portal.rights.events import events_of
from portal.rights.lifecycle import NotPossible
from portal.rights.pages_signed_out import give_back
from portal.rights.plan_shapes import steps_in
from portal.rights.requests import RequestView, find, requests_of
from portal.rights.shapes import category_title, day_bar
from portal.rights.shapes_correct import box_of
from portal.rights.shapes_pause import pause_of, use_of
from portal.settings import Settings
from portal.web import Req, go, now, page, policy_of, settings_of, words_of


@get("/requests")
async def show_all(request: Req) -> Template:
    """List the person's requests, newest first."""
    requests = await requests_of(need_session(request).subject_id)
    return page(request, "rights/requests.html", requests=requests)


@get("/requests/{reference:str}")
async def show_one(request: Req, reference: FromPath[str]) -> Template:
    """Show one request."""
    copy = await find(reference, need_session(request).subject_id)
    return await _show(request, copy)


@get("/requests/{reference:str}/message")
async def written(request: Req, reference: FromPath[str]) -> Redirect:
    """Lead back to the request: who changes the language after a mistake in a message comes by here."""
    copy = await find(reference, need_session(request).subject_id)
    return go(request, f"/requests/{copy.reference}")


@post("/requests/{reference:str}/message", status_code=200)
async def write(request: Req, reference: FromPath[str]) -> Template | Redirect:
    """Add a message, or answer our question. What is too long or empty comes back with the text as it was typed."""
    if not visitor_of(request).signed_in:
        return await give_back(request, "text", back=f"/requests/{reference}")
    copy = await find(reference, visitor_of(request).subject_id)
    fields = await form(request)
    text, at = fields.get("text", ""), now(request)
    policy, settings = policy_of(request), settings_of(request)
    try:
        if not (copy.waits and await _answers(copy, text, policy=policy, settings=settings, at=at)):
            await messages.write(
                copy, author="person", text=text, policy=policy, settings=settings, at=at, actor="person"
            )  # fmt: skip
    except Invalid as wrong:
        return await _show(request, copy, wrong=wrong.sentence, typed=text)
    except NotPossible:
        return await _show(request, await find(reference, copy.owner), ended=True, typed=text)
    return go(request, f"/requests/{reference}")


async def _answers(copy: RequestView, text: str, *, policy: Policy, settings: Settings, at: datetime) -> bool:
    """Take the text as the answer to our question. False when another tab was first, or the request has ended."""
    try:
        await questions.answer(copy, text, policy=policy, settings=settings, at=at)
    except NotPossible:
        return False
    return True


async def _show(request: Req, copy: RequestView, *, wrong: str = "", typed: str = "", ended: bool = False) -> Template:
    words, at, policy = words_of(request), now(request), policy_of(request)
    today = at.astimezone(words.zone).date()
    dossier = await dossier_of(copy.id)
    parcel = dossier.parcel
    return page(
        request,
        "rights/request.html",
        copy=copy,
        asked=[category_title(words, policy, id) for id in copy.categories],
        parcel=parcel,
        available=parcel is not None and parcel.available(at),
        timeline=dossier.timeline,
        events=events_of(words, copy.right),
        days=day_bar(copy.received_at.astimezone(words.zone).date(), copy.due_day, today),
        late=copy.is_open and parcel is None and today > copy.due_day,
        plan=dossier.plan("erase"),
        can_stop=copy.right == "child" and await intake_child.may_stop(copy),
        paused=await pause_of(words, policy, copy),
        stopped=await use_of(copy),
        steps=steps_in(words, policy, copy, dossier),
        correction=await box_of(words, policy, copy, settings_of(request), at=at),
        written=[one for one in dossier.messages if one.author != "reporter"],
        receipt=dossier.receipt,
        wrong=wrong,
        typed=typed,
        ended=ended,
    )


routes = [show_all, show_one, written, write]
