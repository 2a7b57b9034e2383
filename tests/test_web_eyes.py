"""The public pages and the error page in a real browser: no barrier that axe knows, no sideways scroll, no script."""

import os
import shutil
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from tests.web_app import make_app

CHROMIUM = os.environ.get("HABEAS_CHROMIUM") or shutil.which("chromium")
QUIET = [
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-component-update",
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = ["how-we-handle-data", "accessibility", "no-such-page"]
LOOKS = [(390, 844, "light"), (390, 844, "dark"), (1280, 800, "light"), (1280, 800, "dark")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, with nothing that talks to its maker."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=["casagbic", "caaartoons"])
def site(request: pytest.FixtureRequest) -> Iterator[str]:
    """One organisation's pages that need no database, on a real server."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = make_app(request.param)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, ws="none"))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize(("width", "height", "scheme"), LOOKS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_axe_finds_nothing(browser: Browser, site: str, language: str, width: int, height: int, scheme: str) -> None:
    """Phone and desktop, light and dark, both languages, without JavaScript of ours: no finding at all."""
    look = {"viewport": {"width": width, "height": height}, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = browser.new_page(**look)  # type: ignore[arg-type]
    for name in PAGES:
        page.goto(f"{site}/{language}/{name}")
        found = Axe().run(page, options={"runOnly": RULES})
        assert found.violations_count == 0, found.generate_report()
    page.close()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_page_fits_320_pixels(browser: Browser, site: str, language: str) -> None:
    """Reflow: a narrow screen, or a wide one at 400 %, never scrolls sideways, also with the menu open."""
    page = browser.new_page(viewport={"width": 320, "height": 640})
    for name in PAGES:
        page.goto(f"{site}/{language}/{name}")
        page.locator(".menu summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.close()


def test_the_policy_of_content_blocks_nothing_of_ours(browser: Browser, site: str) -> None:
    """A style, font or script that the Content-Security-Policy blocks would be said in the console."""
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site}/en/how-we-handle-data")
    assert page.evaluate("document.fonts.check('16px \"Public Sans\"')")
    assert said == []
    assert all(url.startswith((site, "data:")) for url in asked)
    assert page.context.cookies() == []
    page.close()


def test_the_keyboard_reaches_the_content_first(browser: Browser, site: str) -> None:
    """The first tab stop skips the header."""
    page = browser.new_page()
    page.goto(f"{site}/en/how-we-handle-data")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.close()
