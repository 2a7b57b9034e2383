"""The cookie, the session behind it, and the protection of forms. Source: law rules S-09, S-21; CT-09, CT-25."""

import hashlib
from datetime import timedelta

import httpx
import pytest

from portal.clock import SetClock
from portal.evidence.tables import Evidence
from portal.identity.tables import Session, SignInAttempt, Subject
from portal.policy.model import Policy
from tests.identity.site import KNOWN, Browser, Site, make_settings


async def test_a_page_without_a_form_sets_no_cookie(site: Site) -> None:
    """The cookie comes with the first form, and then not again."""
    browser = site.browser()
    assert "set-cookie" not in (await browser.get("/en/open")).headers
    assert "set-cookie" in (await browser.get("/en/sign-in")).headers
    assert "set-cookie" not in (await browser.get("/en/sign-in")).headers


async def test_a_visitor_who_is_not_signed_in_has_no_row(site: Site) -> None:
    """Looking around leaves nothing behind."""
    browser = site.browser()
    for path in ("/en/sign-in", "/en/sign-in/code", "/en/signed-out", "/en/sign-in/link/nonsense"):
        await browser.get(path)
    assert await Session.count() + await SignInAttempt.count() + await Subject.count() == 0


async def test_there_is_one_cookie_and_it_is_locked_down(database: str, clock: SetClock, policy: Policy) -> None:
    """Over HTTPS: `__Host-`, Secure, HttpOnly, Lax, whole site, thirty days, and no other name all the way through."""
    async with httpx.AsyncClient() as outside:
        site = Site(policy, make_settings(HABEAS_PUBLIC_URL="https://privacy.casagbic.example"), clock, outside)
    browser = site.browser()
    browser.base_url = httpx.URL("https://privacy.casagbic.example")
    told = (await browser.get("/en/sign-in")).headers.get_list("set-cookie")
    assert len(told) == 1
    value, *attributes = told[0].split("; ")
    assert value.startswith("__Host-habeas=")
    assert attributes == ["Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Lax", "Secure"]
    await site.sign_in(browser)
    for path in ("/en", "/en/account", "/fr/account", "/en/step-up", "/en/sign-in/link/x"):
        await browser.get(path)
    assert {cookie.name for cookie in browser.cookies.jar} == {"__Host-habeas"}


async def test_signing_in_changes_the_cookie_and_forgets_the_old_one(site: Site) -> None:
    """Whoever planted a cookie before is not signed in afterwards; the database holds a hash of the new one only."""
    browser = site.browser()
    await browser.get("/en/sign-in")
    planted = dict(browser.cookies)
    await site.sign_in(browser)
    fresh = dict(browser.cookies)
    assert fresh != planted
    thief = site.browser()
    thief.cookies.update(planted)
    assert (await thief.get("/en")).status_code == 303
    id = fresh["habeas"].partition(".")[0]
    assert [row["token_hash"] for row in await Session.select()] == [hashlib.sha256(id.encode()).hexdigest()]


async def test_a_tampered_cookie_is_no_cookie(site: Site) -> None:
    """One changed letter, a foreign signature, nonsense: not signed in, and taken away."""
    browser = site.browser()
    await site.sign_in(browser)
    id, _, signature = dict(browser.cookies)["habeas"].partition(".")
    other = "A" if signature[0] != "A" else "B"
    for value in (f"{id}.{other}{signature[1:]}", f"{id}x.{signature}", f"{id}.", id, ".", f".{signature}", "x" * 5000):
        thief = site.browser()
        thief.cookies.set("habeas", value)
        answer = await thief.get("/en")
        assert (answer.status_code, answer.headers["location"]) == (303, "/en/sign-in")
        assert answer.headers["set-cookie"].startswith("habeas=; Path=/; Max-Age=0")


async def test_an_ended_session_is_refused_though_the_cookie_is_right(site: Site) -> None:
    """Signing out ends it on our side: a copy of the cookie is worth nothing."""
    browser = site.browser()
    await site.sign_in(browser)
    copy = site.browser()
    copy.cookies.update(dict(browser.cookies))
    answer = await browser.submit("/en/account", {}, to="/en/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/signed-out")
    assert not dict(browser.cookies)
    assert (await copy.get("/en")).status_code == 303
    assert [row["event"] for row in await Evidence.select()] == ["identity:session:started", "identity:session:ended"]


async def test_signing_in_again_ends_the_session_before(site: Site) -> None:
    """A browser holds one session at a time."""
    browser = site.browser()
    await site.sign_in(browser)
    site.clock.advance(timedelta(minutes=2))
    other = site.browser()
    await other.ask(KNOWN)
    await site.work()
    await browser.submit("/en/account", {"code": await site.last_code()}, to=await site.last_link())
    assert len([row for row in await Session.select() if row["ended_at"] is None]) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "https://127.0.0.1:8000"},
    ],
)
async def test_a_form_from_elsewhere_is_refused_even_with_the_token(site: Site, headers: dict[str, str]) -> None:
    """Browsers say where a form comes from; we listen."""
    browser = site.browser()
    token = await browser.token("/en/sign-in")
    answer = await browser.post("/en/sign-in", data={"csrf": token, "email": KNOWN}, headers=headers)
    assert answer.status_code == 403
    assert await SignInAttempt.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"origin": "http://localhost:8000", "host": "localhost:8000"},
    ],
)
async def test_our_own_form_is_read_whatever_the_browser_tells(site: Site, headers: dict[str, str]) -> None:
    """No header at all (old browsers) and `Origin: null` (our referrer policy) stand on the token."""
    browser = site.browser()
    token = await browser.token("/en/sign-in")
    answer = await browser.post("/en/sign-in", data={"csrf": token, "email": KNOWN}, headers=headers)
    assert answer.status_code == 303


@pytest.mark.parametrize("token", ["", "x", "ü", "0" * 64])
@pytest.mark.parametrize(
    "path",
    ["sign-in", "sign-in/code", "sign-in/link/x", "sign-out", "step-up", "account/sessions/end-others"],
)
async def test_every_form_needs_its_token(site: Site, path: str, token: str) -> None:
    """S-09: signing in and out included."""
    browser = site.browser()
    await site.sign_in(browser)
    answer = await browser.post(f"/en/{path}", data={"csrf": token, "email": KNOWN})
    assert answer.status_code == 403
    assert (await browser.get("/en")).status_code == 200


async def test_a_token_of_another_visitor_is_no_token(site: Site) -> None:
    """And without any cookie there is none."""
    token = await site.browser().token("/en/sign-in")
    mallory = site.browser()
    await mallory.get("/en/sign-in")
    for browser in (mallory, site.browser()):
        assert (await browser.post("/en/sign-in", data={"csrf": token, "email": KNOWN})).status_code == 403


async def test_what_is_no_form_is_refused(site: Site) -> None:
    """Too long, too many fields, another encoding, NUL, JSON: an answer, never a crash."""
    browser = site.browser()
    token = await browser.token("/en/sign-in")
    start = f"csrf={token}&email="
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for body, status in [
        ((start + "x" * 70_000).encode(), 413),
        ((start + "&a=b" * 600).encode(), 422),
        ((start + "%ff%fe").encode(), 422),
        ((start + "a%00b").encode(), 422),
        (start.encode() + b"\xff", 422),
        (b'{"csrf": 1}', 403),
    ]:
        answer = await browser.post("/en/sign-in", content=body, headers=kind)
        assert answer.status_code == status, body[:80]


async def test_a_person_sees_and_ends_their_own_sessions_only(site: Site) -> None:
    """Two browsers of mine, one of somebody else's: I end mine, theirs is not there."""
    mine, other, stranger = site.browser(), site.browser(**PHONE), site.browser()
    await site.sign_in(mine)
    site.clock.advance(timedelta(minutes=2))
    await site.sign_in(other)
    await _let_in(site, stranger)
    rows = {row["browser_label"]: row["id"] for row in await Session.select().order_by(Session.created_at)}
    theirs = await Session.select().where(Session.subject.email == ELSE)
    page = await mine.get("/en/account")
    assert "Firefox, Linux" in page.text
    assert "Chrome, Android" in page.text
    assert str(theirs[0]["id"]) not in page.text
    for id in (theirs[0]["id"], "00000000-0000-4000-8000-000000000000"):
        assert (await mine.submit("/en/account", {}, to=f"/en/account/sessions/{id}/end")).status_code == 404
    ended = await mine.submit("/en/account", {}, to=f"/en/account/sessions/{rows['Chrome, Android']}/end")
    assert ended.headers["location"] == "/en/account"
    assert (await other.get("/en")).status_code == 303
    assert (await stranger.get("/en")).text == f"hello {ELSE}"


async def test_all_other_sessions_end_at_once(site: Site) -> None:
    """This browser stays."""
    here, there = site.browser(), site.browser()
    await site.sign_in(here)
    site.clock.advance(timedelta(minutes=2))
    await site.sign_in(there)
    await here.submit("/en/account", {}, to="/en/account/sessions/end-others")
    assert (await here.get("/en")).status_code == 200
    assert (await there.get("/en")).status_code == 303


async def test_ending_this_session_is_signing_out(site: Site) -> None:
    """The cookie goes with it."""
    browser = site.browser()
    await site.sign_in(browser)
    id = (await Session.select())[0]["id"]
    answer = await browser.submit("/en/account", {}, to=f"/en/account/sessions/{id}/end")
    assert answer.headers["location"] == "/en/signed-out"
    assert not dict(browser.cookies)


ELSE = "someone.else@person.example"
PHONE = {"user-agent": "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36"}


async def _let_in(site: Site, browser: Browser) -> None:
    await browser.ask(ELSE)
    await site.work(lambda _: True)
    await browser.submit("/en/sign-in/code", {"code": await site.last_code()})


async def test_what_was_written_in_a_form_that_came_too_late_is_given_back(site: Site) -> None:
    """Signed out in another tab: the words come back to the browser that sent them, and to no other site."""
    browser = site.browser()
    await site.sign_in(browser)
    token = await browser.token("/en/account")
    await browser.submit("/en/account", {}, to="/en/sign-out")
    typed = {"csrf": token, "text": "Why do you <keep> my pictures?", "email": KNOWN}
    here, elsewhere = {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "cross-site"}
    answer = await browser.post("/en/sign-in", data=typed, headers=here)
    assert (answer.status_code, "Why do you &lt;keep&gt; my pictures?</textarea>" in answer.text) == (403, True)
    assert "Nothing was sent. Your text is here" in answer.text
    for headers in (elsewhere, {}):
        answer = await browser.post("/en/sign-in", data=typed, headers=headers)
        assert (answer.status_code, "pictures" in answer.text) == (403, False)
