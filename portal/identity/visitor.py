"""Who is asking, and whether they may: the visitor behind the cookie, sessions, fresh confirmation.

Always true here: a visitor who is not signed in has no row in the database; a session is refused from the very
second its absolute life is over, whatever the cookie says; knowing a visitor costs one query at most.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from urllib.parse import quote, urlencode
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.response import Redirect
from litestar.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from portal.errors import SignInNeeded, StepUpNeeded
from portal.identity.cookie import Cookie, cookie_name
from portal.identity.forms import form
from portal.identity.sessions import SignedIn, find_session
from portal.settings import Settings
from portal.web import Req, go, now, policy_of

__all__ = ["Visitor", "VisitorMiddleware", "form", "handlers", "need_fresh", "need_session", "visitor_of"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the other end, signed in or not.

    Reading `csrf` or `browser` is what gives a visitor the cookie: a page without a form sets none.
    """

    cookie: Cookie
    session: SignedIn | None
    settings: Settings

    @property
    def signed_in(self) -> bool:
        """True when there is a session."""
        return self.session is not None

    @property
    def csrf(self) -> str:
        """The token that every form of this visitor carries.

        It lasts as long as the session, so that confirming in one tab spoils no form that is open in another.
        """
        stands_for = str(self.session.id) if self.session else self.cookie.need()
        return hmac.digest(self.settings.key("form"), stands_for.encode(), "sha256").hex()

    @property
    def browser(self) -> str:
        """What stands for this browser in the database: a keyed hash of the cookie's id."""
        return hmac.digest(self.settings.key("browser"), self.cookie.need().encode(), "sha256").hex()

    @property
    def signed(self) -> SignedIn:
        """The session. Raises: SignInNeeded."""
        if self.session is None:
            raise SignInNeeded
        return self.session

    @property
    def subject_id(self) -> UUID:
        """Our id of the person. Raises: SignInNeeded."""
        return self.signed.subject_id

    @property
    def email(self) -> str:
        """The address the person signed in with. Raises: SignInNeeded."""
        return self.signed.email

    @property
    def display_name(self) -> str:
        """The person's name, or nothing. Raises: SignInNeeded."""
        return self.signed.display_name


class VisitorMiddleware(ASGIMiddleware):
    """Puts the `Visitor` into `request.state.visitor` on the pages it is mounted over, and sends the cookie.

    `sessions` False: whoever comes is nobody who is signed in, and nothing is asked about them.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, *, sessions: bool = True) -> None:
        self.sessions = sessions

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Read the cookie, look the session up, and add Set-Cookie to the answer when something changed."""
        visitor = await _visitor(scope, sessions=self.sessions)
        scope["state"]["visitor"] = visitor

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and (header := visitor.cookie.header()):
                MutableScopeHeaders(message).add("set-cookie", header.decode())
            await send(message)

        await next_app(scope, receive, send_with_cookie)


async def _visitor(scope: Scope, *, sessions: bool) -> Visitor:
    state = scope["litestar_app"].state
    settings = cast(Settings, state.settings)
    life = timedelta(days=state.policy.sign_in.session_days)
    sent = ASGIConnection[object, object, object, object](scope).cookies.get(cookie_name(settings))  # type: ignore[type-var]
    cookie = Cookie(settings, sent, seconds=int(life.total_seconds()))
    session = await find_session(cookie.id) if cookie.id and sessions else None
    if session and not session.lives(state.clock()):
        cookie.drop()
        session = None
    return Visitor(cookie, session, settings)


def visitor_of(request: Req) -> Visitor:
    """Return the visitor, signed in or not."""
    return cast(Visitor, request.state.visitor)


def need_session(request: Req, *, back: str = "") -> Visitor:
    """Return the visitor, who is signed in.

    Raises:
        SignInNeeded: carries `back`, by default the page that was asked for.
    """
    visitor = visitor_of(request)
    if not visitor.signed_in:
        raise SignInNeeded(back or _asked_for(request))
    return visitor


def need_fresh(request: Req, *, back: str = "") -> Visitor:
    """Return the visitor, who has shown within the policy's step-up time that it is them.

    Raises:
        SignInNeeded: when nobody is signed in.
        StepUpNeeded: when the last proof is too old.
    """
    visitor = need_session(request, back=back)
    window = timedelta(minutes=policy_of(request).sign_in.step_up_minutes)
    if now(request) - visitor.signed.confirmed_at >= window:
        raise StepUpNeeded(back or _asked_for(request))
    return visitor


def go_to_sign_in(request: Req, error: SignInNeeded) -> Redirect:
    """Answer with the way to the sign-in page, and back afterwards."""
    return go(request, f"/sign-in{_next(error.back)}")


def go_to_step_up(request: Req, error: StepUpNeeded) -> Redirect:
    """Answer with the way to the step-up page, and back afterwards."""
    return go(request, f"/step-up{_next(error.back)}")


handlers = cast(
    "Mapping[int | type[Exception], ExceptionHandler[Exception]]",
    {SignInNeeded: go_to_sign_in, StepUpNeeded: go_to_step_up},
)
"""What the app does with the two errors of this module."""


def _asked_for(request: Req) -> str:
    """Return the address of this page without its language; after a POST, without its query."""
    path = quote(request.url.path.partition(f"/{request.path_params['language']}")[2]) or "/"
    query = request.url.query
    return f"{path}?{query}" if query and request.method == "GET" else path


def _next(back: str) -> str:
    return "" if back == "/" else "?" + urlencode({"next": back})
