"""The one place that asks what time it is, so that tests and the demo can say.

Always true here: every instant is aware and in UTC.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

type Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


class SetClock:
    """A clock that stands still until it is moved. For tests and the demo."""

    def __init__(self, now: datetime) -> None:
        self.now = now.astimezone(UTC)

    def __call__(self) -> datetime:
        """Return the instant it stands at."""
        return self.now

    def advance(self, by: timedelta) -> None:
        """Move forward by `by`."""
        self.now += by
