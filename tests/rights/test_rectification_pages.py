"""The pages of a correction: what is held, one field at a time, a new address by its code, the old one unasked."""

import re
from datetime import timedelta

import pytest

from portal.identity.mount import prepare
from portal.identity.send import send_code
from portal.identity.tables import SignInAttempt, Subject
from portal.mail.tables import MailBody
from portal.rights import address_rows
from portal.rights.tables_rectification import AddressChange
from tests.rights.conftest import Browser, House, finish
from tests.rights.shop import work
from tests.rights.test_rectification import name_of, person

NEW = "ana.new@person.example"


@pytest.fixture
def doors(house: House) -> House:
    """The house with limits for codes."""
    prepare(house.app.state, None)  # type: ignore[arg-type]
    return house


async def code_for(house: House, browser: Browser, email: str = NEW) -> str:
    """Ask for the address on its page, let the worker send, and read the code in the mail."""
    answer = await browser.post("/en/address", {"email": email})
    assert answer.headers["location"] == "/en/address/code", answer.text
    attempt = await SignInAttempt.select().order_by(SignInAttempt.created_at, ascending=False).first()
    assert attempt is not None

    async def knows(_: str) -> bool:
        return False

    await send_code(attempt["id"], house.policy, house.settings, house.clock, knows)
    bodies = await MailBody.select(MailBody.subject)
    return next(found[0] for body in bodies if (found := re.search(r"\d{3} \d{3}", body["subject"])))


async def old_link(house: House) -> str:
    """Return the path of the link that the old address got."""
    row = await AddressChange.select(AddressChange.id).first()
    assert row is not None
    return f"/en/address/old/{address_rows.token_of(house.settings, row['id'])}"


async def test_the_page_shows_what_is_held_and_what_can_be_done(house: House) -> None:
    """The account's fields with their values, and the way to every other category."""
    ana = await person(house)
    text = (await ana.get("/en/correct")).text
    assert "Correct your data" in text
    assert "Ana" in text
    assert "/en/correct/account/display_name" in text
    assert "/en/correct/payments" in text
    assert (await ana.get("/fr/correct/prompts")).status_code == 200


async def test_a_field_is_changed_and_put_back_with_two_forms(house: House) -> None:
    """Saved, shown with before and after, put back with one button."""
    ana = await person(house)
    answer = await ana.post("/en/correct/account/display_name", {"value": "Bea"})
    place = answer.headers["location"]
    await work(house)
    shown = (await ana.get(place)).text
    assert "Bea" in shown
    assert "Put it back" in shown
    back = await ana.post(f"{place}/put-back")
    await work(house)
    assert name_of(house, ana) == "Ana"
    assert back.headers["location"] != place


async def test_a_mistake_keeps_what_was_typed(house: House) -> None:
    """The page names the mistake, begins its title with it, and shows the text again."""
    ana = await person(house)
    answer = await ana.post("/en/correct/account/display_name", {"value": "x" * 101})
    assert answer.status_code == 422
    assert "<title>Error:" in answer.text
    assert "x" * 101 in answer.text


async def test_what_cannot_be_changed_here_says_what_to_do(house: House) -> None:
    """Generated code offers a note and erasure; a form for it is not there."""
    ana = await person(house)
    text = (await ana.get("/en/correct/code/code")).text
    assert "/en/note?c=code" in text
    assert "/en/erase?s=some&amp;c=code" in text
    assert (await ana.post("/en/correct/code/code", {"value": "x"})).status_code == 404


async def test_strangers_and_forms_from_elsewhere_change_nothing(house: House) -> None:
    """Nobody signed in goes to sign in; a form without its token is refused."""
    ana = await person(house)
    stranger = house.anybody()
    answer = await stranger.get("/en/correct", headers={"accept": "text/html"})
    assert "/sign-in" in answer.headers["location"]
    assert (await ana.post("/en/correct/account/display_name", {"csrf": "no", "value": "Eve"})).status_code == 403
    await work(house)
    assert name_of(house, ana) == "Ana"


async def test_the_address_changes_by_the_code_from_its_mail(doors: House) -> None:
    """The new address gets the code, the page takes it, and the worker changes every place."""
    ana = await person(doors)
    code = await code_for(doors, ana)
    assert (await ana.post("/en/address/code", {"code": "12"})).status_code == 422
    answer = await ana.post("/en/address/code", {"code": code})
    assert answer.headers["location"].startswith("/en/requests/DR-")
    await work(doors)
    assert await Subject.exists().where(Subject.email == NEW)


async def test_known_and_unknown_addresses_get_the_same_answer(doors: House) -> None:
    """Whoever asks for somebody's address reads what they would read for any other."""
    ana, _ = await person(doors), await doors.person("bea@person.example")
    seen = [await ana.post("/en/address", {"email": email}) for email in ("bea@person.example", NEW)]
    assert [one.status_code for one in seen] == [303, 303]
    assert seen[0].headers["location"] == seen[1].headers["location"]


async def test_the_old_address_needs_no_sign_in_and_looking_changes_nothing(doors: House) -> None:
    """The link opens a page with two buttons; one puts everything back; a link that never was is gone."""
    ana = await person(doors)
    await ana.post("/en/address/code", {"code": await code_for(doors, ana)})
    await work(doors)
    path, stranger = await old_link(doors), doors.anybody()
    page = await stranger.get(path, headers={"accept": "text/html"})
    assert page.status_code == 200
    assert await Subject.exists().where(Subject.email == NEW)
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)
    assert token is not None
    done = await stranger.post(path, data={"csrf": token[1], "do": "keep"}, headers={"accept": "text/html"})
    assert "stays as it was" in done.text
    assert await Subject.exists().where(Subject.email == ana.email)
    gone = await stranger.get("/en/address/old/guess", headers={"accept": "text/html"})
    assert gone.status_code == 410


async def test_the_copy_says_until_when_it_waits(doors: House) -> None:
    """No button to download while it waits, and the day instead; pressing an old page's button is refused kindly."""
    ana = await person(doors)
    reference = await finish(doors, ana)
    await ana.post("/en/address/code", {"code": await code_for(doors, ana)})
    shown = (await ana.get(f"/en/requests/{reference}/copy")).text
    assert "Downloads wait until" in shown
    assert 'name="what"' not in shown
    assert (await ana.post(f"/en/requests/{reference}/download", {"what": "pdf"})).status_code == 409


async def test_a_fresh_code_is_needed_first(doors: House) -> None:
    """A session of this morning is asked to confirm before the address can change."""
    ana = await person(doors)
    doors.clock.advance(timedelta(minutes=16))
    answer = await ana.get("/en/address")
    assert "/step-up" in answer.headers["location"]


async def test_the_value_and_the_reason_are_both_given_back_after_signing_out(house: House) -> None:
    """What was typed into either field comes back once, and nothing is stored."""
    typed = {"value": "Ana-María", "why": "The accent was lost."}
    answer = await house.anybody().post("/en/correct/account/display_name", data=typed)
    assert (answer.status_code, "Ana-María\n\nThe accent was lost.</textarea>" in answer.text) == (403, True)


@pytest.mark.parametrize("stored", [{"temperature": 0.2}, ["en", "fr"], {"deep": [{}]}])
async def test_a_field_that_holds_json_is_shown_like_any_other(house: House, stored: object) -> None:
    """Whatever a platform keeps in a JSON column, the page is there and says it."""
    ana = await person(house)
    category = house.policy.category("prompts")
    field = category.fields[-1].id
    house.sources[house.policy.sources_of("prompts")[0].id].put(ana.email, "prompts", [{field: stored}, {field: None}])
    for path in ("/en/correct/prompts", "/fr/correct/prompts", f"/en/correct/prompts/{field}"):
        assert (await ana.get(path)).status_code == 200
