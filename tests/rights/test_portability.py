"""What can be taken along, what cannot and why, and how the files say which right they answer."""

import re

import pytest

from portal.policy.model import Basis
from portal.rights.order import draw_order
from portal.rights.portability import left_out, portable
from portal.rights.requests import RequestView, requests_of
from portal.words import Words
from tests.rights.conftest import HTML, Browser, House


async def take(browser: Browser, *categories: str) -> RequestView:
    """Ask for files to take along through the form."""
    await browser.post("/en/take", {"c": list(categories)})
    return next(one for one in await requests_of(browser.subject_id) if one.right == "portability")


@pytest.mark.parametrize("house", ["casagbic", "caaartoons"], indirect=True)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_category_is_either_offered_or_left_out_with_a_reason(house: House, language: str) -> None:
    """Nothing is silently missing, and only what rests on consent or a contract is offered."""
    ana = await house.person()
    text = (await ana.get(f"/{language}/take")).text.replace("&#39;", "'")
    words, policy = Words(language, "Europe/Paris"), house.policy
    missing = left_out(words, policy)
    offered = portable(policy)
    assert len(offered) + len(missing) == len(policy.categories)
    for category in offered:
        assert f'value="{category.id}" checked' in text
        bases = {policy.purpose(id).basis for id in category.purposes}
        assert bases & {Basis.CONTRACT, Basis.CONSENT}
    for one in missing:
        assert one.why
        assert one.title in text
        assert one.why in text


async def test_the_reason_follows_from_the_basis(house: House) -> None:
    """Sign-in records are our own interest; what we must prove is a legal duty."""
    by_title = {one.title: one.why for one in left_out(Words("en", "UTC"), house.policy)}
    assert "our own interest" in by_title["Sign-in records"]
    assert "the law wants us to" in by_title["Your requests to us"]


async def test_what_cannot_be_taken_is_not_smuggled_in_by_a_forged_form(house: House) -> None:
    """Only portable categories are in the request; none at all is an error."""
    ana = await house.person()
    request = await take(ana, "prompts", "sign-ins", "nothing")
    assert request.categories == ["prompts"]
    ben = await house.person("ben@person.example")
    page = await ben.post("/en/take", {"c": ["sign-ins"]})
    assert page.status_code == 200
    assert "Tick at least one kind of data." in page.text
    assert await requests_of(ben.subject_id) == []


async def test_seeing_and_taking_are_two_requests_and_each_is_one(house: House) -> None:
    """A copy to read may be made beside it; a second click gives back the first."""
    ana = await house.person()
    first = await take(ana, "prompts")
    await ana.post("/en/export", {"c": ["prompts"], "f": "all"})
    assert (await take(ana, "account")).id == first.id
    assert sorted(one.right for one in await requests_of(ana.subject_id)) == ["access", "portability"]


async def test_the_files_say_which_right_they_answer_and_what_is_not_in_them(house: House) -> None:
    """Art. 20 with the reasons for what is left out; a copy to read says Art. 15 and has nothing left out so."""
    ana = await house.person()
    taken = await take(ana, "prompts")
    await ana.post("/en/export", {"c": ["prompts"], "f": "all"})
    seen = next(one for one in await requests_of(ana.subject_id) if one.right == "access")
    orders = [
        draw_order(one, house.policy, {}, name="", email=ana.email, public_url="https://x.example", at=house.clock())
        for one in (taken, seen)
    ]
    assert [order.article for order in orders] == ["Art. 20", "Art. 15"]
    told = "Sign-in records: We keep it in our own interest, not under a contract with you."
    assert told in orders[0].not_in_here
    assert told not in orders[1].not_in_here
    assert any(line.startswith("You did not ask for: Account") for line in orders[0].not_in_here)
    assert not any("Sign-in records" in line for line in orders[0].not_in_here if line.startswith("You did not"))


async def test_being_signed_out_meanwhile_loses_no_tick(house: House) -> None:
    """The way back from signing in shows what was ticked, and nothing more."""
    answer = await house.anybody().post("/en/take", data={"c": ["prompts", "nothing"]}, headers=HTML)
    assert answer.headers["location"] == "/en/sign-in?next=%2Ftake%3Fc%3Dprompts"
    page = (await (await house.person()).get("/en/take?c=prompts")).text
    assert re.findall(r'value="(\w+)" checked', page) == ["prompts"]
