"""What is open to everybody: how data is handled, and how accessible these pages are.

Always true here: the words come from the policy file that also drives the exports and the erasures; the pages are
the same for everyone, set no cookie and may be kept by browsers and proxies.
"""

from collections.abc import Callable, Sequence
from typing import cast

from litestar import Response, get
from litestar.plugins.jinja import JinjaTemplateEngine

from portal.kept import Kept, answer, keep
from portal.policy.model import Category, Language, Policy
from portal.web import Req, language_of, other_languages, policy_of, render

FOR_FIVE_MINUTES = "public, max-age=300"
HOW, ACCESSIBILITY = "/how-we-handle-data", "/accessibility"


@get(HOW)
async def how_we_handle_data(request: Req) -> Response[bytes]:
    """Say what data is for, how long it is kept, who else gets it, and what a person can do."""
    policy, language = policy_of(request), language_of(request)
    data_for = {use.id: _titles(policy, language, lambda data: data.purposes, use.id) for use in policy.purposes}
    data_got_by = {who.id: _titles(policy, language, lambda data: data.recipients, who.id) for who in policy.recipients}
    return _public(request, HOW, "disclosures/how.html", data_for=data_for, data_got_by=data_got_by)


@get(ACCESSIBILITY)
async def accessibility(request: Req) -> Response[bytes]:
    """Say how accessible these pages are, and what has not been tested."""
    return _public(request, ACCESSIBILITY, "disclosures/accessibility.html")


routes = [how_we_handle_data, accessibility]


def _titles(policy: Policy, language: Language, ids: Callable[[Category], Sequence[str]], id: str) -> str:
    """List the kinds of data that name `id` among their `ids`."""
    return ", ".join(data.title[language] for data in policy.categories if id in ids(data))


def _public(request: Req, path: str, template: str, **more: object) -> Response[bytes]:
    """Render a page once per language; neither its visitor nor the rest of its address may leave a trace in it."""
    pages: dict[str, Kept] = request.app.state.public_pages
    language = language_of(request)
    if (kept := pages.get(language + path)) is None:
        others = other_languages(policy_of(request), language, path)
        same = {"visitor": None, "here": path, "other_languages": others}
        answered = render(request, language, template, 200, {**same, **more})
        engine = cast(JinjaTemplateEngine, request.app.template_engine)
        text = engine.get_template(template).render(answered.context)
        kept = pages[language + path] = keep(text.encode(), "text/html")
    return answer(request, kept, caching=FOR_FIVE_MINUTES)
