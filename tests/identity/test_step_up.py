"""Confirming once more that it is you. Source: law rules S-02, S-21."""

from datetime import timedelta

from portal.evidence.tables import Evidence
from portal.identity.links import Purpose
from portal.identity.tables import Session, SignInAttempt
from portal.mail.tables import Mail
from tests.identity.site import CODE, KNOWN, Browser, Site

HERE = "/en/step-up?next=%2Fsecret"


async def signed_in_a_while_ago(site: Site) -> Browser:
    browser = site.browser()
    await site.sign_in(browser)
    site.clock.advance(timedelta(minutes=15))
    return browser


async def test_a_session_is_fresh_for_a_quarter_of_an_hour(site: Site) -> None:
    """Until then no second code is asked for; from then on one is, and the way back is kept."""
    browser = site.browser()
    await site.sign_in(browser)
    site.clock.advance(timedelta(minutes=14, seconds=59))
    assert (await browser.get("/en/secret")).status_code == 200
    assert (await browser.get(HERE)).headers["location"] == "/en/secret"
    site.clock.advance(timedelta(seconds=1))
    assert (await browser.get("/en/secret")).headers["location"] == HERE
    assert (await browser.get("/en")).status_code == 200


async def test_a_fresh_code_confirms_under_a_new_cookie_to_the_same_end(site: Site) -> None:
    """Opening the page sends nothing; the button does; the code leads on. The session's end does not move."""
    browser = await signed_in_a_while_ago(site)
    before, cookie = (await Session.select())[0], dict(browser.cookies)
    await browser.get(HERE)
    assert await SignInAttempt.count() == 1
    asked = await browser.submit(HERE, {"next": "/secret", "again": "1"}, to="/en/step-up")
    assert (asked.status_code, KNOWN in asked.text) == (200, True)
    await site.work()
    answer = await browser.submit(HERE, {"next": "/secret", "code": await site.last_code()}, to="/en/step-up")
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/secret")
    assert (await browser.get("/en/secret")).status_code == 200
    after = (await Session.select())[0]
    assert after["expires_at"] == before["expires_at"]
    assert after["token_hash"] != before["token_hash"]
    left = int((before["expires_at"] - site.clock()).total_seconds())
    assert f"Max-Age={left};" in answer.headers["set-cookie"]
    thief = site.browser()
    thief.cookies.update(cookie)
    assert (await thief.get("/en")).status_code == 303
    assert (await Evidence.select().order_by(Evidence.seq))[-1]["event"] == "identity:session:confirmed"


async def test_confirming_in_one_tab_spoils_no_form_in_another(site: Site) -> None:
    """The cookie changes and the session goes on, and with it what was open and half written."""
    browser = await signed_in_a_while_ago(site)
    other_tab = await browser.token("/en/account")
    await browser.submit(HERE, {"next": "/secret", "again": "1"}, to="/en/step-up")
    await site.work()
    await browser.submit(HERE, {"next": "/secret", "code": await site.last_code()}, to="/en/step-up")
    answer = await browser.post("/en/account/sessions/end-others", data={"csrf": other_tab})
    assert answer.headers["location"] == "/en/account"


async def test_the_mail_says_what_it_is_and_holds_no_link(site: Site) -> None:
    """Pressing something in a mail confirms nothing: the code has to come to this page."""
    browser = await signed_in_a_while_ago(site)
    await browser.submit(HERE, {"again": "1"}, to="/en/step-up")
    await site.work()
    assert [row["kind"] for row in await Mail.select().order_by(Mail.created_at)] == ["sign-in", "step-up"]
    text = (await site.mails())[-1]
    assert CODE.search(text)
    assert "/sign-in/link/" not in text


async def test_a_sign_in_code_does_not_confirm(site: Site) -> None:
    """Each code is good for its purpose: somebody who can make a sign-in mail come has not confirmed anything."""
    browser = await signed_in_a_while_ago(site)
    await browser.submit(HERE, {"again": "1"}, to="/en/step-up")
    await site.work()
    await site.browser().ask(KNOWN)
    await site.work()
    code = await site.last_code()
    answer = await browser.submit(HERE, {"code": code}, to="/en/step-up")
    assert answer.status_code == 422
    assert (await browser.get("/en/secret")).status_code == 303


async def test_a_wrong_code_says_how_many_tries_remain(site: Site) -> None:
    """And after the last one a new code is offered."""
    browser = await signed_in_a_while_ago(site)
    await browser.submit(HERE, {"again": "1"}, to="/en/step-up")
    for words in ("4 tries", "3 tries", "2 tries", "one try", "This code no longer works"):
        answer = await browser.submit(HERE, {"next": "/secret", "code": "000000"}, to="/en/step-up")
        assert answer.status_code == 422
        assert words in answer.text
        assert "<title>Error: " in answer.text
        assert 'name="next" value="/secret"' in answer.text
    purposes = [row["purpose"] for row in await SignInAttempt.select().order_by(SignInAttempt.created_at)]
    assert purposes == [Purpose.SIGN_IN, Purpose.STEP_UP]


async def test_without_a_session_there_is_nothing_to_confirm(site: Site) -> None:
    """The page leads to signing in, and from there on."""
    answer = await site.browser().get(HERE)
    assert answer.headers["location"] == "/en/sign-in?next=%2Fsecret"
