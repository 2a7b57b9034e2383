"""A worker is killed at every commit and every call of an erasure and of a copy, and another one finishes its work.

Always true here: the points are counted in a run that nobody kills, and then each has its own death in its own world.
What is there in the end is what is there when nobody is killed. At Casagbic nothing is left out; at Caaartoons
what is done again and again is killed the first and the last time, and every time with HABEAS_EVERY_KILL=1. `-s` shows
how far it is.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo.seaweed import Seaweed
from tests.faults.crash_after import After, differences, look
from tests.faults.crash_points import ENDED, Point, deaths, first_and_last
from tests.faults.crash_scenes import PERSON, copy_asked_for, erasure_due
from tests.faults.crash_world import Lane, Scene, lane, world

LANES = 2
EVERY = os.environ.get("HABEAS_EVERY_KILL") == "1"

type Seen = dict[int, After]
"""Lane -> what is there when nobody was killed."""


@pytest.fixture(scope="module")
def lanes(seaweed: Seaweed) -> Iterator[list[Lane]]:
    """So many worlds at a time as this machine has cores for."""
    with ExitStack() as stack:
        yield [stack.enter_context(lane(number, seaweed)) for number in range(LANES)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter, too."""
    place = Path(tempfile.mkdtemp(prefix="habeas-kills-"))
    yield place
    shutil.rmtree(place)


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("organisation", ["casagbic", "caaartoons"])
async def test_an_erasure_survives_every_kill(
    postgres: str, template: str, lanes: list[Lane], folder: Path, organisation: str
) -> None:
    """Every item is done once, one mail, receipt and tombstone are left of the person, and nobody else changes."""
    scene = await erasure_due(organisation, postgres, template, folder, lanes[0])
    seen, points = await whole(scene, lanes)
    for after in seen.values():
        assert_erased(scene, after)
    await every_kill(scene, lanes, seen, points, every=organisation == "casagbic")


@pytest.mark.timeout(600)
async def test_an_erasure_by_stripes_redaction_jobs_survives_every_kill(
    postgres: str, template: str, lanes: list[Lane], folder: Path
) -> None:
    """One job for one customer, begun, run and looked at until it is over; only around Stripe the workers die again."""
    scene = await erasure_due("casagbic", postgres, template, folder, lanes[0], redact=True)
    seen, points = await whole(scene, lanes)
    for after in seen.values():
        assert_erased(scene, after)
        assert [state for _, state in after.redactions] == ["succeeded"]
        assert scene.person.email not in str(after.stripe) and scene.other.email in str(after.stripe)
    await every_kill(scene, lanes, seen, around(points, "stripe"), every=True)


def around(points: Sequence[Point], place: str) -> list[Point]:
    """Return the points at a place, each with the one before it and the one after it: there the answer is noted."""
    near = {number + step for number, point in enumerate(points) for step in (-1, 0, 1) if point.place == place}
    return [point for number, point in enumerate(points) if number in near]


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(("organisation", "places"), [("casagbic", ()), ("caaartoons", ("parcels",))])
async def test_a_copy_survives_every_kill(
    postgres: str, template: str, lanes: list[Lane], folder: Path, organisation: str, places: tuple[str, ...]
) -> None:
    """One parcel with the same content, one mail that it is ready, no file without an owner.

    The second organisation differs in where parcels are kept, and only there the workers die again.
    """
    scene = await copy_asked_for(organisation, postgres, template, folder)
    seen, points = await whole(scene, lanes)
    points = [point for point in points if point.place in (places or {point.place})]
    for after in seen.values():
        assert len(after.places) == 2, after.places
        assert [subject for _, subject in after.mails if "ready" in subject], after.mails
        assert len(after.copies) > 10
    await every_kill(scene, lanes, seen, points, every=organisation == "casagbic")


def assert_erased(scene: Scene, after: After) -> None:
    """What is there when nobody was killed is what an erasure is meant to leave."""
    assert after.traces == {}
    assert {row[1:] for row in after.told["plans"] if row[0] == "erase"} == {("done", 0, True)}
    assert after.told["jobs"] == [] and after.chain == ""
    assert [
        event for event, number in after.evidence.items() if event.startswith("rights:item:done") and number != 1
    ] == []
    assert len(after.told["tombstones"]) == len(after.buried) == 1
    assert [said[0] for said in after.heard] == ["person.erased"]
    assert PERSON not in {row[0] for row in after.told["keys"]}
    assert [mail for mail in after.mails if mail[0] == scene.person.email.lower()] == list(after.mails)
    assert len(after.mails) == 1
    assert not [key for key, _ in after.files if str(key).startswith(f"{scene.person.account_ids[0]}/")]
    assert [key for key, _ in after.files] != []
    text = str(after.platform)
    assert scene.person.email not in text and scene.other.email in text


async def whole(scene: Scene, lanes: Sequence[Lane]) -> tuple[Seen, list[Point]]:
    """Let nobody die, once in each lane. Returns what is there then, and the points that were passed."""

    async def one(lane: Lane) -> tuple[After, list[Point]]:
        async with world(scene, lane) as here:
            await here.work()
            return await look(here), here.points()

    found = await asyncio.gather(*(one(lane) for lane in lanes))
    unlike = differences(found[0][0], found[-1][0])
    assert not unlike, "\n".join(unlike)
    points = [sorted(point for point in passed if point.what != ENDED) for _, passed in found]
    assert points[0] == points[-1], "the points are not the same every time"
    return {lane.number: after for lane, (after, _) in zip(lanes, found, strict=True)}, found[0][1]


async def every_kill(
    scene: Scene, lanes: Sequence[Lane], seen: Seen, points: Sequence[Point], *, every: bool = False
) -> None:
    """Die at every point, each time in a new world; two worlds at a time."""
    chosen = deaths(points) if every or EVERY else first_and_last(deaths(points))
    waiting, failures, began = list(enumerate(chosen, 1)), list[str](), time.monotonic()

    async def die(lane: Lane) -> None:
        while waiting:
            number, point = waiting.pop(0)
            progress(f"{scene.name}: {number} of {len(chosen)} ({time.monotonic() - began:.0f} s): {point}")
            async with world(scene, lane) as here:
                await here.work(point)
                await here.work()
                failures.extend(f"{point}: {one}" for one in differences(seen[lane.number], await look(here)))

    await asyncio.gather(*(die(lane) for lane in lanes))
    assert not failures, "\n".join(failures)


def progress(text: str) -> None:
    """Say how far it is; pytest shows it with -s."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
