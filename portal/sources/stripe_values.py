"""What Stripe's numbers mean to a person: epoch seconds as instants, smallest units as amounts of their currency.

Always true here: exact, no floating point; a value that is not what its field expects is passed on as it is.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

ZERO_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
"""Currencies without a smaller unit. ISK and UGX keep two decimals for compatibility.
Source: docs.stripe.com/currencies."""
THREE_DECIMALS = frozenset("bhd jod kwd omr tnd".split())


def at_path(item: Mapping[str, object], path: str) -> object:
    """Return what lies under a dotted path, or None where it ends early."""
    found: object = item
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def is_redacted(customer: Mapping[str, object]) -> bool:
    """Tell a customer whose values Stripe has replaced by placeholders. Source: docs.stripe.com/privacy/redaction."""
    email = str(customer.get("email")).lower()
    return "redacted" in email and "@" not in email


def plain(value: object, kind: str, currency: object) -> object:
    """Return a value as the kind of field it fills shows it; `currency` is that of the object it comes from."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    match kind:
        case "moment":
            return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
        case "day":
            return datetime.fromtimestamp(value, UTC).date().isoformat()
        case "money" if isinstance(currency, str):
            return amount(value, currency)
        case _:
            return value


def amount(smallest: int, currency: str) -> str:
    """Return an amount in the currency's own unit: 2000 of eur is 20.00, of jpy 2000."""
    code = currency.lower()
    decimals = 0 if code in ZERO_DECIMALS else 3 if code in THREE_DECIMALS else 2
    return str(Decimal(smallest).scaleb(-decimals)) if decimals else str(smallest)
