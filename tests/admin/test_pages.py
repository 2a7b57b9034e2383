"""The staff's door: two factors, the same answer for everybody, nothing on GET, and a new session at each step."""

import re
from datetime import timedelta

import httpx
import pytest

from admin.passkeys import LIFE
from admin.roles import Role
from admin.tables import IDLE, StaffSession
from admin.tables_factors import StaffChallenge, StaffPasskey, StaffRecoveryCode
from admin.who import COOKIE, FRESH
from portal.evidence.tables import Evidence
from tests.admin.staff_site import HTTPS, Browser, Device, Site

DESK = "/en/staff/me"


async def events() -> list[str]:
    """The names of what was noted."""
    return [row["event"] for row in await Evidence.select(Evidence.event).order_by(Evidence.seq)]


async def test_a_code_and_a_passkey_open_the_desk_and_the_records(site: Site) -> None:
    """Neither alone does; the browser's session has another token after each step: S-02, S-03, S-21."""
    device, _ = await site.join(site.browser())
    browser = site.browser()
    half = await site.first_factor(browser)
    assert (half.status_code, half.headers["location"]) == (303, "/en/staff/factor?next=%2Fstaff%2Fdesk")
    before = browser.cookies[COOKIE]
    for path in (DESK, "/admin/"):
        assert (await browser.get(path)).status_code == 303, path
    whole = await browser.submit("/en/staff/factor", {"passkey": device.use(await browser.options("/en/staff/factor"))})
    assert (whole.status_code, whole.headers["location"]) == (303, "/en/staff/desk")
    assert browser.cookies[COOKIE] != before
    for path in (DESK, "/admin/"):
        assert (await browser.get(path)).status_code == 200, path
    browser.cookies.set(COOKIE, before)
    assert (await browser.get(DESK)).status_code == 303
    assert "staff:session:started" in await events()


async def test_whoever_does_not_see_requests_comes_in_to_what_is_theirs(site: Site) -> None:
    """An administrator's first page is no refusal, and nothing is noted as if they had tried."""
    browser = site.browser()
    device, _ = await site.join(browser, "admin@staff.example", Role.ADMIN)
    assert (await browser.get("/en/staff/sign-in")).headers["location"] == "/en/staff/failures"
    answer = await site.sign_in(site.browser(), device, "admin@staff.example")
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/staff/failures")
    page = (await browser.get("/en/staff/failures")).text
    assert 'class="brand" href="/en/staff/failures"' in page and "/en/staff/desk" not in page
    assert "staff:refused" not in await events()


async def test_the_cookie_is_kept_from_scripts_and_plain_http(site: Site) -> None:
    """HttpOnly, Secure, SameSite=Lax, for half a day at most: S-21."""
    device, _ = await site.join(site.browser())
    answer = await site.sign_in(site.browser(), device)
    (cookie,) = [value for value in answer.headers.get_list("set-cookie") if value.startswith(f"{COOKIE}=")]
    flags = {flag.strip().lower() for flag in cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/", "max-age=43200"} <= flags


async def test_nobody_can_tell_a_member_from_a_stranger(site: Site) -> None:
    """Same status, same page but for the address that was typed, and no mail to the stranger: S-04."""
    await site.join(site.browser())
    pages = []
    for email in ("dpo@staff.example", "who@staff.example"):
        browser = site.browser()
        asked = await browser.submit("/en/staff/sign-in", {"email": email})
        assert (asked.status_code, asked.headers["location"]) == (303, "/en/staff/sign-in/code")
        shown = (await browser.get("/en/staff/sign-in/code")).text.replace(email, "")
        pages.append(re.sub(r'name="csrf" value="[^"]+"', "", shown))
    assert pages[0] == pages[1]
    await site.work()
    assert len(await site.mails("staff-code")) == 1


async def test_the_link_works_here_with_one_press_and_elsewhere_with_the_code(site: Site) -> None:
    """Opening it as often as one likes uses nothing up; a browser that did not ask must know the code: S-05."""
    await site.join(site.browser())
    browser, other = site.browser(), site.browser()
    await browser.submit("/en/staff/sign-in", {"email": "dpo@staff.example"})
    await site.work()
    found = re.search(r"/en/staff/sign-in/link/[\w-]+", (await site.mails("staff-code"))[-1])
    assert found
    for method in ("HEAD", "GET", "GET"):
        assert (await other.request(method, found[0])).status_code == 200
    assert COOKIE not in other.cookies
    assert (await other.submit(found[0], {})).status_code == 422
    assert (await browser.submit(found[0], {})).headers["location"].startswith("/en/staff/factor")
    assert (await other.get(found[0])).status_code == 410


async def test_five_wrong_codes_are_the_end_of_it(site: Site) -> None:
    """The right one comes too late then."""
    await site.join(site.browser())
    browser = site.browser()
    await browser.submit("/en/staff/sign-in", {"email": "dpo@staff.example"})
    await site.work()
    right = await site.last_code()
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    for _ in range(5):
        assert (await browser.submit("/en/staff/sign-in/code", {"code": wrong})).status_code == 422
    assert (await browser.submit("/en/staff/sign-in/code", {"code": right})).status_code == 422
    assert COOKIE not in browser.cookies


async def test_a_recovery_code_stands_in_once(site: Site) -> None:
    """It opens the desk, is evidence, is mailed, and is then worthless; however it is typed."""
    _, codes = await site.join(site.browser())
    assert len(set(codes)) == 10
    stored = str(await StaffRecoveryCode.select())
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)
    browser = site.browser()
    await site.first_factor(browser)
    typed = f" {codes[0].upper().replace('-', ' ')} "
    assert (await browser.submit("/en/staff/factor", {"code": typed})).status_code == 303
    assert (await browser.get(DESK)).status_code == 200
    assert "staff:recovery:used" in await events()
    assert any("recovery codes was used" in text for text in await site.mails("staff-notice"))
    site.clock.advance(timedelta(minutes=2))
    again = site.browser()
    await site.first_factor(again)
    refused = await again.submit("/en/staff/factor", {"code": codes[0]})
    assert refused.status_code == 422
    assert "none of your recovery codes" in refused.text


async def halfway(site: Site) -> tuple[Browser, Device]:
    """A browser that has shown the first factor, and the passkey of its owner."""
    device, _ = await site.join(site.browser())
    browser = site.browser()
    await site.first_factor(browser)
    return browser, device


async def test_a_passkey_that_lies_opens_nothing(site: Site) -> None:
    """Another site's, one that did not verify its user, one whose counter fell back, an answer shown twice."""
    browser, device = await halfway(site)
    page = "/en/staff/factor"
    device.origin = "https://evil.example"
    assert (await browser.submit(page, {"passkey": device.use(await browser.options(page))})).status_code == 422
    device.origin, device.verified = HTTPS, False
    assert (await browser.submit(page, {"passkey": device.use(await browser.options(page))})).status_code == 422
    device.verified = True
    await StaffPasskey.update({StaffPasskey.sign_count: 1_000}, force=True)
    assert (await browser.submit(page, {"passkey": device.use(await browser.options(page))})).status_code == 422
    assert (await browser.get(DESK)).status_code == 303
    await StaffPasskey.update({StaffPasskey.sign_count: 1}, force=True)
    shown = device.use(await browser.options(page))
    assert (await browser.submit(page, {"passkey": shown})).status_code == 303
    site.clock.advance(FRESH)
    again = await browser.submit("/en/staff/confirm", {"passkey": shown})
    assert again.status_code == 422


async def test_a_challenge_is_for_one_browser_and_some_minutes(site: Site) -> None:
    """What another browser was asked, or was asked too long ago, is no answer here."""
    browser, device = await halfway(site)
    other = site.browser()
    site.clock.advance(timedelta(minutes=2))
    await site.first_factor(other)
    theirs = device.use(await other.options("/en/staff/factor"))
    assert (await browser.submit("/en/staff/factor", {"passkey": theirs})).status_code == 422
    mine = device.use(await browser.options("/en/staff/factor"))
    site.clock.advance(LIFE)
    assert (await browser.submit("/en/staff/factor", {"passkey": mine})).status_code == 422
    assert (await browser.get(DESK)).status_code == 303


@pytest.mark.parametrize("nonsense", ["", "x", "{}", '{"id":1}', '{"response":{"clientDataJSON":"AA"}}', "é" * 500])
async def test_nonsense_is_refused_as_nonsense(site: Site, nonsense: str) -> None:
    """Whatever stands where the passkey's answer should be, nothing breaks."""
    browser, _ = await halfway(site)
    assert (await browser.submit("/en/staff/factor", {"passkey": nonsense})).status_code == 422


async def test_what_matters_most_asks_again_and_goes_on(site: Site) -> None:
    """After five minutes the second factor is asked for, and then the very page that was wanted."""
    browser, device = await halfway(site)
    await browser.submit("/en/staff/factor", {"passkey": device.use(await browser.options("/en/staff/factor"))})
    assert (await browser.get("/en/staff/people/1")).status_code == 200
    site.clock.advance(FRESH)
    asked = await browser.get("/en/staff/people/1?x=1")
    assert asked.headers["location"] == "/en/staff/confirm?next=%2Fstaff%2Fpeople%2F1%3Fx%3D1"
    page, before = asked.headers["location"], browser.cookies[COOKIE]
    shown = device.use(await browser.options(page))
    done = await browser.submit(page, {"passkey": shown, "next": "/staff/people/1?x=1"}, to="/en/staff/confirm")
    assert (done.status_code, done.headers["location"]) == (303, "/en/staff/people/1?x=1")
    assert browser.cookies[COOKIE] != before
    assert (await browser.get("/en/staff/people/1")).status_code == 200


async def test_signing_out_ends_the_session(site: Site) -> None:
    """The cookie goes, and its token opens nothing any more."""
    browser = site.browser()
    await site.join(browser)
    token = browser.cookies[COOKIE]
    answer = await browser.submit(DESK, {}, to="/en/staff/sign-out")
    assert answer.status_code == 303
    browser.cookies.set(COOKIE, token)
    assert (await browser.get(DESK)).status_code == 303
    assert await StaffSession.count() == 0


async def test_an_idle_session_asks_for_both_factors(site: Site) -> None:
    """After a quarter of an hour without a page nothing is left of it: S-21."""
    browser = site.browser()
    await site.join(browser)
    site.clock.advance(IDLE - timedelta(seconds=1))
    assert (await browser.get(DESK)).status_code == 200
    site.clock.advance(IDLE)
    assert (await browser.get(DESK)).headers["location"].startswith("/en/staff/sign-in")


async def test_another_site_can_send_no_form(site: Site) -> None:
    """Without the page's own token, or from another origin, nothing happens: S-09."""
    browser = site.browser()
    await site.join(browser)
    before = await StaffRecoveryCode.select(StaffRecoveryCode.id).order_by(StaffRecoveryCode.id)
    for path in ("/en/staff/me/codes", "/en/staff/sign-out", "/en/staff/sign-in", "/en/staff/confirm"):
        assert (await browser.post(path, data={})).status_code == 403, path
        forged = await browser.submit(DESK, {"email": "a@b.example"}, to=path, origin="https://evil.example")
        assert forged.status_code == 403, path
    assert await StaffRecoveryCode.select(StaffRecoveryCode.id).order_by(StaffRecoveryCode.id) == before


async def test_nobody_removes_their_last_key(site: Site) -> None:
    """The only passkey stays; with a second one either may go."""
    browser = site.browser()
    device, _ = await site.join(browser)
    (key,) = await StaffPasskey.select(StaffPasskey.id)
    assert (await browser.submit(DESK, {}, to=f"{DESK}/passkeys/{key['id']}/remove")).status_code == 422
    assert await StaffPasskey.count() == 1
    page = f"{DESK}/passkeys/new"
    second = Device(HTTPS)
    added = await browser.submit(page, {"passkey": second.make(await browser.options(page)), "called": "blue"})
    assert added.status_code == 303
    assert (await browser.submit(DESK, {}, to=f"{DESK}/passkeys/{key['id']}/remove")).status_code == 303
    site.clock.advance(timedelta(minutes=2))
    await site.first_factor(other := site.browser())
    old = await other.submit("/en/staff/factor", {"passkey": device.use(await other.options("/en/staff/factor"))})
    assert old.status_code == 422
    assert await StaffChallenge.count() > 0


async def test_new_recovery_codes_replace_the_old(site: Site) -> None:
    """The old sheet is worthless as soon as there is a new one."""
    browser = site.browser()
    _, old = await site.join(browser)
    new = await browser.submit(DESK, {}, to=f"{DESK}/codes")
    assert new.status_code == 200
    assert not set(old) & set(re.findall(r"<code>([^<]+)</code>", new.text))
    site.clock.advance(timedelta(minutes=2))
    await site.first_factor(other := site.browser())
    assert (await other.submit("/en/staff/factor", {"code": old[3]})).status_code == 422


@pytest.mark.parametrize("token", ["x", "é", "a" * 5000, "..%2f"])
async def test_a_nonsense_link_is_no_fault_of_ours(site: Site, token: str) -> None:
    """Whatever stands where the token should be, the answer is a page or a refusal."""
    for path in ("sign-in/link", "invitation"):
        answer: httpx.Response = await site.browser().get(f"/en/staff/{path}/{token}")
        assert answer.status_code in {400, 404, 410}


async def test_the_door_speaks_both_languages(site: Site) -> None:
    """And leads to the organisation's first one."""
    browser = site.browser()
    assert (await browser.get("/staff/sign-in")).headers["location"] == "/en/staff/sign-in"
    assert "clé d’accès" in (await browser.get("/fr/staff/sign-in")).text
