"""Piccolo's PostgreSQL engine with its known traps closed, the pool, and migrations under a lock.

Always true here: a transaction that fails gives its connection back, an error in a batch is raised, two processes
never migrate at once, and what everybody waits for is taken last, at the commit. Each trap has its regression test
in `tests/test_database.py`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, cast

import asyncpg
from piccolo.engine.postgres import AsyncBatch, PostgresEngine, PostgresTransaction
from piccolo.query.base import Query
from piccolo.querystring import QueryString

MIGRATION_LOCK = 7_201_605_118
"""An arbitrary advisory-lock key, the same in every process of every version."""


class Batch(AsyncBatch):
    """A server-side cursor whose errors are raised (piccolo 1.38 swallows them) and whose connection is closed."""

    async def __aenter__(self) -> Self:
        try:
            return await super().__aenter__()
        except BaseException:
            await self.connection.close()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await (self.transaction.rollback() if error else self.transaction.commit())
        finally:
            await self.connection.close()


class Transaction(PostgresTransaction):
    """A transaction that returns its connection also when BEGIN or COMMIT fails, and takes turns under `gather`.

    Whoever waits for BEGIN may be cancelled there: a person closes the page. Piccolo 1.38 would lose the connection.

    Nested use is refused: piccolo 1.38 would silently join the outer one, which is no savepoint.
    """

    def __init__(self, engine: "Engine") -> None:
        super().__init__(engine, allow_nested=False)
        self.turn = asyncio.Lock()
        self.last_steps: list[Callable[[], Awaitable[None]]] = []

    async def __aenter__(self) -> Self:
        self.connection = await self.get_connection()  # type: ignore[no-untyped-call]
        try:
            self.transaction = self.connection.transaction()
            await self.begin()  # type: ignore[no-untyped-call]
        except BaseException:
            await self._give_back()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        try:
            if error is not None:
                if not self._rolled_back:
                    await self.rollback()  # type: ignore[no-untyped-call]
            elif not self._committed and not self._rolled_back:
                await self.commit()
        finally:
            self.engine.current_transaction.reset(self.context)
            await self._give_back()
        return False

    async def commit(self) -> None:
        """Take the last steps, in their order, and commit."""
        while self.last_steps:
            await self.last_steps.pop(0)()
        await super().commit()  # type: ignore[no-untyped-call]

    async def _give_back(self) -> None:
        """Return the connection; the pool rolls back what is open on it."""
        if self.engine.pool:
            await self.engine.pool.release(self.connection)
        else:
            await self.connection.close()


class Engine(PostgresEngine):
    """The one engine. `dsn` is a PostgreSQL URL; no extension is needed."""

    def __init__(self, dsn: str) -> None:
        super().__init__(config={"dsn": dsn}, extensions=())

    def transaction(self, allow_nested: bool = False) -> Transaction:  # noqa: ARG002, FBT001, FBT002  piccolo's own
        """Open a transaction. `allow_nested` exists for piccolo's own callers and is ignored."""
        return Transaction(self)

    async def batch(self, query: Query[Any, Any], batch_size: int = 100, node: str | None = None) -> Batch:  # noqa: ARG002
        """Read `query` through a server-side cursor on a connection of its own."""
        return Batch(connection=await self.get_new_connection(), query=query, batch_size=batch_size)

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Any:  # noqa: FBT001, FBT002
        """Run one query; inside a transaction, wait for its turn on the connection."""
        current = cast(Transaction | None, self.current_transaction.get())
        if current is None:
            return await super().run_querystring(querystring, in_pool)
        async with current.turn:
            return await super().run_querystring(querystring, in_pool)

    @property
    def connection(self) -> asyncpg.Connection:
        """The connection of the transaction that is open here.

        Raises:
            RuntimeError: outside a transaction; what needs this must commit together with the caller's rows.
        """
        connection: asyncpg.Connection = self._current.connection
        return connection

    def at_the_end(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run `step` as one of the last things of the transaction that is open here; not at all when it fails.

        For what takes a lock that everybody waits for: whoever waits there has all other locks already, so nobody
        who comes later can wait for theirs, and it is held for the shortest time there is.

        Raises:
            RuntimeError: outside a transaction.
        """
        self._current.last_steps.append(step)

    @property
    def _current(self) -> Transaction:
        current = cast(Transaction | None, self.current_transaction.get())
        if current is None:
            raise RuntimeError("this must run inside a transaction, so that it commits together with its cause")
        return current

    @asynccontextmanager
    async def pooled(self, *, smallest: int = 1, largest: int = 10) -> AsyncIterator[None]:
        """Keep a connection pool open. Without one, piccolo opens a connection for every query (20 x slower)."""
        await self.start_connection_pool(min_size=smallest, max_size=largest)
        try:
            yield
        finally:
            await self.close_connection_pool()


def engine() -> Engine:
    """Return the engine of `piccolo_conf`."""
    from piccolo_conf import DB  # noqa: PLC0415  the conf imports this module

    return DB


async def migrate(dsn: str) -> None:
    """Bring the database to the newest schema: our tables, Piccolo Admin's, and the queue's.

    Idempotent, and safe when several processes start at once: the others wait for the advisory lock.

    Raises:
        RuntimeError: when a migration fails; the database is left at the last one that worked.
    """
    from pgqueuer.queries import Queries  # noqa: PLC0415
    from piccolo.apps.migrations.commands.forwards import run_forwards  # noqa: PLC0415  slow import

    lock = await asyncpg.connect(dsn)
    try:
        await lock.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        result = await run_forwards(app_name="all")
        if not result.success:
            raise RuntimeError(f"migration failed: {result.message}")
        queue = Queries.from_asyncpg_connection(lock)
        await (queue.upgrade() if await queue.schema_is_installed() else queue.install())
    finally:
        await lock.close()
