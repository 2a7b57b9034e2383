"""A stand-in for Resend on loopback, and the real SDK pointed at it, on a clock that only moves when told."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from demo.resend import StandIn, serving
from portal.clock import SetClock
from portal.mail.pace import Pace
from portal.mail.resend import Resend
from portal.mail.sender import Sender
from portal.policy.load import load
from portal.policy.model import Policy

POLICIES = Path(__file__).parents[2] / "policies"


@dataclass
class Ticker:
    """A monotonic clock that moves when somebody sleeps, or by itself with the SetClock."""

    seconds: float = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Sleep without waiting."""
        self.seconds += seconds


@pytest.fixture(params=["casagbic", "caaartoons"])
def policy(request: pytest.FixtureRequest) -> Policy:
    """Each organisation's policy in turn."""
    return load(POLICIES / f"{request.param}.toml")


@pytest.fixture
def ticker() -> Ticker:
    """Shared by our pace and the provider's limiter."""
    return Ticker()


@pytest.fixture
def standin(clock: SetClock, ticker: Ticker) -> Iterator[StandIn]:
    """The provider: 5 calls in a second, as the real one."""
    with serving(clock=clock, monotonic=ticker) as standin:
        yield standin


@pytest.fixture
async def provider(standin: StandIn, ticker: Ticker) -> AsyncIterator[Resend]:
    """The SDK, with little patience for silence."""
    provider = Resend(standin.api_key, standin.url, Pace(ticker, ticker.sleep), limit_seconds=0.3)
    yield provider
    await provider.close()


@pytest.fixture
def sender(provider: Resend, clock: SetClock) -> Sender:
    """What the job runs."""
    return Sender(
        provider=provider,
        sender="Casagbic <no-reply@casagbic.example>",
        reply_to="privacy@casagbic.example",
        clock=clock,
    )


def later(clock: SetClock, ticker: Ticker, by: timedelta) -> None:
    """Let time pass for us and for the provider."""
    clock.advance(by)
    ticker.seconds += by.total_seconds()
