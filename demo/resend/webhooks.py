"""Events, signed as Resend signs them and posted to the portal.

Always true here: what an address starts with decides what becomes of its mail (`bounced…`, `complained…`,
`delayed…`, `suppressed…`; anything else is delivered), so that the demo needs no switch.
"""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from uuid import uuid4

import httpx

from demo.resend.standin import Sent, StandIn

FATES = {
    "bounced": ("email.sent", "email.bounced"),
    "complained": ("email.sent", "email.delivered", "email.complained"),
    "delayed": ("email.sent", "email.delivery_delayed", "email.delivered"),
    "suppressed": ("email.suppressed",),
}
DELIVERED = ("email.sent", "email.delivered")
TRIES_AFTER_SECONDS = (0, 1, 5, 30)


def fate(mail: Sent) -> tuple[str, ...]:
    """Return the events that a mail will have, in order."""
    return next((events for word, events in FATES.items() if mail.to[0].startswith(word)), DELIVERED)


def body_of(mail: Sent, kind: str, at: datetime) -> bytes:
    """Write the body of one event."""
    data = {
        "email_id": mail.id, "created_at": mail.created_at.isoformat(), "from": mail.params["from"], "to": mail.to,
        "subject": mail.params["subject"], "message_id": f"<{mail.id}@resend.example>",
        "tags": {tag["name"]: tag["value"] for tag in mail.params.get("tags", ())},
    }  # fmt: skip
    if kind == "email.bounced":
        data["bounce"] = {"type": "Permanent", "subType": "General", "message": f"No such mailbox: {mail.to[0]}"}
    return json.dumps({"type": kind, "created_at": at.isoformat(), "data": data}).encode()


def signed(body: bytes, secret: str, *, svix_id: str = "", timestamp: int | None = None) -> dict[str, str]:
    """Return the headers of a webhook. By default a new id and the real time, which is what the SDK compares with."""
    id = svix_id or f"msg_{uuid4().hex}"
    moment = int(time.time()) if timestamp is None else timestamp
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"{id}.{moment}.".encode() + body, "sha256")).decode()
    return {
        "content-type": "application/json", "svix-id": id, "svix-timestamp": str(moment),
        "svix-signature": f"v1,{signature}",
    }  # fmt: skip


async def deliver(standin: StandIn, mail: Sent, kinds: Iterable[str] | None = None) -> None:
    """Post the events of a mail in the order given, each until it is taken, as long as there is an address for them."""
    for kind in fate(mail) if kinds is None else kinds:
        mail.last_event = kind.removeprefix("email.")
        if standin.webhook_url:
            await _post(standin, body_of(mail, kind, standin.clock()))


async def _post(standin: StandIn, body: bytes) -> None:
    id = f"msg_{uuid4().hex}"
    for pause in TRIES_AFTER_SECONDS:
        await asyncio.sleep(pause)
        with suppress(httpx.HTTPError):
            async with httpx.AsyncClient(timeout=5) as client:
                headers = signed(body, standin.webhook_secret, svix_id=id)
                answer = await client.post(standin.webhook_url, content=body, headers=headers)
            if answer.is_success:
                return
