"""The same over a real socket: what no client library would send."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from tests.web_app import make_app


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The application on a real server; its lifespan is left out, as nothing here needs a database."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        make_app(), lifespan="off", log_config=None, access_log=False, server_header=False, ws="none"
    )  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)


LINES = {
    "an over-long path": b"GET /en/" + b"a" * 60_000 + b" HTTP/1.1",
    "bad percent-encoding": b"GET /en/%zz%f%00 HTTP/1.1",
    "bytes that are no UTF-8": b"GET /en/%c3%28%a0%a1 HTTP/1.1",
    "an overlong slash": b"GET /en/%c0%af%c0%afetc HTTP/1.1",
    "a path to another site": b"GET //evil.example/%2e%2e HTTP/1.1",
    "a whole address": b"GET http://evil.example/en/x HTTP/1.1",
    "a backslash": b"GET /\\evil.example HTTP/1.1",
    "a star": b"OPTIONS * HTTP/1.1",
    "an unknown method": b"BREW /en HTTP/1.1",
    "no path": b"GET  HTTP/1.1",
    "a NUL in the query": b"GET /en/accessibility?a=%00 HTTP/1.1",
    "a broken query": b"GET /en/accessibility?%%%=&&&= HTTP/1.1",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_nothing_on_the_wire_becomes_a_500(port: int, line: bytes) -> None:
    """Whatever the first line is, the answer is one of 2xx to 4xx, and the server goes on."""
    status = ask(port, line + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert 200 <= status < 500
    assert ask(port, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n") == 200


HEADERS = {
    "a host that is none": b"Host: <script>",
    "two hosts": b"Host: a.example\r\nHost: b.example",
    "a strange language": b"Host: a\r\nAccept-Language: " + b"x-,;q=;;" * 900,
    "a cookie of noise": b"Host: a\r\nCookie: \xff\xfe=\x80;;==; habeas=" + b"%00" * 50,
    "an encoding of noise": b"Host: a\r\nAccept-Encoding: \xff;q=\xfe,,;",
    "an entity tag of noise": b'Host: a\r\nIf-None-Match: ",W/,"\xff',
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_no_header_becomes_a_500(port: int, header: bytes) -> None:
    """Headers are strangers' words."""
    for path in (b"/", b"/en/accessibility", b"/en/nothing"):
        assert ask(port, b"GET " + path + b" HTTP/1.1\r\n" + header + b"\r\nConnection: close\r\n\r\n") < 500


def ask(port: int, request: bytes) -> int:
    """Send raw bytes; return the status of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
        answer = b""
        while b"\r\n" not in answer and (piece := connection.recv(4096)):
            answer += piece
    return int(answer.split(b" ", 2)[1])
