"""Events, signed as Stripe signs them.

Always true here: the signature is the one that the SDK's own `Webhook.construct_event` accepts, and no other.
Source: docs.stripe.com/webhooks/signature.
"""

import hmac
import json
from datetime import datetime

from demo.stripe.shapes import Item

SECRET = "whsec_stripe_stand_in"


def body_of(number: int, kind: str, item: Item, at: datetime) -> bytes:
    """Write the body of one event about an object."""
    return json.dumps(
        {"id": f"evt_{number}", "object": "event", "type": kind, "created": int(at.timestamp()), "livemode": False,
         "api_version": "2026-09-30.preview", "data": {"object": item}}
    ).encode()  # fmt: skip


def signature(body: bytes, at: datetime, secret: str = SECRET) -> str:
    """Return the header `Stripe-Signature` of a body that is sent at an instant."""
    moment = int(at.timestamp())
    return f"t={moment},v1={hmac.new(secret.encode(), f'{moment}.'.encode() + body, 'sha256').hexdigest()}"
