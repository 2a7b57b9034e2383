"""Telling the platform, signed, that somebody's data was paused, released, corrected or erased.

Always true here: the address comes from the operator's environment and from nowhere else, and redirects are not
followed.

The signature is that of Standard Webhooks (standardwebhooks.com): `webhook-signature` is `v1,` and the base64 of
HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`, keyed with the base64 after `whsec_`. A repeated call has
the id of the first. `docs/sources.md` has the ten lines that verify it.
"""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID, uuid5

import httpx
import msgspec

from portal.errors import SettingsError, SourceRefused, SourceUnavailable
from portal.policy.model import Policy, Webhook
from portal.settings import Settings
from portal.sources.base import Fault

SOURCE = "webhook"
SECONDS = 10.0
PASSING = frozenset({408, 409, 425, 429})
"""Refusals that a later try may change."""
NAMESPACE = UUID("6f0a4e5e-5a0c-5f57-9d55-2f6a6f3f3b0e")
SHORTEST_SECRET = 24
"""Bytes. Source: the Standard Webhooks specification."""


class Event(StrEnum):
    """What happened. The platform acts on its own copies, caches and queues accordingly."""

    PAUSED = "person.paused"
    """Keep the data out of every use but storage."""
    RELEASED = "person.released"
    """It may be used again."""
    CORRECTED = "person.corrected"
    """It was changed in the database: read it again."""
    ERASED = "person.erased"
    """It is gone from the database: forget it everywhere."""


class Address(msgspec.Struct, frozen=True):
    """Where the platform listens, and the key that both know."""

    url: str
    key: bytes

    def __repr__(self) -> str:
        """Keep the key out of tracebacks and logs."""
        return "Address()"


async def tell(
    settings: Settings, policy: Policy, event: Event, account_ids: Collection[str], reference: str, at: datetime
) -> None:
    """Send one signed call. 2xx means told; safe to repeat, because the platform knows a repeated id.

    The id is made of event and `reference`: the same event of the same reference is the same news, for ever.

    Raises:
        SettingsError: the policy names no webhook, or its variables hold no usable address or secret.
        SourceUnavailable: no answer in time, or one that a later try may change.
        SourceRefused: any other answer, a redirect too.
    """
    if policy.webhook is None:
        raise SettingsError("The policy file names no [webhook], so there is nobody to tell.")
    where = read_address(policy.webhook, settings)
    data = {"reference": reference, "accounts": sorted(account_ids)}
    body = msgspec.json.encode({"type": event.value, "timestamp": at.isoformat(), "data": data})
    id = f"msg_{uuid5(NAMESPACE, f'{policy.id} {event.value} {reference}').hex}"
    await send(where, body, id=id, at=at)


async def send(where: Address, body: bytes, *, id: str, at: datetime, source: str = SOURCE) -> None:
    """Send one signed call. `id` is the same however often the same news is sent; `source` names who is called.

    Raises:
        SourceUnavailable: no answer in time, or one that a later try may change.
        SourceRefused: any other answer, a redirect too.
    """
    try:
        async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
            answer = await client.post(where.url, content=body, headers=signed(body, where.key, id=id, at=at))
    except httpx.HTTPError as error:
        raise SourceUnavailable(source, type(error).__name__) from None
    if not answer.is_success:
        passing = answer.status_code >= 500 or answer.status_code in PASSING
        raise (SourceUnavailable if passing else SourceRefused)(source, f"answered {answer.status_code}")


def check(policy: Policy, settings: Settings) -> list[Fault]:
    """Return what is wrong with the address or the key, without calling anybody."""
    if policy.webhook is None:
        return []
    try:
        read_address(policy.webhook, settings)
    except SettingsError as error:
        return [Fault(source=SOURCE, place=policy.webhook.url_variable, what=str(error), remedy="Put it right.")]
    return []


def signed(body: bytes, key: bytes, *, id: str, at: datetime) -> dict[str, str]:
    """Return the headers of a call that is sent at `at`."""
    moment = int(at.timestamp())
    signature = base64.b64encode(hmac.digest(key, f"{id}.{moment}.".encode() + body, "sha256")).decode()
    return {
        "content-type": "application/json", "user-agent": "Habeas", "webhook-id": id,
        "webhook-timestamp": str(moment), "webhook-signature": f"v1,{signature}",
    }  # fmt: skip


def read_address(webhook: Webhook, settings: Settings) -> Address:
    """Read the address and the key from the environment.

    Plain http is accepted on this machine and inside a private network only, which the operator chose by writing it.

    Raises:
        SettingsError: naming the variable and what to write.
    """
    url = settings.variable(webhook.url_variable, needed_by="The webhook")
    parts = urlsplit(url)
    host = parts.hostname or ""
    plain = parts.scheme == "http" and near(host)
    if not host or parts.username or not (plain or parts.scheme == "https"):
        raise SettingsError(f"{webhook.url_variable} must be an https:// address without a user name in it.")
    secret = settings.variable(webhook.secret_variable, needed_by="The webhook")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if len(key) < SHORTEST_SECRET:
        raise SettingsError(
            f"{webhook.secret_variable} must be whsec_ and the base64 of {SHORTEST_SECRET} random bytes or more, "
            "such as from: openssl rand -base64 32"
        )
    return Address(url, key)


def near(host: str) -> bool:
    """Tell a host of this machine or of a private network: by its address, or by a name without a dot."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".internal", ".localhost"))
    return address.is_loopback or (address.is_private and not address.is_link_local)
