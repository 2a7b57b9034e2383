"""Does the heavy work of an export (layout, packing) in warm worker processes, so that pages stay quick meanwhile.

Always true here: a task ends within its time, or its process is killed and another takes its place. Nothing is ever
laid out in the portal's own process.
"""

import asyncio
import pickle
import sys
from pathlib import Path
from typing import Self

from exports.tasks import Task
from exports.worker import HEADER

ROOT = Path(__file__).parent.parent
MEMORY = 1 << 30
"""Address space of a worker; what it really uses stays far below."""


class PressError(Exception):
    """A task failed. `reason` is the kind of failure, `TimeoutError` or `Killed`; it never holds personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Press:
    """A few worker processes, started when first needed and kept warm. `async with Press() as press:` ends them."""

    def __init__(self, *, workers: int = 2, memory_bytes: int = MEMORY) -> None:
        self._free = asyncio.Semaphore(workers)
        self._idle: list[asyncio.subprocess.Process] = []
        self._memory = memory_bytes

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def run[Result](self, task: Task[Result], *, seconds: float) -> Result:
        """Do `task` in a worker process. When this is cancelled, the process is killed.

        Raises:
            PressError: when the task fails, takes longer than `seconds` or its process dies.
        """
        async with self._free:
            worker = await self._take()
            keep = False
            try:
                async with asyncio.timeout(seconds):
                    result, failure, worn = await _ask(worker, task)
                keep = not worn
            except TimeoutError as error:
                raise PressError("TimeoutError") from error
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                raise PressError("Killed") from error
            finally:
                if keep:
                    self._idle.append(worker)
                else:
                    await _end(worker)
        if failure:
            raise PressError(failure)
        return result

    async def close(self) -> None:
        """End all workers. Idempotent."""
        while self._idle:
            await _end(self._idle.pop())

    async def _take(self) -> asyncio.subprocess.Process:
        """Return a warm worker, passing over any that died meanwhile, or a new one. Raises: PressError."""
        while self._idle:
            worker = self._idle.pop()
            if worker.returncode is None:
                return worker
        try:
            return await self._start()
        except OSError as error:
            raise PressError("NotStarted") from error

    async def _start(self) -> asyncio.subprocess.Process:
        """Start a worker with a clean environment: it needs none of our secrets."""
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "exports.worker", str(self._memory),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )  # fmt: skip


async def _ask[Result](worker: asyncio.subprocess.Process, task: Task[Result]) -> tuple[Result, str, bool]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    message = pickle.dumps(task)
    worker.stdin.write(HEADER.pack(len(message)) + message)
    await worker.stdin.drain()
    (length,) = HEADER.unpack(await worker.stdout.readexactly(HEADER.size))
    result, failure, worn = pickle.loads(await worker.stdout.readexactly(length))  # noqa: S301  from our own child
    return result, failure, worn


async def _end(worker: asyncio.subprocess.Process) -> None:
    if worker.returncode is None:
        worker.kill()
    if worker.stdin is not None:
        worker.stdin.close()
    await worker.wait()
