"""A press that need not be loaded again for each death: forked, warm, from a process that has everything loaded.

Always true here: it is the product's own press process in all but how it began, and it ends when its worker is killed.
"""

import asyncio
import os
import signal
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from dataclasses import dataclass
from typing import Any

import exports.pdf  # noqa: F401  half a second, once
from exports import worker
from exports.press import Press

MEMORY = 8 << 30
"""Address space: the process that it is forked from has more loaded than a press."""
HIGHEST_FILE = 512

_ready: list["Forked"] = []


@dataclass
class Forked:
    """What `Press` wants of a process."""

    pid: int
    read: int
    write: int
    stdin: StreamWriter | None = None
    stdout: StreamReader | None = None
    returncode: int | None = None

    def kill(self) -> None:
        """Kill it."""
        os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        """Collect it."""
        if self.returncode is None:
            _, status = await asyncio.to_thread(os.waitpid, self.pid, 0)
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    async def opened(self) -> "Forked":
        """Open its pipes on the running loop."""
        loop = asyncio.get_running_loop()
        self.stdout = StreamReader()
        await loop.connect_read_pipe(lambda: StreamReaderProtocol(self.stdout), os.fdopen(self.read, "rb"))
        transport, protocol = await loop.connect_write_pipe(
            asyncio.streams.FlowControlMixin, os.fdopen(self.write, "wb")
        )
        self.stdin = StreamWriter(transport, protocol, None, loop)
        return self


def prepare(number: int) -> None:
    """Fork some before anything is opened, and have `Press` take them first."""
    for _ in range(number):
        _fork()
    press: Any = Press
    start = press._start

    async def _start(self: Any) -> Any:
        return await _ready.pop().opened() if _ready else await start(self)

    press._start = _start


def _fork() -> None:
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(theirs_in, 0)
        os.dup2(theirs_out, 1)
        os.closerange(3, HIGHEST_FILE)
        worker.NICENESS, worker.WORN_KIB = 0, MEMORY >> 10
        worker.sys.argv = ["exports.worker", str(MEMORY)]
        worker.main()
        os._exit(0)
    os.close(theirs_in)
    os.close(theirs_out)
    _ready.append(Forked(pid, ours_in, ours_out))
