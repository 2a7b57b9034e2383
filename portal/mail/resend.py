"""The only room that knows Resend: its SDK's module-wide state is set, called and read here and nowhere else.

Always true here: every call has a time limit, carries the mail's own idempotency key, and comes back as a value
without any of the provider's words.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from typing import Annotated, Any

import httpx
import msgspec
import resend
from resend.exceptions import ResendError
from resend.http_client_async import AsyncHTTPClient

from portal.mail.pace import Pace

LIMIT_SECONDS = 20.0
"""Longer than the provider ever needs, shorter than a job's heartbeat."""
HOPELESS = frozenset({400, 409, 413, 422, 451})
"""Answers that stay the same however often we ask. 401, 403 and 404 are for the operator to mend: the mail waits."""
TAG = "habeas_mail"
"""A tag comes back with each webhook, so that even a mail whose acceptance we never heard of is recognised."""


class Accepted(msgspec.Struct, frozen=True):
    """The provider has it, under this id of its own."""

    provider_id: str


class Declined(msgspec.Struct, frozen=True, kw_only=True):
    """The provider did not say yes."""

    name: str
    """The name of the error, fit to be stored."""
    final: bool
    """True when trying again is useless."""
    sure: bool
    """False when it may have been accepted all the same: a network error, a time-out, a 5xx."""
    wait_seconds: float | None = None


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One mail as it is handed over. `id` is both the idempotency key and the tag."""

    id: str
    sender: str
    reply_to: str
    to: str
    subject: str
    text: str
    html: str


class Resend(AsyncHTTPClient):
    """The SDK behind one door. There is one per process, because the SDK's state is module-wide."""

    def __init__(self, api_key: str, api_url: str, pace: Pace, *, limit_seconds: float = LIMIT_SECONDS) -> None:
        self.pace = pace
        self._limit_seconds = limit_seconds
        self._client = httpx.AsyncClient(timeout=limit_seconds, follow_redirects=False)
        resend.api_key = api_key
        resend.api_url = api_url
        resend.default_async_http_client = self

    async def send(self, mail: Envelope) -> Accepted | Declined:
        """Hand one mail over. The caller holds a turn of `pace`; sending the same envelope again is harmless for 24 h.

        Source: Resend, idempotency keys.
        """
        params: resend.Emails.SendParams = {
            "from": mail.sender, "to": [mail.to], "reply_to": [mail.reply_to],
            "subject": mail.subject, "text": mail.text, "html": mail.html,
            "headers": {"Auto-Submitted": "auto-generated"}, "tags": [{"name": TAG, "value": mail.id}],
        }  # fmt: skip
        try:
            answer = await resend.Emails.send_async(params, {"idempotency_key": mail.id})
        except ResendError as error:
            return _declined(error)
        if provider_id := answer.get("id"):
            return Accepted(str(provider_id))
        return Declined(name="answer_without_id", final=False, sure=False)

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: dict[str, object] | list[object] | None = None,
        files: dict[str, Any] | None = None,
        data: dict[str, str] | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Make the SDK's calls, so that we see each answer's headers: it keeps them from its callers on success."""
        async with asyncio.timeout(self._limit_seconds):
            answer = await self._client.request(method, url, headers=headers, json=json, files=files, data=data)
        self.pace.learn(answer.status_code, answer.headers)
        return answer.content, answer.status_code, answer.headers

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def mailbox(name: str, address: str) -> str:
    """Write `name <address>` so that nothing in a name can become an address. Raises: ValueError."""
    return str(Address(display_name=name, addr_spec=address))


class EventData(msgspec.Struct, frozen=True):
    """The part of an event that we keep: no address, no subject, no words."""

    email_id: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{0,100}$")] = ""
    tags: dict[str, str] | list[object] = {}

    @property
    def mail_id(self) -> str:
        """Our own id, when the event names it."""
        return self.tags.get(TAG, "") if isinstance(self.tags, dict) else ""


class Event(msgspec.Struct, frozen=True):
    """Something that happened to a mail at the provider."""

    type: str
    created_at: Annotated[datetime, msgspec.Meta(tz=True)]
    data: EventData


def verified(body: bytes, headers: Mapping[str, str], secret: str) -> Event | None:
    """Return the event of a webhook when it is signed with `secret` and no more than five minutes old, else None.

    The SDK compares in constant time and reads the real clock; without a secret everything is refused.
    """
    names: resend.WebhookHeaders = {
        "id": headers.get("svix-id", ""),
        "timestamp": headers.get("svix-timestamp", ""),
        "signature": headers.get("svix-signature", ""),
    }
    try:
        found = resend.Webhooks.verify({"payload": body.decode(), "headers": names, "webhook_secret": secret})
        return msgspec.convert(found, Event)
    except ValueError:
        # Also what bad UTF-8, bad JSON and an event of another shape raise.
        return None


def _declined(error: ResendError) -> Declined:
    status = int(error.code) if str(error.code).isdecimal() else 500
    unheard = status >= 500 or error.error_type == "HttpClientError"
    busy = error.error_type == "concurrent_idempotent_requests"
    wait = {name.lower(): value for name, value in error.headers.items()}.get("retry-after", "")
    return Declined(
        name=_name(error.error_type),
        final=status in HOPELESS and not busy,
        # A key that was used with other words, or is in use, means that an earlier call may have got through.
        sure=not unheard and status != 409,
        wait_seconds=float(wait) if wait.isascii() and wait.isdecimal() else None,
    )


def _name(error_type: str) -> str:
    """Keep a name only when it looks like one: it is stored and logged."""
    plain = error_type.replace("_", "").isalnum() and error_type.isascii() and len(error_type) <= 60
    return error_type if plain else "unnamed_error"
