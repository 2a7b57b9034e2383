"""A process that does one task after another: `python -m exports.worker`, started by `exports/press.py`.

Always true here: it is niced, limited in memory, and cannot open a network connection. It gives no detail of a failure
but its kind: messages might hold personal data.
"""

import gc
import os
import pickle
import resource
import struct
import sys
from pathlib import Path
from typing import BinaryIO

HEADER = struct.Struct("<Q")
NICENESS = 19
"""The least: beside it a page waits for a worker for no more than a moment, also with fewer processors than workers."""
WORN_KIB = 256 * 1024
"""A worker that has grown beyond this gives its memory back by ending."""


def main() -> None:
    """Serve tasks from standard input until it closes. Each answer is (result, kind of failure, worn)."""
    memory = int(sys.argv[1])
    os.nice(NICENESS)
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _warm()
    sys.addaudithook(_no_network)
    while (task := receive(requests)) is not None:
        send(answers, _do(task))


def _warm() -> None:
    """Load everything before the first task, and keep the collector from walking over it again and again."""
    import exports.pdf  # noqa: PLC0415  half a second, once
    import exports.tasks  # noqa: F401, PLC0415

    gc.collect()
    gc.freeze()


def _do(task: bytes) -> bytes:
    result, failure = None, ""
    try:
        result = pickle.loads(task).run()  # noqa: S301  it comes from our own parent, through a pipe
    except Exception as error:  # noqa: BLE001  the worker's edge: the parent decides what a failure means
        failure = type(error).__name__
    worn = bool(failure) or _resident_kib() > WORN_KIB
    return pickle.dumps((result, failure, worn))


def _resident_kib() -> int:
    """Return the memory this process holds now.

    Not `ru_maxrss`: Linux hands a parent's peak on to its child, and a large portal would wear out every worker.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def _no_network(event: str, _arguments: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto"}:
        raise PermissionError("a worker has no network")


def receive(stream: BinaryIO) -> bytes | None:
    """Read one message; None at the end."""
    header = stream.read(HEADER.size)
    return stream.read(*HEADER.unpack(header)) if len(header) == HEADER.size else None


def send(stream: BinaryIO, message: bytes) -> None:
    """Write one message."""
    stream.write(HEADER.pack(len(message)) + message)
    stream.flush()


if __name__ == "__main__":
    main()
