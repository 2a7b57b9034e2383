"""What Stripe holds about the people of a sample platform, as plain values that the stand-in is filled with.

Always true here: no digit of a card; amounts are in cents; moments are epoch seconds, as Stripe writes them.
"""

from collections.abc import Sequence

from demo.platforms.crowd import Person, Purchase

BRANDS = ("visa", "mastercard", "amex")


def stripe_people(people: Sequence[Person]) -> list[dict[str, object]]:
    """Return one entry per customer: `customer`, and lists of what belongs to it, by the names of Stripe's objects."""
    return [_customer(person) for person in people if person.stripe_customer]


def _customer(person: Person) -> dict[str, object]:
    customer = person.stripe_customer
    bought = person.purchases
    return {
        "customer": {
            "id": customer, "email": person.email, "name": person.name, "created": int(person.since.timestamp()),
            "description": "Customer", "metadata": {"account": person.account_ids[0]} if person.account_ids else {},
        },
        "charges": [_charge(person, purchase) for purchase in bought],
        "invoices": [_invoice(person, purchase) for purchase in bought],
        "payment_methods": [_payment_method(person, bought[0])] if bought else [],
        "subscriptions": [_subscription(person)] if person.role == "heavy" else [],
        "refunds": [_refund(purchase) for purchase in bought if purchase.refunded],
        "payment_intents": [_payment_intent(person, purchase) for purchase in bought],
        "checkout_sessions": [_checkout_session(person, purchase) for purchase in bought],
        "setup_intents": [_setup_intent(person, bought[0])] if bought else [],
        "credit_notes": [_credit_note(person, purchase) for purchase in bought if purchase.refunded],
        "tax_ids": [_tax_id(person)] if person.role == "heavy" else [],
    }  # fmt: skip


def _charge(person: Person, purchase: Purchase) -> dict[str, object]:
    return {
        "id": _id("ch", purchase), "customer": person.stripe_customer, "amount": purchase.cents, "currency": "eur",
        "created": int(purchase.at.timestamp()), "description": f"{purchase.credits} credits", "status": "succeeded",
        "payment_intent": purchase.payment, "refunded": purchase.refunded,
        "billing_details": {"email": person.email, "name": person.name},
    }  # fmt: skip


def _invoice(person: Person, purchase: Purchase) -> dict[str, object]:
    return {
        "id": _id("in", purchase), "customer": person.stripe_customer, "total": purchase.cents, "currency": "eur",
        "created": int(purchase.at.timestamp()), "description": f"{purchase.credits} credits", "status": "paid",
        "number": purchase.invoice, "customer_email": person.email, "customer_name": person.name,
    }  # fmt: skip


def _payment_method(person: Person, purchase: Purchase) -> dict[str, object]:
    brand = BRANDS[purchase.cents % len(BRANDS)]
    return {
        "id": _id("pm", purchase), "customer": person.stripe_customer, "type": "card",
        "created": int(purchase.at.timestamp()), "card": {"brand": brand, "exp_month": 4, "exp_year": 2029},
        "billing_details": {"email": person.email, "name": person.name},
    }  # fmt: skip


def _subscription(person: Person) -> dict[str, object]:
    return {
        "id": "sub_" + person.stripe_customer.removeprefix("cus_"), "customer": person.stripe_customer,
        "created": int(person.since.timestamp()), "currency": "eur", "status": "active",
        "description": "200 credits a month",
    }  # fmt: skip


def _refund(purchase: Purchase) -> dict[str, object]:
    return {
        "id": _id("re", purchase), "charge": _id("ch", purchase), "payment_intent": purchase.payment,
        "amount": purchase.cents, "currency": "eur", "created": int(purchase.at.timestamp()) + 86_400,
        "reason": "requested_by_customer", "status": "succeeded",
    }  # fmt: skip


def _payment_intent(person: Person, purchase: Purchase) -> dict[str, object]:
    return {
        "id": purchase.payment, "customer": person.stripe_customer, "amount": purchase.cents, "currency": "eur",
        "created": int(purchase.at.timestamp()), "status": "succeeded", "receipt_email": person.email,
    }  # fmt: skip


def _checkout_session(person: Person, purchase: Purchase) -> dict[str, object]:
    return {
        "id": _id("cs", purchase), "customer": person.stripe_customer, "payment_intent": purchase.payment,
        "created": int(purchase.at.timestamp()), "status": "complete",
        "customer_details": {"email": person.email, "name": person.name},
    }  # fmt: skip


def _setup_intent(person: Person, purchase: Purchase) -> dict[str, object]:
    return {
        "id": _id("seti", purchase), "customer": person.stripe_customer, "payment_method": _id("pm", purchase),
        "created": int(purchase.at.timestamp()), "status": "succeeded",
    }  # fmt: skip


def _credit_note(person: Person, purchase: Purchase) -> dict[str, object]:
    return {
        "id": _id("cn", purchase), "customer": person.stripe_customer, "invoice": _id("in", purchase),
        "amount": purchase.cents, "currency": "eur", "created": int(purchase.at.timestamp()) + 86_400,
        "status": "issued",
    }  # fmt: skip


def _tax_id(person: Person) -> dict[str, object]:
    return {
        "id": "txi_" + person.stripe_customer.removeprefix("cus_"), "customer": person.stripe_customer,
        "created": int(person.since.timestamp()), "country": "FR", "type": "eu_vat", "value": "FR00000000000",
    }  # fmt: skip


def _id(prefix: str, purchase: Purchase) -> str:
    return f"{prefix}_{purchase.payment.removeprefix('pi_')}"
