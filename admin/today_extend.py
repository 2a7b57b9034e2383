"""Take longer for several answers with one reason: look first what is lawful, then do it request by request.

Always true here: each request is extended in a transaction of its own, with its own letter, once; what is not lawful is
left and named with its rule. The page reads how it stands from the requests, so after a crash the same button goes on.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Template
from multidict import MultiDict

from admin.nav import staff_page
from admin.roles import Permission
from admin.who import Staff, need_staff
from portal.errors import Invalid, Refused
from portal.identity.forms import form
from portal.rights import clocks, deadlines, extensions
from portal.rights.deadlines.inputs import Ground
from portal.rights.letters.reasons import reason
from portal.rights.reach import reach_of
from portal.rights.requests import REFERENCE, RequestView
from portal.rights.tables import SubjectRequest
from portal.settings import Settings
from portal.web import OWN_NAMES, Req, go, now, policy_of, settings_of, words_of
from portal.words import Words

PATH = "/staff/bulk/extend"
MOST = 100
"""Requests at once."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one request stands."""

    reference: str
    language: str
    due: date
    new: date | None = None
    """The day the person would be told."""
    why: str = ""
    """Why it cannot take longer, in words, with its rule; empty when it can."""
    extended: bool = False


@get(PATH)
async def show(
    request: Req,
    ref: Annotated[list[str] | None, QueryParameter(name="ref")] = None,
    done: Annotated[str, QueryParameter(name="done")] = "",
) -> Template:
    """Show which of the chosen requests can take longer, which cannot and why, and which have."""
    staff = await need_staff(request, Permission.DECIDE)
    return await _page(request, staff, checked(ref or []), done=bool(done))


@post(PATH, status_code=200)
async def extend_all(request: Req) -> Template | Redirect:
    """Extend each one that can be. Nothing is done twice, whoever presses the button again."""
    staff = await need_staff(request, Permission.DECIDE)
    fields = await form(request)
    chosen, kept = checked(fields.getall("ref", [])), checked(fields.getall("kept", []))
    at, policy, settings = now(request), policy_of(request), settings_of(request)
    requests = await _requests(chosen)
    try:
        ground, said = _reasons(fields, {one.language for one in requests})
    except Invalid as wrong:
        return await _page(request, staff, [*chosen, *kept], fields=fields, wrong=wrong)
    for one in requests:
        with suppress(Refused):  # the page says of each how it stands
            await extensions.extend(
                one, ground, said[one.language], policy=policy, settings=settings, at=at, actor=staff.actor
            )
    return go(request, f"{PATH}?{_query([*chosen, *kept])}&done=1")


def go_to(request: Req, references: Iterable[str]) -> Redirect:
    """Lead to the page for these requests."""
    return go(request, f"{PATH}?{_query(references)}")


def checked(references: Iterable[str]) -> list[str]:
    """Return what are references, each once, and not too many."""
    return list(dict.fromkeys(one for one in references if REFERENCE.fullmatch(one)))[:MOST]


async def standing(request: RequestView, words: Words, settings: Settings, *, at: datetime) -> Standing:
    """Return how a request stands: nothing is changed."""
    known = Standing(reference=request.reference, language=request.language, due=request.due_day)
    if request.extended_on is not None:
        return msgspec.structs.replace(known, extended=True)
    if not request.is_open:
        return msgspec.structs.replace(known, why=words("It has ended."))
    if await reach_of(request, settings) is None:
        return msgspec.structs.replace(
            known, why=words("Nobody has shown a mailbox yet, so nobody could be told (rule D9).")
        )
    try:
        inputs = await clocks.inputs_of(request.id)
        after = deadlines.deadline(deadlines.extend(inputs, noticed_at=at, reason="-", ground="complexity"))
    except Refused as wrong:
        return msgspec.structs.replace(known, why=words(wrong.sentence))
    before = deadlines.deadline(inputs)
    return msgspec.structs.replace(known, new=after.due if after.due > before.due else after.law)


async def _page(
    request: Req, staff: Staff, references: Sequence[str], *, fields: MultiDict[str] | None = None,
    wrong: Invalid | None = None, done: bool = False,
) -> Template:  # fmt: skip
    words, at = words_of(request), now(request)
    found = [await standing(one, words, settings_of(request), at=at) for one in await _requests(references)]
    possible = [one for one in found if one.new]
    used = {one.language for one in possible}
    languages = [(code, OWN_NAMES[code]) for code in policy_of(request).languages if code in used]
    typed: MultiDict[str] = fields or MultiDict()
    return staff_page(
        request, staff, "staff/bulk_extend.html", status=422 if wrong else 200, possible=possible,
        extended=[one for one in found if one.extended], left=[one for one in found if one.why], done=done,
        kept=[one.reference for one in found if not one.new], languages=languages,
        grounds=[(id, reason(id).title[words.language]) for id in extensions.GROUNDS],
        typed={name: typed.get(name, "") for name in ("ground", *(f"why-{code}" for code, _ in languages))},
        wrong=words(wrong.sentence) if wrong else "", wrong_field=wrong.field if wrong else "",
    )  # fmt: skip


def _reasons(fields: MultiDict[str], languages: Iterable[str]) -> tuple[Ground, Mapping[str, str]]:
    """Return the ground, and why in each language that is needed. Raises: Invalid."""
    ground = fields.get("ground", "")
    if ground not in extensions.GROUNDS:
        raise Invalid("Choose one of the two reasons (rule D9).", field="ground")
    said = {code: fields.get(f"why-{code}", "").replace("\r\n", "\n").strip() for code in languages}
    for code, text in sorted(said.items()):
        if not text:
            raise Invalid("Fill this in.", field=f"why-{code}")
    return ground, said


async def _requests(references: Sequence[str]) -> list[RequestView]:
    rows = await SubjectRequest.select().where(SubjectRequest.reference.is_in(list(references) or [""])).order_by(
        SubjectRequest.due_day, SubjectRequest.reference
    )  # fmt: skip
    return msgspec.convert(rows, list[RequestView])


def _query(references: Iterable[str]) -> str:
    return urlencode([("ref", one) for one in references])


routes = [show, extend_all]
