"""A portal with the identity pages alone, browsers that use it, and a worker to be run by hand."""

import re
from collections.abc import Callable, Mapping
from html import unescape

import httpx
from litestar import Litestar, Router, get
from litestar.datastructures import State
from litestar.types import ASGIApp

from portal.assets import Assets
from portal.clock import SetClock
from portal.error_pages import known
from portal.errors import HabeasError
from portal.identity.mount import prepare
from portal.identity.pages import routes
from portal.identity.send import send_code
from portal.identity.tables import SignInAttempt
from portal.identity.visitor import VisitorMiddleware, handlers, need_fresh, need_session
from portal.mail.tables import Mail, MailBody
from portal.policy.model import Policy
from portal.settings import Settings, read_settings
from portal.web import Req, templates

CODE = re.compile(r"^ +(\d{3})\s?(\d{3})$", re.MULTILINE)
LINK = re.compile(r"/(?:en|fr)/sign-in/link/[\w-]+")
TOKEN = re.compile(r'name="csrf" value="([^"]*)"')
KNOWN = "amelie.laurent@person.example"
STRANGER = "nobody@person.example"
PUBLIC = "http://127.0.0.1:8000"


def make_settings(**environment: str) -> Settings:
    """Settings with a secret, and whatever a test adds."""
    return read_settings({"HABEAS_SECRET_KEY": "k" * 40, "HABEAS_PUBLIC_URL": PUBLIC, **environment})


@get("/")
async def home(request: Req) -> str:
    """A page of another room that needs a session."""
    return f"hello {need_session(request).email}"


@get("/secret")
async def secret(request: Req) -> str:
    """A page of another room that needs a fresh proof."""
    return f"secret of {need_fresh(request).subject_id}"


@get("/open")
async def open_page() -> str:
    """A page without a form."""
    return "for everyone"


class Browser(httpx.AsyncClient):
    """One browser with its own cookie."""

    def __init__(self, app: ASGIApp, *, peer: str = "203.0.113.7", **headers: str) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app=app, client=(peer, 40000), raise_app_exceptions=True),
            base_url=PUBLIC,
            headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", **headers},
        )

    async def token(self, page: str) -> str:
        """Open a page and read the form token in it."""
        found = TOKEN.search((await self.get(page)).text)
        assert found, page
        return unescape(found[1])

    async def submit(self, page: str, fields: Mapping[str, str], *, to: str = "", **headers: str) -> httpx.Response:
        """Open a page and send its form as a browser does."""
        token = await self.token(page)
        told = {"origin": "null", "sec-fetch-site": "same-origin", **headers}
        return await self.post(to or page, data={"csrf": token, **fields}, headers=told)

    async def ask(self, email: str, *, next_path: str = "/", language: str = "en") -> httpx.Response:
        """Ask for a code."""
        return await self.submit(f"/{language}/sign-in", {"email": email, "next": next_path})


class Site:
    """The portal of one organisation under a clock that stands still."""

    def __init__(self, policy: Policy, settings: Settings, clock: SetClock, outside: httpx.AsyncClient) -> None:
        self.policy, self.settings, self.clock = policy, settings, clock
        state = State({"policy": policy, "settings": settings, "clock": clock})
        prepare(state, outside)
        self.state = state
        self.app = Litestar(
            [
                Router(
                    "/{language:str}",
                    route_handlers=[*routes, home, secret, open_page],
                    middleware=[VisitorMiddleware()],
                )
            ],
            exception_handlers={HabeasError: known, **handlers},
            state=state,
            template_config=templates(Assets(policy.colour).url),
            openapi_config=None,
            logging_config=None,
        )

    def browser(self, **told: str) -> Browser:
        """A browser that has never been here."""
        return Browser(self.app, **told)

    async def work(self, knows: Callable[[str], bool] = lambda email: email == KNOWN) -> None:
        """Do what the worker would."""

        async def asked(email: str) -> bool:
            return knows(email)

        for row in await SignInAttempt.select(SignInAttempt.id).where(SignInAttempt.sent_at.is_null()):
            await send_code(row["id"], self.policy, self.settings, self.clock, asked)

    async def mails(self) -> list[str]:
        """The texts of all mails, oldest first."""
        rows = await MailBody.select(MailBody.text).order_by(MailBody.mail.created_at)
        return [row["text"] for row in rows]

    async def last_code(self) -> str:
        """The code in the newest mail."""
        found = CODE.search((await self.mails())[-1])
        assert found
        return found[1] + found[2]

    async def last_link(self) -> str:
        """The path of the link in the newest mail."""
        found = LINK.search((await self.mails())[-1])
        assert found
        return found[0]

    async def sign_in(self, browser: Browser, email: str = KNOWN) -> None:
        """Sign a browser in by code."""
        await browser.ask(email)
        await self.work()
        answer = await browser.submit("/en/sign-in/code", {"code": await self.last_code()})
        assert answer.status_code == 303, answer.text


__all__ = ["KNOWN", "STRANGER", "Browser", "Mail", "Site", "make_settings"]
