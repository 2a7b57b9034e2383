"""Serve the stand-in: the API, the inbox and the orders for faults on one port of 127.0.0.1.

Always true here: a secret that the SDK could not use is refused before anything starts.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from demo import loopback
from demo.resend import inbox
from demo.resend.api import Api
from demo.resend.faults import Fault
from demo.resend.rules import Limiter
from demo.resend.standin import StandIn
from demo.resend.web import Answer, Call, Receive, Scope, Send, read_call
from portal.clock import Clock, system_clock

API_KEY = "re_demo_key"
SECRET = "whsec_c3RhbmQtaW4tc2VjcmV0LW9mLXRoZS1kZW1v"


class App:
    """The API and the inbox on one port."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self.api = Api(standin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP call."""
        call = await read_call(scope, receive)
        answer = inbox.answer(self.standin, call) or self._control(call) or await self.api(call)
        await answer.send(send)

    def _control(self, call: Call) -> Answer | None:
        """POST /faults {"fault": "error", "times": 2}: order faults from another process."""
        if (call.method, call.path) != ("POST", "/faults"):
            return None
        try:
            order = json.loads(call.body)
            self.standin.fail(Fault(order["fault"]), times=min(int(order.get("times", 1)), 1000))
        except (ValueError, KeyError, TypeError, AttributeError):
            return Answer.json({"faults": [fault.value for fault in Fault]}, status=422)
        return Answer.json({"ordered": order["fault"]})


@contextmanager
def serving(
    port: int = 0,
    *,
    api_key: str = API_KEY,
    webhook_secret: str = SECRET,
    webhook_url: str = "",
    limit: int = 5,
    window_seconds: float = 1.0,
    clock: Clock = system_clock,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[StandIn]:
    """Serve a stand-in on `port` (0: any free one) while the block runs.

    Raises:
        ValueError: when `webhook_secret` is not `whsec_` and base64; the SDK would refuse every webhook.
    """
    base64.b64decode(webhook_secret.removeprefix("whsec_"), validate=True)
    limiter = Limiter(limit, window_seconds, monotonic)
    standin = StandIn(api_key=api_key, webhook_secret=webhook_secret, limiter=limiter, clock=clock)
    standin.webhook_url = webhook_url
    with loopback.serving(App(standin), port=port, name="resend stand-in") as standin.url:
        yield standin
