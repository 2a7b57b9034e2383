"""Whether a program decides: answered at once with the policy's own words, and by a person for whoever insists."""

import asyncio
from datetime import timedelta

import pytest

from portal.rights import automated
from portal.rights.automated import answer_by_person
from portal.rights.intake import Opened
from portal.rights.lifecycle import NotPossible
from portal.rights.requests import find_by_id
from portal.rights.tables import RequestMessage, SubjectRequest
from portal.rights.tasks import tasks_of
from tests.rights.conftest import Browser, House
from tests.rights.shop import mails_to


async def ask(house: House, browser: Browser, *, insist: bool) -> Opened:
    """Ask as the page does."""
    return await automated.ask(
        browser.subject_id, insist=insist, language="en", policy=house.policy, settings=house.settings, at=house.clock()
    )


async def letters() -> list[str]:
    """Return every letter, in order."""
    return [row["text"] for row in await RequestMessage.select().order_by(RequestMessage.at) if row["kind"] == "letter"]


@pytest.mark.parametrize("house", ["casagbic", "caaartoons"], indirect=True)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_answer_stands_on_the_page(house: House, language: str) -> None:
    """Nobody has to ask for what can simply be read."""
    ana = await house.person()
    text = (await ana.get(f"/{language}/automated")).text.replace("&#39;", "'")
    assert house.policy.automated_decisions[language] in text


async def test_it_is_answered_at_once_and_does_not_claim_that_a_person_looked(house: House) -> None:
    """The request is closed with the letter; the letter says that nobody looked."""
    ana = await house.person()
    request = (await ask(house, ana, insist=False)).request
    assert request.outcome == "fulfilled"
    assert "No person has looked at your case." in (await letters())[0]
    assert house.policy.automated_decisions["en"] in (await letters())[0]
    assert await mails_to(ana.email) == ["answered"]


async def test_whoever_insists_gets_a_person_by_a_day(house: House) -> None:
    """The standard answer at once, a task, and the person's own answer at the end."""
    ana = await house.person()
    request = (await ask(house, ana, insist=True)).request
    assert request.state == "deciding"
    assert [(task.kind, task.state) for task in await tasks_of(request.id)] == [("decide", "open")]
    how = {"policy": house.policy, "settings": house.settings, "actor": "staff:1"}
    later = house.clock() + timedelta(days=1)
    await answer_by_person(request.id, ["I read your jobs by hand."], at=later, **how)
    assert (await find_by_id(request.id)).outcome == "fulfilled"
    assert "I read your jobs by hand." in (await letters())[-1]
    assert [task.state for task in await tasks_of(request.id)] == ["done"]
    with pytest.raises(NotPossible):
        await answer_by_person(request.id, ["Again."], at=later, **how)


async def test_two_clicks_are_one_request(house: House) -> None:
    """While one is open it is given back; the answer of today is given back too; insisting after it is another one."""
    ana = await house.person()
    first, second = await asyncio.gather(ask(house, ana, insist=False), ask(house, ana, insist=False))
    assert first.request.id == second.request.id
    insisting = await ask(house, ana, insist=True)
    assert insisting.request.id != first.request.id
    assert (await ask(house, ana, insist=True)).request.id == insisting.request.id
    assert await SubjectRequest.count() == 2


async def test_both_buttons_work(house: House) -> None:
    """The page leads to the request, whose page shows the letter."""
    ana = await house.person()
    for how in ("letter", "person"):
        went = await ana.post("/en/automated", {"how": how, "text": ""})
        page = await ana.get(went.headers["location"])
        assert page.status_code == 200
        assert house.policy.automated_decisions["en"] in page.text
