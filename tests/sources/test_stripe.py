"""Stripe through the real SDK, against the stand-in that holds itself to the SDK's own types."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from demo.stripe import Fault, StandIn
from portal.errors import SourceRefused, SourceUnavailable
from portal.sources.base import Identifiers
from portal.sources.stripe import Stripe
from portal.sources.stripe_values import amount, at_path, plain
from tests.sources.stripe_people import PAYMENTS, PLANS, SPEC, customer

ANA = Identifiers(emails=frozenset({"ana@example.example"}), stripe_customers=frozenset({"cus_ana"}))


@pytest.fixture
def pauses() -> list[float]:
    """How long the adapter paused, in order."""
    return []


@pytest.fixture
async def source(stripe_stand_in: StandIn, pauses: list[float]) -> AsyncIterator[Stripe]:
    """The adapter on a stand-in that knows Ana."""
    stripe_stand_in.store.fill([customer("ana", "ana@example.example")])

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    adapter = Stripe(SPEC, (PAYMENTS, PLANS), stripe_stand_in.key, address=stripe_stand_in.url, pause=pause)
    yield adapter
    await adapter.close()


async def records(source: Stripe, subject: Identifiers, category: str = "payments") -> list[dict[str, object]]:
    """Collect a category."""
    lines = b"".join([batch.lines async for batch in source.collect(subject, category)])
    return [msgspec.json.decode(line) for line in lines.splitlines()]


async def test_values_are_what_their_fields_expect(source: Stripe) -> None:
    """Instants, amounts in the currency's own unit, and dotted paths; nothing that is not named."""
    found = {str(record["id"]): record for record in await records(source, ANA)}
    assert found["ch_ana0"] == {
        "kind": "charge", "id": "ch_ana0", "when": "2025-10-09T08:55:00Z", "what": "ana 0", "amount": "10.00",
        "currency": "eur", "email": "ana@example.example",
    }  # fmt: skip
    assert found["re_ana"]["amount"] == "1000"
    assert found["pm_ana"] == {
        "kind": "payment-method", "id": "pm_ana", "when": "2025-10-09T08:53:21Z", "last4": "4242", "expires": 2030
    }  # fmt: skip
    assert "never-shown" not in str(found)


async def test_an_ended_subscription_is_listed(source: Stripe) -> None:
    """Stripe leaves canceled ones out unless it is asked for all."""
    assert [record["status"] for record in await records(source, ANA, "plans")] == ["canceled"]


async def test_every_spelling_is_searched_because_stripe_minds_case(source: Stripe, stripe_stand_in: StandIn) -> None:
    """Several customers may share one person's address."""
    stripe_stand_in.store.fill([customer("ana2", "Ana@Example.example"), customer("ana3", "ana@example.example")])
    known = Identifiers(emails=frozenset({"ana@example.example", "Ana@Example.example"}))
    assert (await source.identify(known)).stripe_customers == {"cus_ana", "cus_ana2", "cus_ana3"}


async def test_a_stored_customer_teaches_its_spelling_and_no_other_address(
    source: Stripe, stripe_stand_in: StandIn
) -> None:
    """A company's address on a customer must not lead to the company's other customers."""
    stripe_stand_in.store.fill([customer("one", "ANA@example.example"), customer("two", "accounts@company.example")])
    stripe_stand_in.store.fill([customer("other", "accounts@company.example")])
    known = msgspec.structs.replace(ANA, stripe_customers=frozenset({"cus_one", "cus_two"}))
    found = await source.identify(known)
    assert found.emails == {"ana@example.example", "ANA@example.example"}
    assert found.stripe_customers == {"cus_ana", "cus_one", "cus_two"}


async def test_a_deleted_customer_keeps_what_stripe_keeps(source: Stripe, stripe_stand_in: StandIn) -> None:
    """The customer itself is gone, their charges and invoices are told."""
    stripe_stand_in.store.delete_customer("cus_ana")
    kinds = {record["kind"] for record in await records(source, ANA)}
    assert kinds == {"charge", "invoice", "refund"}
    assert (await source.identify(Identifiers(emails=ANA.emails))).stripe_customers == frozenset()


async def test_the_cursor_is_followed_to_the_end(source: Stripe, stripe_stand_in: StandIn) -> None:
    """250 charges come in three pages, each once."""
    stripe_stand_in.store.fill([customer("big", "big@example.example", charges=250)])
    found = await records(source, Identifiers(stripe_customers=frozenset({"cus_big"})))
    charges = [record["id"] for record in found if record["kind"] == "charge"]
    assert len(charges) == len(set(charges)) == 250


async def test_a_page_is_the_newest_first_over_all_kinds(source: Stripe) -> None:
    """A refund of later comes before the charges."""
    page = await source.page(ANA, "payments", offset=0, limit=3)
    assert [row["id"] for row in page.rows] == ["re_ana", "ch_ana2", "ch_ana1"]
    assert page.total == 7


@pytest.mark.parametrize("fault", [Fault.TOO_MANY, Fault.ERROR, Fault.GATEWAY, Fault.BROKEN])
async def test_a_passing_fault_is_survived(
    source: Stripe, stripe_stand_in: StandIn, pauses: list[float], fault: Fault
) -> None:
    """Three bad answers in a row lose nothing."""
    stripe_stand_in.fail(fault, times=3)
    assert len(await records(source, ANA)) == 7
    assert len(pauses) == 3


@pytest.mark.parametrize("fault", [Fault.TOO_MANY, Fault.ERROR, Fault.GATEWAY, Fault.BROKEN])
async def test_a_lasting_fault_is_unavailable(source: Stripe, stripe_stand_in: StandIn, fault: Fault) -> None:
    """After a few tries the source says so; it never answers less than there is."""
    stripe_stand_in.fail(fault, times=100)
    with pytest.raises(SourceUnavailable):
        await records(source, ANA)
    with pytest.raises(SourceUnavailable):
        await source.count(ANA)


async def test_a_fault_in_the_middle_of_the_list_is_unavailable(source: Stripe, stripe_stand_in: StandIn) -> None:
    """Half a list is not taken for the list."""
    stripe_stand_in.store.fill([customer("big", "big@example.example", charges=250)])
    reading = source.collect(Identifiers(stripe_customers=frozenset({"cus_big"})), "payments")
    await anext(reading)
    stripe_stand_in.fail(Fault.ERROR, times=100)
    with pytest.raises(SourceUnavailable):
        async for _ in reading:
            pass


async def test_stripe_says_how_long_to_wait(source: Stripe, stripe_stand_in: StandIn, pauses: list[float]) -> None:
    """Retry-After is obeyed."""
    stripe_stand_in.fail(Fault.TOO_MANY)
    await source.identify(ANA)
    assert pauses == [1.0]


async def test_silence_is_unavailable(
    source: Stripe, stripe_stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time-out of a request ends the waiting."""
    monkeypatch.setattr(source._calls.http, "_timeout", 0.1)
    stripe_stand_in.fail(Fault.SILENCE, times=10)
    with pytest.raises(SourceUnavailable):
        await source.identify(ANA)


async def test_a_missing_right_is_refused_at_once(
    source: Stripe, stripe_stand_in: StandIn, pauses: list[float]
) -> None:
    """Trying again would not help."""
    stripe_stand_in.fail(Fault.FORBIDDEN)
    with pytest.raises(SourceRefused):
        await source.identify(ANA)
    assert pauses == []


async def test_a_wrong_key_is_refused_and_named_by_its_variable(stripe_stand_in: StandIn) -> None:
    """The remedy of `check` says where the key comes from; a full key is warned about."""
    adapter = Stripe(SPEC, (), "sk_test_wrong", address=stripe_stand_in.url)
    with pytest.raises(SourceRefused):
        await adapter.count(ANA)
    faults = await adapter.check()
    assert [fault.severity for fault in faults][:2] == ["warning", "error"]
    assert all("STRIPE_API_KEY" in fault.remedy for fault in faults)
    await adapter.close()


async def test_no_error_repeats_what_was_asked(source: Stripe, stripe_stand_in: StandIn) -> None:
    """Stripe's messages quote addresses and ids; ours name the kind of error."""
    stripe_stand_in.fail(Fault.FORBIDDEN)
    with pytest.raises(SourceRefused) as caught:
        await source.identify(Identifiers(emails=frozenset({"ana@example.example"})))
    assert "ana" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_search_is_never_used(source: Stripe, stripe_stand_in: StandIn) -> None:
    """It may lag behind by an hour."""
    await source.identify(ANA)
    await source.count(ANA)
    assert not [call for call in stripe_stand_in.calls if "search" in call]


@pytest.mark.parametrize(
    ("smallest", "currency", "shown"),
    [(2000, "eur", "20.00"), (5, "usd", "0.05"), (-2000, "eur", "-20.00"), (2000, "jpy", "2000"),
     (2000, "kwd", "2.000"), (500, "isk", "5.00"), (0, "eur", "0.00"), (10**15 + 1, "EUR", "10000000000000.01")],
)  # fmt: skip
def test_amounts_are_exact(smallest: int, currency: str, shown: str) -> None:
    """In the currency's own unit, without floating point."""
    assert amount(smallest, currency) == shown


def test_a_value_that_is_not_what_its_field_expects_is_passed_on() -> None:
    """Nothing is lost to a wrong guess."""
    assert plain("soon", "moment", None) == "soon"
    assert plain(None, "money", "eur") is None
    assert plain(100, "money", None) == 100
    assert plain(True, "moment", None) is True
    assert plain(1_760_000_000, "day", None) == "2025-10-09"
    assert at_path({"a": {"b": 1}}, "a.b") == 1
    assert at_path({"a": None}, "a.b.c") is None
