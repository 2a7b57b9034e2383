"""Looking for what is left at Stripe."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from demo.stripe import Fault, StandIn
from portal.clock import system_clock
from portal.errors import SourceUnavailable
from portal.sources.base import Erasing, Finding, Identifiers, Needles
from portal.sources.stripe import Stripe
from portal.sources.stripe_search import KEPT, kept
from tests.sources.stripe_people import PAYMENTS, PLANS, SPEC, customer, guest

EMAIL = "ana.lima@example.example"
ANA = Identifiers(emails=frozenset({EMAIL}), stripe_customers=frozenset({"cus_analima"}))
NEEDLES = Needles(texts={"email-1": EMAIL, "customer-1": "cus_analima", "name-1": "Analima"}, subject=ANA)
ALL = (Erasing(category="payments", action="erase"), Erasing(category="plans", action="erase"))


@pytest.fixture
async def source(stripe_stand_in: StandIn) -> AsyncIterator[Stripe]:
    """The adapter on a stand-in that knows Ana, and Ben whose description names her."""
    stripe_stand_in.store.fill([customer("analima", EMAIL.title()), customer("ben", "ben@example.example")])
    adapter = Stripe(SPEC, (PAYMENTS, PLANS), stripe_stand_in.key, address=stripe_stand_in.url, pause=_at_once)
    yield adapter
    await adapter.close()


async def _at_once(_: float) -> None:
    """Pause for nothing."""


def places(findings: tuple[Finding, ...], needle: str) -> dict[str, int]:
    """Return the numbers found of one needle, by place."""
    return {finding.place: finding.number for finding in findings if finding.needle == needle}


async def test_everything_of_a_customer_is_looked_through(source: Stripe) -> None:
    """Every kind, every path, whatever the case."""
    found = await source.search(NEEDLES)
    assert places(found.findings, "email-1") == {
        "charge.billing_details.email": 3, "checkout_session.customer_details.email": 1, "customer.email": 1,
        "payment_intent.receipt_email": 3,
    }  # fmt: skip
    assert places(found.findings, "name-1").keys() >= {"credit_note.memo", "tax_id.value", "customer.name"}
    assert {"payment_method.customer", "setup_intent.customer", "subscription.customer"} <= places(
        found.findings, "customer-1"
    ).keys()
    assert {*KEPT, "customer", "tax_id", "payment_method"} == set(found.places)


async def test_findings_name_objects_and_no_values(source: Stripe) -> None:
    """Ids of charges, to tell what Stripe keeps from what was forgotten."""
    (finding,) = [
        finding
        for finding in (await source.search(NEEDLES)).findings
        if (finding.place, finding.needle) == ("charge.billing_details.email", "email-1")
    ]
    assert finding.keys == ("ch_analima2", "ch_analima1", "ch_analima0")


async def test_after_deleting_only_what_stripe_keeps_is_found(source: Stripe) -> None:
    """Each finding is of a kind that Stripe keeps under its own duty."""
    assert not all(kept(finding.place) for finding in (await source.search(NEEDLES)).findings)
    await source.erase(ANA, ALL, pseudonym=UUID(int=1))
    found = await source.search(NEEDLES)
    assert found.findings
    assert all(kept(finding.place) for finding in found.findings)


async def test_after_redacting_too(source: Stripe, stripe_stand_in: StandIn) -> None:
    """A card and a tax number name the redacted customer by an id that is nothing about anyone; a value is found."""
    needles = Needles(texts={"email-1": EMAIL, "customer-1": "cus_analima"}, subject=ANA)
    stripe_stand_in.store.add("tax_id", {"id": "txi_1", "customer": "cus_analima", "type": "eu_vat", "value": "FR1"})
    redaction = stripe_stand_in.redaction
    redaction.answer("POST", [], {"objects[customers][0]": "cus_analima", "validation_behavior": "fix"})
    redaction.clock = lambda: system_clock() + timedelta(hours=1)
    redaction.answer("POST", ["prj_1", "run"], {})
    redaction.clock = lambda: system_clock() + timedelta(hours=2)
    redaction.answer("GET", ["prj_1"], {})
    found = (await source.search(needles)).findings
    assert found and all(kept(finding.place) for finding in found)
    card = {"id": "pm_1", "customer": "cus_analima", "type": "card", "billing_details": {"email": EMAIL}}
    stripe_stand_in.store.add("payment_method", card)
    assert not all(kept(finding.place) for finding in (await source.search(needles)).findings)


async def test_a_guest_is_found_by_the_address_of_the_checkout(source: Stripe, stripe_stand_in: StandIn) -> None:
    """And through it the charge."""
    stripe_stand_in.store.fill([guest("guest", EMAIL)])
    found = [finding for finding in (await source.search(NEEDLES)).findings if finding.needle == "email-1"]
    keys = {key for finding in found for key in finding.keys}
    assert {"cs_guest", "ch_guest"} <= keys


async def test_metadata_is_looked_through_with_its_names(source: Stripe, stripe_stand_in: StandIn) -> None:
    """But the place never is a name out of it."""
    stripe_stand_in.store.objects["charge"]["ch_analima0"]["metadata"] = {EMAIL: "1", "who": f"<{EMAIL.upper()}>"}
    assert places((await source.search(NEEDLES)).findings, "email-1")["charge.metadata"] == 2


async def test_what_stripe_cannot_be_asked_is_blind(source: Stripe) -> None:
    """Never clean where nobody looked."""
    blind = (await source.search(NEEDLES)).blind
    assert any("guests" in place for place in blind)
    assert any("logs" in place for place in blind)


async def test_a_kind_that_may_not_be_read_is_blind(source: Stripe, stripe_stand_in: StandIn) -> None:
    """The others are looked through all the same."""
    stripe_stand_in.fail(Fault.PASS, times=stripe_calls_for_customers())
    stripe_stand_in.fail(Fault.FORBIDDEN)
    found = await source.search(NEEDLES)
    assert "tax_id (no right to read)" in found.blind
    assert "tax_id" not in found.places
    assert "charge" in found.places


def stripe_calls_for_customers() -> int:
    """One by id, then one list for each spelling: as stored, and as Stripe has it."""
    return 3


async def test_nobody_leaves_nothing(source: Stripe) -> None:
    """A stranger has no findings, and the places were looked through."""
    nobody = Needles(texts={"email-1": "nobody@example.example"}, subject=Identifiers())
    found = await source.search(nobody)
    assert found.findings == ()
    assert "charge" in found.places


async def test_a_search_that_breaks_is_no_clean_search(source: Stripe, stripe_stand_in: StandIn) -> None:
    """Unavailable, never empty."""
    stripe_stand_in.fail(Fault.PASS, times=8)
    stripe_stand_in.fail(Fault.ERROR, times=100)
    with pytest.raises(SourceUnavailable):
        await source.search(NEEDLES)
