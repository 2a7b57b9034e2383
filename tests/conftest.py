"""What every test may use: a fresh database of our own schema, and a clock that stands still."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

MEMORY, ROOM = Path("/dev/shm"), 8 << 30
"""Each test's database is a thousand small files, which memory makes and drops three times as fast as a disk."""


def _scratch() -> Path:
    """Make a folder for this process, in memory where there is plenty; remove what killed ones have left there."""
    for left in MEMORY.glob("habeas-tests-*"):
        if not Path(f"/proc/{left.name.split('-')[2]}").exists():
            shutil.rmtree(left, ignore_errors=True)
    roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return Path(tempfile.mkdtemp(prefix=f"habeas-tests-{os.getpid()}-", dir=MEMORY if roomy else None))


SCRATCH = _scratch()
os.environ["HABEAS_DATA"] = str(SCRATCH)
os.environ["DATABASE_URL"] = ""
os.environ["TZ"] = "UTC"

from demo.seaweed import Seaweed, running  # noqa: E402
from demo.stripe import StandIn as StripeStandIn  # noqa: E402
from demo.stripe import serving as stripe_serving  # noqa: E402
from portal.clock import SetClock  # noqa: E402  the environment must be set before piccolo_conf is imported
from portal.database import engine, migrate  # noqa: E402
from portal.embedded import embedded_postgres  # noqa: E402

FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=250"]
"""What is lost with the machine is made anew; the connections of killed workers end some time after them."""


def pytest_unconfigure() -> None:
    """Give the memory, or the disk, back."""
    shutil.rmtree(SCRATCH, ignore_errors=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio alone."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server for the whole run; yields its DSN (database `habeas`, empty)."""
    with embedded_postgres(SCRATCH, options=FAST) as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def template(postgres: str) -> str:
    """The newest schema, made once; each test gets a copy of it."""
    await migrate(postgres)
    return "habeas"


@pytest.fixture
async def database(postgres: str, template: str) -> AsyncIterator[str]:
    """A fresh database with our schema and a pool on it; yields its DSN."""
    name = f"t_{os.urandom(6).hex()}"
    await _on_server(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    dsn = postgres.replace("/habeas?", f"/{name}?")
    before, engine().config = engine().config, {"dsn": dsn}
    try:
        async with engine().pooled(largest=8):
            yield dsn
    finally:
        engine().config = before
        await _on_server(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real S3 server for the whole run, with the versioned buckets `uploads` and `parcels`."""
    with running(tmp_path_factory.mktemp("s3"), buckets=("uploads", "parcels")) as server:
        yield server


@pytest.fixture
def stripe_stand_in() -> Iterator[StripeStandIn]:
    """A fresh empty stand-in for Stripe."""
    with stripe_serving() as standin:
        yield standin


@pytest.fixture
def clock() -> SetClock:
    """A Wednesday morning."""
    return SetClock(datetime(2026, 10, 14, 9, 0, tzinfo=UTC))


async def _on_server(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn.replace("/habeas?", "/postgres?"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
