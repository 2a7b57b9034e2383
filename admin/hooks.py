"""Tell the staff's chat tool, signed, what needs somebody: the address is the operator's, and so is the wish for it.

Always true here: references, days and kinds and no person; one event has one id however often it is sent; a call that
nobody takes is parked and becomes a failure that staff see. Source: law S-15; the signature is that of
`portal.sources.webhook`.
"""

import asyncio
import socket
from collections.abc import Mapping
from datetime import date, datetime
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid5

import msgspec

from portal.clock import Clock
from portal.errors import SettingsError, SourceRefused, SourceUnavailable
from portal.jobs import Payload, Work, enqueue
from portal.mail.messages.staff_reminders import alarm_in_words
from portal.policy.model import Policy, Webhook
from portal.rights.alarms import say_once
from portal.settings import Settings
from portal.sources.webhook import NAMESPACE, Address, near, read_address, send
from portal.words import Words

JOB = "staff.hook"
SOURCE = "staff-hook"
URL, SECRET, PRIVATE = "HABEAS_STAFF_HOOK_URL", "HABEAS_STAFF_HOOK_SECRET", "HABEAS_STAFF_HOOK_PRIVATE"
TRIES = 20
"""With growing pauses of at most ten minutes that is some hours."""
EVENTS: Final = ("unowned-soon", "unowned-today", "late", "failure", "approval-waiting", "daily", "test")
"""What is told, as `staff.<event>`."""
PATHS: Final = {"failure": "/staff/failures", "approval-waiting": "/staff/approvals"}


def is_wanted(settings: Settings) -> bool:
    """Tell whether the operator named an address."""
    return bool(settings.environment.get(URL))


def read_hook(settings: Settings) -> Address:
    """Read the address and the key from the environment.

    Raises:
        SettingsError: naming the variable and what to write.
    """
    where = read_address(Webhook(url_variable=URL, secret_variable=SECRET), settings)
    host = urlsplit(where.url).hostname or ""
    if near(host) and not _is_loopback(host) and not _private_is_fine(settings):
        raise SettingsError(f"{URL} names a host of a private network. If it should, set {PRIVATE}=yes.")
    return where


async def announce(event: str, data: Mapping[str, str], *, key: str, settings: Settings, at: datetime) -> None:
    """Have an event told once, inside the caller's transaction: `key` names it. Does nothing where nobody listens."""
    if not is_wanted(settings) or not await say_once(f"hook:{event}:{key}", at=at):
        return
    id = f"msg_{uuid5(NAMESPACE, f'staff {event} {key}').hex}"
    await enqueue(JOB, {"event": event, "id": id, "at": at.isoformat(), **data}, key=f"hook:{id}")


def works(policy: Policy, settings: Settings, clock: Clock) -> list[Work]:
    """Return the work of telling."""

    async def tell(payload: Payload) -> None:
        if is_wanted(settings):
            await deliver(payload, policy, settings, at=clock())

    return [Work(JOB, tell, tries=TRIES)]


async def deliver(payload: Payload, policy: Policy, settings: Settings, *, at: datetime) -> None:
    """Tell one event.

    Raises:
        SourceUnavailable: no answer, or one that a later try may change.
        SourceRefused: any other answer, a redirect too, or an address that is not to be called.
    """
    try:
        where = read_hook(settings)
    except SettingsError:
        raise SourceRefused(SOURCE, "is not set up: see habeas check") from None
    await _need_public(where, settings)
    await send(where, body_of(payload, policy, settings), id=payload["id"], at=at, source=SOURCE)


def body_of(payload: Payload, policy: Policy, settings: Settings) -> bytes:
    """Return what is sent: type, time, data, and one sentence under `text`, which chat tools show as it is."""
    event = payload["event"]
    language = policy.languages[0]
    data = {name: value for name, value in payload.items() if name not in {"event", "id", "at"}}
    reference = payload.get("reference", "")
    path = PATHS.get(event) or (f"/staff/desk/{reference}" if reference else "/staff/desk")
    link = f"{settings.public_url}/{language}{path}"
    text = f"{_sentence(event, payload, Words(language, policy.controller.zone))} {link}"
    return msgspec.json.encode(
        {"type": f"staff.{event}", "timestamp": payload["at"], "data": {**data, "link": link}, "text": text}
    )


def _sentence(event: str, payload: Payload, words: Words) -> str:
    reference = payload.get("reference", "")
    match event:
        case "daily":
            things = int(payload["things"])
            if not things:
                return words("Today: nothing to do")
            said = words.plural("Today: one thing", "Today: {count} things", things)
            late = int(payload["late"])
            return f"{said} {words.plural('(1 late)', '({count} late)', late)}" if late else said
        case "failure":
            return words("Something failed and waits for somebody.")
        case "approval-waiting":
            return words("A second person is asked for.")
        case "test":
            return words("This is a test.")
        case _:
            return alarm_in_words(words, event, reference, date.fromisoformat(payload["day"]))


async def _need_public(where: Address, settings: Settings) -> None:
    """Refuse a name that leads into a private network, unless the operator said that it may.

    Raises:
        SourceUnavailable: the name cannot be looked up.
        SourceRefused: it leads where it must not.
    """
    host = urlsplit(where.url).hostname or ""
    if _private_is_fine(settings) or _is_loopback(host):
        return
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SourceUnavailable(SOURCE, type(error).__name__) from None
    if not all(ip_address(address[4][0]).is_global for address in found):
        raise SourceRefused(SOURCE, "leads into a private network")


def _private_is_fine(settings: Settings) -> bool:
    return settings.environment.get(PRIVATE, "").lower() in {"yes", "true", "1"}


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
