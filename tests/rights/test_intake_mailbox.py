"""Asking without a session: the mailbox is confirmed, the day of the form counts, duplicates are joined afterwards."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from portal.evidence.tables import Evidence
from portal.identity.tables import Session, SignInAttempt, Subject
from portal.rights.intake_clock import forget_unconfirmed
from portal.rights.intake_reading import TOPICS
from portal.rights.tables import RequestMessage, SubjectRequest, Task
from portal.rights.tables_intake import IntakeForm
from portal.settings import read_settings
from tests.rights.conftest import House, ask
from tests.rights.intake_desk import ANA, BEN, Visitor, last_code, last_link, last_mail, mails_to, rows, work


@pytest.mark.parametrize("house", ["casagbic", "caaartoons"], indirect=True)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_form_is_open_to_everybody(house: House, language: str) -> None:
    """No session is needed; each page names a mailbox, an authority and a day, and its form is protected."""
    for topic in TOPICS:
        page = await house.anybody().get(f"/{language}/ask/{topic}")
        assert page.status_code == 200, topic
        main = page.text[page.text.index("<main") : page.text.index("</main>")]
        assert f"mailto:{house.policy.controller.contact}" in main
        assert house.policy.controller.authority.url in main
        # A report about a child is looked at the next working day: thirty days would be the wrong promise.
        assert ("2026" in main) == (topic != "child")
        assert 'name="csrf"' in main
    assert (await house.anybody().get(f"/{language}/ask")).status_code == 200
    assert (await house.anybody().get(f"/{language}/ask/anything")).status_code == 404


async def test_known_and_unknown_addresses_get_the_same_answer(house: House) -> None:
    """The answers are the same to the byte, but for the address that was typed and the form's own token."""
    await house.person(ANA)
    for spec in house.policy.sources:
        house.sources[spec.id].put(ANA, "prompts", [{"id": 1}])
    seen = []
    for address in (ANA, BEN):
        visitor = Visitor(house)
        answer = await visitor.send("/en/ask/see", {"email": address})
        page = await visitor.get("/en/ask/sent")
        text = re.sub(r'value="[0-9a-f]{64}"', "", page.text).replace(address, "ADDRESS")
        seen.append((answer.status_code, answer.headers["location"], answer.content, page.status_code, text))
    assert seen[0] == seen[1]


async def test_a_form_counts_from_its_own_day(house: House) -> None:
    """D15, Z5: sent on 5 March, confirmed on 9 March, it is due as from 5 March; before that nobody is known."""
    house.clock.now = datetime(2026, 3, 5, 10, 0, tzinfo=UTC)
    visitor = Visitor(house)
    assert (await visitor.send("/en/ask/correct", {"email": ANA, "text": "My name is Anna."})).status_code == 303
    [before] = await rows()
    assert (before["state"], before["subject"]) == ("verifying", None)
    house.clock.now = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
    await visitor.send("/en/ask/sent", {"again": "1"})
    assert (await visitor.confirm()).headers["location"] == "/en/ask/mine"
    [after] = await rows()
    assert (after["state"], after["received_at"]) == ("deciding", before["received_at"])
    assert (after["promise_day"].isoformat(), after["law_day"].isoformat()) == ("2026-04-04", "2026-04-07")  # type: ignore[attr-defined]
    assert (await Task.select(Task.kind))[0]["kind"] == "decide"
    assert await mails_to(ANA) == ["mailbox", "mailbox", "received"]


async def test_a_copy_is_made_as_if_they_had_signed_in(house: House) -> None:
    """The worker is asked for the copy, and the person sees the request in their portal."""
    source = house.sources[house.policy.sources[0].id]
    source.put(ANA, next(iter(source.categories)), [{"a": 1}])
    visitor = Visitor(house)
    await visitor.send("/en/ask/see", {"email": ANA.upper()})
    await visitor.confirm()
    await work(house)
    assert "rights.export" in await work(house)
    [request] = await rows()
    assert (await visitor.get(f"/en/requests/{request['reference']}")).status_code == 200
    assert str(request["reference"]) in (await visitor.get("/en/ask/mine")).text


async def test_nothing_held_is_a_full_answer(house: House) -> None:
    """Only the confirmed mailbox learns it, with every place that was searched; the outcome says so."""
    visitor = Visitor(house)
    await visitor.send("/en/ask/see", {"email": BEN})
    assert await mails_to(BEN) == ["mailbox"]
    await visitor.confirm()
    await work(house)
    [request] = await rows()
    assert (request["state"], request["outcome"]) == ("closed", "no-data")
    letter = (await RequestMessage.select().where(RequestMessage.kind == "letter"))[0]["text"]
    assert "found nothing about you" in letter
    assert all(spec.title["en"] in letter for spec in house.policy.sources)
    assert (await mails_to(BEN))[-1] == "answered"


async def test_a_silent_place_is_not_an_empty_one(house: House) -> None:
    """While a place does not answer nobody is told that nothing is held."""
    house.sources[house.policy.sources[0].id].down = True
    visitor = Visitor(house)
    await visitor.send("/en/ask/see", {"email": BEN})
    await visitor.confirm()
    with pytest.raises(Exception, match="could not be looked through"):
        await work(house)
    assert (await rows())[0]["state"] == "deciding"


async def test_duplicates_are_joined_when_it_is_proven_and_not_before(house: House) -> None:
    """D16: the open request keeps its reference and gets the earlier receipt's dates; the form says it was joined."""
    visitor = Visitor(house)
    await visitor.send("/en/ask/see", {"email": ANA, "text": "On paper, please."})
    house.clock.advance(timedelta(days=4))
    ana = await house.person(ANA)
    reference = await ask(ana)
    earlier, later = await rows()
    assert (earlier["closed_at"], later["reference"]) == (None, reference)
    await visitor.send("/en/ask/sent", {"again": "1"})
    await visitor.confirm()
    form, kept = await rows()
    assert (form["outcome"], form["about"], form["subject"]) == ("joined", kept["id"], kept["subject"])
    assert (kept["reference"], kept["closed_at"], kept["received_at"]) == (reference, None, later["received_at"])
    assert kept["promise_day"] == earlier["promise_day"] != later["promise_day"]
    assert kept["due_day"] == earlier["due_day"]
    assert "joined" in await mails_to(ANA)
    assert (await RequestMessage.select())[0]["request"] == kept["id"]


async def test_two_questions_are_not_duplicates(house: House) -> None:
    """Each is answered by itself."""
    visitor = Visitor(house)
    await visitor.send("/en/ask/person", {"email": ANA, "text": "One?"})
    await visitor.send("/en/ask/person", {"email": ANA, "text": "Two?"})
    await visitor.confirm()
    assert [row["state"] for row in await rows()] == ["deciding", "deciding"]


async def test_a_code_confirms_only_what_its_own_browser_sent(house: House) -> None:
    """What somebody else sent in the same name waits until the owner of the mailbox says whose it is."""
    stranger, owner = Visitor(house), Visitor(house)
    await stranger.send("/en/ask/erase", {"email": ANA, "scope": "all"})
    await owner.send("/en/ask/person", {"email": ANA, "text": "What do you hold?"})
    await owner.confirm()
    assert {row["right"]: row["state"] for row in await rows()} == {"erasure": "verifying", "inquiry": "deciding"}
    page = await owner.get("/en/ask/mine")
    assert "No, that was not me" in page.text
    reference = next(row["reference"] for row in await rows() if row["right"] == "erasure")
    assert (await owner.send("/en/ask/mine", {"reference": str(reference), "not-mine": "1"})).status_code == 303
    assert {row["right"]: row["outcome"] for row in await rows()}["erasure"] == "withdrawn"


async def test_nobody_owns_up_to_a_form_of_another_mailbox(house: House) -> None:
    """Somebody else's reference is not found."""
    stranger = Visitor(house)
    await stranger.send("/en/ask/erase", {"email": ANA, "scope": "all"})
    ben = Visitor(house)
    await ben.send("/en/ask/person", {"email": BEN, "text": "Hello?"})
    await ben.confirm()
    reference = next(row["reference"] for row in await rows() if row["right"] == "erasure")
    answer = await ben.send("/en/ask/mine", {"reference": str(reference), "mine": "1"})
    assert answer.status_code == 404
    assert next(row for row in await rows() if row["right"] == "erasure")["state"] == "verifying"


async def test_a_code_is_good_once_and_in_its_own_browser(house: House) -> None:
    """A second click and another browser get nothing; wrong codes are counted."""
    visitor, other = Visitor(house), Visitor(house)
    await visitor.send("/en/ask/person", {"email": ANA, "text": "One?"})
    code = await last_code(house)
    await other.send("/en/ask/person", {"email": BEN, "text": "Mine."})
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert (await visitor.send("/en/ask/sent", {"code": wrong})).status_code == 422
    assert (await other.send("/en/ask/sent", {"code": code})).status_code == 422
    assert (await visitor.send("/en/ask/sent", {"code": code})).status_code == 303
    again = await visitor.send("/en/ask/mine", {"code": code}, to="/en/ask/sent")
    assert again.status_code == 303
    assert [row["state"] for row in await rows()] == ["deciding", "verifying"]
    assert await Session.count() == 1
    assert await Subject.count() == 1


async def test_a_link_is_used_by_its_button_alone(house: House) -> None:
    """Opening it changes nothing; in another browser the code is needed as well; afterwards it is gone."""
    visitor, other = Visitor(house), Visitor(house)
    await visitor.send("/en/ask/person", {"email": ANA, "text": "One?"})
    code, link = await last_code(house), await last_link("mailbox")
    for _ in range(3):
        assert (await other.get(link)).status_code == 200
    assert (await SignInAttempt.select())[0]["used_at"] is None
    assert (await other.send(link, {})).status_code == 422
    assert (await other.send(link, {"code": code})).status_code == 303
    assert (await rows())[0]["state"] == "deciding"
    assert (await visitor.get(link)).status_code == 410


async def test_an_erasure_of_everything_is_planned_with_three_days_to_cancel(house: House) -> None:
    """It begins as if it was asked for in the portal: out of use at once, a mail that leads to cancelling."""
    source = house.sources[house.policy.sources[0].id]
    source.put(ANA, next(iter(source.categories)), [{"a": 1}])
    visitor = Visitor(house)
    await visitor.send("/en/ask/erase", {"email": ANA, "scope": "all"})
    await visitor.confirm()
    await work(house)
    await work(house)
    assert (await rows())[0]["state"] == "working"
    assert "erasure-planned" in await mails_to(ANA)
    assert (await rows())[0]["reference"] in await last_mail("erasure-planned")


async def test_a_mistake_is_named_and_nothing_typed_is_lost(house: House) -> None:
    """The page says what to mend, keeps every word, and stores nothing."""
    visitor = Visitor(house)
    answer = await visitor.send("/en/ask/correct", {"email": "no address", "text": "My <b>name</b> is Anna."})
    assert answer.status_code == 422
    assert "Write one e-mail address" in answer.text
    assert "My &lt;b&gt;name&lt;/b&gt; is Anna." in answer.text
    assert 'href="#email"' in answer.text
    empty = await visitor.send("/en/ask/correct", {"email": ANA, "text": "  "})
    assert 'href="#text"' in empty.text
    assert (await visitor.send("/en/ask/correct", {"email": ANA, "text": "x" * 5_001})).status_code == 422
    assert await rows() == []


async def test_many_codes_are_slowed_down_and_no_request_is_lost(house: House) -> None:
    """A mailbox gets few mails however often its name is used; each form counts all the same."""
    for _ in range(8):
        assert (await Visitor(house).send("/en/ask/person", {"email": ANA, "text": "Hello?"})).status_code == 303
    assert len(await rows()) == 8
    assert await SignInAttempt.count() == 5
    late = Visitor(house)
    await late.send("/en/ask/person", {"email": ANA, "text": "Hello?"})
    assert "E-mail me a code" in (await late.get("/en/ask/sent")).text
    house.clock.advance(timedelta(minutes=11))
    await late.send("/en/ask/sent", {"again": "1"})
    assert (await late.confirm()).status_code == 303


async def test_too_many_forms_from_one_place_wait_and_keep_their_words(house: House) -> None:
    """The page says when it goes on; then it goes on."""
    visitor = Visitor(house)
    for number in range(20):
        await visitor.send("/en/ask/person", {"email": f"p{number}@person.example", "text": "Hello?"})
    answer = await visitor.send("/en/ask/person", {"email": ANA, "text": "My own words"})
    assert answer.status_code == 429
    assert "My own words" in answer.text
    assert int(answer.headers["retry-after"]) <= 600
    house.clock.advance(timedelta(minutes=10))
    assert (await visitor.send("/en/ask/person", {"email": ANA, "text": "My own words"})).status_code == 303


async def test_a_form_of_another_site_is_refused(house: House) -> None:
    """Without our own token nothing is read and nothing is stored."""
    client = house.anybody()
    answer = await client.post("/en/ask/person", data={"email": ANA, "text": "Hello?", "csrf": "0" * 64})
    assert answer.status_code == 403
    assert await rows() == []


async def test_unconfirmed_forms_are_forgotten_after_thirty_days(house: House) -> None:
    """Their words go too; evidence keeps how many there were, and confirmed ones stay."""
    visitor = Visitor(house)
    await visitor.send("/en/ask/person", {"email": ANA, "text": "Stays."})
    await visitor.confirm()
    await Visitor(house).send("/en/ask/person", {"email": BEN, "text": "Goes."})
    house.clock.advance(timedelta(days=29))
    assert await forget_unconfirmed(at=house.clock()) == 0
    house.clock.advance(timedelta(days=1))
    assert await forget_unconfirmed(at=house.clock()) == 1
    assert [row["state"] for row in await rows()] == ["deciding"]
    assert (await IntakeForm.count(), await RequestMessage.count()) == (1, 1)
    told = await Evidence.select().where(Evidence.event == "rights:forms:forgotten")
    assert '"count":1' in str(told[0]["details"]).replace(" ", "").replace("'", '"')


async def test_another_installation_does_not_know_the_link(house: House) -> None:
    """A link is good where it was made: with another secret it is nothing."""
    visitor = Visitor(house)
    await visitor.send("/en/ask/person", {"email": ANA, "text": "One?"})
    await last_code(house)
    link = await last_link("mailbox")
    house.app.state.settings = read_settings({
        "HABEAS_SECRET_KEY": "another key that is long enough too", "DATABASE_URL": house.settings.database_dsn,
    })  # fmt: skip
    assert (await Visitor(house).get(link)).status_code == 410
    assert await SubjectRequest.count() == 1
