"""The stand-in refuses what Stripe would refuse, and holds nothing that Stripe could not."""

from collections.abc import AsyncIterator

import pytest
import stripe

from demo.platforms import PLATFORMS
from demo.stripe import Fault, StandIn
from demo.stripe.shapes import RESOURCES, unknown_fields
from demo.stripe.store import Store
from tests.sources.stripe_people import customer


@pytest.fixture
async def client(stripe_stand_in: StandIn) -> AsyncIterator[stripe.StripeClient]:
    """The real SDK, pointed at the stand-in."""
    stripe_stand_in.store.fill([customer("ana", "Ana@example.example", charges=5)])
    http = stripe.HTTPXClient(timeout=5)
    yield stripe.StripeClient(
        stripe_stand_in.key, http_client=http, max_network_retries=0, base_addresses={"api": stripe_stand_in.url}
    )
    await http.close_async()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("organisation", PLATFORMS)
def test_the_sample_people_hold_only_fields_that_the_sdk_knows(organisation: str) -> None:
    """At any depth, for every kind of object."""
    platform, store = PLATFORMS[organisation], Store()
    store.fill([customer("ana", "ana@example.example"), *platform.stripe_people(platform.world().people)])
    for kind, items in store.objects.items():
        assert items
        for item in items.values():
            assert list(unknown_fields(item, RESOURCES[kind])) == []


def test_a_field_that_stripe_does_not_have_is_refused() -> None:
    """`invoice.subscription` left the API; the SDK tells."""
    with pytest.raises(ValueError, match="subscription"):
        Store().add("invoice", {"id": "in_1", "subscription": "sub_1"})
    with pytest.raises(ValueError, match=r"card\.number"):
        Store().add("payment_method", {"id": "pm_1", "card": {"number": "4242"}})


@pytest.mark.parametrize("wrong", [{"bogus": "1"}, {"limit": "abc"}, {"limit": "0"}, {"limit": "101"}])
async def test_parameters_are_held_to_the_sdks_types(client: stripe.StripeClient, wrong: dict[str, str]) -> None:
    """Unknown names and wrong numbers are 400."""
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.customers.list_async(wrong)  # type: ignore[arg-type]


async def test_the_filter_by_address_minds_case(client: stripe.StripeClient) -> None:
    """As Stripe's does."""
    assert len((await client.v1.customers.list_async({"email": "Ana@example.example"})).data) == 1
    assert (await client.v1.customers.list_async({"email": "ana@example.example"})).data == []


async def test_pages_are_cut_by_cursor(client: stripe.StripeClient) -> None:
    """`has_more` tells the truth, newest first."""
    first = await client.v1.charges.list_async({"customer": "cus_ana", "limit": 3})
    rest = await client.v1.charges.list_async({"customer": "cus_ana", "limit": 3, "starting_after": first.data[-1].id})
    assert [charge.id for charge in (*first.data, *rest.data)] == [f"ch_ana{n}" for n in (4, 3, 2, 1, 0)]
    assert (first.has_more, rest.has_more) == (True, False)


async def test_expanding_puts_the_object_where_its_id_was(client: stripe.StripeClient) -> None:
    """And refuses what cannot be expanded."""
    charges = await client.v1.charges.list_async({"customer": "cus_ana", "expand": ["data.customer", "data.refunds"]})
    assert charges.data[0].to_dict()["customer"]["email"] == "Ana@example.example"
    assert len(charges.data[0].to_dict()["refunds"]["data"]) == 1
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.charges.list_async({"expand": ["data.nonsense"]})


@pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # stripe 16.1 posts text as `data` to httpx 0.28.
async def test_an_idempotency_key_is_answered_once(client: stripe.StripeClient, stripe_stand_in: StandIn) -> None:
    """The same call is replayed, another call under the same key is refused."""
    made = [
        await client.v1.customers.create_async({"email": "new@example.example"}, {"idempotency_key": "k"})
        for _ in range(2)
    ]
    assert made[0].id == made[1].id
    assert len(stripe_stand_in.store.listed("customer", {"email": "new@example.example"})) == 1
    with pytest.raises(stripe.IdempotencyError):
        await client.v1.customers.create_async({"email": "other@example.example"}, {"idempotency_key": "k"})


async def test_a_deleted_customer_is_retrievable_as_deleted(client: stripe.StripeClient) -> None:
    """Charges stay, subscriptions end, deleting again is 404."""
    await client.v1.customers.delete_async("cus_ana")
    assert (await client.v1.customers.retrieve_async("cus_ana")).to_dict() == {
        "id": "cus_ana", "object": "customer", "deleted": True
    }  # fmt: skip
    assert len((await client.v1.charges.list_async({"customer": "cus_ana"})).data) == 5
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.customers.delete_async("cus_ana")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.TOO_MANY, stripe.RateLimitError),
        (Fault.ERROR, stripe.APIError),
        (Fault.GATEWAY, stripe.APIError),
        (Fault.BROKEN, stripe.APIConnectionError),
        (Fault.FORBIDDEN, stripe.PermissionError),
    ],
)
async def test_a_fault_strikes_once_as_ordered(
    client: stripe.StripeClient, stripe_stand_in: StandIn, fault: Fault, error: type[stripe.StripeError]
) -> None:
    """The SDK sees the error that the real Stripe would cause; the next call is answered."""
    stripe_stand_in.fail(fault)
    with pytest.raises(error):
        await client.v1.customers.list_async()
    assert (await client.v1.customers.list_async()).data


async def test_what_is_not_modelled_is_an_unknown_address(client: stripe.StripeClient) -> None:
    """Never an invented success."""
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.customers.search_async({"query": "email:'x'"})
