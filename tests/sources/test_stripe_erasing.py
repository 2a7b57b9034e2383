"""Erasing at Stripe, through the real SDK: deleting customers, redaction jobs, and what survives a cut anywhere."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest

from demo.faults import Fault as Broken
from demo.faults import between
from demo.stripe import Fault, StandIn
from demo.stripe.redaction import STAGE
from portal.clock import SetClock
from portal.errors import SourceError, SourceRefused, SourceUnavailable, SourceUnsupported
from portal.policy.model import StripeSource
from portal.sources.base import Correction, Erased, Erasing, Held, Identifiers
from portal.sources.stripe import Stripe
from tests.sources.stripe_people import PAYMENTS, PLANS, SPEC, customer, guest

EMAIL = "ana@example.example"
ANA = Identifiers(emails=frozenset({EMAIL, "Ana@Example.example"}), stripe_customers=frozenset({"cus_ana"}))
PSEUDONYM = UUID(int=7)
ALL = (Erasing(category="payments", action="erase"), Erasing(category="plans", action="erase"))
KEEP = (Erasing(category="payments", action="keep", minimum=("id", "when", "what", "amount", "currency")), ALL[1])

type Make = Callable[[StripeSource], Stripe]


@pytest.fixture
async def make(stripe_stand_in: StandIn, clock: SetClock) -> AsyncIterator[Make]:
    """Give what makes an adapter on a stand-in that knows Ana, under two spellings, and Ben."""
    stripe_stand_in.redaction.clock = clock
    stripe_stand_in.store.fill(
        [customer("ana", EMAIL), customer("ana2", "Ana@Example.example"), customer("ben", "ben@example.example")]
    )
    stripe_stand_in.store.objects["subscription"]["sub_ana"]["status"] = "active"
    made: list[Stripe] = []

    def adapter(spec: StripeSource) -> Stripe:
        made.append(Stripe(spec, (PAYMENTS, PLANS), stripe_stand_in.key, address=stripe_stand_in.url, pause=_at_once))
        return made[-1]

    yield adapter
    for source in made:
        await source.close()


@pytest.fixture
def deleting(make: Make) -> Stripe:
    """An account that deletes customers."""
    return make(SPEC)


@pytest.fixture
def redacting(make: Make) -> Stripe:
    """An account with redaction jobs."""
    return make(msgspec.structs.replace(SPEC, redact=True))


async def _at_once(_: float) -> None:
    """Pause for nothing."""


async def to_the_end(source: Stripe, clock: SetClock, *, subject: Identifiers = ANA, handle: str = "") -> Erased:
    """Ask again and again, as the walker does, while time passes."""
    for _ in range(20):
        erased = await source.erase(subject, ALL, pseudonym=PSEUDONYM, handle=handle)
        if erased.done:
            return erased
        handle = erased.handle
        clock.advance(STAGE)
    raise AssertionError("never done")


def customers(standin: StandIn) -> dict[str, bool]:
    """Return every customer, and whether it is still there."""
    return {id: not one.get("deleted") for id, one in standin.store.objects["customer"].items()}


async def test_every_customer_under_every_spelling_goes(deleting: Stripe, stripe_stand_in: StandIn) -> None:
    """Also one that only the list by address knows; somebody else's stays, and what Stripe keeps stays."""
    assert await deleting.erase(ANA, ALL, pseudonym=PSEUDONYM) == Erased(done=True, means="customer-deleted")
    assert customers(stripe_stand_in) == {"cus_ana": False, "cus_ana2": False, "cus_ben": True}
    store = stripe_stand_in.store.objects
    assert store["subscription"]["sub_ana"]["status"] == "canceled"
    assert {item["customer"] for item in store["payment_method"].values()} == {None, "cus_ben"}
    assert [item["id"] for item in store["tax_id"].values()] == ["txi_ben"]
    assert len(store["charge"]) == 9


async def test_what_is_kept_of_a_deleted_customer_is_least(deleting: Stripe, stripe_stand_in: StandIn) -> None:
    """It is emptied before it is deleted, except of the address by which a cut-off run finds it again."""
    ana = stripe_stand_in.store.objects["customer"]["cus_ana"]
    ana |= {"metadata": {"account": "4711"}, "phone": "+33 1", "address": {"city": "Lyon"}, "description": "Ana"}
    await deleting.erase(ANA, ALL, pseudonym=PSEUDONYM)
    assert {name: value for name, value in ana.items() if value} == {
        "object": "customer", "id": "cus_ana", "email": EMAIL, "created": 1_760_000_000
    }  # fmt: skip


async def test_erasing_again_finds_it_done(deleting: Stripe, stripe_stand_in: StandIn) -> None:
    """Nothing is written the second time, and the means is told again."""
    await deleting.erase(ANA, ALL, pseudonym=PSEUDONYM)
    before = len(stripe_stand_in.calls)
    assert (await deleting.erase(ANA, ALL, pseudonym=PSEUDONYM)).means == "customer-deleted"
    assert all(call.startswith("GET") for call in stripe_stand_in.calls[before:])


async def test_who_is_not_there_is_erased_with_nothing(deleting: Stripe, redacting: Stripe) -> None:
    """Absent is done; so is a category of another source."""
    nobody = Identifiers(emails=frozenset({"no@example.example"}), stripe_customers=frozenset({"cus_no"}))
    elsewhere = (Erasing(category="elsewhere", action="erase"),)
    for source in (deleting, redacting):
        assert await source.erase(nobody, ALL, pseudonym=PSEUDONYM) == Erased(done=True, means="nothing")
        assert await source.erase(ANA, elsewhere, pseudonym=PSEUDONYM) == Erased(done=True, means="nothing")


async def test_a_kept_category_still_loses_its_customer(deleting: Stripe, stripe_stand_in: StandIn) -> None:
    """Charges and invoices stay at Stripe by themselves; nothing is held under our pseudonym."""
    assert (await deleting.erase(ANA, KEEP, pseudonym=PSEUDONYM)).means == "customer-deleted"
    assert len(stripe_stand_in.store.objects["charge"]) == 9
    held = (Held(category="payments", field="when", before=date(2026, 1, 1)),)
    assert await deleting.erase_held(PSEUDONYM, held) == 0


async def test_part_of_it_goes_without_the_customer(deleting: Stripe, stripe_stand_in: StandIn) -> None:
    """Plans alone: the subscription ends, the customer stays."""
    assert (await deleting.erase(ANA, ALL[1:], pseudonym=PSEUDONYM)).means == "deleted"
    assert customers(stripe_stand_in)["cus_ana"]
    assert stripe_stand_in.store.objects["subscription"]["sub_ana"]["status"] == "canceled"
    assert (await deleting.erase(ANA, ALL[1:], pseudonym=PSEUDONYM)).means == "nothing"


async def test_charges_alone_are_nobodys_to_delete(make: Make) -> None:
    """A category of charges without the customer is a task for a person."""
    parts = tuple(
        msgspec.structs.replace(part, category="plans") if part.object == "charge" else part for part in SPEC.objects
    )
    with pytest.raises(SourceUnsupported):
        await make(msgspec.structs.replace(SPEC, objects=parts)).erase(ANA, ALL[1:], pseudonym=PSEUDONYM)


@pytest.mark.parametrize("fault", [Fault.TOO_MANY, Fault.ERROR, Fault.GATEWAY, Fault.BROKEN])
async def test_a_fault_at_any_call_ends_erased_or_in_a_named_error(
    deleting: Stripe, stripe_stand_in: StandIn, fault: Fault
) -> None:
    """One fault at every third call, whose answer may be lost after the deed: it still ends erased."""
    answer = stripe_stand_in._answer

    async def sometimes(call: object) -> object:
        if len(stripe_stand_in.calls) % 3 == 0 and not stripe_stand_in._faults:
            stripe_stand_in.fail(fault)
        return await answer(call)  # type: ignore[arg-type]

    stripe_stand_in._answer = sometimes  # type: ignore[method-assign, assignment]
    assert (await deleting.erase(ANA, ALL, pseudonym=PSEUDONYM)).means == "customer-deleted"
    assert customers(stripe_stand_in) == {"cus_ana": False, "cus_ana2": False, "cus_ben": True}


async def test_a_cut_after_any_call_is_mended_by_asking_again(stripe_stand_in: StandIn, make: Make) -> None:
    """Stripe goes away after the first, second, third … call; asked again, everything is gone."""
    cut = 0
    while True:
        stripe_stand_in.store.__init__()  # type: ignore[misc]
        stripe_stand_in.store.fill([customer("ana", EMAIL), customer("ana2", "Ana@Example.example")])
        source = make(SPEC)
        stripe_stand_in.fail(Fault.PASS, times=cut)
        stripe_stand_in.fail(Fault.ERROR, times=4)
        try:
            await source.erase(ANA, ALL, pseudonym=PSEUDONYM)
        except SourceUnavailable:
            stripe_stand_in.mend()
            assert (await source.erase(ANA, ALL, pseudonym=PSEUDONYM)).done
            assert not any(customers(stripe_stand_in).values())
            cut += 1
            continue
        break
    assert cut >= 15


@pytest.mark.parametrize("fault", [Broken.RESET, Broken.CUT, Broken.SILENCE, Broken.BUSY])
async def test_a_line_that_breaks_anywhere_ends_erased(stripe_stand_in: StandIn, make: Make, fault: Broken) -> None:
    """Reset, cut off, silent or busy after any number of calls: a named error each time, and gone in the end."""
    make(SPEC)
    failures = 0
    with between(stripe_stand_in.url, cut_bytes=120) as proxy:
        for calls in range(0, 24, 3):
            source = Stripe(SPEC, (), stripe_stand_in.key, address=proxy.url, pause=_at_once)
            source._writing.http._timeout = 0.3
            proxy.fail(*[Broken.PASS] * calls, *[fault] * 4)
            try:
                await source.erase(ANA, ALL, pseudonym=PSEUDONYM)
            except SourceUnavailable:
                failures += 1
                proxy.mend()
            finally:
                await source.close()
        proxy.mend()
        source = Stripe(SPEC, (), stripe_stand_in.key, address=proxy.url, pause=_at_once)
        assert (await source.erase(ANA, ALL, pseudonym=PSEUDONYM)).means == "customer-deleted"
        await source.close()
    assert failures >= 5
    assert customers(stripe_stand_in) == {"cus_ana": False, "cus_ana2": False, "cus_ben": True}


async def test_a_missing_right_is_named_and_final(deleting: Stripe, stripe_stand_in: StandIn) -> None:
    """A key that may only read."""
    stripe_stand_in.fail(Fault.FORBIDDEN)
    with pytest.raises(SourceRefused):
        await deleting.erase(ANA, ALL, pseudonym=PSEUDONYM)


async def test_a_key_of_its_own_erases(stripe_stand_in: StandIn, make: Make) -> None:
    """Reading is not erasing: the writing key is used for it, the reading one never."""
    make(SPEC)
    source = Stripe(
        SPEC, (), "rk_test_reads", address=stripe_stand_in.url, pause=_at_once, write_key=stripe_stand_in.key
    )
    assert (await source.erase(ANA, ALL, pseudonym=PSEUDONYM)).done
    with pytest.raises(SourceRefused):
        await source.count(ANA)
    await source.close()


async def test_a_redaction_is_begun_and_asked_about_with_its_handle(
    redacting: Stripe, stripe_stand_in: StandIn, clock: SetClock
) -> None:
    """Nothing is waited for; the handle names a job and no person; in the end placeholders stand everywhere."""
    begun = await redacting.erase(ANA, ALL, pseudonym=PSEUDONYM)
    assert begun == Erased(done=False, means="redacted", handle="prj_1")
    assert await redacting.erase(ANA, ALL, pseudonym=PSEUDONYM, handle="prj_1") == begun
    assert await to_the_end(redacting, clock, handle="prj_1") == Erased(done=True, means="redacted")
    left = msgspec.json.encode(
        [item for items in stripe_stand_in.store.objects.values() for item in items.values() if "ben" not in str(item)]
    )  # fmt: skip
    assert b"@" not in left
    assert b"[redacted]" in left
    assert stripe_stand_in.store.objects["customer"]["cus_ben"]["email"] == "ben@example.example"
    assert await redacting.count(ANA) == {"payments": 0, "plans": 0}
    assert (await redacting.page(ANA, "payments", offset=0, limit=5)).total == 0
    assert [batch async for batch in redacting.collect(ANA, "payments")] == []


async def test_a_lost_handle_makes_no_second_job(redacting: Stripe, stripe_stand_in: StandIn) -> None:
    """Killed between Stripe's answer and our commit: the idempotency key leads back to the job."""
    first = await redacting.erase(ANA, ALL, pseudonym=PSEUDONYM)
    stripe_stand_in.fail(Fault.BROKEN)
    assert await redacting.erase(ANA, ALL, pseudonym=PSEUDONYM) == first
    assert list(stripe_stand_in.redaction.jobs) == ["prj_1"]


async def test_redacted_again_is_redacted(redacting: Stripe, stripe_stand_in: StandIn, clock: SetClock) -> None:
    """After the end, with or without the handle, nothing new is begun."""
    await to_the_end(redacting, clock)
    assert await redacting.erase(ANA, ALL, pseudonym=PSEUDONYM) == Erased(done=True, means="redacted")
    assert (await redacting.erase(ANA, ALL, pseudonym=PSEUDONYM, handle="prj_1")).means == "redacted"
    assert list(stripe_stand_in.redaction.jobs) == ["prj_1"]


async def test_more_than_ten_customers_need_more_jobs(
    redacting: Stripe, stripe_stand_in: StandIn, clock: SetClock
) -> None:
    """Ten ids a job at most."""
    stripe_stand_in.store.fill([customer(f"more{n}", EMAIL) for n in range(21)])
    assert (await redacting.erase(ANA, ALL, pseudonym=PSEUDONYM)).handle == "prj_1,prj_2,prj_3"
    assert (await to_the_end(redacting, clock, handle="prj_1,prj_2,prj_3")).means == "redacted"
    assert stripe_stand_in.store.listed("customer", {"email": EMAIL}) == []


async def test_a_guests_checkout_is_redacted_too(redacting: Stripe, stripe_stand_in: StandIn, clock: SetClock) -> None:
    """A session without a customer is found by its address."""
    stripe_stand_in.store.fill([guest("guest", EMAIL)])
    assert (await to_the_end(redacting, clock)).means == "redacted"
    assert "@" not in str(stripe_stand_in.store.objects["charge"]["ch_guest"])


async def test_a_payment_that_has_not_ended_is_mended_by_stripe(
    redacting: Stripe, stripe_stand_in: StandIn, clock: SetClock
) -> None:
    """The first validation fails; told to fix, Stripe cancels the payment and goes on."""
    stripe_stand_in.store.objects["payment_intent"]["pi_ana0"]["status"] = "requires_action"
    assert (await to_the_end(redacting, clock)).means == "redacted"
    assert stripe_stand_in.store.objects["payment_intent"]["pi_ana0"]["status"] == "canceled"


async def test_what_cannot_be_redacted_falls_back_to_deleting(
    redacting: Stripe, stripe_stand_in: StandIn, clock: SetClock
) -> None:
    """A payment under way cannot be mended: the job is cancelled, the customers deleted, and the means says so."""
    stripe_stand_in.store.objects["payment_intent"]["pi_ana0"]["status"] = "processing"
    assert (await to_the_end(redacting, clock)).means == "customer-deleted"
    assert customers(stripe_stand_in) == {"cus_ana": False, "cus_ana2": False, "cus_ben": True}
    assert stripe_stand_in.redaction.jobs["prj_1"]["status"] == "canceled"


async def test_an_account_without_the_preview_deletes(redacting: Stripe, stripe_stand_in: StandIn) -> None:
    """At once, and the means says so."""
    stripe_stand_in.redaction.enabled = False
    assert (await redacting.erase(ANA, ALL, pseudonym=PSEUDONYM)).means == "customer-deleted"


async def test_a_job_nobody_knows_falls_back_to_deleting(redacting: Stripe) -> None:
    """A handle of another account is no reason to wait for ever."""
    assert (await redacting.erase(ANA, ALL, pseudonym=PSEUDONYM, handle="prj_99")).means == "customer-deleted"


async def test_what_must_be_kept_is_not_redacted(redacting: Stripe, stripe_stand_in: StandIn) -> None:
    """Accounts that keep the buyer's address on a charge cannot have it taken away for ever; amounts alone can."""
    assert not (await redacting.erase(ANA, KEEP, pseudonym=PSEUDONYM)).done
    names = (msgspec.structs.replace(KEEP[0], minimum=(*KEEP[0].minimum, "email")), KEEP[1])
    assert (await redacting.erase(ANA, names, pseudonym=UUID(int=8))).means == "customer-deleted"


async def test_faults_during_a_redaction_end_redacted(
    redacting: Stripe, stripe_stand_in: StandIn, clock: SetClock
) -> None:
    """Stripe goes away after any number of calls; the walker asks again with the handle it has."""
    handle, done = "", False
    for number in range(60):
        stripe_stand_in.fail(Fault.PASS, times=number % 15)
        stripe_stand_in.fail(Fault.BROKEN, times=4)
        try:
            erased = await redacting.erase(ANA, ALL, pseudonym=PSEUDONYM, handle=handle)
            handle, done = erased.handle, erased.done
        except SourceError:
            pass
        stripe_stand_in.mend()
        clock.advance(timedelta(seconds=1))
        if done:
            break
    assert done
    assert list(stripe_stand_in.redaction.jobs) == ["prj_1"]
    assert stripe_stand_in.redaction.jobs["prj_1"]["status"] == "succeeded"


async def test_a_name_and_an_address_are_corrected_on_every_customer(
    deleting: Stripe, stripe_stand_in: StandIn
) -> None:
    """And a second time says the same number."""
    change = Correction(category="payments", field="email", value="new@example.example")
    assert [await deleting.rectify(ANA, change) for _ in range(2)] == [2, 2]
    emails = {id: one["email"] for id, one in stripe_stand_in.store.objects["customer"].items()}
    assert emails["cus_ana"] == emails["cus_ana2"] == "new@example.example"
    assert emails["cus_ben"] == "ben@example.example"
    one = msgspec.structs.replace(change, record="cus_ana", value="one@example.example")
    assert await deleting.rectify(ANA, one) == 1


@pytest.mark.parametrize(
    "change",
    [
        Correction(category="payments", field="amount", value="1"),
        Correction(category="plans", field="status", value="active"),
        Correction(category="payments", field="email", value="x@example.example", record="ch_ana0"),
        Correction(category="payments", field="email", value="x@example.example", record="cus_ben"),
    ],
)
async def test_anything_else_is_not_stripes_to_change(
    deleting: Stripe, stripe_stand_in: StandIn, change: Correction
) -> None:
    """Documents of the past, and other people's customers."""
    with pytest.raises(SourceUnsupported):
        await deleting.rectify(ANA, change)
    assert not [call for call in stripe_stand_in.calls if call.startswith("POST")]


async def test_stripe_has_no_means_to_restrict(deleting: Stripe) -> None:
    """It says so, and a person acts."""
    with pytest.raises(SourceUnsupported):
        await deleting.restrict(ANA, on=True)
