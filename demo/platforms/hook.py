"""Where a sample platform hears from Habeas: it verifies each call, as any should, and remembers what it heard.

Always true here: a call with a wrong or an old signature is refused and not heard; a repeated id is heard once.
"""

import base64
import hmac
import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from demo import loopback
from demo.resend.web import Answer, Call, Receive, Scope, Send, read_call
from portal.clock import Clock, system_clock

SECRET = "whsec_" + base64.b64encode(b"the secret of the sample platform").decode()
FRESH_SECONDS = 300


@dataclass(frozen=True)
class Heard:
    """One thing that the platform was told."""

    event: str
    reference: str
    accounts: tuple[str, ...]


class Hook:
    """The receiver as an ASGI application. `heard` is in order; `answers` are statuses for the next calls."""

    def __init__(self, *, secret: str = SECRET, clock: Clock = system_clock) -> None:
        self.url = ""
        self.secret = secret
        self.clock = clock
        self.fresh_seconds: float = FRESH_SECONDS
        self.heard: list[Heard] = []
        self.answers: deque[int] = deque()
        self.calls = 0
        self._ids: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP call."""
        call = await read_call(scope, receive)
        self.calls += 1
        await self._answer(call).send(send)

    def _answer(self, call: Call) -> Answer:
        if self.answers:
            return Answer(self.answers.popleft(), b"", {"location": self.url})
        if not self._genuine(call):
            return Answer(401, b"", {})
        if call.headers["webhook-id"] not in self._ids:
            self._ids.add(call.headers["webhook-id"])
            said = json.loads(call.body)
            data = said["data"]
            self.heard.append(Heard(said["type"], data.get("reference", ""), tuple(data.get("accounts", ()))))
        return Answer(204, b"", {})

    def _genuine(self, call: Call) -> bool:
        """Verify a call: these are the lines that docs/sources.md shows."""
        id, moment = call.headers.get("webhook-id", ""), call.headers.get("webhook-timestamp", "")
        if not moment.isdecimal() or abs(self.clock().timestamp() - int(moment)) > self.fresh_seconds:
            return False
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        wanted = base64.b64encode(hmac.digest(key, f"{id}.{moment}.".encode() + call.body, "sha256")).decode()
        said = call.headers.get("webhook-signature", "").split(" ")
        return any(hmac.compare_digest(one, f"v1,{wanted}") for one in said)


@contextmanager
def listening(*, port: int = 0, secret: str = SECRET, clock: Clock = system_clock) -> Iterator[Hook]:
    """Listen on `port` (0: any free one) of this machine while the block runs."""
    hook = Hook(secret=secret, clock=clock)
    with loopback.serving(hook, port=port, name="platform hook") as hook.url:
        yield hook
