"""A real browser before the whole demo: both organisations run once for all journeys.

Always true here: the browser is driven through its asynchronous interface, because the synchronous one leaves a
running event loop behind that no later asynchronous test can use.
"""

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.async_api import Browser, async_playwright

from demo.stack import Stack, running
from tests.journeys.surfer import Meeting, Surfer, Width

QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
HOMES = (f"192.0.2.{number}" for number in range(1, 255))
"""Everybody surfs from an address of their own: codes and forms are counted by address."""

type Stacks = Callable[[str], Stack]

MEETINGS = [("casagbic", "en", Width.PHONE), ("caaartoons", "fr", Width.DESKTOP)]
CROSSINGS = [("casagbic", "fr", Width.PHONE), ("caaartoons", "en", Width.DESKTOP)]
"""Where a flow is walked: each organisation, language and width once. The two kinds take turns from flow to flow."""


@pytest.fixture(scope="session")
def stacks() -> Iterator[Stacks]:
    """Give the running demo of an organisation; it is started when it is asked for first.

    Ask in a fixture, not in a test: starting needs an event loop of its own. The folder is not pytest's: as root,
    PostgreSQL runs as `nobody`, who may not enter that one.
    """
    with ExitStack() as cleaning:
        started: dict[str, Stack] = {}

        def stack(organisation: str) -> Stack:
            if organisation not in started:
                folder = Path(cleaning.enter_context(TemporaryDirectory(prefix=f"habeas-{organisation}-")))
                started[organisation] = cleaning.enter_context(running(organisation, folder, trusted="127.0.0.1"))
            return started[organisation]

        yield stack


@pytest.fixture(params=["casagbic", "caaartoons"], scope="session")
def stack(request: pytest.FixtureRequest, stacks: Stacks) -> Stack:
    """Every organisation in turn."""
    return stacks(request.param)


@pytest.fixture(scope="session")
def casagbic(stacks: Stacks) -> Stack:
    """The one organisation, where a journey looks into its platform."""
    return stacks("casagbic")


@pytest.fixture(params=MEETINGS, scope="session")
def meeting(request: pytest.FixtureRequest, stacks: Stacks) -> Meeting:
    """Walk a flow on a phone in English at one organisation, at a desk in French at the other."""
    organisation, language, width = request.param
    return Meeting(stacks(organisation), language, width)


@pytest.fixture(params=CROSSINGS, scope="session")
def crossing(request: pytest.FixtureRequest, stacks: Stacks) -> Meeting:
    """Walk a flow on a phone in French at one organisation, at a desk in English at the other."""
    organisation, language, width = request.param
    return Meeting(stacks(organisation), language, width)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium, or the one that a developer's `playwright install` brought."""
    path = os.environ.get("HABEAS_CHROMIUM") or shutil.which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture
async def surf(chromium: Browser) -> AsyncIterator[Callable[..., object]]:
    """Give what opens a new browser on a stack, in a language, as wide as asked, with or without scripts."""
    async with AsyncExitStack() as cleaning:

        async def surf(stack: Stack, language: str, width: Width = Width.DESKTOP, *, scripts: bool = True) -> Surfer:
            context = await chromium.new_context(
                viewport={"width": width.value, "height": 844}, java_script_enabled=scripts, accept_downloads=True,
                extra_http_headers={"X-Forwarded-For": next(HOMES)},
            )  # fmt: skip
            cleaning.push_async_callback(context.close)
            return Surfer(stack, language, await context.new_page(), scripts=scripts)

        yield surf
