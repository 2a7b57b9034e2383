"""Slow down whoever asks too often, without ever closing the door on the person.

Always true here: hits live in memory alone, under a key that dies with the process; each is gone within the hour of
that hit; a refused try is not counted, so the time we name is the time at which it goes on.
Each process counts for itself. What must hold across processes (tries of a code) is counted in the database.
"""

import asyncio
import hmac
import secrets
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import pairwise

import msgspec

from portal.clock import Clock
from portal.errors import SettingsError
from portal.web import Req

LONGEST = timedelta(minutes=55)
"""With a sweep each minute, no hit is kept for an hour. Source: Caaartoons' policy, one hour in memory."""
SWEEP_EVERY = timedelta(minutes=1)


class Rule(msgspec.Struct, frozen=True):
    """At most `most` hits of one key `within` a time."""

    name: str
    most: int
    within: timedelta

    def __post_init__(self) -> None:
        """Refuse a rule that would remember for longer than we promise."""
        if self.within > LONGEST:
            raise ValueError(f"the rule {self.name} remembers for longer than {LONGEST}")


ASK_AGAIN = Rule("ask-again", 1, timedelta(minutes=1))
ASK_ADDRESS = Rule("ask-address", 5, timedelta(minutes=10))
ASK_PEER = Rule("ask-peer", 30, timedelta(minutes=10))
ASK_ALL = Rule("ask-all", 1_000, timedelta(minutes=10))
GUESS_ADDRESS = Rule("guess-address", 10, timedelta(minutes=50))
GUESS_PEER = Rule("guess-peer", 30, timedelta(minutes=10))
OUTSIDE_PEER = Rule("outside-peer", 30, timedelta(minutes=10))
OUTSIDE_ALL = Rule("outside-all", 1_000, timedelta(minutes=10))

type Hit = tuple[Rule, str]
type Networks = list[IPv4Network | IPv6Network]


class Limits:
    """The hits of the last hour at most. `trusted`: proxies (addresses or networks) whose word counts.

    Raises:
        SettingsError: when `trusted` holds something else.
    """

    def __init__(self, clock: Clock, *, trusted: Sequence[str] = ()) -> None:
        self._clock = clock
        self._trusted = _networks(trusted)
        self._key = secrets.token_bytes(32)
        self._hits: dict[tuple[str, bytes], tuple[Rule, deque[datetime]]] = {}

    def __len__(self) -> int:
        """Return how many hits are remembered."""
        return sum(len(hits) for _, hits in self._hits.values())

    def take(self, *wanted: Hit) -> datetime | None:
        """Count one hit for each (rule, key), or none at all and return when to come back."""
        self.evict()
        at = self._clock()
        waits = [until for rule, key in wanted if (until := self._until(rule, key))]
        if waits:
            return max(waits)
        for rule, key in wanted:
            self._hits.setdefault(self._place(rule, key), (rule, deque()))[1].append(at)
        return None

    def peer(self, request: Req) -> str:
        """Return what stands for the client: its IP address, or its /64 network for IPv6.

        X-Forwarded-For counts only as far as trusted proxies wrote it, read from the nearest one outwards.
        """
        hops = [request.client.host if request.client else ""]
        hops += [hop.strip() for hop in reversed(request.headers.get("x-forwarded-for", "").split(","))]
        for nearer, hop in pairwise(hops):
            if not _inside(nearer, self._trusted) or not _is_address(hop):
                return _place_of(nearer)
        return _place_of(hops[-1])

    def evict(self) -> None:
        """Forget every hit whose time is over."""
        at = self._clock()
        for place, (rule, hits) in list(self._hits.items()):
            while hits and at - hits[0] >= rule.within:
                hits.popleft()
            if not hits:
                del self._hits[place]

    def _until(self, rule: Rule, key: str) -> datetime | None:
        _, hits = self._hits.get(self._place(rule, key), (rule, deque[datetime]()))
        return hits[0] + rule.within if len(hits) >= rule.most else None

    def _place(self, rule: Rule, key: str) -> tuple[str, bytes]:
        return rule.name, hmac.digest(self._key, key.encode(), "sha256")


@asynccontextmanager
async def swept(limits: Limits, *, every: timedelta = SWEEP_EVERY) -> AsyncIterator[None]:
    """Forget old hits also when nobody comes. For the app's lifespan."""

    async def sweep() -> None:
        while True:
            limits.evict()
            await asyncio.sleep(every.total_seconds())

    task = asyncio.create_task(sweep())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _networks(trusted: Sequence[str]) -> Networks:
    try:
        return [ip_network(entry, strict=False) for entry in trusted]
    except ValueError as error:
        raise SettingsError(
            f"HABEAS_TRUSTED_PROXIES holds addresses and networks, separated by commas: {error}"
        ) from None


def _inside(hop: str, networks: Networks) -> bool:
    return _is_address(hop) and any(ip_address(hop) in network for network in networks)


def _is_address(hop: str) -> bool:
    try:
        ip_address(hop)
    except ValueError:
        return False
    return True


def _place_of(hop: str) -> str:
    if not _is_address(hop):
        return hop
    address = ip_address(hop)
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((int(address) >> 64 << 64, 64)))
    return hop
