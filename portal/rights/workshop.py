"""What carrying out a request needs, and how a worker keeps others off what it is working on.

Always true here: a killed worker's connection lets go by itself, so nothing stays locked.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from exports.press import Press
from exports.storage import Storage
from portal.clock import Clock
from portal.jobs import Later
from portal.policy.model import Policy
from portal.settings import Settings
from portal.sources.registry import Sources


@dataclass(frozen=True)
class Workshop:
    """Built once by whoever runs the worker."""

    policy: Policy
    settings: Settings
    clock: Clock
    sources: Sources
    storage: Storage
    press: Press


@asynccontextmanager
async def alone(dsn: str, id: UUID) -> AsyncIterator[None]:
    """Hold a request or a plan for this worker alone.

    Raises:
        Later: when another worker holds it.
    """
    key = int.from_bytes(hashlib.sha256(id.bytes).digest()[:8], signed=True)
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
            raise Later(timedelta(seconds=5), "another worker is at it")
        yield
    finally:
        await connection.close()
