"""One person at one browser: what they do, in the words of the product, so that journeys read like journeys.

Always true here: everything is done as a person does it, by labels and buttons; mail is read from the demo's inbox.
"""

import asyncio
import itertools
import os
import re
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Error, Page, expect

from demo.stack import Stack
from portal.words import Words

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE_SECONDS = 60
PICTURES = itertools.count(int(time.monotonic()))
NARROW = 320
"""Half a phone, or 1280 px at 400 %. Source: WCAG 2.2, 1.4.10."""


class Width(IntEnum):
    """How wide the window is, in CSS pixels."""

    PHONE = 390
    DESKTOP = 1280


@dataclass(frozen=True)
class Meeting:
    """Where somebody comes to an organisation: its stack, their language, the width of their window."""

    stack: Stack
    language: str
    width: Width

    def person(self, number: int) -> str:
        """Return the address of the ordinary person `number`: each flow takes people of its own."""
        return [one.email for one in self.stack.people if one.role == "ordinary"][number]


class Surfer:
    """A person before `page`, reading the portal of `stack` in `language`."""

    def __init__(self, stack: Stack, language: str, page: Page, *, scripts: bool = True) -> None:
        self.stack = stack
        self.language = language
        self.page = page
        self.scripts = scripts
        self.words = Words(language, "Europe/Paris")
        self.asked_elsewhere: list[str] = []
        page.on("request", lambda request: self._note(request.url))

    async def open(self, path: str = "") -> None:
        """Open a page of the portal by its path without language."""
        await self.page.goto(f"{self.stack.portal_url}/{self.language}{path}")

    async def sign_in_by_code(self, email: str) -> None:
        """Type the address, read the mail, type the code."""
        before = await self.mails(email)
        await self.type_address(email)
        mail = await self.new_mail(email, {mail["id"] for mail in before})
        await self.page.locator("#code").fill(code_of(mail))
        await self.page.get_by_role("button", name=self.words("Sign in"), exact=True).click()
        await expect(self.page.locator("#held")).to_be_visible()

    async def sign_in_by_link(self, email: str) -> None:
        """Type the address, open the link from the mail, press its button."""
        before = await self.mails(email)
        await self.type_address(email)
        mail = await self.new_mail(email, {mail["id"] for mail in before})
        await self.page.goto(link_of(mail))
        await self.page.get_by_role("button", name=self.words("Sign in"), exact=True).click()
        await expect(self.page.locator("#held")).to_be_visible()

    async def counts(self) -> Mapping[str, int]:
        """Read the home page's table: category id -> number of records, where there is one."""
        await self.open()
        found: dict[str, int] = {}
        for row in await self.page.locator("table.held tbody tr:has(a)").all():
            href = await row.locator("a").get_attribute("href") or ""
            number = re.sub(r"\D", "", await row.locator("td").last.inner_text())
            if number:
                found[href.rsplit("/", 1)[1]] = int(number)
        return found

    async def ask_for_copy(self, *, only: str = "", format: str = "all") -> str:
        """Go through choose and check. `only` keeps one category ticked. Returns the reference."""
        await self.open("/export")
        if only:
            for box in await self.page.locator("input[name=c]").all():
                await box.set_checked(await box.get_attribute("value") == only)
        await self.page.locator(f"input[name=f][value={format}]").check()
        await self.page.get_by_role("button", name=self.words("Continue")).click()
        await self.page.get_by_role("button", name=self.words("Prepare my copy")).click()
        return urlsplit(self.page.url).path.split("/")[3]

    async def wait_until_ready(self, reference: str) -> None:
        """Stay on the progress page until it says that the copy is ready, then open the copy.

        Without scripts this presses “Update this page”; the copy's page opens by itself then.
        """
        link = self.page.get_by_role("link", name=self.words("Open your copy"))
        for _ in range(PATIENCE_SECONDS):
            if self.page.url.endswith("/copy"):
                return
            if await link.is_visible():
                await link.click()
                return
            update = self.page.get_by_role("link", name=self.words("Update this page"))
            if not await self.page.evaluate("Boolean(window.htmx)") and await update.is_visible():
                await update.click()
            await self.page.wait_for_timeout(1000)
        raise AssertionError(f"{reference} was not ready after {PATIENCE_SECONDS} seconds")

    async def download(self, folder: Path, *, what: str = "zip") -> Path:
        """Press the button on the copy's page. Returns where the file was saved."""
        async with self.page.expect_download() as waiting:
            await self.page.locator(f"button[name=what][value={what}]").click()
        download = await waiting.value
        place = folder / download.suggested_filename
        await download.save_as(place)
        return place

    async def assert_in_order(self) -> None:
        """Nothing axe knows is wrong, nothing scrolls sideways, nothing came from another site."""
        await self._assert_accessible(RULES)
        wide = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, (self.page.url, f"{wide} px too wide")
        assert not self.asked_elsewhere

    async def look(self) -> None:
        """See the page as everybody sees it: in order, in the dark theme too, and at 320 px without sideways scroll."""
        if folder := os.environ.get("HABEAS_SHOTS"):
            await self._picture(Path(folder))
        await self.assert_in_order()
        await self.page.emulate_media(color_scheme="dark")
        await self._assert_accessible(["color-contrast"])
        await self.page.emulate_media(color_scheme="light")
        usual = self.page.viewport_size
        assert usual is not None
        await self.page.set_viewport_size({"width": NARROW, "height": 844})
        wide = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, (self.page.url, f"{wide} px too wide at {NARROW} px")
        await self.page.set_viewport_size(usual)

    async def press(self, text: str) -> None:
        """Press the first button of the page whose name holds `text`, in the language of the page."""
        await self.page.locator("main").get_by_role("button", name=self.words(text)).first.click()

    async def follow(self, text: str) -> None:
        """Follow the first link of the page whose name holds `text`, in the language of the page."""
        await self.page.locator("main").get_by_role("link", name=self.words(text)).first.click()

    async def reads(self, text: str, **values: object) -> None:
        """Expect the page to say `text`, in its language."""
        await expect(self.page.locator("main")).to_contain_text(self.words(text, **values))

    async def until_it_reads(self, text: str, *, seconds: int = 150) -> None:
        """Load the page again until it says `text`: what the worker does comes by itself."""
        for _ in range(seconds):
            if self.words(text) in await self.page.locator("main").inner_text():
                return
            await self.page.wait_for_timeout(1000)
            await self.page.reload()
        raise AssertionError(f"{self.page.url} did not say “{text}” within {seconds} seconds")

    @property
    def reference(self) -> str:
        """The reference of the request whose page is open."""
        found = re.search(r"/requests/([^/?#]+)", self.page.url)
        assert found is not None, self.page.url
        return found[1]

    async def mail_about(self, email: str, subject: str) -> dict[str, str]:
        """Wait for a mail whose subject holds `subject`. Returns the newest."""
        for _ in range(PATIENCE_SECONDS * 2):
            if found := [mail for mail in await self.mails(email) if subject in mail["subject"]]:
                return found[0]
            await asyncio.sleep(0.5)
        raise AssertionError(f"no mail about {subject} after {PATIENCE_SECONDS} seconds")

    async def mail_to(self, email: str) -> dict[str, str]:
        """Wait for a mail to an address. Returns the newest."""
        return await self.mail_about(email, "")

    async def confirm_by_code(self, email: str, *, ask: str, then: str) -> None:
        """Press `ask`, read the code out of the mail that comes, type it, press `then`."""
        before = await self.mails(email)
        await self.press(ask)
        await self.page.locator("#code").fill(code_of(await self.new_mail(email, {mail["id"] for mail in before})))
        await self.press(then)

    async def _assert_accessible(self, rules: list[str]) -> None:
        """Ask axe, which is a script itself: without scripts it may never answer."""
        if not self.scripts:
            return
        await self.page.wait_for_load_state()
        try:
            result = await Axe().run(self.page, options={"runOnly": rules})
        except Error:  # The answer to the last click came while axe was looking at the page before.
            await self.page.wait_for_load_state()
            result = await Axe().run(self.page, options={"runOnly": rules})
        found = [(one["id"], one["nodes"][0]["html"]) for one in result.response["violations"]]
        assert not found, (self.page.url, found)

    async def _picture(self, folder: Path) -> None:
        """Keep a picture of the whole page in the folder of HABEAS_SHOTS, in the order in which pages were seen."""
        path = re.sub(r"[A-Za-z0-9_-]{30,}", "", urlsplit(self.page.url).path)[4:].replace("/", "-")
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        name = f"{next(PICTURES):05}-{self.stack.organisation}-{self.language}-{width}-{path or 'home'}.png"
        await self.page.screenshot(path=folder / name, full_page=True)

    async def type_address(self, email: str) -> None:
        """Ask for a way to sign in."""
        await self.open("/sign-in")
        await self.page.locator("#email").fill(email)
        await self.page.locator("main form button.btn").first.click()

    async def new_mail(self, email: str, known: AbstractSet[str]) -> dict[str, str]:
        """Wait for a mail whose id is not among the `known` ones."""
        for _ in range(PATIENCE_SECONDS * 2):
            new = [mail for mail in await self.mails(email) if mail["id"] not in known]
            if new:
                return new[0]
            await asyncio.sleep(0.5)
        raise AssertionError(f"no mail after {PATIENCE_SECONDS} seconds")

    async def mails(self, email: str) -> list[dict[str, str]]:
        """Return every mail to an address, the newest first."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.stack.inbox_url}/messages.json", params={"to": email})
        mails: list[dict[str, str]] = answer.json()
        return mails

    def _note(self, url: str) -> None:
        if not url.startswith((self.stack.portal_url, *self.stack.desk_doors.values(), "data:", "blob:")):
            self.asked_elsewhere.append(url)


def code_of(mail: Mapping[str, str]) -> str:
    """Return the six digits of a sign-in mail."""
    found = re.search(r"\b(\d{3})\s(\d{3})\b", mail["text"])
    assert found is not None, mail["subject"]
    return found[1] + found[2]


def link_of(mail: Mapping[str, str]) -> str:
    """Return the first address in a mail that leads to a sign-in link."""
    return link_in(mail, "/sign-in/link/")


def link_in(mail: Mapping[str, str], path: str) -> str:
    """Return the first address in a mail whose path holds `path`."""
    found = re.search(rf"https?://\S+{re.escape(path)}\S*", mail["text"])
    assert found is not None, mail["subject"]
    return found[0]
