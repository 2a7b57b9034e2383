"""What the stand-in answers, call by call.

Always true here: keys, parameters, cursors, idempotency and errors behave as Stripe's documentation says; what is not
modelled answers 404 as an unknown address does, never an invented success.
"""

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Mapping
from enum import StrEnum
from urllib.parse import parse_qsl

from demo.resend.web import Answer, Call, Receive, Scope, Send, read_call
from demo.stripe.shapes import Item, Unfit, accept
from demo.stripe.store import PLURALS, Store

LISTS = {
    "customers": ("customer", "CustomerListParams", ("email",)),
    "charges": ("charge", "ChargeListParams", ("customer", "payment_intent")),
    "invoices": ("invoice", "InvoiceListParams", ("customer", "status", "subscription")),
    "subscriptions": ("subscription", "SubscriptionListParams", ("customer", "status")),
    "payment_methods": ("payment_method", "PaymentMethodListParams", ("customer", "type")),
    "refunds": ("refund", "RefundListParams", ("charge", "payment_intent")),
}
"""Address -> kind, the SDK's type of the request, and the fields that filter."""
NAMES = {**PLURALS, "customers": "customer"}


class Fault(StrEnum):
    """One failing answer to the next call."""

    TOO_MANY = "too-many"
    """429 with retry-after."""
    ERROR = "error"
    """500 with Stripe's kind of body."""
    GATEWAY = "gateway"
    """502 with the page of a proxy."""
    SILENCE = "silence"
    """No answer until the caller hangs up."""
    BROKEN = "broken"
    """The right answer, cut off half way."""
    FORBIDDEN = "forbidden"
    """403: the key lacks the right."""


class StandIn:
    """The stand-in as an ASGI application. `calls` is what was asked, as `GET /v1/charges`."""

    def __init__(self, people: Iterable[Mapping[str, object]] = (), *, key: str = "rk_test_demo") -> None:
        self.url = ""
        self.key = key
        self.store = Store()
        self.store.fill(people)
        self.calls: list[str] = []
        self._faults: deque[Fault] = deque()
        self._answered: dict[str, tuple[str, Answer]] = {}

    def fail(self, fault: Fault, *, times: int = 1) -> None:
        """Let the next `times` calls fail."""
        self._faults.extend([fault] * times)

    def mend(self) -> None:
        """Forget the faults that have not struck yet."""
        self._faults.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP call."""
        call = await read_call(scope, receive)
        await (await self._answer(call)).send(send)

    async def _answer(self, call: Call) -> Answer:
        if (call.method, call.path) == ("POST", "/faults"):
            return self._order(call)
        self.calls.append(f"{call.method} {call.path}")
        fault = self._faults.popleft() if self._faults else None
        if fault is None or fault is Fault.BROKEN:
            answer = self._once(call)
            return answer.broken() if fault else answer
        return await call.silence() if fault is Fault.SILENCE else _failing(fault)

    def _order(self, call: Call) -> Answer:
        """POST /faults {"fault": "error", "times": 2}: order faults from another process."""
        try:
            order = json.loads(call.body)
            self.fail(Fault(order["fault"]), times=min(int(order.get("times", 1)), 1000))
        except (ValueError, KeyError, TypeError, AttributeError):
            return Answer.json({"faults": [fault.value for fault in Fault]}, status=422)
        return Answer.json({"ordered": order["fault"]})

    def _once(self, call: Call) -> Answer:
        """Answer a changing call once for each idempotency key."""
        key = call.headers.get("idempotency-key", "") if call.method != "GET" else ""
        print_of_call = hashlib.sha256(f"{call.method} {call.path} ".encode() + call.body).hexdigest()
        if key in self._answered:
            before, answer = self._answered[key]
            if before != print_of_call:
                return error(
                    400, "idempotency_error", "Keys for idempotent requests can only be used with the same call."
                )
            return answer.with_headers({"idempotent-replayed": "true"})
        answer = self._route(call)
        if key and answer.status < 500:
            self._answered[key] = (print_of_call, answer)
        return answer

    def _route(self, call: Call) -> Answer:  # noqa: PLR0911  One return per address reads as a table.
        if call.headers.get("authorization") != f"Bearer {self.key}":
            return error(401, "invalid_request_error", "Invalid API Key provided.")
        given = call.query if call.method in {"GET", "DELETE"} else dict(parse_qsl(call.body.decode()))
        try:
            match [call.method, *call.path.strip("/").split("/")]:
                case ["GET", "v1", plural] if plural in LISTS:
                    return self._list(call.path, *LISTS[plural], given)
                case ["GET", "v1", "customers", id, "payment_methods"]:
                    accept("CustomerPaymentMethodListParams", given)
                    return self._list(call.path, *LISTS["payment_methods"], {**given, "customer": id})
                case ["GET", "v1", plural, id] if plural in NAMES:
                    return self._found(NAMES[plural], id, given)
                case ["POST", "v1", "customers"]:
                    return self._create(accept("CustomerCreateParams", given))
                case ["DELETE", "v1", "customers", id]:
                    return self._delete(id)
        except Unfit as unfit:
            return error(400, "invalid_request_error", str(unfit), code=unfit.code, param=unfit.param)
        return error(404, "invalid_request_error", f"Unrecognized request URL ({call.method}: {call.path}).")

    def _list(self, path: str, kind: str, shape: str, filters: tuple[str, ...], given: Mapping[str, str]) -> Answer:
        accept(shape, given)
        wanted = {name: given[name] for name in filters if name in given}
        if kind == "subscription" and wanted.get("status") == "all":
            del wanted["status"]
        elif kind == "subscription" and "status" not in wanted:
            given = {**given, "not_canceled": ""}
        for owner, name in (("customer", "customer"), ("charge", "charge")):
            if name in wanted and wanted[name] not in self.store.objects[owner]:
                return missing(400, owner, wanted[name], name)
        limit = int(given.get("limit", "10"))
        if not 1 <= limit <= 100:
            raise Unfit("parameter_invalid_integer", "Limit must be between 1 and 100.", "limit")
        items = self.store.listed(kind, wanted)
        if "not_canceled" in given:
            items = [item for item in items if item.get("status") != "canceled"]
        return self._cut(path, items, limit, given)

    def _cut(self, path: str, items: list[Item], limit: int, given: Mapping[str, str]) -> Answer:
        """Answer the page after the cursor."""
        after = given.get("starting_after")
        if after is not None:
            places = [place for place, item in enumerate(items) if item["id"] == after]
            if not places:
                raise Unfit("resource_missing", f"No such object: '{after}'", "starting_after")
            items = items[places[0] + 1 :]
        shown = [self._expanded(item, given, "data.") for item in items[:limit]]
        return Answer.json({"object": "list", "url": path, "has_more": len(items) > limit, "data": shown})

    def _found(self, kind: str, id: str, given: Mapping[str, str]) -> Answer:
        accept({"customer": "CustomerRetrieveParams"}.get(kind, "ChargeRetrieveParams"), given)
        item = self.store.objects[kind].get(id)
        return Answer.json(self._expanded(item, given, "")) if item else missing(404, kind, id, "id")

    def _expanded(self, item: Item, given: Mapping[str, str], prefix: str) -> Item:
        """Put whole objects where ids stand, as `expand[]` asks."""
        full = dict(item)
        for path in (value for name, value in given.items() if name.startswith("expand")):
            field = path.removeprefix(prefix)
            if field == "refunds" and item["object"] == "charge":
                refunds = self.store.listed("refund", {"charge": str(item["id"])})
                full[field] = {"object": "list", "data": refunds, "has_more": False, "url": "/v1/refunds"}
            elif field in self.store.objects and str(item.get(field)) in self.store.objects[field]:
                full[field] = self.store.objects[field][str(item[field])]
            elif field not in item:
                raise Unfit("property_unknown", f"This property cannot be expanded ({path}).", "expand")
        return full

    def _create(self, given: Mapping[str, str]) -> Answer:
        number = len(self.store.objects["customer"]) + 1
        fields: Item = {name: value for name, value in given.items() if "[" not in name and name != "expand"}
        metadata = {name[9:-1]: value for name, value in given.items() if name.startswith("metadata[")}
        return Answer.json(
            self.store.add("customer", {"id": f"cus_new{number}", **fields, "metadata": metadata, "created": number})
        )

    def _delete(self, id: str) -> Answer:
        item = self.store.objects["customer"].get(id)
        if item is None or item.get("deleted"):
            return missing(404, "customer", id, "id")
        return Answer.json(self.store.delete_customer(id))


def error(status: int, kind: str, message: str, **more: str) -> Answer:
    """Answer an error as Stripe words it."""
    return Answer.json({"error": {"type": kind, "message": message, **more}}, status=status)


def missing(status: int, kind: str, id: str, param: str) -> Answer:
    """Answer that there is no such object: 404 for an address, 400 for a parameter."""
    return error(status, "invalid_request_error", f"No such {kind}: '{id}'", code="resource_missing", param=param)


def _failing(fault: Fault) -> Answer:
    match fault:
        case Fault.TOO_MANY:
            answer = error(429, "invalid_request_error", "Too many requests.", code="rate_limit")
            return answer.with_headers({"retry-after": "1"})
        case Fault.FORBIDDEN:
            return error(403, "invalid_request_error", "The provided key does not have the required permissions.")
        case Fault.GATEWAY:
            return Answer(502, b"<html><h1>Bad gateway</h1></html>", {"content-type": "text/html"})
        case _:
            return error(500, "api_error", "An unknown error occurred.")
