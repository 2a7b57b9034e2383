"""Background work: done, retried, parked, taken over, and stopped without losing anything."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from pgqueuer import QueueManager
from pgqueuer.errors import FailingListenerError

from portal.database import engine
from portal.errors import SourceRefused
from portal.identity.tables import Subject
from portal.jobs import Handler, Later, Payload, Schedule, Work, Worker, enqueue

SOON = timedelta(milliseconds=10)


@asynccontextmanager
async def working(dsn: str, handler: Handler, **more: Any) -> AsyncIterator[Worker]:
    worker = Worker(dsn, [Work("test.job", handler, first_delay=SOON, longest_delay=SOON, **more)], [])
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(running, 30)


async def add(key: str = "k") -> None:
    async with engine().transaction():
        await enqueue("test.job", {"ref": "r-1"}, key=key)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await holds():  # noqa: ASYNC110  it polls a table, which has no event
            await asyncio.sleep(0.02)


async def rows(query: str) -> list[dict[str, Any]]:
    return await Subject.raw(query)


async def parked() -> bool:
    return bool(await rows("SELECT 1 FROM pgqueuer WHERE status = 'failed'"))


async def empty() -> bool:
    return not await rows("SELECT 1 FROM pgqueuer")


async def test_a_job_is_done_with_what_was_enqueued(database: str) -> None:
    """The payload arrives as it was written, and the queue is empty afterwards."""
    seen: list[Payload] = []

    async def handler(payload: Payload) -> None:
        seen.append(payload)

    async with working(database, handler):
        await add()
        await until(empty)
    assert seen == [{"ref": "r-1"}]


async def test_a_job_that_fails_is_tried_again(database: str) -> None:
    """A passing failure is nobody's work."""
    tries: list[int] = []

    async def handler(_: Payload) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OSError

    async with working(database, handler):
        await add()
        await until(empty)
    assert len(tries) == 3


async def test_a_job_that_goes_on_failing_is_parked_without_its_words(database: str) -> None:
    """What is stored of the error is its kind: its message might name a person."""

    async def handler(_: Payload) -> None:
        raise ValueError("ana@person.example")

    async with working(database, handler, tries=2):
        await add()
        await until(parked)
    stored = await rows("SELECT traceback::text AS text FROM pgqueuer_log WHERE traceback IS NOT NULL")
    assert stored and all("person.example" not in row["text"] for row in stored)
    assert any("ValueError" in row["text"] for row in stored)


async def test_a_final_refusal_is_parked_at_once(database: str) -> None:
    """Trying again would only repeat the no."""
    tries: list[int] = []

    async def handler(_: Payload) -> None:
        tries.append(1)
        raise SourceRefused("stripe", "no")

    async with working(database, handler):
        await add()
        await until(parked)
    assert len(tries) == 1


async def test_later_is_no_failure(database: str) -> None:
    """A handler that asks to be called again is, however few tries it has."""
    tries: list[int] = []

    async def handler(_: Payload) -> None:
        tries.append(1)
        if len(tries) < 4:
            raise Later(SOON, "not yet")

    async with working(database, handler, tries=1):
        await add()
        await until(empty)
    assert len(tries) == 4


async def test_a_worker_that_went_silent_is_taken_over(database: str) -> None:
    """The job of a killed worker is picked by another once its heartbeat is old."""
    done: list[Payload] = []

    async def handler(payload: Payload) -> None:
        done.append(payload)

    await add()
    await rows(
        "UPDATE pgqueuer SET status = 'picked', queue_manager_id = gen_random_uuid(),"
        " heartbeat = now() - interval '31 seconds'"
    )
    async with working(database, handler):
        await until(empty)
    assert len(done) == 1


async def test_a_worker_that_is_told_to_stop_finishes_what_it_does(database: str) -> None:
    """No job is cut in half by a restart."""
    begun, go_on, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(_: Payload) -> None:
        begun.set()
        await go_on.wait()
        finished.set()

    async with working(database, handler) as worker:
        await add()
        await begun.wait()
        worker.stop()
        go_on.set()
    assert finished.is_set() and await empty()


async def test_what_came_due_while_nobody_worked_is_done_at_once(database: str) -> None:
    """A worker that starts does not wait for the hour to strike, and one thing that fails keeps nobody else waiting."""
    done, hour = list[str](), "0 * * * *"

    async def fails() -> None:
        done.append("tried")
        raise ValueError

    async def works() -> None:
        done.append("done")
        worker.stop()

    async def waits() -> None:
        done.append("too early")

    schedules = [
        Schedule("a", hour, fails, at_start=True), Schedule("b", hour, waits), Schedule("c", hour, works, at_start=True)
    ]  # fmt: skip
    worker = Worker(database, [], schedules)
    await asyncio.wait_for(worker.run(), 60)
    assert done == ["tried", "done"]


async def test_a_worker_that_hears_nothing_more_says_so(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead LISTEN connection ends the run, so that whoever runs the worker connects anew."""

    async def deaf(*_: object, **__: object) -> None:
        raise FailingListenerError

    monkeypatch.setattr(QueueManager, "listener_healthy", deaf)
    worker = Worker(database, [], [])
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(worker.run(), 60)
    assert not worker.stopping.is_set()
