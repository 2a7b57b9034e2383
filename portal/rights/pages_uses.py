"""Take one's data along, and ask whether a program decides.

Always true here: what cannot be taken along is named with the reason; the answer on automated decisions stands on the
page itself, before anything is asked for.
"""

from collections.abc import Collection
from urllib.parse import urlencode

from litestar import get, post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from portal.errors import Invalid, SignInNeeded
from portal.identity.forms import unproven
from portal.identity.visitor import form, need_session, visitor_of
from portal.policy.model import Policy
from portal.rights.automated import ask
from portal.rights.deadlines import dates
from portal.rights.intake import open_access
from portal.rights.messages import LONGEST
from portal.rights.pages_home import held_now
from portal.rights.pages_signed_out import give_back
from portal.rights.portability import left_out, portable
from portal.web import Req, go, language_of, now, page, policy_of, settings_of, words_of


@get("/take")
async def choose(request: Req) -> Template:
    """Offer everything that can be taken along, ticked; or what was ticked before a sign-in came between."""
    ticked = _ticked(request.query_params.getall("c", []), policy_of(request))
    everything = tuple(category.id for category in portable(policy_of(request)))
    return await _take(request, ticked or everything, nothing_chosen=False)


@post("/take", status_code=200)
async def take(request: Req) -> Template | Redirect:
    """Open the request. A second click finds the first one's."""
    visitor, policy = visitor_of(request), policy_of(request)
    if not visitor.signed_in:
        kept = _ticked((await unproven(request)).getall("c", []), policy)
        raise SignInNeeded("/take?" + urlencode([("c", id) for id in kept]))
    chosen = _ticked((await form(request)).getall("c", []), policy)
    if not chosen:
        return await _take(request, chosen, nothing_chosen=True)
    opened = await open_access(
        subject_id=visitor.subject_id, categories=chosen, format="all", language=language_of(request), policy=policy,
        public_url=settings_of(request).public_url, at=now(request), right="portability",
    )  # fmt: skip
    again = "?already=1" if opened.existing else ""
    return go(request, f"/requests/{opened.request.reference}/progress{again}")


@get("/automated")
async def automated(request: Req) -> Template:
    """Say what the policy says."""
    need_session(request)
    return _automated(request)


@post("/automated", status_code=200)
async def insist(request: Req) -> Template | Redirect:
    """Send the answer, or have a person look. A second click finds the first one's request."""
    if not visitor_of(request).signed_in:
        return await give_back(request, "text", back="/automated")
    fields = await form(request)
    text = fields.get("text", "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST:
        wrong = Invalid("This is too long. Shorten it to 5,000 characters.")
        return _automated(request, wrong=wrong.sentence, typed=text)
    opened = await ask(
        visitor_of(request).subject_id, insist=fields.get("how") == "person", text=text,
        language=language_of(request), policy=policy_of(request), settings=settings_of(request), at=now(request),
    )  # fmt: skip
    return go(request, f"/requests/{opened.request.reference}")


async def _take(request: Req, chosen: tuple[str, ...], *, nothing_chosen: bool) -> Template:
    policy = policy_of(request)
    return page(
        request,
        "rights/take.html",
        offered=portable(policy),
        chosen=chosen,
        left_out=left_out(words_of(request), policy),
        held=await held_now(request, need_session(request)),
        dates=dates(now(request), policy),
        nothing_chosen=nothing_chosen,
    )


def _ticked(wanted: Collection[str], policy: Policy) -> tuple[str, ...]:
    return tuple(category.id for category in portable(policy) if category.id in wanted)


def _automated(request: Req, *, wrong: str = "", typed: str = "") -> Template:
    policy = policy_of(request)
    return page(
        request,
        "rights/automated.html",
        dates=dates(now(request), policy),
        wrong=wrong,
        typed=typed,
    )


routes: list[ControllerRouterHandler] = [choose, take, automated, insist]
