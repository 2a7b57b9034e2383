"""Correcting at Stripe: the name and the address of a customer, and nothing that was a document once.

Always true here: charges and invoices keep what they said on the day; only customers of the person are written.
"""

import msgspec

from portal.errors import SourceUnsupported
from portal.policy.model import StripeSource
from portal.sources.base import Correction, Identifiers
from portal.sources.stripe_calls import Calls

WRITABLE = frozenset({"email", "name"})


async def rectify(spec: StripeSource, calls: Calls, subject: Identifiers, correction: Correction) -> int:
    """Write the value on every customer of the person that has another; return how many hold it now. Idempotent.

    Raises:
        SourceUnsupported: the field is no name or address of a customer, or the record is no customer of theirs.
    """
    names = [
        column.name
        for part in spec.objects
        if part.object == "customer" and part.category == correction.category
        for column in part.columns
        if column.target == correction.field and column.name in WRITABLE
    ]
    if not names:
        raise SourceUnsupported(spec.id, "only the name and the address of a customer can be changed at Stripe")
    (name,) = names
    if name == "email":
        # A second run, after the change, finds by the new address whom it found by the old one before.
        subject = msgspec.structs.replace(subject, emails=subject.emails | {correction.value})
    found = {id: one for id, one in (await calls.customers(subject)).items() if not one.get("deleted")}
    if correction.record:
        if correction.record not in found:
            raise SourceUnsupported(spec.id, "the record is no customer of this person")
        found = {correction.record: found[correction.record]}
    for id, customer in found.items():
        if customer.get(name) != correction.value:
            await calls.ask(calls.v1.customers.update_async, id, {name: correction.value})
    return len(found)
