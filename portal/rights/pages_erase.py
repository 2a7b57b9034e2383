"""Ask for erasure: see what goes and what stays, type the word, and cancel for three days.

Always true here: nothing is erased on the first page, nothing without a fresh code and the typed word; keeping
everything is as easy as erasing it.
"""

from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from portal.errors import SignInNeeded, StepUpNeeded
from portal.identity.forms import unproven
from portal.identity.visitor import Visitor, form, need_fresh, need_session
from portal.policy.model import Policy
from portal.rights import intake_child
from portal.rights.erasure import GRACE, Approval, Changed, approve, draw_now, keep_after_all
from portal.rights.erasure_plan import account_categories, choosable
from portal.rights.erasure_shapes import Review, confirms, review, unused
from portal.rights.lifecycle import NotPossible
from portal.rights.pages_export import Fields
from portal.rights.person import find_person
from portal.rights.requests import RequestView, find, requests_of
from portal.sources.registry import Identified, sources_of
from portal.web import Req, go, language_of, now, page, policy_of, settings_of, words_of


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """How much: everything, or some categories. Ids that the policy does not offer are not in it."""

    everything: bool
    categories: tuple[str, ...]

    @property
    def chosen(self) -> bool:
        """True when there is something to erase."""
        return self.everything or bool(self.categories)

    def query(self) -> str:
        """Return it as it travels in an address: ids of the policy, which are about nobody."""
        if self.everything:
            return urlencode({"s": "all"})
        return urlencode([("s", "some"), *(("c", id) for id in self.categories)])


@get("/erase")
async def look(request: Req) -> Template | Redirect:
    """Show what would go and what would stay; nothing happens here."""
    visitor = need_session(request)
    if running := await _running(visitor):
        return go(request, f"/requests/{running.reference}")
    scope = read_scope(request.query_params, policy_of(request))
    return await _look(request, visitor, scope)


@get("/erase/check")
async def check(request: Req) -> Template | Redirect:
    """Ask for the word, once the person has shown that it is them."""
    visitor = need_fresh(request)
    if running := await _running(visitor):
        return go(request, f"/requests/{running.reference}")
    scope = read_scope(request.query_params, policy_of(request))
    if not scope.chosen:
        return await _look(request, visitor, scope, nothing_chosen=True)
    return await _check(request, visitor, scope)


@post("/erase", status_code=200)
async def erase(request: Req) -> Template | Redirect:
    """Plan the erasure that was shown, if the word was typed. Whoever must sign in first keeps what they chose."""
    try:
        visitor = need_fresh(request)
    except (SignInNeeded, StepUpNeeded) as first:
        kept = read_scope(await unproven(request), policy_of(request))
        first.back = f"/erase/check?{kept.query()}"
        raise
    fields = await form(request)
    scope = read_scope(fields, policy_of(request))
    if not scope.chosen:
        return await _look(request, visitor, scope, nothing_chosen=True)
    typed = fields.get("word", "")
    if not confirms(typed):
        return await _check(request, visitor, scope, typed=typed, wrong=True)
    policy = policy_of(request)
    chosen = _ids(policy, scope)
    approval = Approval(
        subject=visitor.subject_id, chosen=chosen, digest=fields.get("digest", ""), language=language_of(request)
    )
    try:
        opened = await approve(
            approval, sources=sources_of(request), policy=policy, public_url=settings_of(request).public_url,
            at=now(request),
        )  # fmt: skip
    except Changed:
        return await _check(request, visitor, scope, changed=True)
    return go(request, f"/requests/{opened.request.reference}")


@post("/requests/{reference:str}/keep")
async def keep(request: Req, reference: FromPath[str]) -> Redirect:
    """Cancel an erasure that has not begun. No questions asked, but where an account was reported as a child's."""
    visitor = need_session(request, back=f"/requests/{reference}")
    await form(request)
    asked, at = await find(reference, visitor.subject_id), now(request)
    try:
        if asked.right == "child":
            await intake_child.stop_erasure(asked, at=at)
        else:
            await keep_after_all(
                reference, visitor.subject_id, policy=policy_of(request), settings=settings_of(request), at=at
            )
    except NotPossible:
        return go(request, f"/requests/{reference}?late=1")
    return go(request, f"/requests/{reference}")


def read_scope(fields: Fields, policy: Policy) -> Scope:
    """Read how much out of a query or a form. Whoever ticks the account means everything."""
    offered = [category.id for category in choosable(policy)]
    wanted = {str(value) for value in fields.getall("c", [])}
    how = str(next(iter(fields.getall("s", [])), "all"))
    categories = tuple(id for id in offered if id in wanted)
    return Scope(
        everything=how == "all" or not account_categories(policy).isdisjoint(categories), categories=categories
    )


async def _look(request: Req, visitor: Visitor, scope: Scope, *, nothing_chosen: bool = False) -> Template:
    sources, policy = sources_of(request), policy_of(request)
    person = await find_person(sources, visitor.subject_id)
    return page(
        request,
        "rights/erase.html",
        scope=scope,
        review=await _review(request, person, Scope(everything=True, categories=())),
        offered=[one for one in choosable(policy) if one.id not in account_categories(policy)],
        unused=await unused(sources, policy, person),
        nothing_chosen=nothing_chosen,
    )


async def _check(
    request: Req, visitor: Visitor, scope: Scope, *, typed: str = "", wrong: bool = False, changed: bool = False
) -> Template:
    person = await find_person(sources_of(request), visitor.subject_id)
    others = [one for one in await requests_of(visitor.subject_id) if one.is_open]
    return page(
        request,
        "rights/erase_check.html",
        scope=scope,
        review=await _review(request, person, scope),
        others=others if scope.everything else [],
        typed=typed[:40],
        wrong=wrong,
        changed=changed,
        unused=await unused(sources_of(request), policy_of(request), person) if scope.everything else 0,
    )


async def _review(request: Req, person: Identified, scope: Scope) -> Review:
    policy, at = policy_of(request), now(request)
    drawn = await draw_now(sources_of(request), policy, person, _ids(policy, scope), at=at)
    return review(words_of(request), policy, drawn, erase_at=at + GRACE)


def _ids(policy: Policy, scope: Scope) -> tuple[str, ...]:
    return tuple(one.id for one in choosable(policy)) if scope.everything else scope.categories


async def _running(visitor: Visitor) -> RequestView | None:
    """Return the erasure that is planned or under way already."""
    requests = await requests_of(visitor.subject_id)
    return next((one for one in requests if one.is_open and one.right == "erasure"), None)


routes = [look, check, erase, keep]
