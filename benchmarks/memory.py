"""Watches how much memory the processes take that this one has started.

Always true here: a process that ended between two looks counts with what it held at the last one.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.apart import peak_mib

EVERY_SECONDS = 0.1


class Peak:
    """The dearest of the processes we started while `watching`. In MiB."""

    def __init__(self) -> None:
        self.mib = 0.0

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look now and then, and once more at the end."""
        before = set(children())
        task = asyncio.create_task(self._watch(before))
        try:
            yield
        finally:
            self._look(before)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _watch(self, before: set[int]) -> None:
        while True:
            self._look(before)
            await asyncio.sleep(EVERY_SECONDS)

    def _look(self, before: set[int]) -> None:
        self.mib = max([self.mib, *(peak_mib(child) for child in children() if child not in before)])


def children() -> list[int]:
    """Return the processes that this one has started and that have not ended."""
    threads = Path(f"/proc/{os.getpid()}/task").iterdir()
    return [int(id) for thread in threads for id in (thread / "children").read_text().split()]
