"""The provider over HTTP: discovery, keys, the page where one chooses who to be, and the token endpoint.

Always true here: everything on 127.0.0.1, nothing kept on disk, and no cookie: one is whoever one clicks on.
"""

from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect

from demo.openid.provider import Provider, Refusal, Twist

Req = Request[Any, Any, State]

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title></head><body><main>
<h1>{title}</h1><p>This is the demo’s stand-in. It knows these people:</p>
<form method="post" action="{action}">{hidden}
<ul>{people}</ul><p><button name="sub" value="">No, go back</button></p></form></main></body></html>"""


CHOICE = '<li><button name="sub" value="{sub}">{name} ({email})</button></li>'
SHOWN = 20


def application(providers: Sequence[Provider]) -> Litestar:
    """Return one ASGI app with every provider under its mode: `/google`, `/microsoft`."""
    return Litestar(
        [discovery, tenant_discovery, keys, authorize, decide, token],
        state=State({"providers": {provider.mode.value: provider for provider in providers}}),
        exception_handlers={Refusal: _refuse},
        openapi_config=None,
        logging_config=None,
    )


@get("/{mode:str}/.well-known/openid-configuration")
async def discovery(request: Req, mode: FromPath[str]) -> dict[str, object]:
    """Describe the provider."""
    return _provider(request, mode).discovery()


@get("/{mode:str}/common/v2.0/.well-known/openid-configuration")
async def tenant_discovery(request: Req, mode: FromPath[str]) -> dict[str, object]:
    """Describe the provider where Microsoft does."""
    return _provider(request, mode).discovery()


@get("/{mode:str}/keys")
async def keys(request: Req, mode: FromPath[str]) -> dict[str, object]:
    """Publish the keys."""
    return _provider(request, mode).keys()


@get("/{mode:str}/authorize")
async def authorize(request: Req, mode: FromPath[str]) -> Response[str]:
    """Let one choose who to be."""
    provider, asked = _provider(request, mode), dict(request.query_params.items())
    provider.check(asked)
    hidden = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(asked[name])}">' for name in asked)
    people = "".join(
        CHOICE.format(sub=escape(p.sub), name=escape(p.name), email=escape(p.email)) for p in provider.people[:SHOWN]
    )
    body = PAGE.format(
        title=f"Sign in with {mode.capitalize()}", action=f"/{mode}/authorize", hidden=hidden, people=people
    )
    return Response(body, media_type="text/html")


@post("/{mode:str}/authorize", status_code=303)
async def decide(request: Req, mode: FromPath[str]) -> Redirect:
    """Send the person back with a code, or with their no."""
    provider, form = _provider(request, mode), await request.form()
    asked = {name: str(value) for name, value in form.items()}
    provider.check(asked)
    answer = provider.answer(asked, asked.get("sub", ""))
    return Redirect(f"{asked['redirect_uri']}?{urlencode(answer)}", status_code=303)


@post("/{mode:str}/token", status_code=200)
async def token(request: Req, mode: FromPath[str]) -> dict[str, object]:
    """Give the ID token for a code."""
    form = await request.form()
    return _provider(request, mode).exchange({name: str(value) for name, value in form.items()})


def _provider(request: Req, mode: str) -> Provider:
    found: Provider | None = request.app.state.providers.get(mode)
    if found is None or found.twist is Twist.DOWN:
        raise Refusal("temporarily_unavailable")
    return found


def _refuse(_: Req, refusal: Refusal) -> Response[dict[str, str]]:
    status = {"temporarily_unavailable": 503, "invalid_client": 401}.get(str(refusal), 400)
    return Response({"error": str(refusal)}, status_code=status)
