"""Slowing down without locking out, and knowing nobody's address for longer than an hour."""

import asyncio
from datetime import timedelta

import pytest
from litestar import Request
from litestar.testing import RequestFactory

from portal.clock import SetClock
from portal.errors import SettingsError
from portal.identity.limits import Limits, Rule, swept

RULE = Rule("rule", 2, timedelta(minutes=10))


def test_a_refused_try_does_not_put_the_time_off(clock: SetClock) -> None:
    """Whoever keeps asking is let on at the time they were told."""
    limits = Limits(clock)
    start = clock()
    assert limits.take((RULE, "a")) is None
    clock.advance(timedelta(minutes=4))
    assert limits.take((RULE, "a")) is None
    for _ in range(20):
        assert limits.take((RULE, "a")) == start + timedelta(minutes=10)
    clock.now = start + timedelta(minutes=10)
    assert limits.take((RULE, "a")) is None


def test_one_key_does_not_slow_another(clock: SetClock) -> None:
    """Each key has its own count, and so has each rule."""
    limits = Limits(clock)
    for _ in range(3):
        limits.take((RULE, "a"))
    assert limits.take((RULE, "b")) is None
    assert limits.take((Rule("other", 1, timedelta(minutes=1)), "a")) is None


def test_when_one_rule_refuses_none_counts(clock: SetClock) -> None:
    """A stranger who is slowed down uses up nothing of anybody else's."""
    limits = Limits(clock)
    narrow = Rule("narrow", 1, timedelta(minutes=1))
    assert limits.take((narrow, "me"), (RULE, "all")) is None
    assert limits.take((narrow, "me"), (RULE, "all"))
    assert limits.take((RULE, "all")) is None


async def test_hits_are_forgotten_when_nobody_comes(clock: SetClock) -> None:
    """The sweep needs no call."""
    limits = Limits(clock)
    limits.take((RULE, "a"))
    clock.advance(timedelta(minutes=10))
    async with swept(limits, every=timedelta()):
        await asyncio.sleep(0)
    assert len(limits) == 0


def test_what_is_remembered_is_no_address(clock: SetClock) -> None:
    """Even a look into the memory shows keyed hashes, under a key of this process alone."""
    one, other = Limits(clock), Limits(clock)
    for limits in (one, other):
        limits.take((RULE, "203.0.113.7"))
    assert "203.0.113.7" not in str(vars(one)["_hits"])
    assert vars(one)["_hits"].keys() != vars(other)["_hits"].keys()


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "found"),
    [
        ("203.0.113.7", "", (), "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", (), "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", ("10.0.0.0/8",), "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.1", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "not an address", ("10.0.0.1",), "10.0.0.1"),
        ("10.0.0.1", "", ("10.0.0.1",), "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", (), "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "", (), "203.0.113.7"),
    ],
)
def test_only_a_trusted_proxy_says_who_the_client_is(
    clock: SetClock, peer: str, forwarded: str, trusted: tuple[str, ...], found: str
) -> None:
    """S-08: X-Forwarded-For is anybody's word unless our own proxy wrote it; an IPv6 client is its network."""
    request: Request[object, object, object] = RequestFactory().get("/", headers={"x-forwarded-for": forwarded})  # type: ignore[type-var]
    request.scope["client"] = (peer, 40000)
    assert Limits(clock, trusted=trusted).peer(request) == found


def test_a_wrong_proxy_setting_is_named(clock: SetClock) -> None:
    """The operator reads which variable, not a traceback later."""
    with pytest.raises(SettingsError, match="HABEAS_TRUSTED_PROXIES"):
        Limits(clock, trusted=("proxy.internal",))
