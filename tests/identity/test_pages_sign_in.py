"""Signing in by e-mail, as a browser sees it. Source: law rules S-01, S-04, S-05, S-06, S-08."""

import asyncio
from datetime import timedelta

import pytest

from portal.evidence.tables import Evidence
from portal.identity.links import Purpose, code_of, token_of
from portal.identity.tables import Session, SignInAttempt, Subject
from portal.mail.tables import Mail
from tests.identity.site import KNOWN, STRANGER, Browser, Site


async def test_the_code_signs_in_and_leads_on(site: Site) -> None:
    """Ask, receive, type: one session, one person, evidence without a name, and the page that was wanted."""
    browser = site.browser()
    answer = await browser.get("/en/secret")
    assert answer.headers["location"] == "/en/sign-in?next=%2Fsecret"
    answer = await browser.ask(KNOWN, next_path="/secret")
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/sign-in/code")
    await site.work()
    answer = await browser.submit("/en/sign-in/code", {"code": await site.last_code()})
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/secret")
    assert (await browser.get("/en/secret")).text.startswith("secret of")
    rows = await Session.select(Session.browser_label, Session.way)
    assert rows == [{"browser_label": "Firefox, Linux", "way": "code"}]
    evidence = await Evidence.select()
    assert [row["event"] for row in evidence] == ["identity:session:started"]
    assert KNOWN not in str(evidence)


@pytest.mark.parametrize("typed", ["{0}{1}", "{0} {1}", " {0}-{1} ", "{0}\u00a0{1}"])
async def test_the_code_may_be_pasted_with_spaces(site: Site, typed: str) -> None:
    """How it stands in the mail is how it may be typed."""
    browser = site.browser()
    await browser.ask(KNOWN)
    await site.work()
    code = await site.last_code()
    answer = await browser.submit("/en/sign-in/code", {"code": typed.format(code[:3], code[3:])})
    assert answer.status_code == 303


async def test_known_and_unknown_addresses_look_the_same(site: Site) -> None:
    """S-04: same status, same headers, same words on every page but the address itself; the stranger gets no mail."""
    seen = []
    for email in (KNOWN, STRANGER):
        browser = site.browser()
        asked = await browser.ask(email)
        await site.work()
        code = await browser.get("/en/sign-in/code")
        wrong = await browser.submit("/en/sign-in/code", {"code": "000000"})
        pages = [(page.status_code, _without_tokens(page.text).replace(email, "")) for page in (asked, code, wrong)]
        seen.append((asked.headers["location"], pages))
    assert seen[0] == seen[1]
    assert [row["to_address"] for row in await Mail.select(Mail.to_address)] == [KNOWN]


async def test_a_person_whom_only_we_know_still_gets_a_code(site: Site) -> None:
    """Who has asked us for something before can come back when no other system knows them any more."""
    await Subject(email=STRANGER, created_at=site.clock()).save()
    await site.browser().ask(STRANGER)
    await site.work(lambda _: False)
    assert await Mail.count() == 1


async def test_opening_a_link_changes_nothing(site: Site) -> None:
    """S-05: whatever opens it, however often, only a press of the button signs in, and only once."""
    browser = site.browser()
    await browser.ask(KNOWN)
    await site.work()
    link = await site.last_link()
    before = await SignInAttempt.select()
    for opener in (browser, site.browser(), site.browser()):
        assert (await opener.get(link)).status_code == 200
    assert await SignInAttempt.select() == before
    assert await Session.count() == 0
    answer = await browser.submit(link, {})
    assert (answer.status_code, answer.headers["location"]) == (303, "/en")
    assert (await browser.get("/en")).text == f"hello {KNOWN}"
    assert (await browser.get(link)).status_code == 410


async def test_another_browser_needs_the_code_as_well(site: Site) -> None:
    """A mail scanner that presses the button gets a question, not a session; the person on a phone gets in."""
    await site.browser().ask(KNOWN)
    await site.work()
    link, phone = await site.last_link(), site.browser()
    pressed = await phone.submit(link, {})
    assert (pressed.status_code, await Session.count()) == (422, 0)
    assert "This link was asked for in another browser" in pressed.text
    assert (await phone.submit(link, {"code": await site.last_code()})).status_code == 303
    assert (await phone.get("/en")).text == f"hello {KNOWN}"


async def test_a_wrong_code_in_another_browser_is_wrong_and_counted(site: Site) -> None:
    """The link alone is half a key there, and the tries are those of the attempt it names."""
    await site.browser().ask(KNOWN)
    await site.work()
    link, thief = await site.last_link(), site.browser()
    for words in ("4 tries", "3 tries", "2 tries", "one try", "This link no longer works"):
        assert words in (await thief.submit(link, {"code": "000000"})).text
    assert (await thief.get(link)).status_code == 410
    assert await Session.count() == 0


async def test_using_the_link_uses_up_the_code(site: Site) -> None:
    """They are one: neither works after the other."""
    browser = site.browser()
    await browser.ask(KNOWN)
    await site.work()
    token = await browser.token("/en/sign-in/code")
    await browser.submit(await site.last_link(), {})
    answer = await site.browser().get(await site.last_link())
    assert answer.status_code == 410
    late = await browser.post("/en/sign-in/code", data={"csrf": token, "code": await site.last_code()})
    assert late.status_code == 403, "the token belonged to the cookie before signing in"
    assert await Session.count() == 1


async def test_after_five_wrong_codes_the_right_one_is_wrong_too(site: Site) -> None:
    """S-06: the page says how many tries remain, keeps what was typed, and then offers a new code."""
    browser = site.browser()
    await browser.ask(KNOWN)
    await site.work()
    right = await site.last_code()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    told = ["4 tries left", "3 tries left", "2 tries left", "one try left", "This code no longer works"]
    for words in told:
        answer = await browser.submit("/en/sign-in/code", {"code": wrong})
        assert answer.status_code == 422
        assert words in answer.text
        assert "<title>Error: " in answer.text
        assert f'value="{wrong}"' in answer.text or words == told[-1]
    assert (await browser.submit("/en/sign-in/code", {"code": right})).status_code == 422
    assert (await site.browser().get(await site.last_link())).status_code == 410
    assert await Session.count() == 0


async def test_what_is_no_code_costs_no_try(site: Site) -> None:
    """Five digits are a slip of the finger."""
    browser = site.browser()
    await browser.ask(KNOWN)
    for typed in ("", "12345", "1234567", "abcdef", "１２３４５６", "\u0000" * 3 + "12", "<b>"):
        answer = await browser.submit("/en/sign-in/code", {"code": typed})
        assert answer.status_code == 422
    assert (await SignInAttempt.select(SignInAttempt.tries)) == [{"tries": 0}]


async def test_of_many_requests_at_once_with_the_right_code_one_wins(site: Site) -> None:
    """The attempt is used up in the transaction that begins the session."""
    browser = site.browser()
    await browser.ask(KNOWN)
    await site.work()
    fields = {"csrf": await browser.token("/en/sign-in/code"), "code": await site.last_code()}
    cookie = dict(browser.cookies)
    answers = await asyncio.gather(*(_same(site, cookie).post("/en/sign-in/code", data=fields) for _ in range(6)))
    assert sorted(answer.headers.get("location", "") for answer in answers).count("/en") == 1
    assert await Session.count() == 1


async def test_many_guesses_at_once_are_five_guesses(site: Site) -> None:
    """Tries are counted under a lock."""
    browser = site.browser()
    await browser.ask(KNOWN)
    await site.work()
    right = int(await site.last_code())
    token, cookie = await browser.token("/en/sign-in/code"), dict(browser.cookies)
    guesses = [f"{(right + step) % 1_000_000:06d}" for step in range(1, 9)]
    await asyncio.gather(
        *(_same(site, cookie).post("/en/sign-in/code", data={"csrf": token, "code": guess}) for guess in guesses)
    )
    assert (await SignInAttempt.select(SignInAttempt.tries)) == [{"tries": 5}]
    assert await Session.count() == 0


async def test_the_last_two_codes_of_a_browser_work(site: Site) -> None:
    """A second mail often overtakes the first; a third makes the first one old."""
    browser, codes = site.browser(), []
    for _ in range(3):
        await browser.ask(KNOWN)
        await site.work()
        codes.append(await site.last_code())
        site.clock.advance(timedelta(minutes=1))
    assert (await browser.submit("/en/sign-in/code", {"code": codes[0]})).status_code == 422
    assert (await browser.submit("/en/sign-in/code", {"code": codes[1]})).status_code == 303


async def test_a_second_click_sends_no_second_mail(site: Site) -> None:
    """Within the minute, the same address in the same browser is the same request."""
    browser = site.browser()
    for _ in range(2):
        assert (await browser.ask(KNOWN)).headers["location"] == "/en/sign-in/code"
    assert await SignInAttempt.count() == 1


async def test_too_many_codes_name_the_time_and_the_last_one_still_works(site: Site) -> None:
    """S-08: sending slows down, whoever the address belongs to; nobody is locked out."""
    for email in (KNOWN, STRANGER):
        for _ in range(5):
            await site.browser(peer="198.51.100.9").ask(email)
    await site.work()
    link, code = await site.last_link(), await site.last_code()
    refused = {}
    for email in (KNOWN, STRANGER):
        answer = await site.browser().ask(email)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "600")
        assert "Wait until 11:10" in answer.text
        refused[email] = answer.text.replace(email, "")
    assert _without_tokens(refused[KNOWN]) == _without_tokens(refused[STRANGER])
    assert (await site.browser().submit(link, {"code": code})).status_code == 303
    site.clock.advance(timedelta(minutes=10))
    assert (await site.browser().ask(KNOWN)).status_code == 303


async def test_guessing_at_an_address_is_slowed_down_while_its_link_works_on(site: Site) -> None:
    """Many attempts of five tries each are not many times five guesses."""
    for number in range(2):
        guesser = site.browser(peer=f"198.51.100.{number}")
        await guesser.ask(KNOWN)
        for _ in range(5):
            await guesser.submit("/en/sign-in/code", {"code": "000000"})
    person = site.browser()
    await person.ask(KNOWN)
    await site.work()
    answer = await person.submit("/en/sign-in/code", {"code": await site.last_code()})
    assert answer.status_code == 429
    assert "Use the link in the message" in answer.text
    assert (await person.submit(await site.last_link(), {})).status_code == 303


async def test_a_code_is_good_for_its_purpose_only(site: Site) -> None:
    """A step-up code signs nobody in: neither code nor token are the same for the same attempt."""
    browser = site.browser()
    await browser.ask(KNOWN)
    row = (await SignInAttempt.select())[0]
    for derive in (code_of, token_of):
        assert derive(site.settings, row["id"], Purpose.SIGN_IN) != derive(site.settings, row["id"], Purpose.STEP_UP)
    await SignInAttempt.update({SignInAttempt.purpose: Purpose.STEP_UP}, force=True)
    link = f"/en/sign-in/link/{token_of(site.settings, row['id'], Purpose.SIGN_IN)}"
    assert (await browser.get(link)).status_code == 410


async def test_neither_code_nor_token_is_stored_or_queued(site: Site) -> None:
    """S-06: with the database alone nobody can sign in as anyone."""
    await site.browser().ask(KNOWN)
    row = (await SignInAttempt.select())[0]
    jobs = await Subject.raw("SELECT convert_from(payload, 'UTF8') AS payload FROM pgqueuer")
    stored = f"{row} {jobs}"
    assert code_of(site.settings, row["id"], Purpose.SIGN_IN) not in stored
    assert token_of(site.settings, row["id"], Purpose.SIGN_IN) not in stored
    assert KNOWN not in str(jobs)


async def test_a_mail_is_written_once_however_often_the_job_runs(site: Site) -> None:
    """A worker that is killed in the middle leaves one mail, not two."""
    await site.browser().ask(KNOWN)
    await asyncio.gather(site.work(), site.work(), site.work())
    await site.work()
    assert await Mail.count() == 1


async def test_a_code_that_is_over_is_not_sent(site: Site) -> None:
    """A worker that comes too late writes nothing."""
    await site.browser().ask(KNOWN)
    site.clock.advance(timedelta(minutes=15))
    await site.work()
    assert await Mail.count() == 0


@pytest.mark.parametrize(
    "email",
    ["", " ", "amelie", "a@b", "a@b@c.example", "a b@c.example", "a@c.example,b@c.example", "<a@c.example>",
     "a@c..example", "a@.example", "a\r\nbcc: x@y.example@z.example", "a\u202e@c.example", "é" * 300 + "@c.example"],
)  # fmt: skip
async def test_what_is_no_address_is_said_at_the_field_and_kept(site: Site, email: str) -> None:
    """The page comes back with what was typed, a summary that leads to the field, and no mail."""
    answer = await site.browser().ask(email)
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert '<a href="#email">' in answer.text
    assert 'aria-describedby="email-hint email-error" aria-invalid="true"' in answer.text
    assert await SignInAttempt.count() == 0


@pytest.mark.parametrize(
    "email", [f" {KNOWN.upper()} ", "zoé@exämple.example", "o’hara+tag@sub.person.example", "x@xn--exmple-cua.example"]
)
async def test_addresses_are_taken_as_people_write_them(site: Site, email: str) -> None:
    """Capitals and spaces do not matter, other scripts are fine, and nothing about the local part is second-guessed."""
    assert (await site.browser().ask(email)).status_code == 303
    assert [row["email"] for row in await SignInAttempt.select(SignInAttempt.email)] == [email.strip().lower()]


async def test_hostile_text_comes_back_harmless(site: Site) -> None:
    """What was typed is kept, escaped."""
    answer = await site.browser().ask('"><script>alert(1)</script>')
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\nb",
        "x",
        "",
    ],
)
async def test_nobody_is_sent_to_another_site(site: Site, path: str) -> None:
    """`next` is a path of ours or nothing."""
    browser = site.browser()
    await browser.ask(KNOWN, next_path=path)
    await site.work()
    answer = await browser.submit("/en/sign-in/code", {"code": await site.last_code()})
    assert answer.headers["location"] == "/en"
    assert (await browser.get("/en/sign-in", params={"next": path})).headers["location"] == "/en"


async def test_french_pages_and_mail_go_with_the_french_address(site: Site) -> None:
    """The language is in the path, and in the mail that answers it; never in the cookie."""
    browser = site.browser()
    await browser.ask(KNOWN, language="fr")
    await site.work()
    assert (await site.last_link()).startswith("/fr/")
    assert 'lang="fr"' in (await browser.get("/fr/sign-in/code")).text
    assert [cookie.name for cookie in browser.cookies.jar] == ["habeas"]


def _same(site: Site, cookies: dict[str, str]) -> Browser:
    """Another tab of the same browser."""
    tab = site.browser()
    tab.cookies.update(cookies)
    return tab


def _without_tokens(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if 'name="csrf"' not in line)
