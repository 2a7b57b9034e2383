"""What changing calls do to the stand-in's objects.

Always true here: a parameter that the SDK does not know is refused, an empty text empties a field, and what was
redacted is changed no more.
"""

from collections.abc import Mapping

from demo.stripe.shapes import Item, Unfit, accept
from demo.stripe.store import Store


def create_customer(store: Store, given: Mapping[str, str]) -> Item:
    """Make a customer."""
    accept("CustomerCreateParams", given)
    number = len(store.objects["customer"]) + 1
    item: Item = {"id": f"cus_new{number}", "created": number}
    write(item, given)
    return store.add("customer", item)


def update_customer(store: Store, id: str, given: Mapping[str, str]) -> Item:
    """Write fields of a customer."""
    accept("CustomerUpdateParams", given)
    item = present(store, "customer", id)
    unredacted(store, "customer", id)
    write(item, given)
    return item


def delete_customer(store: Store, id: str) -> Item:
    """Delete a customer."""
    present(store, "customer", id)
    unredacted(store, "customer", id)
    return store.delete_customer(id)


def cancel_subscription(store: Store, id: str, given: Mapping[str, str]) -> Item:
    """End a subscription at once; one that has ended is not there any more."""
    accept("SubscriptionCancelParams", given)
    item = present(store, "subscription", id)
    if item["status"] == "canceled":
        raise Unfit("resource_missing", "No such subscription", "id")
    item["status"] = "canceled"
    return item


def detach(store: Store, id: str) -> Item:
    """Take a payment method away from its customer."""
    item = present(store, "payment_method", id)
    if not item.get("customer"):
        raise Unfit("", "The payment method is not attached to a customer, so detaching is impossible.", "")
    item["customer"] = None
    return item


def delete_tax_id(store: Store, customer: str, id: str) -> Item:
    """Delete a tax id of a customer."""
    item = store.objects["tax_id"].get(id)
    if item is None or item.get("customer") != customer:
        raise Unfit("resource_missing", "No such tax id", "id")
    del store.objects["tax_id"][id]
    return {"id": id, "object": "tax_id", "deleted": True}


def present(store: Store, kind: str, id: str) -> Item:
    """Return an object that can be changed. Raises: Unfit."""
    item = store.objects[kind].get(id)
    if item is None or item.get("deleted"):
        raise Unfit("resource_missing", f"No such {kind}", "id")
    return item


def unredacted(store: Store, kind: str, id: str) -> None:
    """Refuse to change what was redacted. Raises: Unfit."""
    if (kind, id) in store.redacted:
        raise Unfit("", "This object has been redacted and cannot be changed.", "")


def write(item: Item, given: Mapping[str, str]) -> None:
    """Put the values of a form into an object: `a=` empties, `a[b]=` reaches inside."""
    for name, value in given.items():
        outer, _, inner = name.partition("[")
        if outer == "expand":
            continue
        if not inner:
            item[outer] = ({} if outer == "metadata" else None) if value == "" else value
        else:
            held = item.get(outer)
            item[outer] = {**(held if isinstance(held, dict) else {}), inner.rstrip("]"): value}
