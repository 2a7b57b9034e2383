"""Signing in by e-mail, as a browser sees it."""


from portal.identity.tables import Session
from tests.identity.site import KNOWN, Site


async def test_the_code_signs_in_and_leads_on(site: Site) -> None:
    """Ask, receive, type: one session, and the page that was wanted."""
    browser = site.browser()
    answer = await browser.get("/en/secret")
    assert answer.headers["location"] == "/en/sign-in?next=%2Fsecret"
    answer = await browser.ask(KNOWN, next_path="/secret")
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/sign-in/code")
    await site.work()
    answer = await browser.submit("/en/sign-in/code", {"code": await site.last_code()})
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/secret")
    assert (await browser.get("/en/secret")).text.startswith("secret of")
    assert (await browser.get("/en")).text == f"hello {KNOWN}"
    session = await Session.objects().first()
    assert session is not None and (session.browser_label, session.way) == ("Firefox, Linux", "code")
