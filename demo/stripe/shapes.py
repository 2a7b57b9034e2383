"""What Stripe's objects and requests may hold, read out of the installed SDK.

Always true here: no list of fields of our own, so that an upgrade of the SDK tells what it changed.
"""

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import get_args, get_type_hints

import stripe
from stripe import params

type Item = dict[str, object]

RESOURCES: Mapping[str, type[stripe.StripeObject]] = {
    "customer": stripe.Customer,
    "charge": stripe.Charge,
    "invoice": stripe.Invoice,
    "subscription": stripe.Subscription,
    "payment_method": stripe.PaymentMethod,
    "refund": stripe.Refund,
    "payment_intent": stripe.PaymentIntent,
    "setup_intent": stripe.SetupIntent,
    "checkout_session": stripe.checkout.Session,
    "credit_note": stripe.CreditNote,
    "tax_id": stripe.TaxId,
}
OPTIONS = frozenset(stripe.RequestOptions.__annotations__)
"""Arguments of the SDK that travel as headers, not as parameters."""


def fields_of(kind: str) -> frozenset[str]:
    """Return the fields that an object of this kind may have."""
    return frozenset(RESOURCES[kind].__annotations__)


def unknown_fields(item: Mapping[str, object], resource: type[stripe.StripeObject]) -> Iterator[str]:
    """Yield the path of each field, at any depth, that the SDK's class does not know."""
    inner = resource._inner_class_types  # noqa: SLF001  Where the SDK keeps what it was generated from.
    for name, value in item.items():
        if name not in resource.__annotations__:
            yield name
        elif isinstance(value, Mapping) and name in inner:
            yield from (f"{name}.{path}" for path in unknown_fields(value, inner[name]))


class Unfit(Exception):
    """A parameter that Stripe would refuse."""

    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def accept(name: str, given: Mapping[str, str]) -> Mapping[str, str]:
    """Hold a request to the parameters that the SDK's type `name` knows; return them.

    Raises:
        Unfit: an unknown parameter, or a number that is none.
    """
    known = get_type_hints(
        attrgetter(name)(params), localns={"Mapping": Mapping, "StripeContext": stripe.StripeContext}
    )
    for key, value in given.items():
        base = key.partition("[")[0]
        if base not in known or base in OPTIONS:
            raise Unfit("parameter_unknown", f"Received unknown parameter: {base}", base)
        if int in (known[base], *get_args(known[base])) and "[" not in key and not value.isdecimal():
            raise Unfit("parameter_invalid_integer", f"Invalid integer: {value}", base)
    return given
