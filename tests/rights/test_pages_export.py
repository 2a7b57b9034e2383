"""Asking for a copy: choose, check, go; and it is one request however often somebody clicks."""

import asyncio
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.identity.tables import Session
from portal.mail.tables import Mail
from portal.rights.tables import SubjectRequest
from tests.rights.conftest import House, finish


def ticked(text: str) -> set[str]:
    """Return the categories that are ticked on the page."""
    return set(re.findall(r'name="c" id="c-\d+" value="([^"]+)" checked', text))


@pytest.mark.parametrize("house", ["casagbic", "caaartoons"], indirect=True)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_everything_that_can_be_copied_is_ticked_at_first(house: House, language: str) -> None:
    """All searchable categories are offered, all ticked; what cannot be looked up is not offered."""
    ana = await house.person()
    text = (await ana.get(f"/{language}/export")).text
    assert ticked(text) == {category.id for category in house.policy.categories if category.searchable}
    assert 'value="all" checked' in text


async def test_the_check_page_repeats_the_choice_and_the_date(house: House) -> None:
    """What is included, how many records, where the message goes, what it costs, and by when at the latest."""
    ana = await house.person()
    house.sources["platform"].put(ana.email, "prompts", [{"id": str(n)} for n in range(3)])
    text = (await ana.get("/en/export/check?c=account&c=prompts&f=pdf")).text
    assert "Account, Prompts" in text
    assert "3 records" in text
    assert "ana@person.example" in text
    assert "Free" in text
    assert "Friday 13\u00a0November\u00a02026" in text


async def test_going_back_keeps_the_choice(house: House) -> None:
    """The way back from the check page leads to the same ticks and the same format."""
    ana = await house.person()
    text = (await ana.get("/en/export/check?c=account&c=prompts&f=pdf")).text
    back = re.search(r'class="crumb" href="([^"]+)"', text)
    assert back is not None
    again = (await ana.get(back[1].replace("&amp;", "&"))).text
    assert ticked(again) == {"account", "prompts"}
    assert 'value="pdf" checked' in again


async def test_nothing_chosen_is_an_error_that_says_what_to_do(house: House) -> None:
    """By the check page or by the form itself: the page comes back with the error, and no request is made."""
    ana = await house.person()
    for page in (
        await ana.get("/en/export/check?f=all"),
        await ana.get("/en/export/check?c=nothing&f=all"),
        await ana.post("/en/export", {"f": "all"}),
    ):
        assert page.status_code == 422
        assert "<title>Error:" in page.text
        assert "Tick at least one kind of data." in page.text
        assert not ticked(page.text)
    assert await SubjectRequest.count() == 0


async def test_another_way_leads_to_a_person(house: House) -> None:
    """Paper or large print is arranged by somebody, not by the worker."""
    ana = await house.person()
    page = await ana.get("/en/export/check?c=account&f=person")
    assert page.headers["location"] == "/en/ask/person"
    assert (await ana.post("/en/export", {"c": "account", "f": "person"})).headers["location"] == "/en/ask/person"
    assert await SubjectRequest.count() == 0


async def test_a_second_click_is_the_same_request(house: House) -> None:
    """Ten clicks at once make one request, one mail, and ten times the same answer."""
    ana = await house.person()
    fields = {"c": ["account", "prompts"], "f": "all"}
    answers = await asyncio.gather(*(ana.post("/en/export", fields) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"].partition("?")[0] for answer in answers}) == 1
    assert await SubjectRequest.count() == 1
    assert await Mail.count() == 1


async def test_a_second_click_says_that_there_was_a_first(house: House) -> None:
    """Whoever asks again while a copy is being made is told when they asked."""
    ana = await house.person()
    await ana.post("/en/export", {"c": "account", "f": "all"})
    house.clock.advance(timedelta(hours=1))
    again = await ana.post("/en/export", {"c": "account", "f": "all"})
    assert (
        "You asked for this copy on 14\u00a0October\u00a02026, 11:00."
        in (await ana.get(again.headers["location"])).text
    )
    assert "A copy is being prepared since" in (await ana.get("/en/export")).text


async def test_being_signed_out_meanwhile_loses_no_choice(house: House) -> None:
    """After signing in again the check page shows what was chosen; no request was made without a session."""
    ana = await house.person()
    await Session.update({Session.ended_at: house.clock()}).where(Session.subject == ana.subject_id)
    answer = await ana.post("/en/export", {"c": ["account", "prompts"], "f": "pdf"})
    assert answer.status_code == 303 and await SubjectRequest.count() == 0
    (back,) = parse_qs(urlsplit(answer.headers["location"]).query)["next"]
    assert back.endswith("/export/check?c=account&c=prompts&f=pdf")


async def test_a_form_without_our_token_makes_no_request(house: House) -> None:
    """Another site cannot ask for a copy in somebody’s name."""
    ana = await house.person()
    for fields in ({}, {"csrf": ""}, {"csrf": "0" * 64}):
        assert (await ana.client.post("/en/export", data={"c": "account", **fields})).status_code == 403
    assert await SubjectRequest.count() == 0


async def test_a_fresh_copy_is_offered_before_a_new_one(house: House) -> None:
    """For a day the ready copy is offered first; a new one can still be asked for."""
    ana = await house.person()
    reference = await finish(house, ana)
    text = (await ana.get("/en/export")).text
    assert f"/en/requests/{reference}/copy" in text
    assert "You can still ask for a new one below." in text
    house.clock.advance(timedelta(hours=25))
    assert f"/en/requests/{reference}/copy" not in (await ana.get("/en/export")).text


async def test_a_new_copy_can_be_asked_for_beside_a_fresh_one(house: House) -> None:
    """Having a copy is no reason to refuse another."""
    ana = await house.person()
    first = await finish(house, ana)
    answer = await ana.post("/en/export", {"c": "account", "f": "all"})
    assert answer.status_code == 303
    assert first not in answer.headers["location"]
