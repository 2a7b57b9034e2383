"""Wait for something to become true, for a while and no longer.

Always true here: nobody waits without a deadline, and the deadline says what did not happen.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 120.0
"""Generous: the machine may be doing something else as well."""


async def until[T](
    happened: Callable[[], Awaitable[T]], what: str, *, seconds: float = PATIENCE_SECONDS, every: float = 0.2
) -> T:
    """Ask again and again until `happened` gives something true, and return it.

    Raises:
        AssertionError: when `what` did not happen in time.
    """
    deadline = time.monotonic() + seconds
    while not (found := await happened()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} seconds: not {what}"
        await asyncio.sleep(every)
    return found
