"""Correct data: see what each field holds, change one at a time, ask where a person must decide, put back.

Always true here: what was typed is never lost by a mistake in it; what cannot be changed here says what to do instead.
"""

import asyncio
from collections.abc import Sequence

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from portal.errors import Invalid, NotFound
from portal.identity.visitor import Visitor, form, need_session, visitor_of
from portal.policy.model import Category
from portal.rights import corrections
from portal.rights.deadlines import dates
from portal.rights.erasure_plan import account_categories, choosable
from portal.rights.fields import held_now
from portal.rights.lifecycle import NotPossible
from portal.rights.out_of_use import OutOfUse
from portal.rights.pages_signed_out import give_back
from portal.rights.person import find_person
from portal.rights.rectification import Wish, correct, field_of, note, undo
from portal.rights.shapes_correct import FieldView, field_views, told_of
from portal.sources.registry import sources_of
from portal.web import Req, go, language_of, now, page, policy_of, settings_of, words_of


@get("/correct")
async def overview(request: Req) -> Template:
    """Show what the account holds, where the rest can be corrected, and who was told of corrections."""
    visitor, policy = need_session(request), policy_of(request)
    accounts = [category for category in policy.categories if category.id in account_categories(policy)]
    found = await asyncio.gather(*(views_of(request, visitor, category) for category in accounts))
    made = await corrections.of_person(visitor.subject_id)
    return page(
        request,
        "rights/correct.html",
        fields=_each_reason_once([one for views in found for one in views if one.how != "never"]),
        silent=any(one.silent for views in found for one in views),
        others=[one for one in policy.categories if one.searchable],
        told=await told_of(words_of(request), policy, visitor.subject_id, made),
    )


@get("/correct/{category:str}")
async def one_category(request: Req, category: FromPath[str]) -> Template:
    """Show every field of a category. Raises: NotFound."""
    visitor, known = need_session(request), _known(request, category)
    views = await views_of(request, visitor, known)
    return page(
        request, "rights/correct_category.html", category=known, fields=views, silent=any(one.silent for one in views)
    )


@get("/correct/{category:str}/{field:str}")
async def one_field(request: Req, category: FromPath[str], field: FromPath[str]) -> Template | Redirect:
    """Show one field to type over, or what to do instead. Raises: NotFound."""
    visitor = need_session(request)
    if field_of(policy_of(request), category, field)[1].correct.how == "new-address":
        return go(request, "/address")
    return await _edit(request, visitor, category, field)


@post("/correct/{category:str}/{field:str}", status_code=200)
async def save(request: Req, category: FromPath[str], field: FromPath[str]) -> Template | Redirect:
    """Write the value everywhere, or ask for it. A second click finds the first one's request."""
    if not visitor_of(request).signed_in:
        return await give_back(request, "value", "why", back=f"/correct/{category}/{field}")
    visitor, fields = visitor_of(request), await form(request)
    value, why = fields.get("value", ""), fields.get("why", "")
    if field_of(policy_of(request), category, field)[1].correct.how not in {"at-once", "decide"}:
        raise NotFound
    wish = Wish(
        subject=visitor.subject_id, category=category, field=field, value=value, why=why,
        language=language_of(request),
    )  # fmt: skip
    try:
        opened = await correct(
            wish, sources=sources_of(request), policy=policy_of(request), settings=settings_of(request),
            at=now(request),
        )  # fmt: skip
    except Invalid as wrong:
        where = wrong.field if wrong.field == "value" else "why"
        return await _edit(request, visitor, category, field, typed=value, why=why, wrong=(where, wrong.sentence))
    except OutOfUse:
        return await _edit(request, visitor, category, field, typed=value, why=why, paused=True)
    return go(request, f"/requests/{opened.request.reference}")


@get("/note")
async def write_note(request: Req) -> Template:
    """Ask for words about what no single field holds."""
    need_session(request)
    return _note(request, str(request.query_params.get("c", "")))


@post("/note", status_code=200)
async def send_note(request: Req) -> Template | Redirect:
    """Have a person of ours look at it."""
    if not visitor_of(request).signed_in:
        return await give_back(request, "why", back="/note")
    visitor, fields = visitor_of(request), await form(request)
    category, why = fields.get("c", ""), fields.get("why", "")
    wish = Wish(subject=visitor.subject_id, category=category, why=why, language=language_of(request))
    try:
        opened = await note(wish, policy=policy_of(request), settings=settings_of(request), at=now(request))
    except Invalid as wrong:
        return _note(request, category, why=why, wrong=wrong.sentence)
    return go(request, f"/requests/{opened.request.reference}")


@post("/requests/{reference:str}/put-back")
async def put_back(request: Req, reference: FromPath[str]) -> Redirect:
    """Put the old value back everywhere; too late, the request's own page says how it stands."""
    visitor = need_session(request, back=f"/requests/{reference}")
    await form(request)
    try:
        opened = await undo(
            reference, visitor.subject_id, policy=policy_of(request), settings=settings_of(request), at=now(request)
        )
    except NotPossible:
        return go(request, f"/requests/{reference}")
    return go(request, f"/requests/{opened.request.reference}")


async def views_of(request: Req, visitor: Visitor, category: Category) -> tuple[FieldView, ...]:
    """Return the fields of a category as they are now."""
    sources, policy = sources_of(request), policy_of(request)
    person = await find_person(sources, visitor.subject_id)
    held = await held_now(sources, policy, person, category)
    made = await corrections.of_person(visitor.subject_id)
    return await field_views(words_of(request), category, held, made, settings_of(request), at=now(request))


async def _edit(
    request: Req, visitor: Visitor, category: str, field: str, *, typed: str | None = None, why: str = "",
    wrong: tuple[str, str] | None = None, paused: bool = False,
) -> Template:  # fmt: skip
    policy = policy_of(request)
    known, _ = field_of(policy, category, field)
    views = await views_of(request, visitor, known)
    view = next(one for one in views if one.id == field)
    return page(
        request,
        "rights/correct_field.html",
        status=422 if wrong else 409 if paused else 200,
        category=known,
        field=view,
        typed=("" if len(view.values) > 1 and view.how == "decide" else view.raw) if typed is None else typed,
        why=why,
        wrong=wrong,
        paused=paused,
        erasable=category in {one.id for one in choosable(policy)},
        answer_by=dates(now(request), policy).due,
    )


def _each_reason_once(views: Sequence[FieldView]) -> list[FieldView]:
    """Leave out what comes from the same other place as a field above it; the category's own page has it too."""
    first = {one.why: one.id for one in reversed(views)}
    return [one for one in views if one.how != "elsewhere" or first[one.why] == one.id]


def _note(request: Req, category: str, *, why: str = "", wrong: str = "") -> Template:
    policy = policy_of(request)
    return page(
        request,
        "rights/correct_note.html",
        status=422 if wrong else 200,
        chosen=category,
        offered=[one for one in policy.categories if one.searchable],
        why=why,
        wrong=wrong,
        answer_by=dates(now(request), policy).due,
    )


def _known(request: Req, category: str) -> Category:
    found = next((one for one in policy_of(request).categories if one.id == category and one.searchable), None)
    if found is None:
        raise NotFound
    return found


routes: list[ControllerRouterHandler] = [
    overview, one_category, one_field, save, write_note, send_note, put_back,
]  # fmt: skip
