"""What is held about the person of a request: how much for everybody on the desk, the data itself for a reason.

Always true here: without an open look nothing but numbers leaves this page; every place has a time-out of its own, and
one that is silent is named; nothing that was read is kept. Source: law S-18, S-19; C-579/21.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from multidict import MultiDict

from admin import desk_shapes
from admin.desk_request import PATH, looking
from admin.desk_request_who import who_of
from admin.desk_words import right_in_words
from admin.nav import staff_page
from admin.roles import Permission
from admin.who import Staff, need_staff
from portal.database import engine
from portal.errors import Invalid, NotFound, SourceError
from portal.evidence.log import append
from portal.identity.forms import form
from portal.policy.model import Category, Policy, SourceSpec
from portal.rights.looks import look, open_until
from portal.rights.person import cannot_tell, find_person
from portal.rights.requests import RequestView
from portal.rights.shapes import Cell, cells, shown
from portal.rights.values import names_of
from portal.sources.base import Identifiers, Source
from portal.sources.registry import PATIENCE_SECONDS, sources_of
from portal.web import Req, go, now, policy_of, words_of
from portal.words import Words

FIRST = 5
"""Records of one category in one place that are shown."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What one place holds of one category. `total` is None when the place did not answer."""

    category: str
    """Its title."""
    total: int | None
    newest: str = ""
    oldest: str = ""
    rows: Sequence[Sequence[Cell]] = ()


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One source, by its title. `silent` when it did not answer at all."""

    title: str
    held: Sequence[Held]

    @property
    def silent(self) -> bool:
        """True when nothing of it is known."""
        return bool(self.held) and all(one.total is None for one in self.held)


@get(f"{PATH}/{{reference:str}}/data")
async def show_data(request: Req, reference: FromPath[str]) -> Template:
    """Show how much is held, and what, to whoever looked for a reason. Raises: NotFound, without a person."""
    staff = await need_staff(request, Permission.CASE, reference=reference)
    return await _page(request, await desk_shapes.by_reference(reference), staff)


@post(f"{PATH}/{{reference:str}}/data", status_code=200)
async def open_data(request: Req, reference: FromPath[str]) -> Template | Redirect:
    """Take the reason, and open the data to this member of staff for a quarter of an hour."""
    staff = await need_staff(request, Permission.DATA, reference=reference)
    fields = await form(request)
    found = await desk_shapes.by_reference(reference)
    try:
        await look(found, fields.get("reason", ""), fields.get("why", ""), staff=staff.id, at=now(request))
    except Invalid as wrong:
        return await _page(request, found, staff, typed=fields, wrong=wrong)
    return go(request, f"{PATH}/{reference}/data")


async def _page(
    request: Req,
    found: RequestView,
    staff: Staff,
    *,
    typed: MultiDict[str] | None = None,
    wrong: Invalid | None = None,
) -> Template:
    if found.subject is None:
        raise NotFound
    policy, words, at = policy_of(request), words_of(request), now(request)
    until = await open_until(found.id, staff=staff.id, at=at) if staff.may(Permission.DATA) else None
    await _note(found, staff, read=until is not None, at=at)
    extra = await desk_shapes.extra_of(found, policy)
    who = who_of(
        words, found, extra.person, extra.form, happened=extra.happened,
        names={one.id: one.name for one in extra.staff}, is_open=until is not None,
    )  # fmt: skip
    places = [] if who.erased else await _places(request, found, is_open=until is not None)
    return staff_page(
        request, staff, "staff/desk_data.html", status=wrong.status if wrong else 200, copy=found, until=until,
        asked=right_in_words(words, found.right), who=who, places=places, may_look=staff.may(Permission.DATA),
        looking=looking(words), typed=typed or MultiDict(), verb="see", first=FIRST,
        wrong=words(wrong.sentence) if wrong else "", wrong_field=wrong.field if wrong else "",
    )  # fmt: skip


async def _note(found: RequestView, staff: Staff, *, read: bool, at: datetime) -> None:
    """Note that somebody looked how much there is, or at the data. Source: law S-19."""
    async with engine().transaction():
        event = "staff:data:read" if read else "staff:data:counted"
        await append(event, at=at, actor=staff.actor, reference=found.reference)


async def _places(request: Req, found: RequestView, *, is_open: bool) -> list[Place]:
    """Ask every place at once, each with its own time-out."""
    sources, policy, words = sources_of(request), policy_of(request), words_of(request)
    person = await find_person(sources, found.owner)
    counts = await sources.count(person.identifiers)
    known = {
        spec.id: None if cannot_tell(spec, policy, person) else counts[spec.id] for spec in policy.sources
    }  # fmt: skip
    asked = (
        _place(words, policy, spec, sources.get(spec.id) if is_open else None, person.identifiers, known[spec.id])
        for spec in policy.sources
    )
    return list(await asyncio.gather(*asked))


async def _place(
    words: Words, policy: Policy, spec: SourceSpec, source: Source | None, subject: Identifiers,
    told: Mapping[str, int] | None,
) -> Place:  # fmt: skip
    """Return what a place holds; without `source` only how much. `told` is None when it did not answer."""
    here = [one for one in policy.categories if spec in policy.sources_of(one.id)]
    if told is None:
        held = [Held(category=one.title[words.language], total=None) for one in here]
    elif source is None:
        held = [Held(category=one.title[words.language], total=told.get(one.id, 0)) for one in here]
    else:
        held = list(await asyncio.gather(*(_held(words, policy, source, one, subject, told) for one in here)))
    return Place(title=spec.title[words.language], held=held)


async def _held(
    words: Words, policy: Policy, source: Source, category: Category, subject: Identifiers, told: Mapping[str, int]
) -> Held:
    """Read the first records of a category, and the last one for its date."""
    title, total = category.title[words.language], told.get(category.id, 0)
    if not total:
        return Held(category=title, total=0)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await source.page(subject, category.id, offset=0, limit=FIRST)
            last = await source.page(subject, category.id, offset=max(found.total - 1, 0), limit=1)
    except (SourceError, TimeoutError):
        return Held(category=title, total=None)
    names = names_of(words, policy, category)
    return Held(
        category=title, total=found.total, newest=_day(words, category, found.rows),
        oldest=_day(words, category, last.rows),
        rows=[cells(words, category.fields, names, row) for row in found.rows],
    )  # fmt: skip


def _day(words: Words, category: Category, rows: Sequence[Mapping[str, object]]) -> str:
    """Return when the first of these records is from; empty when the category has no date."""
    dated = next((field for field in category.fields if field.kind in {"moment", "day"}), None)
    return shown(words, dated.kind, rows[0].get(dated.id)) if dated and rows else ""


routes = [show_data, open_data]
