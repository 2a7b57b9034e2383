"""The whole application under a clock of the test's, browsers with passkeys before it, and a worker run by hand."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html import unescape
from typing import Any, cast

import httpx

from admin.invitations import invite
from admin.openid import prepare as prepare_staff
from admin.people_notices import Office
from admin.roles import Role
from admin.sign_in_send import send_code
from portal.app import create_app
from portal.clock import SetClock
from portal.identity.mount import prepare
from portal.identity.tables import SignInAttempt
from portal.mail.tables import Mail, MailBody
from tests.admin.authenticator import Device
from tests.web_app import organisation, settings

HTTPS = "https://privacy.casagbic.example"
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
OPTIONS = re.compile(r'data-options="([^"]*)"')
CODE = re.compile(r"^ +(\d{3})\s?(\d{3})$", re.MULTILINE)
RECOVERY = re.compile(r"<code>([0-9a-z]{5}-[0-9a-z]{5})</code>")


class Browser(httpx.AsyncClient):
    """One browser with its own cookies."""

    async def submit(self, page: str, fields: Mapping[str, object], *, to: str = "", **headers: str) -> httpx.Response:
        """Open a page and send a form of it."""
        token = TOKEN.search((await self.get(page)).text)
        assert token, page
        return await self.post(to or page, data={"csrf": token[1], **fields}, headers=headers)

    async def options(self, page: str) -> str:
        """Return what a page asks of a passkey."""
        found = OPTIONS.search((await self.get(page)).text)
        assert found, page
        return unescape(found[1])


class Site:
    """One organisation's portal with its staff."""

    def __init__(self, clock: SetClock, outside: httpx.AsyncClient, **environment: str) -> None:
        self.clock, self.policy = clock, organisation()
        self.settings = settings(HABEAS_PUBLIC_URL=HTTPS, **environment)
        nothing = cast(Any, None)
        self.app = create_app(self.policy, self.settings, clock, sources=nothing, storage=nothing)
        prepare(self.app.state, outside)
        prepare_staff(self.app.state, outside)

    @property
    def office(self) -> Office:
        """Whose staff it is."""
        return Office(self.policy, self.settings)

    def browser(self) -> Browser:
        """A browser that has never been here."""
        transport = httpx.ASGITransport(app=cast(Any, self.app), client=("203.0.113.7", 4711))
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        return Browser(transport=transport, base_url=HTTPS, headers={"user-agent": agent, "accept": "text/html"})

    async def invitation(self, email: str = "dpo@staff.example", *roles: Role) -> str:
        """Return the path of a new invitation."""
        token = await invite(
            email, roles or (Role.DPO,), by="command-line", inviter=None, office=self.office, at=self.clock()
        )
        return f"/en/staff/invitation/{token}"

    async def join(self, browser: Browser, email: str = "dpo@staff.example", *roles: Role) -> tuple[Device, list[str]]:
        """Accept an invitation. Returns the new passkey and the recovery codes."""
        device, page = Device(HTTPS), await self.invitation(email, *roles)
        answer = await browser.submit(page, {"name": "Ada", "passkey": device.make(await browser.options(page))})
        assert answer.status_code == 200, answer.text
        return device, RECOVERY.findall(answer.text)

    async def first_factor(self, browser: Browser, email: str = "dpo@staff.example") -> httpx.Response:
        """Ask for a code and type it."""
        await browser.submit("/en/staff/sign-in", {"email": email})
        await self.work()
        return await browser.submit("/en/staff/sign-in/code", {"code": await self.last_code()})

    async def sign_in(self, browser: Browser, device: Device, email: str = "dpo@staff.example") -> httpx.Response:
        """Sign in with both factors."""
        await self.first_factor(browser, email)
        shown = device.use(await browser.options("/en/staff/factor"))
        return await browser.submit("/en/staff/factor", {"passkey": shown})

    async def work(self) -> None:
        """Do what the worker would."""
        for row in await SignInAttempt.select(SignInAttempt.id).where(SignInAttempt.sent_at.is_null()):
            await send_code(row["id"], self.policy, self.settings, at=self.clock())

    async def mails(self, kind: str = "") -> list[str]:
        """The texts of all mails, or of one kind, oldest first."""
        query = MailBody.select(MailBody.text).order_by(MailBody.mail.created_at)
        return [row["text"] for row in await (query.where(MailBody.mail.kind == kind) if kind else query)]

    async def last_code(self) -> str:
        """The code in the newest mail that has one."""
        found = CODE.search((await self.mails("staff-code"))[-1])
        assert found
        return found[1] + found[2]


@asynccontextmanager
async def staff_site(clock: SetClock, **environment: str) -> AsyncIterator[Site]:
    """A site without a provider."""
    async with httpx.AsyncClient() as outside:
        yield Site(clock, outside, **environment)


__all__ = ["HTTPS", "RECOVERY", "Browser", "Device", "Mail", "Site", "staff_site"]
