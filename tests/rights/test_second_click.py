"""What is sent twice is one: for whoever is signed in and for whoever is not, one after the other and at once."""

import asyncio
from datetime import timedelta

import pytest

from portal.rights.requests import requests_of
from portal.rights.tables import RequestMessage, Task
from tests.rights.conftest import House
from tests.rights.intake_desk import ANA, BEN, Visitor, forms, mails_to, rows

QUESTION = {"text": "Where are my pictures stored?"}


async def test_a_question_is_asked_once_however_often_it_is_sent(house: House) -> None:
    """Twice in a row and twice at once lead to the same page; other words, and the same ones later, are new."""
    ana = await house.person()
    answers = [await ana.post("/en/ask/person", QUESTION)]
    answers += await asyncio.gather(*(ana.post("/en/ask/person", QUESTION) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(await rows()) == len(await Task.select()) == len(await mails_to(ana.email)) == 1
    await ana.post("/en/ask/complain", QUESTION)
    await ana.post("/en/ask/person", {"text": "And how long?"})
    house.clock.advance(timedelta(minutes=11))
    await ana.post("/en/ask/person", QUESTION)
    assert len(await rows()) == 4


async def test_a_note_about_data_is_left_once(house: House) -> None:
    """The same note about other data is another one."""
    ana = await house.person()
    for category in ("prompts", "prompts", "account"):
        assert (await ana.post("/en/note", {"c": category, "why": "This is wrong."})).status_code == 303
    assert sorted(one.categories for one in await requests_of(ana.subject_id)) == [["account"], ["prompts"]]


async def test_a_message_is_left_once(house: House) -> None:
    """At once, in a row, and as the second answer to a question that was answered already."""
    ana = await house.person()
    place = (await ana.post("/en/ask/person", QUESTION)).headers["location"]
    more = {"text": "It is urgent."}
    await asyncio.gather(*(ana.post(f"{place}/message", more) for _ in range(3)))
    assert (await ana.post(f"{place}/message", more)).status_code == 303
    assert [row["text"] for row in await RequestMessage.select()] == [QUESTION["text"], more["text"]]
    french = place.replace("/en/", "/fr/")
    assert (await ana.get(f"{french}/message")).headers["location"] == french


@pytest.mark.parametrize(
    ("path", "fields"),
    [("/en/pause", {"c": "prompts", "r": "accuracy"}), ("/en/automated", {"how": "person"})],
)
async def test_words_for_what_is_open_already_are_added_to_it(
    house: House, path: str, fields: dict[str, str]
) -> None:  # fmt: skip
    """The same asked again with something to say: one request, and nothing that was said is lost."""
    ana = await house.person()
    for text in ("", "The second one is wrong.", "The second one is wrong."):
        await ana.post(path, {**fields, "text": text})
    assert len(await rows()) == 1
    written = [row["text"] for row in await RequestMessage.select().where(RequestMessage.author == "person")]
    assert written == ["The second one is wrong."]


async def test_a_form_without_a_session_is_taken_once(house: House) -> None:
    """One request and one code; the same from another browser, or about somebody else, is another one."""
    visitor = Visitor(house)
    for _ in range(2):
        answer = await visitor.send("/en/ask/person", {"email": ANA, **QUESTION})
        assert answer.headers["location"] == "/en/ask/sent"
    assert (len(await forms()), await mails_to(ANA)) == (1, ["mailbox"])
    await Visitor(house).send("/en/ask/person", {"email": ANA, **QUESTION})
    report = {"about": ANA, "name": "parent", "under": "yes", "text": "She is my daughter.", "email": BEN}
    for about in (ANA, ANA, "Zoe"):
        await visitor.send("/en/ask/child", {**report, "about": about})
    assert [form["about"] for form in await forms()] == ["", "", ANA, "Zoe"]
    assert await mails_to(BEN) == ["child-reporter"] * 2
