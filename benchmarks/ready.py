"""From the click to the copy that is ready, on the running demo, beside the bare work of collecting and laying out.

Always true here: both ways read the same sources of the same person, and make the same parcel with warm workers.
"""

import asyncio
import time
import warnings
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from uuid import uuid4

from benchmarks.bench import Bench
from benchmarks.guest import Guest
from benchmarks.measure import Figure, medians
from benchmarks.orders import silent
from exports.bundle import Parcel, assemble
from exports.press import Press
from portal.clock import system_clock
from portal.database import engine
from portal.policy.load import load
from portal.policy.model import Policy
from portal.rights.order import draw_order
from portal.rights.parts import open_parts
from portal.rights.requests import RequestView
from portal.settings import Settings, read_settings
from portal.sources.base import Identifiers
from portal.sources.registry import Sources, open_sources

AREA = "From click to ready"


def figures(bench: Bench) -> Iterator[Figure]:
    """Let an ordinary person and the one with most records take their copy."""
    for role in bench.scale.people:
        guest = bench.guest(role)
        bench.say(f"making copies for the {role} person")
        whole, bare, parcel = asyncio.run(_compare(bench, guest))
        yield Figure(
            what=f"the {role} person ({parcel.records:,} records, {parcel.files} files), time against the bare work",
            ratio=whole / bare, note=f"{whole:.1f} s from click to ready, {bare:.1f} s of bare work",
        )  # fmt: skip


async def _compare(bench: Bench, guest: Guest) -> tuple[float, float, Parcel]:
    settings = read_settings(bench.stack.environment)
    policy = load(settings.policy_file)
    rounds: list[tuple[float, float]] = []
    sources = _open(policy, settings)
    try:
        async with Press() as press:
            await asyncio.to_thread(guest.take_copy)
            _, parcel = await _bare(bench.fresh("ready"), policy, settings, sources, press, guest.email)
            for _ in range(bench.scale.rounds):
                copy = await asyncio.to_thread(guest.take_copy)
                seconds, parcel = await _bare(bench.fresh("ready"), policy, settings, sources, press, guest.email)
                rounds.append((copy.seconds, seconds))
    finally:
        await sources.close()
    whole, bare = medians(rounds)
    return whole, bare, parcel


def _open(policy: Policy, settings: Settings) -> Sources:
    """Open the sources beside the portal that has them open already."""
    with warnings.catch_warnings(action="ignore"):  # piccolo warns when its first address does not answer
        ours = engine()
    before, ours.config = ours.config, {"dsn": settings.database_dsn}
    try:
        return open_sources(policy, settings)
    finally:
        ours.config = before


async def _bare(
    folder: Path, policy: Policy, settings: Settings, sources: Sources, press: Press, email: str
) -> tuple[float, Parcel]:
    """Collect and lay out, with no request, no queue, no mail and no storage."""
    start = time.perf_counter()
    person = await sources.identify(Identifiers(emails=frozenset({email})))
    async with AsyncExitStack() as stack:
        request = _request(policy)
        readers = await open_parts(sources, policy, request, person, stack)
        order = draw_order(
            request, policy, readers, name=person.identifiers.display_name, email=email,
            public_url=settings.public_url, at=system_clock(),
        )  # fmt: skip
        parcel = await assemble(order, folder / "work", progress=silent, now=system_clock, press=press)
    assert parcel.complete
    return time.perf_counter() - start, parcel


def _request(policy: Policy) -> RequestView:
    """Make a request for everything that is nobody's."""
    at = system_clock()
    today = date(at.year, at.month, at.day)
    return RequestView(
        id=uuid4(), reference="DR-2026-0001", subject=uuid4(), right="access", channel="portal",
        categories=[category.id for category in policy.categories if category.searchable], format="all", language="en",
        state="working", outcome="", received_at=at, promise_day=None, law_day=today, due_day=today, closed_at=None,
        about=None, waits=False, act_by_day=None, extended_on=None,
    )  # fmt: skip
