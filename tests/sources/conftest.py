"""A fresh sample platform for each test."""

import os
from collections.abc import AsyncIterator

import asyncpg
import pytest

from portal.sources.base import Identifiers
from portal.sources.postgres import Postgres
from tests.sources.platform import ANA, SPEC, build


@pytest.fixture
async def empty_database(postgres: str) -> AsyncIterator[str]:
    """A fresh empty database; yields its DSN."""
    name = f"p_{os.urandom(6).hex()}"
    server = await asyncpg.connect(postgres.replace("/habeas?", "/postgres?"))
    try:
        await server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 STRATEGY file_copy')
        yield postgres.replace("/habeas?", f"/{name}?")
        await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await server.close()


@pytest.fixture
async def owner(empty_database: str) -> AsyncIterator[asyncpg.Connection]:
    """The platform's own connection, which may write."""
    await build(empty_database)
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


@pytest.fixture
async def platform(owner: asyncpg.Connection, empty_database: str) -> AsyncIterator[Postgres]:
    """The adapter, with the reader's role."""
    source = Postgres(SPEC, empty_database.replace("habeas@", "platform_reader@"))
    yield source
    await source.close()


@pytest.fixture
def ana() -> Identifiers:
    """A person as the platform knows her."""
    return Identifiers(emails=frozenset({"ana.lima@example.example"}), account_ids=frozenset({ANA}))
