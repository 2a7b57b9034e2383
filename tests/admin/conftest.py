"""The staff's doors on a small app of their own, and a browser that is signed in."""

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State

from admin.mount import staff_records
from admin.pages import door
from admin.sign_in import make_link, use_link
from admin.who import COOKIE
from portal.clock import SetClock
from portal.settings import Settings, read_settings
from tests.admin.staff_site import Site, staff_site
from tests.web_app import organisation

PORTAL = "https://privacy.casagbic.example"


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation behind HTTPS."""
    return read_settings({"HABEAS_SECRET_KEY": "k" * 40, "HABEAS_PUBLIC_URL": PORTAL})


@pytest.fixture
async def client(database: str, settings: Settings, clock: SetClock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a session."""
    policy = organisation()
    state = State({"policy": policy, "settings": settings})
    app = Litestar([staff_records(settings, policy=policy, clock=clock), door], openapi_config=None, state=state)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PORTAL) as opened:
        yield opened


@pytest.fixture
async def staff(client: httpx.AsyncClient, clock: SetClock) -> httpx.AsyncClient:
    """The same browser, signed in as staff."""
    session = await use_link(await make_link("desk@casagbic.example", at=clock()), at=clock())
    client.cookies.set(COOKIE, session or "")
    return client


@pytest.fixture
async def site(database: str, clock: SetClock) -> AsyncIterator[Site]:
    """The whole application with its staff's door, under a clock that stands still."""
    async with staff_site(clock) as opened:
        yield opened
