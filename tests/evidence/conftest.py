"""A log with something in it, an attacker who owns the database, and a ledger in a folder."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from portal.clock import SetClock
from portal.database import engine
from portal.evidence.ledger import FolderLedger
from portal.evidence.log import append
from portal.settings import Settings, read_settings

SECRET = "a-key-that-is-long-enough-for-a-test"


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """Settings with a secret."""
    return make_settings(database, tmp_path)


def make_settings(database: str, folder: Path, **more: str) -> Settings:
    """Settings of an installation in `folder`."""
    return read_settings({"HABEAS_SECRET_KEY": SECRET, "DATABASE_URL": database, "HABEAS_DATA": str(folder), **more})


@pytest.fixture
def subject() -> UUID:
    """Our id of somebody."""
    return uuid4()


@pytest.fixture
def ledger(tmp_path: Path) -> FolderLedger:
    """An empty ledger."""
    return FolderLedger(tmp_path / "tombstones")


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the superuser, beside the pool."""
    opened = await asyncpg.connect(database)
    yield opened
    await opened.close()


@pytest.fixture
async def attacker(connection: asyncpg.Connection) -> asyncpg.Connection:
    """Somebody who owns the database and has turned its triggers and its keys off."""
    await connection.execute(
        "ALTER TABLE evidence DISABLE TRIGGER ALL; ALTER TABLE sealed DISABLE TRIGGER ALL;"
        "ALTER TABLE evidence DROP CONSTRAINT evidence_pkey;"
    )
    return connection


async def happen(clock: SetClock, times: int, *, event: str = "rights:request:received") -> None:
    """Append entries, as a person's requests would."""
    async with engine().transaction():
        for number in range(times):
            details = {"right": "access", "categories": number, "late": False, "note": None, "ä": "é\n€"}
            await append(event, at=clock(), actor="person", reference=f"DR-2026-{number:04d}", details=details)
