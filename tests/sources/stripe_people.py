"""Two customers as Stripe would hold them, and what a policy collects of them."""

from portal.policy.model import (
    Category,
    Column,
    Erasure,
    Field,
    Retention,
    StripeObject,
    StripeSource,
    Text,
)


def text(words: str) -> Text:
    """Say the same in both languages."""
    return Text(en=words, fr=words)


def category(id: str, *fields: tuple[str, str]) -> Category:
    """Make a category with these (field, kind) pairs."""
    return Category(
        id=id, title=text(id), explanation=text(id), purposes=(), portable=True,
        fields=tuple(Field(id=name, title=text(name), kind=kind) for name, kind in fields),  # type: ignore[arg-type]
        retention=Retention(text=text("always"), rule="account"),
        erasure=Erasure(action="erase", why=text("asked")),
    )  # fmt: skip


PAYMENTS = category(
    "payments", ("id", "text"), ("when", "moment"), ("what", "text"), ("amount", "money"), ("currency", "text"),
    ("email", "text"), ("last4", "text"), ("expires", "number"), ("status", "text"),
)  # fmt: skip
PLANS = category("plans", ("id", "text"), ("status", "text"))
BASE = (Column(name="id"), Column(name="created", field="when"))
SPEC = StripeSource(
    id="stripe",
    title=text("Stripe"),
    key_variable="STRIPE_API_KEY",
    objects=(
        StripeObject(object="customer", category="payments", columns=(*BASE, Column(name="email"))),
        StripeObject(
            object="charge", category="payments",
            columns=(*BASE, Column(name="description", field="what"), Column(name="amount"), Column(name="currency"),
                     Column(name="billing_details.email", field="email")),
        ),
        StripeObject(object="invoice", category="payments", columns=(*BASE, Column(name="total", field="amount"))),
        StripeObject(
            object="payment_method", category="payments",
            columns=(*BASE, Column(name="card.last4", field="last4"), Column(name="card.exp_year", field="expires")),
        ),
        StripeObject(object="refund", category="payments", columns=(*BASE, Column(name="amount"))),
        StripeObject(object="subscription", category="plans", columns=(Column(name="id"), Column(name="status"))),
    ),
)  # fmt: skip


def guest(name: str, email: str) -> dict[str, list[dict[str, object]]]:
    """Return what a guest leaves behind: a Checkout session, a payment and a charge, and no customer."""
    return {
        "checkout_sessions": [
            {"id": f"cs_{name}", "payment_intent": f"pi_{name}", "customer_details": {"email": email}}
        ],
        "payment_intents": [{"id": f"pi_{name}", "status": "succeeded", "receipt_email": email}],
        "charges": [{"id": f"ch_{name}", "payment_intent": f"pi_{name}", "billing_details": {"email": email}}],
    }


def customer(name: str, email: str, *, charges: int = 3) -> dict[str, object]:
    """Return a customer with charges (the last one refunded), an invoice, a card and an ended subscription."""
    id = f"cus_{name}"
    return {
        "customer": {"id": id, "email": email, "name": name, "created": 1_760_000_000},
        "charges": [
            {"id": f"ch_{name}{n}", "customer": id, "amount": 1000 + n, "currency": "eur", "created": 1_760_000_100 + n,
             "description": f"{name} {n}", "refunded": n == charges - 1, "payment_intent": f"pi_{name}{n}",
             "billing_details": {"email": email, "name": name}}
            for n in range(charges)
        ],
        "refunds": [
            {"id": f"re_{name}", "charge": f"ch_{name}{charges - 1}", "amount": 1000, "currency": "jpy",
             "created": 1_770_000_000, "status": "succeeded"}
        ],
        "invoices": [
            {"id": f"in_{name}", "customer": id, "total": 1000, "currency": "eur", "created": 1_760_000_050,
             "status": "paid"}
        ],
        "payment_methods": [
            {"id": f"pm_{name}", "customer": id, "type": "card", "created": 1_760_000_001,
             "card": {"brand": "visa", "last4": "4242", "exp_year": 2030, "fingerprint": "never-shown"}}
        ],
        "subscriptions": [{"id": f"sub_{name}", "customer": id, "status": "canceled", "created": 1_760_000_002}],
        "payment_intents": [
            {"id": f"pi_{name}{n}", "customer": id, "status": "succeeded", "receipt_email": email}
            for n in range(charges)
        ],
        "setup_intents": [{"id": f"seti_{name}", "customer": id, "payment_method": f"pm_{name}"}],
        "checkout_sessions": [
            {"id": f"cs_{name}", "customer": id, "payment_intent": f"pi_{name}0", "customer_details": {"email": email}}
        ],
        "credit_notes": [{"id": f"cn_{name}", "customer": id, "invoice": f"in_{name}", "memo": f"For {name}"}],
        "tax_ids": [{"id": f"txi_{name}", "customer": id, "type": "eu_vat", "value": f"FR{name}"}],
    }  # fmt: skip
