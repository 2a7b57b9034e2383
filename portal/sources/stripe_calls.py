"""How Stripe is called: one key, a time-out, tries with pauses, and errors without a word of what was asked.

Always true here: what does not exist is None, what is refused is `StripeRefused`, what does not come is "unavailable";
a call that changes something may be repeated, because a broken answer does not say whether it was done.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from typing import Any

import stripe

from portal.errors import SourceRefused, SourceUnavailable
from portal.sources.base import Identifiers

# Both log the address of every request, in which the person's e-mail address stands.
logging.getLogger("stripe").setLevel(logging.WARNING)
logging.getLogger("httpx").setLevel(logging.WARNING)

REQUEST_SECONDS = 10.0
PAUSES_SECONDS = (0.5, 1.0, 2.0)
"""How long to wait before each further try, unless Stripe says how long."""
LONGEST_PAUSE_SECONDS = 5.0
PAGE_SIZE = 100
PREVIEW = "2026-09-30.preview"
"""The version of the API that knows redaction jobs."""

type Item = dict[str, Any]  # An object of Stripe's, as plain values; only named paths of it leave the adapter.
type Pause = Callable[[float], Awaitable[None]]
type Ask = Callable[..., Awaitable[Any]]


class StripeRefused(SourceRefused):
    """Stripe said no. `status` is that of its answer; `param` what it did not like, empty when it does not say."""

    def __init__(self, source: str, error: stripe.StripeError) -> None:
        super().__init__(source, _name(error))
        self.status = error.http_status or 0
        self.param = str(getattr(error, "param", None) or "")


class _Http(stripe.HTTPXClient):
    """Sends a body as httpx 0.28 wants it. Not needed once stripe (16.1) itself says `content` for text."""

    def _get_request_args_kwargs(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None
    ) -> list[Any]:
        args, kwargs = super()._get_request_args_kwargs(method, url, headers, post_data)
        return [args, {**{name: value for name, value in kwargs.items() if name != "data"}, "content": post_data}]


class Calls:
    """Stripe under one key. `address` is where it is; empty: the real one."""

    def __init__(self, source: str, key: str, *, address: str = "", pause: Pause = asyncio.sleep) -> None:
        self.source = source
        self.http = _Http(timeout=REQUEST_SECONDS)
        self._pause = pause
        self._client = stripe.StripeClient(
            key, http_client=self.http, max_network_retries=0, base_addresses={"api": address} if address else {}
        )
        self.v1 = self._client.v1

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        await self.http.close_async()  # type: ignore[no-untyped-call]

    async def customers(self, known: Identifiers) -> dict[str, Item]:
        """Return every customer of a person by its id, deleted ones that are known by id too.

        By stored id first, then by each spelling of the address, because Stripe's filter minds case; also by the
        spelling that a stored customer has. A stored customer's *other* address is never followed.
        """
        people = {address.strip().lower() for address in known.emails}
        emails, found = set(known.emails), dict[str, Item]()
        for id in sorted(filter(None, known.stripe_customers)):
            customer = await self.ask(self.v1.customers.retrieve_async, id)
            if customer is not None:
                found[id] = customer.to_dict()
                if str(found[id].get("email")).strip().lower() in people:
                    emails.add(found[id]["email"])
        for email in sorted(filter(None, emails)):
            async for one in self.all(self.v1.customers.list_async, {"email": email}):
                if one.get("email") == email:
                    found[one["id"]] = one
        return found

    async def guest_sessions(self, known: Identifiers) -> list[Item]:
        """Return the Checkout sessions under each spelling of the address that belong to no customer."""
        return [
            session
            for email in sorted(filter(None, known.emails))
            async for session in self.all(self.v1.checkout.sessions.list_async, {"customer_details": {"email": email}})
            if not session.get("customer")
        ]

    async def all(
        self, lister: Ask, wanted: Mapping[str, object], *, under: tuple[str, ...] = ()
    ) -> AsyncGenerator[Item, None]:
        """Follow the cursor to the end. `under` is the object whose list it is, where the address names one."""
        cursor: dict[str, object] = {}
        while (page := await self.ask(lister, *under, {**wanted, "limit": PAGE_SIZE, **cursor})) and page.data:
            for item in page.data:
                yield item.to_dict()
            if not page.has_more:
                return
            cursor = {"starting_after": page.data[-1].id}

    async def preview(self, method: str, path: str, *, key: str = "", **params: object) -> Item | None:
        """Call what only the preview knows. `key` makes a repeated call the same call; it says nothing about anyone."""
        options = {"stripe_version": PREVIEW, **({"idempotency_key": key} if key else {})}
        answer = await self.ask(lambda: self._client.raw_request_async(method, path, **params, **options))
        return dict(answer.data) if answer is not None else None

    async def ask(self, call: Ask, *wanted: object) -> Any:
        """Call Stripe, again after a pause while it says that it might help. Returns None for what does not exist.

        Raises:
            SourceUnavailable: no answer, too many requests, or a fault of Stripe's, after all tries.
            StripeRefused: a wrong key, a missing right, or a request that Stripe does not understand.
        """
        for pause in (*PAUSES_SECONDS, None):
            try:
                return await call(*wanted)
            except stripe.InvalidRequestError as error:
                if error.code == "resource_missing":
                    return None
                raise StripeRefused(self.source, error) from None
            except (stripe.RateLimitError, stripe.APIConnectionError, stripe.APIError) as error:
                if pause is None:
                    raise SourceUnavailable(self.source, _name(error)) from None
                await self._pause(_pause(error, pause))
            except stripe.StripeError as error:
                raise StripeRefused(self.source, error) from None
        raise AssertionError("the last try returns or raises")


async def together[T](*calls: Coroutine[Any, Any, T]) -> list[T]:
    """Wait for all. When one fails, the others have ended before its error goes on: no connection is left behind."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


def _name(error: stripe.StripeError) -> str:
    """Name an error without its message, which repeats what was asked for."""
    return f"{type(error).__name__} ({error.http_status or 'no answer'})"


def _pause(error: stripe.StripeError, otherwise: float) -> float:
    """Return how long Stripe asks us to wait, within reason."""
    said = (error.headers or {}).get("retry-after", "")
    return min(float(said), LONGEST_PAUSE_SECONDS) if said.isdecimal() else otherwise
