"""An answer of Piccolo Admin that is kept back until we know what becomes of it.

Always true here: nothing of it leaves by itself, and a body that is sent to us is never read past its limit.
"""

from collections.abc import Sequence
from typing import cast

import msgspec
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope

LARGEST_BODY_BYTES = 64 * 1024

type Headers = Sequence[tuple[bytes, bytes]]


class TooLarge(Exception):
    """A body is larger than any that Piccolo Admin sends."""


class Captured(msgspec.Struct, frozen=True):
    """A whole answer."""

    status: int
    headers: Headers
    body: bytes


async def capture(app: ASGIApp, scope: Scope, receive: Receive) -> Captured:
    """Run an application and keep its answer."""
    status, headers, body = 500, cast(Headers, ()), bytearray()

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            body.extend(message["body"])

    await app(scope, receive, send)
    return Captured(status, headers, bytes(body))


def json_answer(status: int, content: object, *, headers: Headers = ()) -> Captured:
    """Return an answer of ours in JSON. What `headers` said of another body is left out."""
    body = msgspec.json.encode(content)
    kept = [(name, value) for name, value in headers if name.lower() not in {b"content-length", b"content-type"}]
    own = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return Captured(status, [*kept, *own], body)


async def limited(receive: Receive) -> Receive:
    """Read a whole body and return what gives it out again. Raises: TooLarge."""
    body = bytearray()
    while True:
        message = cast(HTTPReceiveMessage, await receive())
        if message["type"] != "http.request":
            break
        body += message["body"]
        if len(body) > LARGEST_BODY_BYTES:
            raise TooLarge
        if not message["more_body"]:
            break
    given = False

    async def again() -> HTTPReceiveMessage:
        nonlocal given
        if given:
            return cast(HTTPReceiveMessage, {"type": "http.disconnect"})
        given = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return cast(Receive, again)
