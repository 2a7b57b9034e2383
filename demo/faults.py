"""A proxy that breaks things on demand, between a real client and a real server.

Always true here: without an order it passes every byte on as it is; an order strikes once, at the next connection.
"""

import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from fcntl import ioctl
from termios import TIOCOUTQ
from urllib.parse import urlsplit

PIECE_BYTES = 1 << 16
READING_SECONDS = 30
"""How long a client may take to read an answer and hang up."""


class Fault(StrEnum):
    """What happens to the next connection."""

    PASS = "pass"
    """Nothing; to let calls through before a fault."""
    BUSY = "busy"
    """503 SlowDown, as S3 words it."""
    TOO_MANY = "too-many"
    """429 without a word of when to come back."""
    ERROR = "error"
    """500 with a page that no vendor wrote."""
    SLOW = "slow"
    """The answer comes whole, `slow_seconds` later than it should."""
    RESET = "reset"
    """The connection is reset before an answer."""
    CUT = "cut"
    """The answer passes up to `cut_bytes` of it, and then the connection is reset."""
    SILENCE = "silence"
    """The call is taken and never answered."""


WHOLE = {Fault.PASS, Fault.SLOW}
ANSWERS = {
    Fault.BUSY: (
        "503 Slow Down",
        b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
    ),
    Fault.TOO_MANY: ("429 Too Many Requests", b"<html>Too many requests</html>"),
    Fault.ERROR: ("500 Internal Server Error", b"<html>Something went wrong</html>"),
}


class Proxy:
    """A running proxy at `url`. Each connection serves one call, so that a fault belongs to one call."""

    def __init__(self, target: str, cut_bytes: int, slow_seconds: float) -> None:
        address = urlsplit(target)
        self.target = (str(address.hostname), int(address.port or 80))
        self.cut_bytes, self.slow_seconds = cut_bytes, slow_seconds
        self.connections = 0
        self._orders: deque[Fault] = deque()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def fail(self, *faults: Fault) -> None:
        """Order what happens to the next connections, one after the other."""
        self._orders.extend(faults)

    def mend(self) -> None:
        """Forget the orders that have not struck yet."""
        self._orders.clear()

    def accept(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                self._open.add(client)
                fault = self._orders.popleft() if self._orders else Fault.PASS
                threading.Thread(target=self._serve, args=(client, fault), daemon=True).start()

    def close(self) -> None:
        """Stop listening and end what is open."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            _reset(one)

    def _serve(self, client: socket.socket, fault: Fault) -> None:
        with suppress(OSError):
            match fault:
                case Fault.RESET:
                    client.recv(PIECE_BYTES)
                case Fault.BUSY | Fault.TOO_MANY | Fault.ERROR:
                    client.recv(PIECE_BYTES)
                    status, body = ANSWERS[fault]
                    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                    client.sendall(head.encode() + body)
                    client.shutdown(socket.SHUT_WR)
                    client.recv(PIECE_BYTES)
                case Fault.SILENCE:
                    while client.recv(PIECE_BYTES):
                        pass
                case _:
                    if fault is Fault.SLOW:
                        time.sleep(self.slow_seconds)
                    self._pass(client, self.cut_bytes if fault is Fault.CUT else None)
        # A reset throws away what the client has not read yet: whose answer passes whole is closed in good order.
        client.close() if fault in WHOLE else _reset(client)
        self._open.discard(client)

    def _pass(self, client: socket.socket, cut: int | None) -> None:
        """Pass one call up and its answer down; the server is asked to end the connection after it."""
        with socket.create_connection(self.target) as server:
            server.sendall(client.recv(PIECE_BYTES).replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            upward = threading.Thread(target=_pour, args=(client, server, None), daemon=True)
            upward.start()
            _pour(server, client, cut)
            _until_taken(client)
            if cut is None:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_WR)
                upward.join(READING_SECONDS)
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            # A socket that another thread reads from is not reset by closing it: that thread must end first.
            with suppress(OSError):
                client.shutdown(socket.SHUT_RD)
            upward.join()


def _pour(source: socket.socket, target: socket.socket, cut: int | None) -> None:
    passed = 0
    with suppress(OSError):
        while piece := source.recv(PIECE_BYTES):
            allowed = piece if cut is None else piece[: cut - passed]
            target.sendall(allowed)
            passed += len(allowed)
            if cut is not None and passed >= cut:
                return


def _until_taken(one: socket.socket) -> None:
    """Wait until the other side's machine has all that was sent: a reset throws away what is still on its way."""
    until = time.monotonic() + READING_SECONDS
    with suppress(OSError, ValueError):  # a socket that was closed meanwhile has no number any more
        while time.monotonic() < until and int.from_bytes(ioctl(one, TIOCOUTQ, bytes(4)), sys.byteorder):
            time.sleep(0.001)


def _reset(one: socket.socket) -> None:
    """Close so that the other side sees a reset, not an orderly end."""
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    one.close()


@contextmanager
def between(target: str, *, cut_bytes: int = 200_000, slow_seconds: float = 2.0) -> Iterator[Proxy]:
    """Put a proxy before the server at `target` while the block runs."""
    proxy = Proxy(target, cut_bytes, slow_seconds)
    thread = threading.Thread(target=proxy.accept, name="fault proxy")
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
