"""Pause data: choose which and why, see where it is out of use, end it again.

Always true here: it counts from the click on, so there is nothing to check first; ending it is one button and asks for
no reason. Platforms that can only stop a whole account are named before the choice.
"""

from contextlib import suppress
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from portal.errors import Invalid
from portal.identity.forms import unproven
from portal.identity.visitor import Visitor, form, need_session, visitor_of
from portal.rights.lifecycle import NotPossible
from portal.rights.messages import LONGEST
from portal.rights.out_of_use import in_place
from portal.rights.pages_export import Fields
from portal.rights.pages_signed_out import show_back
from portal.rights.pauses import Wish, disagree, end_own, pausable, pause, stops_account
from portal.rights.shapes_pause import PauseView, pause_views
from portal.web import Req, go, language_of, now, page, policy_of, settings_of, words_of

REASONS = ("accuracy", "unlawful", "claims", "objection")
"""In the order of the page. Source: GDPR Art. 18(1)(a)-(d)."""


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What was filled in, as it is shown again after a mistake."""

    categories: tuple[str, ...] = ()
    reason: str = ""
    text: str = ""


@get("/pause")
async def choose(request: Req) -> Template:
    """Show what is paused already, and offer the rest."""
    visitor = need_session(request)
    return await _show(request, visitor, _read(request.query_params, _offered(request)), [])


@post("/pause", status_code=200)
async def start(request: Req) -> Template | Redirect:
    """Pause it now. A second click finds the first one's request; a mistake keeps what was filled in.

    Whoever was signed out meanwhile finds the same ticks again; what they wrote is given back
    and never travels in an address.
    """
    visitor, offered = visitor_of(request), _offered(request)
    if not visitor.signed_in:
        kept = _read(await unproven(request), offered)
        ticks = urlencode([*(("c", id) for id in kept.categories), ("r", kept.reason)])
        return show_back(request, kept.text, back=f"/pause?{ticks}")
    chosen = _read(await form(request), offered)
    if wrong := _mistakes(chosen):
        return await _show(request, visitor, chosen, wrong)
    wish = Wish(
        subject=visitor.subject_id, categories=chosen.categories, reason=chosen.reason,  # type: ignore[arg-type]
        text=chosen.text.strip(), language=language_of(request),
    )  # fmt: skip
    opened = await pause(wish, policy=policy_of(request), settings=settings_of(request), at=now(request))
    return go(request, f"/requests/{opened.request.reference}")


@post("/requests/{reference:str}/end-pause")
async def end(request: Req, reference: FromPath[str]) -> Redirect:
    """End one's own pause at once."""
    visitor = need_session(request, back=f"/requests/{reference}")
    await form(request)
    await end_own(
        reference, visitor.subject_id, policy=policy_of(request), settings=settings_of(request), at=now(request)
    )
    return go(request, f"/requests/{reference}")


async def paused_now(request: Req, visitor: Visitor) -> list[PauseView]:
    """Return what is out of use for a visitor now, as pages say it."""
    return pause_views(words_of(request), policy_of(request), await in_place(visitor.subject_id))


async def _show(request: Req, visitor: Visitor, chosen: Chosen, wrong: list[tuple[str, str]]) -> Template:
    policy = policy_of(request)
    return page(
        request,
        "rights/pause.html",
        offered=pausable(policy),
        account=stops_account(policy),
        reasons=REASONS,
        chosen=chosen,
        wrong=wrong,
        paused=await paused_now(request, visitor),
    )


def _offered(request: Req) -> list[str]:
    return [one.id for one in pausable(policy_of(request))]


def _read(fields: Fields, offered: list[str]) -> Chosen:
    wanted = {str(value) for value in fields.getall("c", [])}
    reason = str(next(iter(fields.getall("r", [])), ""))
    return Chosen(
        categories=tuple(id for id in offered if id in wanted),
        reason=reason if reason in REASONS else "",
        text=str(next(iter(fields.getall("text", [])), "")).replace("\r\n", "\n"),
    )


def _mistakes(chosen: Chosen) -> list[tuple[str, str]]:
    """Return what is to be mended: the field's id and the sentence."""
    wrong: list[tuple[str, Invalid]] = []
    if not chosen.categories:
        wrong.append(("c-1", Invalid("Tick at least one kind of data.")))
    if not chosen.reason:
        wrong.append(("r-accuracy", Invalid("Choose one reason.")))
    if len(chosen.text) > LONGEST:
        wrong.append(("text", Invalid("This is too long. Shorten it to 5,000 characters.")))
    return [(field, error.sentence) for field, error in wrong]


@post("/requests/{reference:str}/not-yet")
async def object_to_end(request: Req, reference: FromPath[str]) -> Redirect:
    """Say that the pause must not end as announced."""
    visitor = need_session(request, back=f"/requests/{reference}")
    await form(request)
    with suppress(NotPossible):
        await disagree(reference, visitor.subject_id, policy=policy_of(request), at=now(request))
    return go(request, f"/requests/{reference}")


routes: list[ControllerRouterHandler] = [choose, start, end, object_to_end]
