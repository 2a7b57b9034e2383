"""The pace is the provider's, as its headers tell it."""

import asyncio

import pytest

from portal.mail.pace import Pace
from tests.mail.conftest import Ticker


@pytest.fixture
def pace(ticker: Ticker) -> Pace:
    """A pace that knows nothing yet."""
    return Pace(ticker, ticker.sleep)


async def call(pace: Pace, status: int = 200, **headers: str) -> None:
    async with pace.turn():
        pace.learn(status, {name.replace("_", "-"): value for name, value in headers.items()})


async def test_knowing_nothing_one_call_leaves_at_a_time(pace: Pace) -> None:
    """The second waits until the first has been answered."""
    first = pace.turn()
    await first.__aenter__()
    second = asyncio.create_task(call(pace))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not second.done()
    pace.learn(200, {"ratelimit-remaining": "4", "ratelimit-reset": "1"})
    await second
    await first.__aexit__(None, None, None)


async def test_what_remains_is_used_and_then_the_reset_is_awaited(pace: Pace, ticker: Ticker) -> None:
    """Two left until second 7: the third call leaves at second 7."""
    await call(pace, ratelimit_remaining="2", ratelimit_reset="7")
    for _ in range(2):
        async with pace.turn():
            assert ticker.seconds == 0
    async with pace.turn():
        assert ticker.seconds == 7


async def test_calls_under_way_are_taken_off_what_remains(pace: Pace) -> None:
    """An answer that says two remain may not know of the call that is under way."""
    await call(pace, ratelimit_remaining="2", ratelimit_reset="7")
    async with pace.turn(), pace.turn():
        pace.learn(200, {"ratelimit-remaining": "1", "ratelimit-reset": "7"})
        assert pace.pause() == 7


async def test_retry_after_closes_the_way_for_everybody(pace: Pace, ticker: Ticker) -> None:
    """Even when the limit itself has calls left."""
    await call(pace, 429, ratelimit_remaining="4", ratelimit_reset="1", retry_after="30")
    assert pace.pause() == 30
    async with pace.turn():
        assert ticker.seconds == 30


async def test_retry_after_in_a_good_answer_says_nothing(pace: Pace) -> None:
    """The provider may send it along always; only a refusal makes it an order."""
    await call(pace, 200, ratelimit_remaining="4", ratelimit_reset="1", retry_after="30")
    assert pace.pause() == 0


@pytest.mark.parametrize("value", ["", "-1", "1e9", "٣", "soon", "1, 2"])
async def test_a_header_that_is_no_number_is_ignored(value: str, pace: Pace) -> None:
    """A broken proxy does not stop the mail."""
    await call(pace, 429, ratelimit_remaining=value, ratelimit_reset=value, retry_after=value)
    assert pace.pause() == 0


async def test_an_absurd_pause_ends_within_a_day(pace: Pace) -> None:
    """Whatever the header says."""
    await call(pace, 429, retry_after="9" * 20)
    assert pace.pause() == 86_400


async def test_a_call_that_fails_gives_its_place_back(pace: Pace) -> None:
    """Whatever it raised."""
    with pytest.raises(ZeroDivisionError):
        async with pace.turn():
            raise ZeroDivisionError
    async with pace.turn():
        pass
