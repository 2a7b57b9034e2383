"""The stand-in when something is changed: deleting, detaching, redaction jobs and their signed events."""

import msgspec
import pytest
import stripe

from demo.stripe import StandIn
from demo.stripe.redaction import STAGE
from demo.stripe.webhooks import SECRET, body_of, signature
from portal.clock import SetClock
from portal.sources.stripe_calls import PREVIEW, Calls, StripeRefused
from tests.sources.stripe_people import customer, guest

JOBS = "/v1/privacy/redaction_jobs"


@pytest.fixture
async def calls(stripe_stand_in: StandIn, clock: SetClock):  # noqa: ANN201  a generator of one
    """The adapter's own calls, which are the real SDK's, on a stand-in that knows Ana."""
    stripe_stand_in.redaction.clock = clock
    stripe_stand_in.store.fill([customer("ana", "ana@example.example", charges=2)])
    made = Calls("stripe", stripe_stand_in.key, address=stripe_stand_in.url)
    yield made
    await made.close()


async def status(calls: Calls, id: str = "prj_1") -> object:
    job = await calls.preview("get", f"{JOBS}/{id}")
    assert job
    return job["status"]


async def test_empty_texts_empty_fields(calls: Calls, stripe_stand_in: StandIn) -> None:
    """An update of a customer: what is named is written, what is not stays; an unknown parameter is refused."""
    ana = stripe_stand_in.store.objects["customer"]["cus_ana"]
    ana["metadata"] = {"account": "1"}
    await calls.ask(
        calls.v1.customers.update_async, "cus_ana", {"name": "", "metadata": "", "address": {"city": "Lyon"}}
    )
    assert (ana["name"], ana["metadata"], ana["address"], ana["email"]) == (
        None, {}, {"city": "Lyon"}, "ana@example.example"
    )  # fmt: skip
    with pytest.raises(StripeRefused):
        await calls.ask(calls.v1.customers.update_async, "cus_ana", {"nonsense": "1"})


async def test_what_ended_cannot_end_again(calls: Calls) -> None:
    """A subscription that ended is not there, a payment method that was detached is attached to nobody."""
    assert await calls.ask(calls.v1.subscriptions.cancel_async, "sub_ana") is None
    await calls.ask(calls.v1.payment_methods.detach_async, "pm_ana")
    with pytest.raises(StripeRefused):
        await calls.ask(calls.v1.payment_methods.detach_async, "pm_ana")
    assert [one async for one in calls.all(calls.v1.payment_methods.list_async, {"customer": "cus_ana"})] == []


async def test_every_kind_is_listed_by_customer(calls: Calls) -> None:
    """And Checkout sessions by address as well, minding case."""
    v1 = calls.v1
    for lister, number in (
        (v1.payment_intents.list_async, 2), (v1.setup_intents.list_async, 1), (v1.credit_notes.list_async, 1),
        (v1.checkout.sessions.list_async, 1),
    ):  # fmt: skip
        assert len([one async for one in calls.all(lister, {"customer": "cus_ana"})]) == number
    assert len([one async for one in calls.all(v1.customers.tax_ids.list_async, {}, under=("cus_ana",))]) == 1
    for email, number in (("ana@example.example", 1), ("Ana@example.example", 0)):
        wanted = {"customer_details": {"email": email}}
        assert len([one async for one in calls.all(v1.checkout.sessions.list_async, wanted)]) == number


async def test_a_job_goes_through_its_stages_by_the_clock(
    calls: Calls, stripe_stand_in: StandIn, clock: SetClock
) -> None:
    """Created, validating, ready; redacting only when it was run; succeeded; each event once."""
    assert (await calls.preview("post", JOBS, objects={"customers": ["cus_ana"]}) or {})["status"] == "created"
    seen = [await status(calls)]
    for _ in range(3):
        clock.advance(STAGE)
        seen.append(await status(calls))
    assert seen == ["created", "validating", "ready", "ready"]
    await calls.preview("post", f"{JOBS}/prj_1/run")
    assert stripe_stand_in.store.objects["customer"]["cus_ana"]["email"] == "ana@example.example"
    clock.advance(STAGE)
    assert await status(calls) == "succeeded"
    assert stripe_stand_in.store.objects["customer"]["cus_ana"]["email"] == "[redacted]"
    assert [kind.rpartition(".")[2] for kind, _ in stripe_stand_in.redaction.events] == [
        "created", "ready", "succeeded"
    ]  # fmt: skip


async def test_what_was_redacted_is_changed_no_more(calls: Calls, clock: SetClock) -> None:
    """Neither updated nor deleted."""
    await calls.preview("post", JOBS, objects={"customers": ["cus_ana"]})
    clock.advance(2 * STAGE)
    await calls.preview("post", f"{JOBS}/prj_1/run")
    clock.advance(STAGE)
    await status(calls)
    with pytest.raises(StripeRefused):
        await calls.ask(calls.v1.customers.update_async, "cus_ana", {"name": "x"})
    with pytest.raises(StripeRefused):
        await calls.ask(calls.v1.customers.delete_async, "cus_ana")


async def test_errors_are_named_and_mended_where_they_can_be(
    calls: Calls, stripe_stand_in: StandIn, clock: SetClock
) -> None:
    """A payment that waits can be cancelled by Stripe, one under way cannot; another job locks what it holds."""
    payments = stripe_stand_in.store.objects["payment_intent"]
    payments["pi_ana0"]["status"], payments["pi_ana1"]["status"] = "requires_action", "processing"
    await calls.preview("post", JOBS, objects={"customers": ["cus_ana"]})
    await calls.preview("post", JOBS, objects={"payment_intents": ["pi_ana0"]}, validation_behavior="fix")
    clock.advance(2 * STAGE)
    assert (await status(calls), await status(calls, "prj_2")) == ("failed", "ready")
    errors = await calls.preview("get", f"{JOBS}/prj_1/validation_errors")
    assert errors and [(one["code"], one["erroring_object"]["id"]) for one in errors["data"]] == [
        ("locked_by_other_job", "pi_ana0"), ("invalid_state", "pi_ana1")
    ]  # fmt: skip
    await calls.preview("post", f"{JOBS}/prj_1/cancel")
    clock.advance(STAGE)
    assert await status(calls) == "canceled"


@pytest.mark.parametrize("objects", [{}, {"customers": ["cus_ana"] * 11}, {"nonsense": ["x"]}])
async def test_a_job_is_of_one_to_ten_known_objects(calls: Calls, objects: dict[str, list[str]]) -> None:
    """Unknown kinds and too many are refused; an unknown customer does not exist."""
    with pytest.raises(StripeRefused) as caught:
        await calls.preview("post", JOBS, objects=objects)
    assert (caught.value.status, caught.value.param.partition("[")[0]) == (400, "objects")
    assert await calls.preview("post", JOBS, objects={"customers": ["cus_no"]}) is None


@pytest.mark.parametrize("move", ["run", "cancel", "validate"])
async def test_a_job_makes_no_move_before_its_time(calls: Calls, move: str) -> None:
    """One that was only created."""
    await calls.preview("post", JOBS, objects={"customers": ["cus_ana"]})
    with pytest.raises(StripeRefused):
        await calls.preview("post", f"{JOBS}/prj_1/{move}")


async def test_without_the_preview_the_address_is_unknown(calls: Calls, stripe_stand_in: StandIn) -> None:
    """For an account without it, and for a call of the plain version."""
    stripe_stand_in.redaction.enabled = False
    with pytest.raises(StripeRefused) as caught:
        await calls.preview("post", JOBS, objects={"customers": ["cus_ana"]})
    assert caught.value.status == 404
    stripe_stand_in.redaction.enabled = True
    with pytest.raises(stripe.InvalidRequestError):
        await calls._client.raw_request_async("get", JOBS)
    assert (await calls.preview("get", JOBS) or {})["data"] == []


async def test_a_guests_session_takes_its_payment_along(
    calls: Calls, stripe_stand_in: StandIn, clock: SetClock
) -> None:
    """What belongs to the session is redacted with it."""
    stripe_stand_in.store.fill([guest("guest", "guest@example.example")])
    await calls.preview("post", JOBS, objects={"checkout_sessions": ["cs_guest"]})
    clock.advance(2 * STAGE)
    await calls.preview("post", f"{JOBS}/prj_1/run")
    clock.advance(STAGE)
    assert await status(calls) == "succeeded"
    assert stripe_stand_in.store.objects["payment_intent"]["pi_guest"]["receipt_email"] == "[redacted]"


def test_an_event_is_signed_as_the_sdk_wants_it(clock: SetClock) -> None:
    """By Stripe's own arithmetic; another secret is refused."""
    body = body_of(1, "privacy.redaction_job.succeeded", {"id": "prj_1", "object": "privacy.redaction_job"}, clock())
    header = signature(body, clock())
    stripe.WebhookSignature.verify_header(body.decode(), header, SECRET)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body.decode(), header, "whsec_other")
    said = msgspec.json.decode(body)
    assert (said["type"], said["api_version"]) == ("privacy.redaction_job.succeeded", PREVIEW)
