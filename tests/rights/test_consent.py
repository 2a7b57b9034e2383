"""A consent is taken back as easily as it is given, at once, with proof."""

import asyncio

import msgspec
import pytest

from portal.policy.check import check
from portal.policy.model import Basis, Purpose, Text
from portal.rights.consent import consents, give_consent, withdraw_consent
from portal.rights.out_of_use import OutOfUse
from portal.rights.requests import requests_of
from portal.rights.stopped_uses import need_use, stopped, suppressed
from portal.rights.tables import SubjectRequest
from tests.rights.conftest import Browser, House
from tests.rights.shop import events_of
from tests.rights.test_objection import with_news

TIPS = Purpose(id="tips", title=Text(en="To send you tips", fr="Vous envoyer des conseils"), basis=Basis.CONSENT)
LETTERS = msgspec.structs.replace(TIPS, id="letters", marketing=True)


def agree_to(house: House, *purposes: Purpose) -> None:
    """Have the organisation use the account for purposes that rest on consent."""
    for purpose in purposes:
        house.policy = with_news(house.policy, purpose)
    house.app.state.policy = house.policy


async def take_back(house: House, browser: Browser, purpose: str = "tips") -> None:
    """Take a consent back as the page does."""
    await withdraw_consent(
        browser.subject_id, purpose, language="en", policy=house.policy, settings=house.settings, at=house.clock()
    )


async def give(house: House, browser: Browser, purpose: str = "tips") -> None:
    """Give a consent again as the page does."""
    await give_consent(browser.subject_id, purpose, policy=house.policy, settings=house.settings, at=house.clock())


@pytest.mark.parametrize("house", ["casagbic", "caaartoons"], indirect=True)
async def test_who_rests_nothing_on_consent_has_no_such_page(house: House) -> None:
    """Neither organisation does today: the page does not exist, and nothing leads there."""
    ana = await house.person()
    assert (await ana.get("/en/consent")).status_code == 404
    assert "/consent" not in (await ana.get("/en")).text


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_one_button_takes_it_back_and_one_gives_it_again(house: House, language: str) -> None:
    """The same number of clicks both ways, without a question in between."""
    agree_to(house, TIPS)
    ana = await house.person()
    assert f"/{language}/consent" in (await ana.get(f"/{language}")).text
    assert 'name="to" value="off"' in (await ana.get(f"/{language}/consent")).text
    assert (await ana.post(f"/{language}/consent", {"use": "tips", "to": "off"})).status_code == 303
    with pytest.raises(OutOfUse):
        await need_use(ana.subject_id, "tips")
    assert 'name="to" value="on"' in (await ana.get(f"/{language}/consent")).text
    await ana.post(f"/{language}/consent", {"use": "tips", "to": "on"})
    await need_use(ana.subject_id, "tips")


async def test_it_is_proven_and_answered_without_anybody_deciding(house: House) -> None:
    """One closed request with its letter and receipt, and what happened in the evidence."""
    agree_to(house, TIPS)
    ana = await house.person()
    await take_back(house, ana)
    request = (await requests_of(ana.subject_id))[0]
    assert (request.right, request.outcome) == ("consent", "fulfilled")
    assert {"rights:use:stopped", "rights:letter:written", "rights:receipt:issued"} <= {
        *await events_of(request.reference)
    }  # fmt: skip
    await give(house, ana)
    assert "rights:request:consent-given" in await events_of(request.reference)
    assert await stopped(ana.subject_id) == []


async def test_both_ways_are_idempotent(house: House) -> None:
    """Double clicks leave one request; giving what was never taken back changes nothing."""
    agree_to(house, TIPS)
    ana = await house.person()
    await give(house, ana)
    assert await SubjectRequest.count() == 0
    await asyncio.gather(take_back(house, ana), take_back(house, ana))
    assert await SubjectRequest.count() == 1
    await asyncio.gather(give(house, ana), give(house, ana))
    assert await stopped(ana.subject_id) == []


async def test_advertising_on_consent_is_kept_off_the_address_until_it_is_given_again(house: House) -> None:
    """Taking it back suppresses the address; agreeing again lifts that."""
    agree_to(house, LETTERS)
    ana = await house.person()
    await take_back(house, ana, "letters")
    assert await suppressed("letters", ana.email, house.settings)
    await give(house, ana, "letters")
    assert not await suppressed("letters", ana.email, house.settings)


async def test_a_use_on_another_basis_has_no_switch(house: House) -> None:
    """A forged form stops nothing."""
    agree_to(house, TIPS)
    ana = await house.person()
    for purpose in ("security", "run-account", ""):
        assert (await ana.post("/en/consent", {"use": purpose, "to": "off"})).status_code == 404
    assert await stopped(ana.subject_id) == []
    assert [use.purpose.id for use in consents(house.policy, [])] == ["tips"]


@pytest.mark.parametrize(
    ("basis", "wrong"),
    [("contract", True), ("legal-duty", True), ("consent", False), ("legitimate-interest", False)],
)
async def test_advertising_rests_on_consent_or_our_interest(house: House, basis: str, *, wrong: bool) -> None:
    """A policy file that says otherwise is refused, with the place and the remedy."""
    kind = Basis(basis)
    interest = Text(en="Being heard of.", fr="Faire parler de nous.") if kind is Basis.LEGITIMATE_INTEREST else None
    policy = with_news(house.policy, msgspec.structs.replace(LETTERS, basis=kind, interest=interest))
    said = [line for line in check(policy) if ".marketing: rests on consent" in line]
    assert bool(said) == wrong
