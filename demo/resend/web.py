"""As much of HTTP as a stand-in needs, on bare ASGI: a call, an answer, silence and half an answer.

Always true here: a body has a bound, and an answer that is meant to break really breaks.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST_BODY = 5_000_000


@dataclass(frozen=True)
class Answer:
    """One answer. `half` sends the first half of its body and hangs up; `silent` sends nothing."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    half: bool = False
    silent: bool = False

    @classmethod
    def json(cls, value: object, *, status: int = 200) -> "Answer":
        """Answer JSON."""
        return cls(status, json.dumps(value).encode(), {"content-type": "application/json; charset=utf-8"})

    def with_headers(self, headers: Mapping[str, str]) -> "Answer":
        """Add headers."""
        return replace(self, headers={**self.headers, **headers})

    def broken(self) -> "Answer":
        """Make it break in the middle."""
        return replace(self, half=True)

    async def send(self, send: Send) -> None:
        """Send it, as far as it goes."""
        if self.silent:
            return
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        headers.append((b"content-length", str(len(self.body)).encode()))
        body = self.body[: len(self.body) // 2] if self.half else self.body
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": self.half})


@dataclass(frozen=True)
class Call:
    """One call with its whole body."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    receive: Receive

    async def silence(self) -> Answer:
        """Say nothing until the caller hangs up."""
        while (await self.receive())["type"] != "http.disconnect":
            pass
        return Answer(0, b"", {}, silent=True)


async def read_call(scope: Scope, receive: Receive) -> Call:
    """Read one call. What is longer than the bound is cut off, and then no JSON."""
    body, more = b"", True
    while more and len(body) <= LARGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return Call(
        method=scope["method"],
        path=scope["path"],
        query={name: values[0] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()},
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
        receive=receive,
    )
