"""The objects that the stand-in holds, and what deleting and listing do to them.

Always true here: newest first as Stripe lists them, and a deleted customer keeps their charges and invoices.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from demo.stripe.shapes import RESOURCES, Item, fields_of, unknown_fields

PLURALS = {
    "charges": "charge",
    "invoices": "invoice",
    "payment_methods": "payment_method",
    "subscriptions": "subscription",
    "refunds": "refund",
    "payment_intents": "payment_intent",
    "setup_intents": "setup_intent",
    "checkout_sessions": "checkout_session",
    "credit_notes": "credit_note",
    "tax_ids": "tax_id",
}


class Store:
    """Objects by kind and id."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Item]] = {kind: {} for kind in RESOURCES}
        self.redacted: set[tuple[str, str]] = set()
        """Kind and id of what a redaction job has emptied."""

    def fill(self, people: Iterable[Mapping[str, object]]) -> None:
        """Add customers, or guests, with what belongs to them: `customer`, and lists by plural names of objects."""
        for entry in people:
            if "customer" in entry:
                self.add("customer", cast(Item, entry["customer"]))
            for plural, kind in PLURALS.items():
                for item in cast(Sequence[Item], entry.get(plural, ())):
                    self.add(kind, item)

    def add(self, kind: str, item: Item) -> Item:
        """Add one object, with what Stripe would add to it.

        Raises:
            ValueError: a field that the SDK does not know.
        """
        defaults: Item = {
            "object": kind.replace("checkout_", "checkout."),
            "livemode": False,
            "metadata": {},
            "created": 0,
        }
        full = {name: value for name, value in defaults.items() if name in fields_of(kind)} | item
        if kind == "charge":
            full.setdefault("amount_refunded", full.get("amount", 0) if full.get("refunded") else 0)
        unknown = list(unknown_fields(full, RESOURCES[kind]))
        if unknown:
            raise ValueError(f"the SDK's {kind} has no {', '.join(unknown)}")
        self.objects[kind][str(full["id"])] = full
        return full

    def delete_customer(self, id: str) -> Item:
        """Delete a customer: subscriptions end at once, payment methods go, charges and invoices stay."""
        deleted: Item = {"id": id, "object": "customer", "deleted": True}
        self.objects["customer"][id] = deleted
        for kind in ("payment_method", "tax_id"):
            for key in [key for key, item in self.objects[kind].items() if item.get("customer") == id]:
                del self.objects[kind][key]
        for subscription in self.objects["subscription"].values():
            if subscription.get("customer") == id:
                subscription["status"] = "canceled"
        return deleted

    def listed(self, kind: str, wanted: Mapping[str, str]) -> list[Item]:
        """Return the objects whose fields equal `wanted`, newest first. Deleted customers are listed nowhere."""
        found = [
            item
            for item in self.objects[kind].values()
            if not item.get("deleted") and all(at(item, name) == value for name, value in wanted.items())
        ]
        return sorted(found, key=lambda item: (cast(int, item["created"]), str(item["id"])), reverse=True)


def at(item: Item, path: str) -> object:
    """Return what a filter names: `status`, or `customer_details[email]`."""
    outer, _, inner = path.partition("[")
    found = item.get(outer)
    return found.get(inner.rstrip("]")) if inner and isinstance(found, Mapping) else found
