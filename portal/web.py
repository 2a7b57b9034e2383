"""What every page needs: the language of its address, the policy, the words, and a template with all of it.

Always true here: the language is the first part of the path, so no cookie remembers it.
"""

from datetime import datetime
from typing import Any, cast

from litestar import Request
from litestar.datastructures import State
from litestar.response import Redirect, Template

from portal.clock import Clock
from portal.errors import NotFound
from portal.policy.model import LANGUAGES, Language, Policy
from portal.settings import Settings
from portal.words import Words

type Req = Request[Any, Any, State]


def policy_of(request: Req) -> Policy:
    """Return the policy this instance runs on."""
    return cast(Policy, request.app.state.policy)


def settings_of(request: Req) -> Settings:
    """Return the settings of this instance."""
    return cast(Settings, request.app.state.settings)


def now(request: Req) -> datetime:
    """Return the present instant, aware, in UTC."""
    return cast(Clock, request.app.state.clock)()


def language_of(request: Req) -> Language:
    """Return the language of the address. Raises: NotFound when it is none of the policy's."""
    found = request.path_params.get("language", "")
    if found in LANGUAGES and found in policy_of(request).languages:
        return cast(Language, found)
    raise NotFound


def words_of(request: Req) -> Words:
    """Return the words of the address's language, with times in the controller's zone."""
    return Words(language_of(request), policy_of(request).controller.zone)


def address(request: Req, path: str = "/") -> str:
    """Return `path` in the language of the request: `/export` becomes `/fr/export`."""
    return f"/{language_of(request)}{path.rstrip('/')}" or "/"


def go(request: Req, path: str = "/") -> Redirect:
    """Answer 303 See Other to `path` in the same language."""
    return Redirect(address(request, path), status_code=303)


def page(request: Req, template: str, *, status: int = 200, **context: object) -> Template:
    """Render a template of a person's page.

    Every template sees `_` (the words), `policy`, `language`, `here` (the path without its language), `url`
    (a path in this language), `visitor` (may be None: session, subject, csrf token) and `now`.
    """
    language = language_of(request)
    here = request.url.path.removeprefix(f"/{language}") or "/"
    return Template(
        template_name=template,
        status_code=status,
        context={
            "_": words_of(request),
            "policy": policy_of(request),
            "settings": settings_of(request),
            "language": language,
            "here": here,
            "url": lambda path="/": address(request, path),
            "visitor": getattr(request.state, "visitor", None),
            "now": now(request),
            **context,
        },
    )
