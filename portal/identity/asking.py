"""What the pages share: asking for a code within the limits, guessing within the limits, letting the browser in.

Always true here: what is answered depends on what this browser did, never on whether an address is known.
"""

from datetime import datetime, timedelta

from litestar.response import Template

from portal.identity.browser import browser_label
from portal.identity.cookie import new_id
from portal.identity.limits import ASK_ADDRESS, ASK_AGAIN, ASK_ALL, ASK_PEER, GUESS_ADDRESS, GUESS_PEER
from portal.identity.links import Attempt, Purpose, ask, latest
from portal.identity.mount import limits_of, openid_of
from portal.identity.sessions import end_session
from portal.identity.sign_in import Entry
from portal.identity.visitor import visitor_of
from portal.policy.model import Way
from portal.web import Req, language_of, now, page, policy_of, settings_of


async def ask_for_code(
    request: Req, email: str, *, purpose: Purpose, next_path: str, outside: tuple[str, str] = ("", "")
) -> datetime | None:
    """Have a code sent for this browser; when too many were asked for, return when sending starts again."""
    limits, browser = limits_of(request), visitor_of(request).browser
    until = limits.take(
        (ASK_ALL, ""),
        (ASK_PEER, limits.peer(request)),
        (ASK_ADDRESS, email),
        (ASK_AGAIN, f"{email} {browser}"),
    )
    if until is None:
        await ask(
            email,
            browser=browser,
            purpose=purpose,
            language=language_of(request),
            next_path=next_path,
            life=timedelta(minutes=policy_of(request).sign_in.link_minutes),
            settings=settings_of(request),
            at=now(request),
            outside=outside,
        )
    return until


def may_guess(request: Req, email: str) -> datetime | None:
    """Count a try of a code; when there were too many for this address, return when it goes on. Links work on."""
    limits = limits_of(request)
    return limits.take((GUESS_PEER, limits.peer(request)), (GUESS_ADDRESS, email))


def lives(request: Req, attempt: Attempt) -> bool:
    """True while the code of `attempt` may still be typed."""
    return attempt.lives(now(request), tries=policy_of(request).sign_in.code_tries)


async def living(request: Req, purpose: Purpose) -> Attempt | None:
    """Return what this browser asked for last, if that may still be used."""
    found = await latest(visitor_of(request).browser, purpose)
    return found if found and lives(request, found) else None


def entry_of(request: Req) -> Entry:
    """Return this browser as one that wants in."""
    policy = policy_of(request)
    return Entry(
        browser=visitor_of(request).browser,
        cookie_id=new_id(),
        label=browser_label(request.headers.get("user-agent", "")),
        life=timedelta(days=policy.sign_in.session_days),
        tries=policy.sign_in.code_tries,
        settings=settings_of(request),
        at=now(request),
    )


async def let_in(request: Req, entry: Entry) -> None:
    """Give the browser its new cookie. A session that it had before is over."""
    visitor = visitor_of(request)
    if visitor.session:
        await end_session(visitor.session.id, visitor.session.subject_id, at=entry.at)
    visitor.cookie.become(entry.cookie_id)


def sign_in_page(
    request: Req, *, email: str = "", next_path: str = "/", wrong: str = "", trouble: str = "",
    wait: datetime | None = None, status: int = 200,
) -> Template:  # fmt: skip
    """Show the sign-in page. `wrong` is about the field, `trouble` about the way, `wait` about too many codes."""
    ways = policy_of(request).sign_in.ways
    answer = page(
        request, "identity/sign_in.html", status=status,
        email=email, next=next_path, wrong=wrong, trouble=trouble, wait=wait,
        code=Way.CODE in ways, providers=[way for way in ways if way in openid_of(request).providers],
    )  # fmt: skip
    return later(answer, wait, request)


def later(answer: Template, wait: datetime | None, request: Req) -> Template:
    """Say to programs what the page says to people: when to come back."""
    if wait:
        answer.headers["Retry-After"] = str(max(1, int((wait - now(request)).total_seconds())))
    return answer
