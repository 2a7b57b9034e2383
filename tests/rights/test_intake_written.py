"""Questions and complaints of somebody who is signed in: one text field, the same clock, a person answers."""

import pytest

from portal.rights.intake_reading import TOPICS
from portal.rights.tables import RequestMessage, Task
from tests.rights.conftest import House, ask
from tests.rights.intake_desk import mails_to, rows


async def test_a_question_has_a_reference_and_a_day(house: House) -> None:
    """It is acknowledged and left to a person."""
    ana = await house.person()
    answer = await ana.post("/en/ask/person", {"text": "Where is my data?"})
    [request] = await rows()
    assert answer.headers["location"] == f"/en/requests/{request['reference']}"
    assert (request["right"], request["state"], request["subject"]) == ("inquiry", "deciding", ana.subject_id)
    assert request["promise_day"] is not None
    assert [row["kind"] for row in await Task.select()] == ["decide"]
    assert await mails_to(ana.email) == ["received"]


async def test_a_complaint_names_its_request_and_only_ones_own(house: House) -> None:
    """It is tied to the request; somebody else's is refused in words and nothing is stored."""
    ana, ben = await house.person(), await house.person("ben@person.example")
    reference = await ask(ana)
    assert reference in (await ana.get(f"/en/ask/complain?about={reference}")).text
    refused = await ben.post("/en/ask/complain", {"text": "Late!", "request": reference})
    assert (refused.status_code, len(await rows())) == (422, 1)
    assert "Late!" in refused.text
    await ana.post("/en/ask/complain", {"text": "Late!", "request": reference})
    first, second = await rows()
    assert (second["right"], second["about"]) == ("complaint", first["id"])


@pytest.mark.parametrize(("country", "name"), [("DE", "BfDI"), ("GB", "ICO"), ("zz", "CNIL"), ("", "CNIL")])
async def test_the_authority_of_the_country_stands_above_the_form(house: House, country: str, name: str) -> None:
    """The person's own comes first; ours is named too; an unknown country leaves ours."""
    page = (await (await house.person()).get(f"/en/ask/complain?country={country}")).text
    head = page[page.index("<h1") : page.index("<textarea")]
    assert name in head
    assert house.policy.controller.authority.url in page


async def test_words_for_a_request_that_is_open_are_added_to_it(house: House) -> None:
    """Nothing written is lost where there is only one at a time."""
    ana = await house.person()
    await ana.post("/en/ask/erase", {"scope": "some", "text": "My prompts."})
    await ana.post("/en/ask/erase", {"scope": "some", "text": "And my pictures."})
    assert len(await rows()) == 1
    texts = [row["text"] for row in await RequestMessage.select().order_by(RequestMessage.text)]
    assert texts == ["And my pictures.", "My prompts."]


async def test_an_empty_text_is_refused(house: House) -> None:
    """The field is named, nothing is stored."""
    ana = await house.person()
    answer = await ana.post("/en/ask/person", {"text": " "})
    assert answer.status_code == 422
    assert 'href="#text"' in answer.text
    assert await rows() == []


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_form_renders_for_somebody_who_is_signed_in(house: House, language: str) -> None:
    """Copies lead to the page that makes them at once."""
    ana = await house.person()
    for topic in TOPICS:
        expected = 303 if topic in {"see", "take"} else 200
        assert (await ana.get(f"/{language}/ask/{topic}")).status_code == expected, topic
