"""The mails that were accepted, each idempotency key with its answer, and the faults on order.

Always true here: what is kept is bounded; the same key never makes a second mail; times are the clock's, which
tests may set.
"""

import hashlib
import json
import threading
from collections import Counter, OrderedDict, deque
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from demo.resend.faults import Fault
from demo.resend.rules import Limiter, Refusal, addresses
from portal.clock import Clock

MOST_MAILS = 1_000
MOST_KEYS = 5_000
KEY_LIFE = timedelta(hours=24)


class Sent(msgspec.Struct, kw_only=True):
    """One accepted mail."""

    id: str
    params: dict[str, Any]
    key: str
    created_at: datetime
    last_event: str = "sent"

    @property
    def to(self) -> list[str]:
        """The addresses it goes to."""
        return addresses(self.params["to"])

    def described(self) -> dict[str, Any]:
        """What GET /emails/{id} answers, and each entry of /messages.json."""
        given = self.params
        return {
            "object": "email", "id": self.id, "message_id": f"<{self.id}@resend.example>", "to": self.to,
            "from": given["from"], "created_at": self.created_at.isoformat(), "subject": given["subject"],
            "html": given.get("html"), "text": given.get("text"), "bcc": addresses(given.get("bcc")),
            "cc": addresses(given.get("cc")), "reply_to": addresses(given.get("reply_to")),
            "headers": given.get("headers", {}), "tags": given.get("tags", []), "last_event": self.last_event,
        }  # fmt: skip


class Kept(msgspec.Struct):
    """An idempotency key: what it was used for, and the answer once there is one."""

    digest: str
    at: datetime
    answer: dict[str, Any] | None = None


class StandIn:
    """Resend's memory. `url` is set when it is served; `webhook_url` may be set at any time."""

    def __init__(self, *, api_key: str, webhook_secret: str, limiter: Limiter, clock: Clock) -> None:
        self.api_key = api_key
        self.webhook_secret = webhook_secret
        self.webhook_url = ""
        self.url = ""
        self.calls = 0
        self.refusals: Counter[str] = Counter()
        """How often each error was answered."""
        self.clock = clock
        self.limiter = limiter
        self._sent: OrderedDict[str, Sent] = OrderedDict()
        self._keys: OrderedDict[str, Kept] = OrderedDict()
        self._faults: deque[Fault] = deque(maxlen=10_000)
        self._lock = threading.Lock()

    def fail(self, fault: Fault, *, times: int = 1) -> None:
        """Let the next `times` calls that send fail in this way."""
        self._faults.extend([fault] * times)

    def mend(self) -> None:
        """Forget the faults that have not struck yet."""
        self._faults.clear()

    def next_fault(self) -> Fault | None:
        """Take the fault that is next."""
        with self._lock:
            return self._faults.popleft() if self._faults else None

    def messages(self, to: str = "") -> list[Sent]:
        """Return the accepted mails, newest first; to one address only, if given."""
        with self._lock:
            mails = list(reversed(self._sent.values()))
        wanted = to.casefold()
        return [mail for mail in mails if not wanted or wanted in [one.casefold() for one in mail.to]]

    def find(self, id: str) -> Sent:
        """Return one mail. Raises: Refusal."""
        with self._lock:
            if mail := self._sent.get(id):
                return mail
        raise Refusal(404, "not_found", "Email not found")

    def begin(self, path: str, payload: object, key: str | None) -> dict[str, Any] | None:
        """Return the answer that `key` has had already, or None and hold the key. Raises: Refusal."""
        if key is None:
            return None
        if not 1 <= len(key) <= 256:
            raise Refusal(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        digest = hashlib.sha256(json.dumps([path, payload], sort_keys=True).encode()).hexdigest()
        with self._lock:
            self._forget_old_keys()
            kept = self._keys.get(key)
            if kept is None:
                self._keys[key] = Kept(digest, self.clock())
                return None
        if kept.digest != digest:
            raise Refusal(409, "invalid_idempotent_request", "Same idempotency key used with another payload.")
        if kept.answer is None:
            raise Refusal(409, "concurrent_idempotent_requests", "Same idempotency key used by a call in progress.")
        return kept.answer

    def accept(self, mails: list[dict[str, Any]], key: str | None) -> list[Sent]:
        """Keep mails and forget the oldest beyond the bound."""
        new = [Sent(id=str(uuid4()), params=mail, key=key or "", created_at=self.clock()) for mail in mails]
        with self._lock:
            self._sent.update((mail.id, mail) for mail in new)
            while len(self._sent) > MOST_MAILS:
                self._sent.popitem(last=False)
        return new

    def remember(self, key: str | None, answer: dict[str, Any]) -> None:
        """Keep the answer that a key has had."""
        with self._lock:
            if key is not None and key in self._keys:
                self._keys[key].answer = answer

    def release(self, key: str | None) -> None:
        """Let go of a key whose call was not accepted."""
        with self._lock:
            if key is not None and key in self._keys and self._keys[key].answer is None:
                del self._keys[key]

    def _forget_old_keys(self) -> None:
        oldest = self.clock() - KEY_LIFE
        while self._keys and (len(self._keys) >= MOST_KEYS or next(iter(self._keys.values())).at <= oldest):
            self._keys.popitem(last=False)
