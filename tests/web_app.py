"""The real application for tests of the shell, with nothing behind it unless a test brings it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
from litestar import Litestar, get, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from portal.app import create_app
from portal.clock import system_clock
from portal.errors import SourceUnavailable, TooManyTries
from portal.policy.load import load
from portal.policy.model import Policy
from portal.settings import Settings, read_settings
from portal.web import Req, now

POLICIES = Path(__file__).parent.parent / "policies"
HERE = "http://127.0.0.1:8000"
PAGE = {"Accept": "text/html"}
SECRET = "a secret of at least thirty-two characters"


def organisation(name: str = "casagbic") -> Policy:
    """One of the two policies of the repository."""
    return load(POLICIES / f"{name}.toml")


def settings(**environment: str) -> Settings:
    """Settings for one test."""
    return read_settings({"HABEAS_SECRET_KEY": SECRET, **environment})


@cache
def make_app(name: str = "casagbic", **environment: str) -> Litestar:
    """The application of one organisation, without sources and storage. Tests that ask for the same share it."""
    nothing = cast(Any, None)
    app = create_app(organisation(name), settings(**environment), system_clock, sources=nothing, storage=nothing)
    for handler in (breaks, breaks_after_sending, slows_down, misses_a_source):
        app.register(handler)
    return app


@get("/{language:str}/break/{secret:str}")
async def breaks(secret: FromPath[str]) -> str:
    """A page with a bug, whose error says what it must not."""
    raise RuntimeError(f"could not greet {secret}")


@asynccontextmanager
async def browsing(app: ASGIApp, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that asks for pages, in this process and without the app's lifespan."""
    transport = httpx.ASGITransport(app=cast(Any, app), client=("203.0.113.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=HERE, headers={**PAGE, **headers}) as client:
        yield client


@post("/{language:str}/break")
async def breaks_after_sending() -> None:
    """A form with a bug behind it."""
    raise RuntimeError


@get("/{language:str}/slow-down")
async def slows_down(request: Req) -> None:
    """A page that was asked for too often."""
    raise TooManyTries(now(request) + timedelta(seconds=90))


@get("/{language:str}/no-source")
async def misses_a_source() -> None:
    """A page whose source is down."""
    raise SourceUnavailable("platform", "no route to 10.1.2.3")
