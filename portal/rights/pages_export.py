"""Ask for a copy: choose, check, go.

Always true here: what was chosen travels in the address as category ids of the policy, which are about nobody.
"""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.response import Redirect, Template

from portal.errors import SignInNeeded
from portal.identity.forms import unproven
from portal.identity.visitor import form, need_session, visitor_of
from portal.policy.model import Category, Policy
from portal.rights.deadlines import dates
from portal.rights.intake import open_access
from portal.rights.latest import latest_copy
from portal.rights.pages_home import held_now
from portal.web import Req, go, language_of, now, page, policy_of, settings_of

FORMATS = ("all", "pdf", "person")
"""A ZIP with everything, only the PDF, or another way that a person arranges."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What the copy is to hold, and how. Ids that the policy does not offer are not in it."""

    categories: tuple[str, ...]
    format: str


class Fields(Protocol):
    """A form or a query: a name may come several times."""

    def getall(self, key: str, default: Sequence[object]) -> Sequence[object]:
        """Return all values of a name."""
        ...


@get("/export")
async def choose(request: Req) -> Template:
    """Offer everything, ticked; or what was chosen before, when the person comes back to change it."""
    fresh = "c" not in request.query_params and "f" not in request.query_params
    everything = Choice(categories=tuple(one.id for one in offered(policy_of(request))), format="all")
    return await _choose(request, everything if fresh else read_choice(request.query_params, policy_of(request)))


@get("/export/check")
async def check(request: Req) -> Template | Redirect:
    """Show what will happen before it does."""
    visitor, policy = need_session(request), policy_of(request)
    chosen = read_choice(request.query_params, policy)
    if not chosen.categories:
        return await _choose(request, chosen, nothing_chosen=True)
    if chosen.format == "person":
        return go(request, "/ask/person")
    held = await held_now(request, visitor)
    counts = [held.counts.get(id) for id in chosen.categories]
    return page(
        request,
        "rights/export_check.html",
        choice=chosen,
        offered=offered(policy),
        counted=sum(count or 0 for count in counts),
        uncounted=None in counts,
        dates=dates(now(request), policy),
    )


@post("/export")
async def start(request: Req) -> Template | Redirect:
    """Open the request. A second click finds the first one's; whoever was signed out meanwhile keeps the choice."""
    policy = policy_of(request)
    visitor = visitor_of(request)
    if not visitor.signed_in:
        raise SignInNeeded(_to_check(read_choice(await unproven(request), policy)))
    chosen = read_choice(await form(request), policy)
    if not chosen.categories:
        return await _choose(request, chosen, nothing_chosen=True)
    if chosen.format == "person":
        return go(request, "/ask/person")
    opened = await open_access(
        subject_id=visitor.subject_id,
        categories=chosen.categories,
        format=chosen.format,
        language=language_of(request),
        policy=policy,
        public_url=settings_of(request).public_url,
        at=now(request),
    )
    again = "?already=1" if opened.existing else ""
    return go(request, f"/requests/{opened.request.reference}/progress{again}")


def offered(policy: Policy) -> list[Category]:
    """Return the categories that can be copied: those that can be looked up by person, in the policy's order."""
    return [category for category in policy.categories if category.searchable and policy.sources_of(category.id)]


def read_choice(fields: Fields, policy: Policy) -> Choice:
    """Read a choice out of a query or a form; what is not offered is left out."""
    wanted = {str(value) for value in fields.getall("c", [])}
    format = str(next(iter(fields.getall("f", [])), FORMATS[0]))
    return Choice(
        categories=tuple(one.id for one in offered(policy) if one.id in wanted),
        format=format if format in FORMATS else FORMATS[0],
    )


def _to_check(chosen: Choice) -> str:
    """Return the path of the check page for a choice."""
    return "/export/check?" + urlencode([*(("c", id) for id in chosen.categories), ("f", chosen.format)])


async def _choose(request: Req, chosen: Choice, *, nothing_chosen: bool = False) -> Template:
    visitor, policy = need_session(request), policy_of(request)
    held = await held_now(request, visitor)
    return page(
        request,
        "rights/export_choose.html",
        status=422 if nothing_chosen else 200,
        choice=chosen,
        offered=offered(policy),
        held=held,
        latest=await latest_copy(visitor.subject_id, at=now(request)),
        nothing_chosen=nothing_chosen,
    )


routes = [choose, check, start]
