"""What every page needs: the language of its address, the policy, the words, and a template with all of it.

Always true here: the language is the first part of the path, so no cookie remembers it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from babel import negotiate_locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request
from litestar.datastructures import State
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect, Template
from litestar.template.config import TemplateConfig

from exports.storage import Storage
from portal.assets import Assets
from portal.clock import Clock
from portal.errors import NotFound
from portal.policy.model import LANGUAGES, Language, Policy
from portal.settings import Settings
from portal.words import Words

Req = Request[Any, Any, State]

TEMPLATES = Path(__file__).parent / "templates"
OWN_NAMES: Mapping[Language, str] = {"en": "English", "fr": "Français"}
"""What each language calls itself, for the link that leads to it."""


def templates(asset: Callable[[str], str]) -> TemplateConfig[JinjaTemplateEngine]:
    """Return the template engine: everything is escaped, and a name that is missing is an error.

    `asset` gives the address of a static file.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    environment.globals["asset"] = asset
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))


def policy_of(request: Req) -> Policy:
    """Return the policy this instance runs on."""
    return cast(Policy, request.app.state.policy)


def settings_of(request: Req) -> Settings:
    """Return the settings of this instance."""
    return cast(Settings, request.app.state.settings)


def storage_of(request: Req) -> Storage:
    """Return where parcels are kept."""
    return cast(Storage, request.app.state.storage)


def assets_of(request: Req) -> Assets:
    """Return the static files."""
    return cast(Assets, request.app.state.assets)


def now(request: Req) -> datetime:
    """Return the present instant, aware, in UTC."""
    return cast(Clock, request.app.state.clock)()


def language_of(request: Req) -> Language:
    """Return the language of the address. Raises: NotFound when it is none of the policy's."""
    found = request.path_params.get("language", "")
    if found in LANGUAGES and found in policy_of(request).languages:
        return cast(Language, found)
    raise NotFound


def language_for(request: Req) -> Language:
    """Return the language to answer in when the address may have none: then the browser's, or the policy's first."""
    offered = policy_of(request).languages
    first = request.scope["path"].split("/", 2)[1]
    if first in offered:
        return first
    found = negotiate_locale(_accepted(request), offered, sep="-")
    return cast(Language, found or offered[0])


def words_of(request: Req) -> Words:
    """Return the words of the address's language, with times in the controller's zone."""
    return Words(language_of(request), policy_of(request).controller.zone)


def address(request: Req, path: str = "/") -> str:
    """Return `path` in the language of the request: `/export` becomes `/fr/export`."""
    return _in(language_of(request), path)


def go(request: Req, path: str = "/") -> Redirect:
    """Answer 303 See Other to `path` in the same language."""
    return Redirect(address(request, path), status_code=303)


def page(request: Req, template: str, *, status: int = 200, **context: object) -> Template:
    """Render a template of a person's page.

    Every template sees `_` (the words), `policy`, `language`, `here` (the path without its language), `url`
    (a path in this language), `other_languages` (code, name, this page's address), `visitor` (may be None: session,
    subject, csrf token), `staff` (None unless the page asked who of the staff it is), `asset` (a static file's
    address) and `now`.
    """
    return render(request, language_of(request), template, status, context)


def render(request: Req, language: Language, template: str, status: int, context: Mapping[str, object]) -> Template:
    """Render a template in `language`, whatever the address says: for errors, whose address may be nonsense."""
    policy = policy_of(request)
    path = request.scope["path"]
    here = path.removeprefix(f"/{language}") if f"{path}/".startswith(f"/{language}/") else ""
    query = f"?{request.url.query}" if here and request.url.query else ""
    return Template(
        template_name=template,
        status_code=status,
        context={
            "_": Words(language, policy.controller.zone),
            "policy": policy,
            "language": language,
            "here": here or "/",
            "url": lambda path="/": _in(language, path),
            "other_languages": other_languages(policy, language, quote(here) + query),
            "visitor": getattr(request.state, "visitor", None),
            "staff": getattr(request.state, "staff", None),
            "now": now(request),
            **context,
        },
    )


def _in(language: Language, path: str) -> str:
    return f"/{language}{path.rstrip('/')}"


def other_languages(policy: Policy, language: Language, path: str) -> list[tuple[Language, str, str]]:
    """Return each other language, what it calls itself, and the address of `path` in it."""
    return [(other, OWN_NAMES[other], f"/{other}{path}") for other in policy.languages if other != language]


def _accepted(request: Req) -> list[str]:
    """Return the languages of Accept-Language, the preferred first; weights that are no numbers count as nothing."""
    weighted: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "")[:200].split(","):
        tag, _, weight = part.partition(";q=")
        try:
            weighted.append((float(weight or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]
