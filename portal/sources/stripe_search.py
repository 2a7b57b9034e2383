"""Looking for what is left of a person at Stripe: every kind of object that it lists by customer or by address.

Always true here: what Stripe cannot be asked is named as blind; findings name kinds, paths and ids, never a value.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping

import msgspec

from portal.sources.base import Identifiers, Needles, Searched
from portal.sources.stripe_calls import Calls, Item, StripeRefused
from portal.sources.stripe_values import is_redacted
from portal.sources.tally import Tally

KEPT = frozenset("charge credit_note invoice payment_intent setup_intent subscription checkout_session".split())
"""What Stripe keeps under its own duties when a customer is deleted; it has no call that would delete them."""
ADDRESS = re.compile(r"[^\s@%\\<>\"'=&]+@[^\s@%\\<>\"'=&]+")
BLIND = (
    "charges of guests outside Checkout (Stripe lists none by address)",
    "events, request logs and sent receipts (Stripe cannot be asked for them by person; it drops logs by itself)",
    "other customers' objects (Stripe has no search of full texts)",
)


def kept(place: str) -> bool:
    """Tell whether a finding's place is of a kind that Stripe keeps after its customer is deleted."""
    return place.partition(".")[0] in KEPT


async def search(calls: Calls, needles: Needles) -> Searched:
    """Look through the objects of every customer of the person, and of their purchases as a guest.

    Raises:
        SourceUnavailable, SourceRefused: when not even customers can be listed.
    """
    subject = needles.subject
    written = {text for text in needles.texts.values() if ADDRESS.fullmatch(text)}
    subject = msgspec.structs.replace(
        subject, emails=subject.emails | {email.lower() for email in subject.emails} | written
    )
    tally = Tally(needles)
    customers = await calls.customers(subject)
    redacted = {id for id, customer in customers.items() if is_redacted(customer)}
    for customer in customers.values():
        # Of a deleted or redacted customer the id is left, and that alone is nothing about anyone.
        if not customer.get("deleted"):
            _look(tally, "customer", {**customer, "id": "" if customer["id"] in redacted else customer["id"]})
    places, blind = ["customer"], list(BLIND)
    ids = sorted({*customers, *filter(None, subject.stripe_customers)})
    for kind in ("tax_id", "payment_method", *sorted(KEPT)):
        try:
            async for item in _listed(calls, kind, ids, subject):
                theirs = kind not in KEPT and item.get("customer") in redacted
                _look(tally, kind, {**item, "customer": ""} if theirs else item)
            places.append(kind)
        except StripeRefused as error:
            if error.status != 403:
                raise
            blind.append(f"{kind} (no right to read)")
    return Searched(findings=tally.findings(), places=tuple(places), blind=tuple(blind))


async def _listed(calls: Calls, kind: str, customers: list[str], subject: Identifiers) -> AsyncIterator[Item]:
    """Yield the objects of one kind, of customers and of guests."""
    v1 = calls.v1
    listers = {
        "charge": v1.charges.list_async, "credit_note": v1.credit_notes.list_async, "invoice": v1.invoices.list_async,
        "payment_intent": v1.payment_intents.list_async, "payment_method": v1.payment_methods.list_async,
        "setup_intent": v1.setup_intents.list_async, "subscription": v1.subscriptions.list_async,
        "checkout_session": v1.checkout.sessions.list_async,
    }  # fmt: skip
    for customer in customers:
        if kind == "tax_id":
            listing = calls.all(v1.customers.tax_ids.list_async, {}, under=(customer,))
        else:
            ended = {"status": "all"} if kind == "subscription" else {}
            listing = calls.all(listers[kind], {"customer": customer, **ended})
        async for item in listing:
            yield item
    if kind in {"checkout_session", "charge"}:
        for session in await calls.guest_sessions(subject):
            if kind == "checkout_session":
                yield session
            elif payment := session.get("payment_intent"):
                async for item in calls.all(v1.charges.list_async, {"payment_intent": payment}):
                    yield item


def _look(tally: Tally, kind: str, item: Item) -> None:
    for path, text in _texts(item, kind):
        tally.look(path, (text,), str(item["id"]))


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield every text inside a value with its path; the names inside metadata are texts too, and no path."""
    match value:
        case str():
            yield path, value
        case Mapping() if path.endswith(".metadata"):
            for name, inner in value.items():
                yield path, str(name)
                yield path, str(inner)
        case Mapping():
            for name, inner in value.items():
                yield from _texts(inner, f"{path}.{name}")
        case list() | tuple():
            for inner in value:
                yield from _texts(inner, path)
