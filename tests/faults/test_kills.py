"""Habeas dies in the middle of an export: it finishes after the restart, with one copy, one mail and nothing left over.

Always true here: the moment is held still (a silent file store, a locked table), so that a kill strikes where it says.
"""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from demo.faults import Fault
from tests.faults.conftest import Visit
from tests.faults.house import House, connected
from tests.faults.processes import alive, offspring
from tests.faults.visitor import Visitor
from tests.faults.waiting import until

type Moment = Callable[[House, Visitor], AbstractAsyncContextManager[str]]

EXIT_SECONDS = 40


@asynccontextmanager
async def while_collecting(house: House, person: Visitor) -> AsyncIterator[str]:
    """The file store has fallen silent in the middle of the files."""
    house.files.fail(*[Fault.PASS] * 20, *[Fault.SILENCE] * 50)
    before = house.files.connections
    reference = await person.ask()

    async def reading() -> bool:
        return house.files.connections > before + 20

    await until(reading, "reading files", every=0.05)
    yield reference
    house.files.mend()


@asynccontextmanager
async def while_laying_out(house: House, person: Visitor) -> AsyncIterator[str]:
    """Everything is read, and the ZIP has begun to be written."""
    reference = await person.ask()

    async def packing() -> bool:
        return any((house.stack.folder / "work").glob("*/parcel.zip"))

    await until(packing, "packing", every=0.02)
    yield reference


@asynccontextmanager
async def once_stored(house: House, person: Visitor) -> AsyncIterator[str]:
    """Both files are stored, and the database does not let the parcel be recorded."""
    async with connected(house.dsn) as connection, connection.transaction():
        await connection.execute("LOCK TABLE parcel IN SHARE MODE")
        reference = await person.ask()

        async def stored() -> bool:
            return any(place.endswith(".pdf") for place in await house.orphans() if "/" not in place)

        await until(stored, "stored")
        yield reference


@asynccontextmanager
async def once_recorded(house: House, person: Visitor) -> AsyncIterator[str]:
    """The parcel is recorded this very moment; the job does not know it yet."""
    reference = await person.ask()

    async def recorded() -> bool:
        return bool(await house.parcels(reference))

    await until(recorded, "recorded", every=0.0)
    yield reference


@pytest.mark.parametrize(
    ("moment", "who"),
    [(while_collecting, "heavy"), (while_laying_out, "heavy"), (once_stored, "hostile"), (once_recorded, "hostile")],
)
async def test_a_killed_export_finishes_after_the_restart(
    casagbic: House, visit: Visit, moment: Moment, who: str
) -> None:
    """One copy with everything, one mail that says so, no file without an owner, no job left, no process left."""
    person = await visit(casagbic, casagbic.email(who))
    async with moment(casagbic, person) as reference:
        children = offspring(habeas_of(casagbic).pid)
        casagbic.stack.kill_habeas()
    await casagbic.let_the_heartbeat_run_out()
    casagbic.stack.start_habeas()
    await person.copy(reference)
    await finished(casagbic, reference)
    assert len(await casagbic.parcels(reference)) == 1
    assert await casagbic.orphans() == set()
    assert len(await casagbic.ready_mails(person.email, reference)) == 1
    manifest = json.loads((await person.archive(reference)).read("manifest.json"))
    assert (manifest["complete"], manifest["report"]) == (True, "full")
    assert who != "heavy" or (manifest["records"] > 5_000 and manifest["files"] >= 50)
    assert not [child for child in children if alive(child)]


async def test_a_copy_that_is_withdrawn_while_nobody_works_on_it_leaves_nothing(casagbic: House, visit: Visit) -> None:
    """What a killed attempt had read is gone, and there is no parcel and no mail."""
    person = await visit(casagbic, casagbic.email("heavy"))
    async with while_collecting(casagbic, person) as reference:
        casagbic.stack.kill_habeas()
    assert await casagbic.orphans() != set()
    await casagbic.rows("UPDATE pgqueuer SET execute_after = now() + interval '1 hour' WHERE status = 'picked'")
    casagbic.stack.start_habeas()
    assert (await person.send(f"/requests/{reference}/withdraw", {})).status_code == 303
    await casagbic.let_the_retry_come_now()
    await casagbic.let_the_heartbeat_run_out()
    await finished(casagbic, reference)
    assert await casagbic.parcels(reference) == []
    assert await casagbic.orphans() == set()
    assert await casagbic.ready_mails(person.email, reference) == []


@pytest.mark.parametrize("moment", [while_laying_out, while_collecting])
async def test_told_to_stop_it_stops_in_time_and_the_export_is_done_by_then_or_afterwards(
    casagbic: House, visit: Visit, moment: Moment
) -> None:
    """SIGTERM in the middle of an export, even one that a silent source holds up: gone in time, and nothing lost."""
    person = await visit(casagbic, casagbic.email("heavy"))
    async with moment(casagbic, person) as reference:
        process = habeas_of(casagbic)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, EXIT_SECONDS) == 0
    casagbic.stack.start_habeas()
    await person.copy(reference)
    await finished(casagbic, reference)
    assert len(await casagbic.parcels(reference)) == 1
    assert await casagbic.orphans() == set()
    assert len(await casagbic.ready_mails(person.email, reference)) == 1


async def finished(house: House, reference: str) -> None:
    """Wait until no job for a request is left."""

    async def idle() -> bool:
        return not await house.jobs_left(reference)

    await until(idle, "finished")


def habeas_of(house: House) -> "subprocess.Popen[bytes]":
    """Return the running portal."""
    assert house.stack.habeas is not None
    return house.stack.habeas
