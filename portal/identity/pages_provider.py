"""The way in through Google or Microsoft.

Always true here: a provider that is not offered and configured does not exist; whatever goes wrong, the page says so
and offers the code, and nothing of the provider's answer is shown or logged.
"""

from datetime import datetime

import structlog
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from portal.errors import Invalid, NotFound
from portal.identity.address import normalise
from portal.identity.asking import ask_for_code, entry_of, let_in, sign_in_page
from portal.identity.forms import form, local
from portal.identity.id_token import IdentityRefused
from portal.identity.limits import OUTSIDE_ALL, OUTSIDE_PEER
from portal.identity.links import Purpose
from portal.identity.mount import limits_of, openid_of
from portal.identity.openid import Answered
from portal.identity.sign_in import enter_by_provider
from portal.identity.visitor import visitor_of
from portal.policy.model import Way
from portal.web import Req, go, language_of, words_of
from portal.words import Words

log = structlog.get_logger()


@post("/sign-in/{way:str}", status_code=200)
async def begin(request: Req, way: FromPath[str]) -> Template | Redirect:
    """Send the person to the provider."""
    chosen = _offered(request, way)
    next_path = local((await form(request)).get("next", "/"))
    limits = limits_of(request)
    if wait := limits.take((OUTSIDE_ALL, ""), (OUTSIDE_PEER, limits.peer(request))):
        return sign_in_page(request, next_path=next_path, wait=wait, status=429)
    try:
        browser, language = visitor_of(request).browser, language_of(request)
        address = await openid_of(request).begin(chosen, browser=browser, language=language, next_path=next_path)
    except IdentityRefused as refused:
        return _refused(request, chosen, refused, next_path)
    return Redirect(address, status_code=303)


@get("/sign-in/{way:str}/callback")
async def come_back(request: Req, way: FromPath[str]) -> Template | Redirect:
    """Take the provider's answer: sign in, or have the address show a code first."""
    chosen = _offered(request, way)
    try:
        answered = await openid_of(request).finish(
            chosen, dict(request.query_params.items()), browser=visitor_of(request).browser
        )
    except IdentityRefused as refused:
        return _refused(request, chosen, refused, "/")
    entry = entry_of(request)
    proven = _address(answered) if answered.who.email_proven else ""
    if await enter_by_provider(answered.who, proven, way=chosen, language=answered.language, entry=entry):
        await let_in(request, entry)
        return go(request, answered.next_path)
    return await _prove_address(request, chosen, answered)


async def _prove_address(request: Req, way: Way, answered: Answered) -> Template | Redirect:
    """Have a code sent to the address that the provider only claims; showing it here links the two for ever."""
    email, who = _address(answered), answered.who
    if not email:
        return _refused(request, way, IdentityRefused("no-address"), answered.next_path)
    wait: datetime | None = await ask_for_code(
        request, email, purpose=Purpose.SIGN_IN, next_path=answered.next_path, outside=(who.issuer, who.identifier)
    )
    if wait:
        return sign_in_page(request, email=email, next_path=answered.next_path, wait=wait, status=429)
    return go(request, "/sign-in/code")


def _offered(request: Req, way: str) -> Way:
    found = next((provider for provider in openid_of(request).providers if provider == way), None)
    if found is None:
        raise NotFound
    return Way(found)


def _address(answered: Answered) -> str:
    try:
        return normalise(answered.who.email)
    except Invalid:
        return ""


def _refused(request: Req, way: Way, refused: IdentityRefused, next_path: str) -> Template:
    log.info("sign-in refused", provider=way.value, reason=refused.reason)
    status = 503 if refused.reason == "unreachable" else refused.status
    sentence = _sentence(words_of(request), refused.reason)
    return sign_in_page(request, next_path=next_path, trouble=sentence, status=status)


def _sentence(words: Words, reason: str) -> str:
    match reason:
        case "denied":
            return words(
                "You did not go through with it there, so nothing has happened. You can have a code e-mailed to you."
            )
        case "unreachable":
            return words("They do not answer at the moment. You can have a code e-mailed to you.")
        case "no-address":
            return words("They did not tell us an e-mail address. You can have a code e-mailed to you.")
        case _:
            return words("We could not sign you in that way. Try again, or have a code e-mailed to you.")


routes = [begin, come_back]
