"""Keep to the provider's pace, as its answers tell it: how many calls are left, until when, and when to come back.

Always true here: the rate is never ours to guess. Knowing nothing, one call leaves and its answer tells the rest;
all jobs of the process share what was learnt.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager

LONGEST_SECONDS = 86_400.0


class Pace:
    """What the last answers said. The clock and the sleep are arguments, for tests."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Coroutine[None, None, None]] = asyncio.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._left = 0
        self._outdated_at = 0.0
        """When what we know is outdated: then one call may leave, and will tell us more."""
        self._closed_until = 0.0
        self._flying = 0
        self._queue = asyncio.Lock()
        self._news = asyncio.Event()

    def pause(self) -> float:
        """Return the seconds that the provider wants us to wait, as far as we know now."""
        now = self._monotonic()
        if now < self._closed_until:
            return self._closed_until - now
        return 0.0 if self._left else max(0.0, self._outdated_at - now)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait, first come first served, until a call may leave; hold its place until it has been answered."""
        async with self._queue:
            while (seconds := self.pause()) or (self._flying and not self._left):
                await self._rest(seconds)
            self._left = max(0, self._left - 1)
            self._flying += 1
        try:
            yield
        finally:
            self._flying -= 1
            self._news.set()

    def learn(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from the answer to a call whose turn it still is.

        Source: the sixth IETF draft of the RateLimit headers, which Resend follows; all are whole seconds.
        """
        now = self._monotonic()
        remaining, reset = _number(headers, "ratelimit-remaining"), _number(headers, "ratelimit-reset")
        if remaining is None or reset is None:
            self._outdated_at = now
        else:
            # The other calls under way may not be counted in `remaining` yet: suppose that none is.
            self._left = max(0, int(remaining) - (self._flying - 1))
            self._outdated_at = now + reset
        wait = _number(headers, "retry-after")
        if status >= 400 and wait is not None:
            self._closed_until, self._left = now + wait, 0
        self._news.set()

    async def _rest(self, seconds: float) -> None:
        """Wait for an answer with news, but not longer than `seconds`, if any."""
        self._news.clear()
        waits: list[asyncio.Task[bool | None]] = [asyncio.create_task(self._news.wait())]
        if seconds:
            waits.append(asyncio.create_task(self._sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _number(headers: Mapping[str, str], name: str) -> float | None:
    """Read a header that is a plain number; anything else is as good as missing."""
    text = headers.get(name, "")
    return min(float(text), LONGEST_SECONDS) if text.isascii() and text.isdecimal() else None
