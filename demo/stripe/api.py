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
from demo.stripe.changes import (
    cancel_subscription,
    create_customer,
    delete_customer,
    delete_tax_id,
    detach,
    present,
    update_customer,
)
from demo.stripe.redaction import Redaction
from demo.stripe.shapes import Item, Unfit, accept
from demo.stripe.store import PLURALS, Store
from portal.clock import Clock, system_clock

JOBS = "/v1/privacy/redaction_jobs"

LISTS = {
    "customers": ("customer", "CustomerListParams", ("email",)),
    "charges": ("charge", "ChargeListParams", ("customer", "payment_intent")),
    "invoices": ("invoice", "InvoiceListParams", ("customer", "status", "subscription")),
    "subscriptions": ("subscription", "SubscriptionListParams", ("customer", "status")),
    "payment_methods": ("payment_method", "PaymentMethodListParams", ("customer", "type")),
    "refunds": ("refund", "RefundListParams", ("charge", "payment_intent")),
    "payment_intents": ("payment_intent", "PaymentIntentListParams", ("customer",)),
    "setup_intents": ("setup_intent", "SetupIntentListParams", ("customer", "payment_method")),
    "credit_notes": ("credit_note", "CreditNoteListParams", ("customer", "invoice")),
}
SESSIONS = (
    "checkout_session", "checkout.SessionListParams",
    ("customer", "payment_intent", "status", "customer_details[email]"),
)  # fmt: skip
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
    PASS = "pass"
    """No fault: the right answer; to let calls through before one that fails."""


class StandIn:
    """The stand-in as an ASGI application. `calls` is what was asked, as `GET /v1/charges`."""

    def __init__(
        self, people: Iterable[Mapping[str, object]] = (), *, key: str = "rk_test_demo", clock: Clock = system_clock
    ) -> None:
        self.url = ""
        self.key = key
        self.store = Store()
        self.store.fill(people)
        self.calls: list[str] = []
        self.redaction = Redaction(self.store, clock)
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
        if fault is None or fault in {Fault.BROKEN, Fault.PASS}:
            answer = self._once(call)
            return answer.broken() if fault is Fault.BROKEN else answer
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

    def _route(self, call: Call) -> Answer:
        if call.headers.get("authorization") != f"Bearer {self.key}":
            return error(401, "invalid_request_error", "Invalid API Key provided.")
        given = (
            call.query
            if call.method in {"GET", "DELETE"}
            else dict(parse_qsl(call.body.decode(), keep_blank_values=True))
        )
        try:
            answer = self._read(call, given) if call.method == "GET" else self._change(call, given)
            if answer is None and call.path.startswith(JOBS) and self._has_preview(call):
                answer = self.redaction.answer(call.method, call.path.removeprefix(JOBS).split("/")[1:], given)
        except Unfit as unfit:
            status = 404 if unfit.code == "resource_missing" and unfit.param == "id" else 400
            said = {name: value for name, value in (("code", unfit.code), ("param", unfit.param)) if value}
            return error(status, "invalid_request_error", str(unfit), **said)
        return answer or error(404, "invalid_request_error", f"Unrecognized request URL ({call.method}: {call.path}).")

    def _has_preview(self, call: Call) -> bool:
        """From memory, not from a page of Stripe's: without the preview its addresses are unknown ones."""
        return self.redaction.enabled and call.headers.get("stripe-version", "").endswith(".preview")

    def _read(self, call: Call, given: Mapping[str, str]) -> Answer | None:
        match call.path.strip("/").split("/"):
            case ["v1", plural] if plural in LISTS:
                return self._list(call.path, *LISTS[plural], given)
            case ["v1", "checkout", "sessions"]:
                return self._list(call.path, *SESSIONS, given)
            case ["v1", "customers", id, "payment_methods"]:
                accept("CustomerPaymentMethodListParams", given)
                return self._list(call.path, *LISTS["payment_methods"], {**given, "customer": id})
            case ["v1", "customers", id, "tax_ids"]:
                present(self.store, "customer", id)
                accept("CustomerTaxIdListParams", given)
                return self._cut(call.path, self.store.listed("tax_id", {"customer": id}), _limit(given), given)
            case ["v1", plural, id] if plural in NAMES:
                return self._found(NAMES[plural], id, given)
        return None

    def _change(self, call: Call, given: Mapping[str, str]) -> Answer | None:  # noqa: PLR0911  Reads as a table.
        store = self.store
        match [call.method, *call.path.strip("/").split("/")]:
            case ["POST", "v1", "customers"]:
                return Answer.json(create_customer(store, given))
            case ["POST", "v1", "customers", id]:
                return Answer.json(update_customer(store, id, given))
            case ["DELETE", "v1", "customers", id]:
                return Answer.json(delete_customer(store, id))
            case ["DELETE", "v1", "customers", id, "tax_ids", tax]:
                return Answer.json(delete_tax_id(store, id, tax))
            case ["DELETE", "v1", "subscriptions", id]:
                return Answer.json(cancel_subscription(store, id, given))
            case ["POST", "v1", "payment_methods", id, "detach"]:
                return Answer.json(detach(store, id))
        return None

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
        items = self.store.listed(kind, wanted)
        if "not_canceled" in given:
            items = [item for item in items if item.get("status") != "canceled"]
        return self._cut(path, items, _limit(given), given)

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


def _limit(given: Mapping[str, str]) -> int:
    limit = int(given.get("limit", "10"))
    if not 1 <= limit <= 100:
        raise Unfit("parameter_invalid_integer", "Limit must be between 1 and 100.", "limit")
    return limit


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
