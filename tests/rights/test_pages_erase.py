"""The pages of an erasure: what was chosen survives a code in between, and what is not planned yet can be withdrawn."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from portal.rights.requests import requests_of
from tests.rights.conftest import HTML, House


async def test_only_some_stays_only_some_after_the_code(house: House) -> None:
    """Whoever takes too long is asked for a code or a sign-in, and never finds everything ticked afterwards."""
    ana = await house.person()
    house.clock.advance(timedelta(hours=1))
    chosen = {"s": "some", "c": "prompts", "word": "erase"}
    answers = [
        await ana.post("/en/erase", chosen),
        await house.anybody().post("/en/erase", data={"csrf": "", **chosen}, headers=HTML),
    ]
    assert [urlsplit(answer.headers["location"]).path for answer in answers] == ["/en/step-up", "/en/sign-in"]
    for answer in answers:
        assert parse_qs(urlsplit(answer.headers["location"]).query) == {"next": ["/erase/check?s=some&c=prompts"]}


async def test_an_erasure_that_was_asked_for_in_words_can_be_withdrawn(house: House) -> None:
    """Until it is planned it is a request like any other."""
    ana = await house.person()
    place = (await ana.post("/en/ask/erase", {"scope": "some", "text": "My prompts of May."})).headers["location"]
    assert "Withdraw this request" in (await ana.get(place)).text
    assert (await ana.post(f"{place}/withdraw")).headers["location"] == place
    assert [one.outcome for one in await requests_of(ana.subject_id)] == ["withdrawn"]
    assert "You kept your data." in (await ana.get(place)).text
