"""Stripe: what it holds about a person, found by stored customer id first and then by every spelling of the address.

Always true here: `customers.search` is never used (it may lag by an hour), card data is metadata only, and an answer
that does not come is "unavailable", never "nothing".
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from uuid import UUID

import msgspec

from exports.order import Batch, StoredFile
from portal.errors import SourceError, SourceUnsupported
from portal.policy.model import Category, StripeObject, StripeSource
from portal.sources import stripe_erasing, stripe_search
from portal.sources.base import (
    Correction,
    Erased,
    Erasing,
    Fault,
    Held,
    Identifiers,
    Needles,
    Page,
    Restricted,
    Searched,
    no_files,
)
from portal.sources.stripe_calls import PAGE_SIZE, Ask, Calls, Item, Pause, together
from portal.sources.stripe_correcting import rectify
from portal.sources.stripe_values import at_path, is_redacted, plain


class Stripe:
    """The adapter. `address` is where Stripe is; empty: the real one. Without a `write_key`, `key` does everything."""

    def __init__(
        self, spec: StripeSource, categories: Sequence[Category], key: str, *, address: str = "",
        pause: Pause = asyncio.sleep, write_key: str = "",
    ) -> None:  # fmt: skip
        self.id = spec.id
        self.spec = spec
        self._kinds = {category.id: {field.id: field.kind for field in category.fields} for category in categories}
        self._full_key = not key.startswith("rk_")
        self._calls = Calls(spec.id, key, address=address, pause=pause)
        self._writing = Calls(spec.id, write_key, address=address, pause=pause) if write_key else self._calls

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
        v1 = self._calls.v1
        lists: dict[str, Ask] = {
            "customer": v1.customers.list_async, "charge": v1.charges.list_async, "invoice": v1.invoices.list_async,
            "subscription": v1.subscriptions.list_async, "refund": v1.refunds.list_async,
        }  # fmt: skip
        for name in dict.fromkeys(["customer", *(part.object for part in self.spec.objects)]):
            if name not in lists:
                continue
            try:
                await self._calls.ask(lists[name], {"limit": 1})
            except SourceError as error:
                remedy = f"See that {self.spec.key_variable} is right and may read {name}s."
                faults.append(Fault(source=self.id, place=name, what=str(error), remedy=remedy))
        return faults

    async def identify(self, known: Identifiers) -> Identifiers:
        """Add the customers under each spelling, and the spelling Stripe has for customers stored elsewhere.

        A customer's other address is never followed: it may be a company's, and other people's.
        """
        people = {address.strip().lower() for address in known.emails}
        found = await self._calls.customers(known)
        spellings = {one["email"] for one in found.values() if str(one.get("email")).strip().lower() in people}
        return msgspec.structs.replace(
            known, emails=known.emails | spellings, stripe_customers=known.stripe_customers | frozenset(found)
        )

    async def count(self, subject: Identifiers) -> Mapping[str, int]:
        """Count by listing: Stripe has no totals. Kinds are counted at the same time."""
        ids = sorted(filter(None, subject.stripe_customers))
        found = {part.category: 0 for part in self.spec.objects}
        for about, *numbers in await together(*(self._counts(id) for id in ids)):
            for part, number in zip(self.spec.objects, numbers, strict=True):
                found[part.category] += number * about
        return found

    async def page(self, subject: Identifiers, category: str, *, offset: int, limit: int) -> Page:
        """Return some objects of a category, newest first."""
        about = await self._about(subject)
        rows = [
            (item.get("created") or 0, self._record(part, item))
            for part in self._parts(category)
            async for item in self._items(part, about)
        ]
        rows.sort(key=lambda row: row[0], reverse=True)
        return Page(rows=tuple(row for _, row in rows[offset : offset + limit]), total=len(rows))

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["Stripe"]:
        """Yield itself: Stripe has no view of one moment."""
        yield self

    async def collect(self, subject: Identifiers, category: str) -> AsyncGenerator[Batch, None]:
        """Stream all objects of a category, a hundred at a time."""
        about = await self._about(subject) if self._parts(category) else []
        for part in self._parts(category):
            rows: list[Item] = []
            async with aclosing(self._items(part, about)) as items:
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

    async def erase(
        self, subject: Identifiers, items: Sequence[Erasing], *, pseudonym: UUID, handle: str = ""
    ) -> Erased:
        """Delete the person's customers, or redact them; `docs/sources.md` says what Stripe keeps either way."""
        eraser = stripe_erasing.Eraser(self.spec, self._writing)
        return await eraser.erase(subject, items, pseudonym=pseudonym, handle=handle)

    async def erase_held(self, pseudonym: UUID, items: Sequence[Held]) -> int:  # noqa: ARG002  a protocol
        """Return 0: what stays at Stripe stays under Stripe's own duty, not under our pseudonym."""
        return 0

    async def rectify(self, subject: Identifiers, correction: Correction) -> int:
        """Write a name or an address on the person's customers; documents of the past stay what they said."""
        return await rectify(self.spec, self._writing, subject, correction)

    async def restrict(self, subject: Identifiers, *, on: bool) -> Restricted:  # noqa: ARG002  a protocol
        """Refuse: Stripe has no switch that keeps a customer out of use.

        Pausing a subscription would stop its money and leave every other use of the data as it was.
        """
        raise SourceUnsupported(self.id, "Stripe has no means to keep a customer out of use")

    async def search(self, needles: Needles) -> Searched:
        """Look through every kind of object that Stripe lists by customer or by address."""
        return await stripe_search.search(self._calls, needles)

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        await self._calls.close()
        await self._writing.close()

    def _parts(self, category: str) -> list[StripeObject]:
        return [part for part in self.spec.objects if part.category == category]

    async def _about(self, subject: Identifiers) -> list[str]:
        """Return the customers whose objects are about the person: what Stripe has redacted is about nobody."""
        ids = sorted(filter(None, subject.stripe_customers))
        known = await together(*(self._is_about(id) for id in ids))
        return [id for id, about in zip(ids, known, strict=True) if about]

    async def _is_about(self, id: str) -> int:
        customer = await self._customer(id)
        return int(not (customer and is_redacted(customer)))

    async def _counts(self, customer: str) -> list[int]:
        """Return whether a customer's objects are about the person, as 1 or 0, and how many there are of each kind."""
        return await together(
            self._is_about(customer), *(self._count(part, customer) for part in self.spec.objects)
        )  # fmt: skip

    async def _count(self, part: StripeObject, customer: str) -> int:
        return sum([1 async for _ in self._items(part, [customer])])

    def _record(self, part: StripeObject, item: Item) -> Item:
        kinds, currency = self._kinds.get(part.category, {}), item.get("currency")
        fields = {c.target: plain(at_path(item, c.name), kinds.get(c.target, ""), currency) for c in part.columns}
        return {"kind": part.object.replace("_", "-"), **fields}

    async def _items(self, part: StripeObject, customers: Sequence[str]) -> AsyncGenerator[Item, None]:
        for customer in customers:
            if part.object == "customer":
                found = await self._customer(customer)
                if found:
                    yield found
                continue
            async with aclosing(self._of_customer(part.object, customer)) as items:
                async for item in items:
                    yield item

    async def _of_customer(self, kind: str, customer: str) -> AsyncGenerator[Item, None]:
        v1 = self._calls.v1
        mine = {"customer": customer}
        match kind:
            case "charge":
                listing = self._calls.all(v1.charges.list_async, mine)
            case "invoice":
                listing = self._calls.all(v1.invoices.list_async, mine)
            case "subscription":
                listing = self._calls.all(v1.subscriptions.list_async, {**mine, "status": "all"})
            case "payment_method":
                listing = self._calls.all(v1.payment_methods.list_async, mine)
            case _:
                listing = self._refunds(customer)
        async with aclosing(listing) as items:
            async for item in items:
                yield item

    async def _refunds(self, customer: str) -> AsyncGenerator[Item, None]:
        """Refunds are listed by charge; Stripe knows none by customer."""
        v1 = self._calls.v1
        async for charge in self._calls.all(v1.charges.list_async, {"customer": customer}):
            if charge.get("amount_refunded"):
                async for refund in self._calls.all(v1.refunds.list_async, {"charge": charge["id"]}):
                    yield refund

    async def _customer(self, id: str) -> Item | None:
        """Return a customer, or None when it was deleted or never was."""
        found = await self._calls.ask(self._calls.v1.customers.retrieve_async, id)
        item = found.to_dict() if found is not None else {}
        return item if item and not item.get("deleted") else None


def _batch(rows: list[Item]) -> Batch:
    return Batch(lines=msgspec.json.Encoder().encode_lines(rows), count=len(rows))
