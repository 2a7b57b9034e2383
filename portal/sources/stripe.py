"""Stripe: what it holds about a person, found by stored customer id first and then by every spelling of the address.

Always true here: `customers.search` is never used (it may lag by an hour), card data is metadata only, and an answer
that does not come is "unavailable", never "nothing".
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import stripe

from exports.order import Batch, StoredFile
from portal.errors import SourceError, SourceRefused, SourceUnavailable
from portal.policy.model import Category, StripeObject, StripeSource
from portal.sources.base import Fault, Identifiers, Page, no_files
from portal.sources.stripe_values import at_path, plain

# Both log the address of every request, in which the person's e-mail address stands.
logging.getLogger("stripe").setLevel(logging.WARNING)
logging.getLogger("httpx").setLevel(logging.WARNING)

REQUEST_SECONDS = 10.0
PAUSES_SECONDS = (0.5, 1.0, 2.0)
"""How long to wait before each further try, unless Stripe says how long."""
LONGEST_PAUSE_SECONDS = 5.0
PAGE_SIZE = 100

type Item = dict[str, Any]  # An object of Stripe's, as plain values; only named paths of it leave this file.
type Pause = Callable[[float], Awaitable[None]]


class Stripe:
    """The adapter. `address` is where Stripe is; empty: the real one."""

    def __init__(
        self, spec: StripeSource, categories: Sequence[Category], key: str, *, address: str = "",
        pause: Pause = asyncio.sleep,
    ) -> None:  # fmt: skip
        self.id = spec.id
        self.spec = spec
        self._kinds = {category.id: {field.id: field.kind for field in category.fields} for category in categories}
        self._full_key = not key.startswith("rk_")
        self._http = stripe.HTTPXClient(timeout=REQUEST_SECONDS)
        self._pause = pause
        self._client = stripe.StripeClient(
            key, http_client=self._http, max_network_retries=0, base_addresses={"api": address} if address else {}
        )

    async def check(self) -> list[Fault]:
        """Ask for one object of each kind that the policy collects."""
        faults = []
        if self._full_key:
            faults.append(
                Fault(
                    source=self.id, place="key", what="this key may do more than read", severity="warning",
                    remedy=f"Put a restricted key (rk_…) with read rights only into {self.spec.key_variable}.",
                )
            )  # fmt: skip
        v1 = self._client.v1
        lists: dict[str, Lister] = {
            "customer": v1.customers.list_async, "charge": v1.charges.list_async, "invoice": v1.invoices.list_async,
            "subscription": v1.subscriptions.list_async, "refund": v1.refunds.list_async,
        }  # fmt: skip
        for name in dict.fromkeys(["customer", *(part.object for part in self.spec.objects)]):
            if name not in lists:
                continue
            try:
                await self._ask(lists[name], {"limit": 1})
            except SourceError as error:
                remedy = f"See that {self.spec.key_variable} is right and may read {name}s."
                faults.append(Fault(source=self.id, place=name, what=str(error), remedy=remedy))
        return faults

    async def identify(self, known: Identifiers) -> Identifiers:
        """Add the customers under each spelling, and the spelling Stripe has for customers stored elsewhere.

        A customer's other address is never followed: it may be a company's, and other people's.
        """
        people = {address.strip().lower() for address in known.emails}
        emails, customers = set(known.emails), set(known.stripe_customers)
        for id in sorted(customers):
            customer = await self._customer(id)
            if customer and str(customer.get("email")).strip().lower() in people:
                emails.add(customer["email"])
        for email in sorted(filter(None, emails)):
            async for customer in self._all(self._client.v1.customers.list_async, {"email": email}):
                if customer.get("email") == email:
                    customers.add(customer["id"])
        return msgspec.structs.replace(known, emails=frozenset(emails), stripe_customers=frozenset(customers))

    async def count(self, subject: Identifiers) -> Mapping[str, int]:
        """Count by listing: Stripe has no totals. Kinds are counted at the same time."""
        counts = await asyncio.gather(*(self._count(part, subject) for part in self.spec.objects))
        found = {part.category: 0 for part in self.spec.objects}
        for part, number in zip(self.spec.objects, counts, strict=True):
            found[part.category] += number
        return found

    async def page(self, subject: Identifiers, category: str, *, offset: int, limit: int) -> Page:
        """Return some objects of a category, newest first."""
        rows = [
            (item.get("created") or 0, self._record(part, item))
            for part in self._parts(category)
            async for item in self._items(part, subject)
        ]
        rows.sort(key=lambda row: row[0], reverse=True)
        return Page(rows=tuple(row for _, row in rows[offset : offset + limit]), total=len(rows))

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["Stripe"]:
        """Yield itself: Stripe has no view of one moment."""
        yield self

    async def collect(self, subject: Identifiers, category: str) -> AsyncGenerator[Batch, None]:
        """Stream all objects of a category, a hundred at a time."""
        for part in self._parts(category):
            rows: list[Item] = []
            async with aclosing(self._items(part, subject)) as items:
                async for item in items:
                    rows.append(self._record(part, item))
                    if len(rows) == PAGE_SIZE:
                        yield _batch(rows)
                        rows = []
            if rows:
                yield _batch(rows)

    def files(self, subject: Identifiers, category: str) -> AsyncIterator[StoredFile]:  # noqa: ARG002  a protocol
        """Yield nothing: invoices are Stripe's own files, linked from their records."""
        return no_files()

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    def _parts(self, category: str) -> list[StripeObject]:
        return [part for part in self.spec.objects if part.category == category]

    async def _count(self, part: StripeObject, subject: Identifiers) -> int:
        return sum([1 async for _ in self._items(part, subject)])

    def _record(self, part: StripeObject, item: Item) -> Item:
        kinds, currency = self._kinds.get(part.category, {}), item.get("currency")
        fields = {c.target: plain(at_path(item, c.name), kinds.get(c.target, ""), currency) for c in part.columns}
        return {"kind": part.object.replace("_", "-"), **fields}

    async def _items(self, part: StripeObject, subject: Identifiers) -> AsyncGenerator[Item, None]:
        for customer in sorted(filter(None, subject.stripe_customers)):
            if part.object == "customer":
                found = await self._customer(customer)
                if found:
                    yield found
                continue
            async with aclosing(self._of_customer(part.object, customer)) as items:
                async for item in items:
                    yield item

    async def _of_customer(self, kind: str, customer: str) -> AsyncGenerator[Item, None]:
        v1 = self._client.v1
        mine = {"customer": customer}
        match kind:
            case "charge":
                listing = self._all(v1.charges.list_async, mine)
            case "invoice":
                listing = self._all(v1.invoices.list_async, mine)
            case "subscription":
                listing = self._all(v1.subscriptions.list_async, {**mine, "status": "all"})
            case "payment_method":
                listing = self._all(v1.payment_methods.list_async, mine)
            case _:
                listing = self._refunds(customer)
        async with aclosing(listing) as items:
            async for item in items:
                yield item

    async def _refunds(self, customer: str) -> AsyncGenerator[Item, None]:
        """Refunds are listed by charge; Stripe knows none by customer."""
        v1 = self._client.v1
        async for charge in self._all(v1.charges.list_async, {"customer": customer}):
            if charge.get("amount_refunded"):
                async for refund in self._all(v1.refunds.list_async, {"charge": charge["id"]}):
                    yield refund

    async def _customer(self, id: str) -> Item | None:
        """Return a customer, or None when it was deleted or never was."""
        found = await self._ask(self._client.v1.customers.retrieve_async, id)
        item = found.to_dict() if found is not None else {}
        return item if item and not item.get("deleted") else None

    async def _all(self, lister: "Lister", wanted: Mapping[str, object]) -> AsyncGenerator[Item, None]:
        """Follow the cursor to the end."""
        cursor: dict[str, object] = {}
        while (page := await self._ask(lister, {**wanted, "limit": PAGE_SIZE, **cursor})) and page.data:
            for item in page.data:
                yield item.to_dict()
            if not page.has_more:
                return
            cursor = {"starting_after": page.data[-1].id}

    async def _ask(self, call: Callable[[Any], Awaitable[Any]], wanted: object) -> Any:
        """Call Stripe, again after a pause while it says that it might help. Returns None for what does not exist.

        Raises:
            SourceUnavailable: no answer, too many requests, or a fault of Stripe's, after all tries.
            SourceRefused: a wrong key, a missing right, or a request that Stripe does not understand.
        """
        for pause in (*PAUSES_SECONDS, None):
            try:
                return await call(wanted)
            except stripe.InvalidRequestError as error:
                if error.code == "resource_missing":
                    return None
                raise SourceRefused(self.id, _name(error)) from None
            except (stripe.RateLimitError, stripe.APIConnectionError, stripe.APIError) as error:
                if pause is None:
                    raise SourceUnavailable(self.id, _name(error)) from None
                await self._pause(_pause(error, pause))
            except stripe.StripeError as error:
                raise SourceRefused(self.id, _name(error)) from None
        raise AssertionError("the last try returns or raises")


type Lister = Callable[[Any], Awaitable[Any]]


def _batch(rows: list[Item]) -> Batch:
    return Batch(lines=msgspec.json.Encoder().encode_lines(rows), count=len(rows))


def _name(error: stripe.StripeError) -> str:
    """Name an error without its message, which repeats what was asked for."""
    return f"{type(error).__name__} ({error.http_status or 'no answer'})"


def _pause(error: stripe.StripeError, otherwise: float) -> float:
    """Return how long Stripe asks us to wait, within reason."""
    said = (error.headers or {}).get("retry-after", "")
    return min(float(said), LONGEST_PAUSE_SECONDS) if said.isdecimal() else otherwise
