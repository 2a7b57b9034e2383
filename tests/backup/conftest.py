"""A database that nobody else is connected to, so that it can be dropped and restored."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from portal.database import engine
from portal.settings import Settings, read_settings

SECRET = "a-key-that-is-long-enough-for-a-test"


@pytest.fixture
async def settings(postgres: str, template: str, tmp_path: Path) -> AsyncIterator[Settings]:
    """An installation with a fresh database of its own and no pool on it."""
    name = f"t_{os.urandom(6).hex()}"
    server = await asyncpg.connect(postgres.replace("/habeas?", "/postgres?"))
    await server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    dsn = postgres.replace("/habeas?", f"/{name}?")
    before, engine().config = engine().config, {"dsn": dsn}
    try:
        yield read_settings({"HABEAS_SECRET_KEY": SECRET, "DATABASE_URL": dsn, "HABEAS_DATA": str(tmp_path / "data")})
    finally:
        engine().config = before
        await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await server.close()
