"""Keep to the provider's pace, as its answers tell it: how many calls are left, until when, and when to come back.

Always true here: no number is ours. Knowing nothing, we send one and learn from its answer; all jobs of the
process share what was learnt.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

BLIND = 1.0
"""Seconds that one unanswered call holds the others up, while nothing is known."""


class Pace:
    """What the last answers said. The clock and the sleep are arguments, for tests."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._left = 1
        self._fresh_until = 0.0
        """When what we know is outdated: one call may leave then, and will tell us more."""
        self._closed_until = 0.0
        self._flying = 0
        self._queue = asyncio.Lock()
        self._news = asyncio.Event()

    def pause(self) -> float:
        """Return the seconds until a call may leave, as far as we know now."""
        now = self._monotonic()
        if now < self._closed_until:
            return self._closed_until - now
        return 0.0 if self._left > 0 else max(0.0, self._fresh_until - now)

    async def turn(self) -> None:
        """Wait until a call may leave, first come first served, and take its place."""
        async with self._queue:
            while (seconds := self.pause()) > 0:
                await self._rest(seconds)
            if self._left <= 0:
                self._left, self._fresh_until = 1, self._monotonic() + BLIND
            self._left -= 1
            self._flying += 1
            self._fresh_until = max(self._fresh_until, self._monotonic() + (0 if self._left else BLIND))

    def landed(self, headers: Mapping[str, str]) -> None:
        """Learn from an answer; an empty mapping says that none came.

        Source: the sixth IETF draft of RateLimit headers, which Resend follows; all are whole seconds.
        """
        now = self._monotonic()
        self._flying = max(0, self._flying - 1)
        remaining, reset = _number(headers, "ratelimit-remaining"), _number(headers, "ratelimit-reset")
        if remaining is not None and reset is not None:
            # Calls that are under way may or may not be counted in `remaining`: suppose they are not.
            self._left, self._fresh_until = max(0, int(remaining) - self._flying), now + reset
        elif not self._flying:
            self._left = max(self._left, 1)
        if (wait := _number(headers, "retry-after")) is not None:
            self._closed_until, self._left, self._fresh_until = now + wait, 0, now + wait
        self._news.set()

    async def _rest(self, seconds: float) -> None:
        """Sleep, but not longer than until an answer brings news."""
        self._news.clear()
        waits = [asyncio.ensure_future(self._news.wait()), asyncio.ensure_future(self._sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _number(headers: Mapping[str, str], name: str) -> float | None:
    """Read a header that is a plain number; anything else is as good as missing."""
    text = headers.get(name, "")
    return min(float(text), 86_400.0) if text.isascii() and text.isdecimal() else None
