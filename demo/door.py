"""The demo's own door to the desk: one button for each of three made-up members of staff, and no second factor.

Always true here: the product knows nothing of it. The session is put straight into the demo's database by a process
with the demo's settings (`demo.session`), and the cookie reaches the portal because ports of one host share cookies.
"""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import Cookie, State
from litestar.params import FromPath
from litestar.response import Redirect

from demo.loopback import serving as serving_application

ROOT = Path(__file__).parent.parent
ROLES = ("dpo", "handler", "auditor")
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>The desk, as {role}</title></head><body>
<main><h1>The desk, as {role}</h1><p>In the demo this button is enough. Elsewhere it takes a code and a passkey.</p>
<form method="post"><button>Sign in as {role}</button></form></main></body></html>"""

Req = Request[Any, Any, State]


@contextmanager
def serving(portal_url: str, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Serve the three doors while the block runs; yields role -> address."""
    state = State({"portal_url": portal_url, "environment": dict(environment)})
    application = Litestar([show, enter], state=state, openapi_config=None, logging_config=None)
    with serving_application(application, name="door to the desk") as url:
        here = url.replace("127.0.0.1", "localhost")
        yield {role: f"{here}/{role}" for role in ROLES}


@get("/{role:str}")
async def show(role: FromPath[str]) -> Response[str]:
    """Show the button."""
    known = role in ROLES
    return Response(PAGE.format(role=role) if known else "", media_type="text/html", status_code=200 if known else 404)


@post("/{role:str}", status_code=303)
async def enter(request: Req, role: FromPath[str]) -> Redirect:
    """Sign somebody in with that role, and lead to the desk."""
    token = await session(role, request.app.state.environment)
    answer = Redirect(f"{request.app.state.portal_url}/staff/desk", status_code=303)
    answer.set_cookie(Cookie(key="id", value=token, httponly=True, samesite="lax"))
    return answer


async def session(role: str, environment: Mapping[str, str]) -> str:
    """Return the token of a new session of `{role}@staff.example`, in the database of `environment`."""
    if role not in ROLES:
        raise ValueError(role)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demo.session", f"{role}@staff.example", role,
        cwd=ROOT, env=dict(environment), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the door to the desk is stuck")
    return said.decode().strip()
