"""The link that goes to the new address of somebody who lost their mailbox: type the code from the same mail.

Always true here: opening the link changes nothing; a link that is over or unknown looks the same; no sign-in is needed.
"""

from contextlib import suppress
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Template
from litestar.types import ControllerRouterHandler

from portal.errors import NotFound
from portal.identity.forms import form
from portal.identity.pages_sign_in import six_digits
from portal.rights.address_lost import confirm, offered
from portal.web import Req, language_of, now, page, policy_of, settings_of

PATH = "/address/new/{change:uuid}/{token:str}"


@get(PATH)
async def show_new(request: Req, change: FromPath[UUID], token: FromPath[str]) -> Template:
    """Ask for the code. Nothing changes by looking."""
    return await _new(request, change, token)


@post(PATH, status_code=200)
async def press_new(request: Req, change: FromPath[UUID], token: FromPath[str]) -> Template:
    """Begin the change with the right code."""
    typed = (await form(request)).get("code", "")
    done = None
    with suppress(NotFound):
        done = await confirm(
            change, token, six_digits(typed), language=language_of(request), policy=policy_of(request),
            settings=settings_of(request), at=now(request),
        )  # fmt: skip
    if done is not None:
        return page(request, "rights/address_new.html", done=True, over=False, wrong=False)
    return await _new(request, change, token, wrong=True)


async def _new(request: Req, change: UUID, token: str, *, wrong: bool = False) -> Template:
    over = False
    try:
        await offered(change, token, settings_of(request), at=now(request))
    except NotFound:
        over = True
    status = 410 if over else 422 if wrong else 200
    return page(request, "rights/address_new.html", status=status, done=False, over=over, wrong=wrong and not over)


routes: list[ControllerRouterHandler] = [show_new, press_new]
