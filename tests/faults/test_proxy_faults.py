"""Stripe, S3 and Resend break in the middle of an erasure, in every way, and stay broken; then they work again.

Always true here: while it lasts the erasure is open, says what is in its way, and nobody is told that it is done;
afterwards everything is as if nothing had happened.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import msgspec
import pytest

from demo.faults import Fault, Proxy, between
from demo.seaweed import Seaweed
from tests.faults.crash_after import After, differences, look
from tests.faults.crash_scenes import erasure_due
from tests.faults.crash_worker import NOT_OVER
from tests.faults.crash_world import Lane, Scene, World, end_of, lane, world
from tests.faults.test_every_kill import progress

LANES, LONG = 2, 10_000
FAULTS = (Fault.TOO_MANY, Fault.ERROR, Fault.RESET, Fault.CUT, Fault.SLOW)
STEP = {"stripe": 4, "files": 1, "mail": 1}
"""Every how-manieth call is the first that fails; the next way to fail begins one call later."""
TRACES = ("evidence.rights:item:failed", "evidence.rights:store:searched")
"""What an outage leaves in the log for good, and rightly."""


@dataclass
class Road:
    """A lane whose far ends are reached through proxies."""

    lane: Lane
    proxies: dict[str, Proxy]

    def detours(self, organisation: str) -> dict[str, str]:
        """Return what Habeas is told instead of the addresses."""
        variables = {
            "STRIPE_API_URL": "stripe",
            f"{organisation.upper()}_S3_ENDPOINT": "files",
            "RESEND_API_URL": "mail",
        }
        return {variable: self.proxies[place].url for variable, place in variables.items()}

    def mend(self) -> None:
        """Let everything work again."""
        for proxy in self.proxies.values():
            proxy.mend()


@pytest.fixture
def roads(seaweed: Seaweed) -> Iterator[list[Road]]:
    """Two lanes with proxies."""
    with ExitStack() as stack:
        lanes = [stack.enter_context(lane(20 + number, seaweed)) for number in range(LANES)]
        yield [
            Road(one, {
                "stripe": stack.enter_context(between(one.stripe.url, cut_bytes=150, slow_seconds=0.5)),
                "files": stack.enter_context(between(seaweed.endpoint, cut_bytes=150, slow_seconds=0.5)),
                "mail": stack.enter_context(between(one.mail.url, cut_bytes=150, slow_seconds=0.5)),
            })
            for one in lanes
        ]  # fmt: skip


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter, too."""
    place = Path(tempfile.mkdtemp(prefix="habeas-proxies-"))
    yield place
    shutil.rmtree(place)


@pytest.mark.timeout(600)
async def test_an_erasure_outlives_every_outage_and_never_lies_about_it(
    postgres: str, template: str, roads: list[Road], folder: Path
) -> None:
    """From each call on, in each way: open and named while it lasts, erased once and for all when it is over."""
    scene = await erasure_due("casagbic", postgres, template, folder, roads[0].lane)
    calls, seen = await undisturbed(scene, roads)
    outages = [(place, first, FAULTS[number % len(FAULTS)])
               for place, number_of_calls in calls.items()
               for number, first in enumerate(starts(place, number_of_calls))]  # fmt: skip
    waiting, failures, met = list(enumerate(outages, 1)), list[str](), set[tuple[str, Fault]]()

    async def drive(road: Road) -> None:
        while waiting:
            number, (place, first, fault) = waiting.pop(0)
            progress(f"outage {number} of {len(outages)}: {place}, from call {first + 1} on: {fault}")
            async with world(scene, road.lane) as here:
                here.detours = road.detours(scene.organisation)
                road.proxies[place].fail(*[Fault.PASS] * first, *[fault] * LONG)
                found = await meanwhile(here, place)
                road.mend()
                met.add((place, fault))
                await here.work()
                found += [one for one in differences(seen, await look(here)) if not one.startswith(TRACES)]
                failures.extend(f"{place}, from call {first + 1} on, {fault}: {one}" for one in found)

    await asyncio.gather(*(drive(road) for road in roads))
    assert not failures, "\n".join(failures)
    assert {fault for _, fault in met} == {*FAULTS}


def starts(place: str, calls: int) -> Sequence[int]:
    """Return before which calls an outage begins. The last call of all is the one that only the mail provider gets."""
    return [0] * len(FAULTS) if place == "mail" else range(0, calls, STEP[place])


async def undisturbed(scene: Scene, roads: Sequence[Road]) -> tuple[dict[str, int], After]:
    """Let nothing break. Returns how many calls each far end gets, and what is there afterwards."""
    road = roads[0]
    async with world(scene, road.lane) as here:
        here.detours = road.detours(scene.organisation)
        before = {place: proxy.connections for place, proxy in road.proxies.items()}
        await here.work()
        calls = {place: proxy.connections - before[place] for place, proxy in road.proxies.items()}
        return calls, await look(here)


async def meanwhile(here: World, place: str) -> list[str]:
    """Work during the outage, until nothing moves any more. Returns what is said that is not true, or not said."""
    order = msgspec.structs.replace(here.order(), impatient=4.0 if place == "mail" else 20.0, databases={})
    status = await asyncio.to_thread(here.lane.work, order)
    if status == 0:
        return []  # Enough tries got through: whether that was rightly over shows in the comparison.
    if status != NOT_OVER:
        return [f"the worker ended with {status}: {end_of(Path(f'{order.record}.log'))}"]
    connection = await asyncpg.connect(here.own_dsn)
    try:
        return await (_without_mail(connection) if place == "mail" else _without(connection, place))
    finally:
        await connection.close()


NAMED = """
SELECT EXISTS (SELECT FROM plan_item i JOIN plan p ON p.id = i.plan WHERE p.kind = 'erase' AND i.state = 'failed'
               AND i.error = 'unavailable')
       OR EXISTS (SELECT FROM scan_report WHERE verdict = 'unavailable')
"""
SAID_DONE = """
SELECT EXISTS (SELECT FROM plan WHERE kind = 'erase' AND state = 'done')
       OR EXISTS (SELECT FROM subject_request WHERE "right" = 'erasure' AND (closed_at IS NOT NULL OR outcome <> ''))
       OR EXISTS (SELECT FROM receipt t JOIN subject_request r ON r.id = t.request WHERE r."right" = 'erasure')
       OR EXISTS (SELECT FROM mail WHERE kind = 'erasure-done') OR EXISTS (SELECT FROM known_tombstone)
"""
WAITS = "SELECT EXISTS (SELECT FROM mail WHERE kind = 'erasure-done' AND state = 'waiting' AND error <> '')"
FORGOTTEN = "SELECT EXISTS (SELECT FROM plan WHERE kind = 'erase' AND known IS NULL)"


async def _without(connection: asyncpg.Connection, place: str) -> list[str]:
    """The erasure is open, and the outage has its name."""
    wrong = []
    if await connection.fetchval(SAID_DONE):
        wrong.append("it is called done, and is not")
    if not await connection.fetchval(NAMED):
        wrong.append(f"nobody says that {place} does not answer")
    return wrong


async def _without_mail(connection: asyncpg.Connection) -> list[str]:
    """The last mail waits, with the name of what is wrong, and its address is kept until it has left."""
    wrong = []
    if not await connection.fetchval(WAITS):
        wrong.append("the mail is not waiting, or does not say why")
    if await connection.fetchval(FORGOTTEN):
        wrong.append("the address is forgotten before the mail has left")
    return wrong
