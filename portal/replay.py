"""After a restore: find whom we had erased since the backup was made, and erase them again before anybody comes in.

Always true here: nobody is served and no job runs while the ledger knows an erasure that the database does not; an
erasure counts as replayed only when whoever carried it out says that nothing is left; a kill at any line means that
the next start goes on.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog

from portal.clock import Clock
from portal.database import engine
from portal.errors import SourceError
from portal.evidence import anchors, tombstones
from portal.evidence.ledger import Ledger, LedgerError, opened
from portal.evidence.log import append
from portal.evidence.tombstones import Tombstone
from portal.gate import Gate
from portal.jobs import Schedule
from portal.rights import beats
from portal.settings import Settings

log = structlog.get_logger()

type Replay = Callable[[UUID, Tombstone], Awaitable[bool]]
"""Erase a person of this database again, everywhere the tombstone says, and search for what is left. Idempotent.
Returns True when nothing is left; False when a system could not be asked, and then it is called again."""

REPLAY_LOCK = 7_201_605_120
AGAIN_AFTER = timedelta(seconds=30)
PIECE = 2_000
KNOWN_BY = """
    SELECT id AS subject, 'email' AS kind, email AS value FROM subject WHERE email IS NOT NULL
    UNION ALL SELECT subject, kind, value FROM known_identifier
    UNION ALL SELECT subject, 'outside', issuer || ' ' || identifier FROM outside_identity
"""
AWAY = (SourceError, OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)


async def behind(ledger: Ledger, settings: Settings) -> bool:
    """Tell whether the database is older than the ledger: it lacks an erasure, or an entry that was anchored.

    Raises:
        LedgerError: nobody can tell; keep the gate closed.
    """
    return bool(await tombstones.missing(ledger, settings)) or await anchors.went_back(ledger, settings)


async def close_when_behind(gate: Gate, settings: Settings) -> None:
    """Close the gate if the database is older than the ledger, or if nobody can tell."""
    try:
        async with opened(settings) as ledger:
            gate.closed = await behind(ledger, settings)
            if gone := await tombstones.lost(ledger):
                log.error("the ledger lacks erasures that the database knows: run habeas check", erasures=gone)
    except LedgerError as error:
        gate.closed = True
        log.warning("nobody is let in: the ledger of erasures cannot be read", problem=str(error))


async def open_when_in_order(
    gate: Gate, settings: Settings, clock: Clock, replay: Replay, stopping: asyncio.Event
) -> None:
    """Return at once when the gate is open; else open it as soon as nothing is left to replay.

    Tries again until then, or until we are told to stop.
    """
    while gate.closed and not stopping.is_set():
        try:
            async with opened(settings) as ledger:
                if not await behind(ledger, settings) or await put_in_order(ledger, settings, clock, replay):
                    gate.closed = False
                    log.info("the gate is open")
                    return
            log.warning("a restored backup is not in order yet: a system could not be asked")
        except LedgerError as error:
            log.warning("nobody is let in: the ledger of erasures cannot be read", problem=str(error))
        except AWAY as error:
            log.warning("a restored backup is not in order yet", error=type(error).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), AGAIN_AFTER.total_seconds())


async def put_in_order(ledger: Ledger, settings: Settings, clock: Clock, replay: Replay) -> bool:
    """Replay every erasure that the database has not seen; one process at a time. Idempotent.

    Returns False when some could not be finished yet. Sessions of the backup end first: they may have been ended
    since for a reason.
    """
    async with _turn(settings):
        waiting = await tombstones.missing(ledger, settings)
        log.warning("the database was restored from a backup", erasures=len(waiting))
        await _end_sessions(clock())
        people = await people_of(waiting, settings)
        for tombstone in waiting:
            if all([await replay(subject, tombstone) for subject in people[tombstone.id]]):
                await _replayed(tombstone, len(people[tombstone.id]), clock())
        if await tombstones.missing(ledger, settings):
            return False
        await _note(ledger, settings, len(waiting), clock())
    return True


async def people_of(waiting: Sequence[Tombstone], settings: Settings) -> Mapping[UUID, Sequence[UUID]]:
    """Return for each tombstone whom of this database it means: by our own id, else by anything they were known by.

    The ledger holds hashes only, so everything that people are known by here is hashed once and compared.
    """
    connection = await asyncpg.connect(settings.database_dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            rows = await connection.fetch(
                "SELECT id FROM subject WHERE id = ANY($1)", [tombstone.subject for tombstone in waiting]
            )
            here = {row["id"] for row in rows}
            found = {one.id: {one.subject} if one.subject in here else set[UUID]() for one in waiting}
            wanted = tombstones.by_hash(one for one in waiting if one.subject not in here)
            if wanted:
                await _recognise(connection, settings, wanted, found)
    finally:
        await connection.close()
    return {id: sorted(subjects) for id, subjects in found.items()}


async def _recognise(
    connection: asyncpg.Connection,
    settings: Settings,
    wanted: Mapping[str, Sequence[Tombstone]],
    found: Mapping[UUID, set[UUID]],
) -> None:
    cursor = await connection.cursor(KNOWN_BY)
    while rows := await cursor.fetch(PIECE):
        for subject, kind, value in rows:
            for one in tombstones.hashed(settings, (kind, value)):
                for tombstone in wanted.get(one, ()):
                    found[tombstone.id].add(subject)


def schedules(settings: Settings, clock: Clock) -> list[Schedule]:
    """Return what is done by the clock: anchor the log outside the database, forget tombstones that are too old."""

    async def anchor() -> None:
        async with opened(settings) as ledger:
            anchored = await anchors.anchor(ledger, settings)
        if anchored:
            await beats.beat(beats.ANCHOR, at=clock())
        else:
            log.error("the log lacks an entry that was anchored: run habeas evidence verify")

    async def forget() -> None:
        async with opened(settings) as ledger:
            await tombstones.forget(ledger, settings, at=clock())

    return [Schedule("evidence.anchor", "*/15 * * * *", anchor), Schedule("evidence.forget", "40 3 * * *", forget)]


async def _end_sessions(at: datetime) -> None:
    async with engine().transaction():
        connection = engine().connection
        await connection.execute("UPDATE person_session SET ended_at = $1 WHERE ended_at IS NULL", at)
        await connection.execute("DELETE FROM staff_session")
        await connection.execute("DELETE FROM staff_invitation")


async def _replayed(tombstone: Tombstone, people: int, at: datetime) -> None:
    async with engine().transaction():
        await tombstones.know(tombstone.id, at=at)
        await append(
            "evidence:tombstone:replayed", at=at, actor="worker", reference=str(tombstone.id),
            details={"people": people},
        )  # fmt: skip


async def _note(ledger: Ledger, settings: Settings, erasures: int, at: datetime) -> None:
    """Write the restore down, in the log and beside its anchors, and anchor the log anew."""
    async with engine().transaction():
        await append("evidence:database:restored", at=at, actor="worker", details={"erasures": erasures})
    await anchors.note_restore(ledger, settings, at=at, declared=False)
    await anchors.anchor(ledger, settings)


@asynccontextmanager
async def _turn(settings: Settings) -> AsyncIterator[None]:
    """Take turns with other processes; a killed one lets go by itself."""
    connection = await asyncpg.connect(settings.database_dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", REPLAY_LOCK)
        yield
    finally:
        await connection.close()
