"""Another address for somebody who lost their mailbox: two agree, the new one shows a code, the old one can stop it."""

from datetime import timedelta

import pytest

from portal.errors import NotFound
from portal.rights import address_lost, address_old, four_eyes, intake_lost
from portal.rights.address_change import CANCEL
from portal.rights.address_hold import held_until
from portal.rights.four_eyes import NeedsSecond, Verb
from portal.rights.person import address_of
from portal.rights.requests import RequestView
from portal.rights.tables_rectification import AddressChange
from tests.rights import shop
from tests.rights.conftest import House
from tests.rights.intake_desk import ANA, BEN, Visitor, last_code, last_link, mails_to
from tests.rights.test_intake_lost import lost
from tests.rights.two_people import SECOND, agreed, asked


async def known(house: House) -> RequestView:
    """A request of somebody without their mailbox, whom staff found out to be Ana."""
    row = {"display_name": "Ana", "language": "en", "email": ANA, "account_id": "7"}
    house.sources["platform"].put(ANA, "account", [row])
    house.sources["stripe"].put(ANA, "payments", [{"name": "Ana", "email": ANA}])
    _, request = await lost(house)
    return await intake_lost.identified(
        request, ANA, method="payment-details", policy=house.policy, settings=house.settings, at=house.clock(),
        actor="staff:1",
    )  # fmt: skip


async def offered(house: House) -> RequestView:
    """Two agreed, and the mails are on their way."""
    request = await known(house)
    consent = await agreed(house, await asked(house, Verb.NEW_ADDRESS, request, {"email": [BEN]}))
    await address_lost.offer(
        request, BEN, consent=consent, policy=house.policy, settings=house.settings, at=house.clock(), actor=SECOND
    )
    return request


async def test_one_person_alone_gives_no_account_away(house: House) -> None:
    """No mail leaves, and nothing is noted."""
    request = await known(house)
    assert await four_eyes.lost_mailbox(request)
    before = await mails_to(BEN)
    with pytest.raises(NeedsSecond):
        await address_lost.offer(
            request, BEN, consent=None, policy=house.policy, settings=house.settings, at=house.clock(), actor=SECOND
        )
    assert await mails_to(BEN) == before
    assert await AddressChange.count() == 0


async def test_the_new_address_is_taken_when_its_code_was_typed(house: House) -> None:
    """Not by opening the link, not by another code; the old one is warned before, and copies wait for 7 days."""
    request = await offered(house)
    assert ((await mails_to(ANA))[-1], (await mails_to(BEN))[-1]) == ("address-changing", "address-offered")
    code, link, visitor = await last_code(house, "address-offered"), await last_link("address-offered"), Visitor(house)
    assert (await visitor.get(link)).status_code == 200
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for typed in (wrong, "", "nonsense"):
        assert (await visitor.send(link, {"code": typed})).status_code == 422
    assert await held_until(request.owner, at=house.clock()) is None
    assert "Your new address is confirmed" in (await visitor.send(link, {"code": code})).text
    assert await held_until(request.owner, at=house.clock() + timedelta(days=6)) is not None
    for _ in range(2):
        await shop.work(house)
    assert await address_of(request.owner) == BEN
    assert (await visitor.get(link)).status_code == 410


async def test_the_old_address_stops_it(house: House) -> None:
    """Whoever still reads it; the link to the new one is over then."""
    request = await offered(house)
    link = await last_link("address-changing")
    assert await address_old.keep_old(
        link.rpartition("/")[2], policy=house.policy, settings=house.settings, at=house.clock()
    )
    assert (await Visitor(house).get(await last_link("address-offered"))).status_code == 410
    assert await address_of(request.owner) == ANA


async def test_a_link_is_over_after_three_days_and_none_is_guessed(house: House) -> None:
    """410 for both."""
    await offered(house)
    link = await last_link("address-offered")
    id, token = link.split("/")[-2:]
    assert (await Visitor(house).get(link.replace(token, "x" + token[1:]))).status_code == 410
    house.clock.advance(CANCEL)
    assert (await Visitor(house).get(link)).status_code == 410
    with pytest.raises(NotFound):
        row = (await AddressChange.select())[0]
        assert str(row["id"]) == id
        await address_lost.offered(row["id"], token, house.settings, at=house.clock())
