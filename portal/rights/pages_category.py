"""One category from the inside: why it is held, until when, who else gets it, and every record of it.

Always true here: a place that does not answer is named, and the others are still shown.
"""

import asyncio
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import FromPath, QueryParameter
from litestar.response import Template

from portal.errors import NotFound, SourceError
from portal.identity.visitor import need_session
from portal.policy.model import Category, Policy, SourceSpec
from portal.rights.grounds import recipients_in_words, why
from portal.rights.out_of_use import in_place
from portal.rights.pauses import pausable
from portal.rights.person import cannot_tell, find_person
from portal.rights.shapes import Cell, cells
from portal.rights.shapes_pause import pause_views
from portal.rights.values import Names, names_of
from portal.sources.base import Identifiers, Source
from portal.sources.registry import PATIENCE_SECONDS, sources_of
from portal.web import Req, page, policy_of, words_of
from portal.words import Words

AT_ONCE = 50
"""Records of one place on one page."""

DEEPEST = 100_000
"""The last page that is offered; beyond it the copy is the better reader."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What one source holds of the category, newest first. `rows` is None when it did not answer."""

    title: str
    rows: tuple[tuple[Cell, ...], ...] | None
    total: int = 0


@get("/data/{category:str}")
async def category_page(
    request: Req, category: FromPath[str], number: Annotated[int, QueryParameter(name="page", ge=1, le=DEEPEST)] = 1
) -> Template:
    """Show a page of records. Every place is read at once, with its own total.

    Raises:
        NotFound: for a category that the policy does not have.
    """
    visitor, sources, policy, words = need_session(request), sources_of(request), policy_of(request), words_of(request)
    known = _known(policy, category)
    person = await find_person(sources, visitor.subject_id)
    names = names_of(words, policy, known)
    places = await asyncio.gather(
        *(
            _silent(spec, words)
            if cannot_tell(spec, policy, person)
            else _place(sources.get(spec.id), spec, known, names, person.identifiers, number, words)
            for spec in policy.sources_of(known.id)
        )
    )
    last = max(1, *(-(-place.total // AT_ONCE) for place in places)) if places else 1
    paused = await in_place(visitor.subject_id) if known in pausable(policy) else []
    return page(
        request,
        "rights/category.html",
        category=known,
        places=places,
        number=number,
        last=last,
        total=None if any(place.rows is None for place in places) else sum(place.total for place in places),
        paused=[one for one in pause_views(words, policy, paused) if one.covers(known.id)],
        why=why(words, policy, known),
        recipients=recipients_in_words(words, policy, known),
    )


def _known(policy: Policy, category: str) -> Category:
    try:
        return policy.category(category)
    except KeyError:
        raise NotFound from None


async def _silent(spec: SourceSpec, words: Words) -> Place:
    """A place that cannot know whose records are whose while another place is down."""
    return Place(title=spec.title[words.language], rows=None)


async def _place(
    source: Source, spec: SourceSpec, category: Category, names: Names, subject: Identifiers, number: int, words: Words
) -> Place:
    title = spec.title[words.language]
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await source.page(subject, category.id, offset=(number - 1) * AT_ONCE, limit=AT_ONCE)
    except (SourceError, TimeoutError):
        return Place(title=title, rows=None)
    return Place(
        title=title, rows=tuple(cells(words, category.fields, names, row) for row in found.rows), total=found.total
    )


routes = [category_page]
