"""The known traps of Piccolo, each closed once."""

import asyncio

import asyncpg
import pytest
from piccolo.engine.exceptions import TransactionError

from portal.clock import SetClock
from portal.database import engine, migrate
from portal.evidence.log import append
from portal.evidence.tables import Evidence
from portal.identity.tables import Subject
from portal.jobs import enqueue


def person(email: str, clock: SetClock) -> Subject:
    return Subject(email=email, created_at=clock())


async def test_an_error_inside_a_batch_is_raised(database: str, clock: SetClock) -> None:
    """piccolo 1.38 returns True from the batch's exit and swallows it."""
    await person("a@person.example", clock).save()
    with pytest.raises(ZeroDivisionError):
        async with await Subject.select().batch(batch_size=1) as batch:
            async for _ in batch:
                raise ZeroDivisionError


async def test_a_failed_commit_gives_the_connection_back(database: str) -> None:
    """With piccolo's own transaction two failures on a pool of two hang every later query."""
    await Subject.raw("CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    for _ in range(12):
        with pytest.raises(asyncpg.UniqueViolationError):
            async with engine().transaction():
                await Subject.raw("INSERT INTO late VALUES (1), (1)")
    assert engine().current_transaction.get() is None
    assert await Subject.count() == 0


async def test_whoever_is_cancelled_anywhere_gives_the_connection_back(database: str) -> None:
    """A person who closes the page cancels what is done for them; in piccolo's BEGIN the connection is lost."""

    async def one() -> None:
        async with engine().transaction():
            await Subject.count()

    for steps in range(60):
        going = asyncio.create_task(one())
        for _ in range(steps):
            await asyncio.sleep(0)
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
    pool = engine().pool
    assert pool is not None
    assert pool.get_idle_size() == pool.get_size()


async def test_a_batch_that_is_cancelled_anywhere_closes_its_connection(database: str) -> None:
    """It has a connection of its own, which nobody else would close."""

    async def one() -> None:
        async with await Subject.select().batch(batch_size=1) as batch:
            async for _ in batch:
                pass

    for steps in range(0, 200, 4):
        going = asyncio.create_task(one())
        for _ in range(steps):
            await asyncio.sleep(0)
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
    pool = engine().pool
    assert pool is not None
    assert await _connected(pool.get_size()), "a connection was left open"


async def _connected(expected: int) -> bool:
    """Tell whether the database comes to have so many connections: one that is closed takes a moment to go."""
    query = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()"
    for _ in range(200):
        if (await Subject.raw(query))[0]["n"] == expected:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_two_that_write_rows_and_evidence_the_other_way_round_never_wait_for_each_other(
    database: str, clock: SetClock
) -> None:
    """One had the row and waited for its turn in the log, the other had the turn and waited for the row."""
    someone, both = person("a@person.example", clock), asyncio.Barrier(2)
    await someone.save()

    async def row_first() -> None:
        async with engine().transaction():
            await Subject.update({Subject.display_name: "A"}).where(Subject.id == someone.id)
            await both.wait()
            await append("tests:row:first", at=clock(), actor="worker")

    async def log_first() -> None:
        async with engine().transaction():
            await append("tests:log:first", at=clock(), actor="worker")
            await both.wait()
            await Subject.update({Subject.display_name: "B"}).where(Subject.id == someone.id)

    await asyncio.gather(row_first(), log_first())
    assert await Evidence.count() == 2


async def test_the_last_steps_of_a_transaction_that_fails_are_not_taken(database: str, clock: SetClock) -> None:
    """Neither when it fails before them, nor when one of them does."""
    with pytest.raises(ZeroDivisionError):
        async with engine().transaction():
            await append("tests:never:written", at=clock(), actor="worker")
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        async with engine().transaction():
            await append("tests:never:written", at=clock(), actor="worker")
            engine().at_the_end(_fail)
    assert await Evidence.count() == 0


async def _fail() -> None:
    raise ZeroDivisionError


async def test_a_nested_transaction_is_refused(database: str) -> None:
    """It would silently join the outer one."""
    async with engine().transaction():
        with pytest.raises(TransactionError):
            engine().transaction()


async def test_gather_inside_a_transaction_takes_turns(database: str) -> None:
    """asyncpg refuses two operations at once on one connection."""
    async with engine().transaction():
        counts = await asyncio.gather(*(Subject.count() for _ in range(8)))
    assert counts == [0] * 8


async def test_migrating_twice_at_once_is_safe(database: str, postgres: str) -> None:
    """The second process waits for the first and finds nothing to do."""
    await asyncio.gather(migrate(database), migrate(database))


async def test_a_rolled_back_transaction_leaves_no_job_and_no_evidence(database: str, clock: SetClock) -> None:
    """State, evidence and the next job commit together or not at all."""
    with pytest.raises(ZeroDivisionError):
        async with engine().transaction():
            await enqueue("test.nothing", {"request": "x"}, key="k")
            await append("test:thing:done", at=clock(), actor="worker")
            raise ZeroDivisionError
    assert await Evidence.count() == 0
    assert (await Subject.raw("SELECT count(*) AS n FROM pgqueuer"))[0]["n"] == 0


async def test_a_job_with_the_same_key_is_added_once(database: str) -> None:
    """A second click makes no second job, and breaks no transaction."""
    async with engine().transaction():
        assert await enqueue("test.nothing", {}, key="k")
        assert not await enqueue("test.nothing", {}, key="k")
        await Subject.count()


async def test_evidence_can_be_added_to_and_never_changed(database: str, clock: SetClock) -> None:
    """A trigger refuses UPDATE, DELETE and TRUNCATE, whoever asks."""
    async with engine().transaction():
        await append("test:thing:done", at=clock(), actor="worker", details={"n": 1})
        await append("test:thing:done", at=clock(), actor="worker")
    for statement in ("UPDATE evidence SET actor = 'x'", "DELETE FROM evidence", "TRUNCATE evidence"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await Subject.raw(statement)
    first, second = await Evidence.select().order_by(Evidence.seq)
    assert second["previous"] == first["digest"]
