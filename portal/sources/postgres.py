"""Somebody else's PostgreSQL, read with a role that can only read.

Always true here: the server builds the JSON and COPY carries it, so that Python touches bytes and not rows, and no
more than a few megabytes are in memory however many rows there are.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from uuid import UUID

import asyncpg
import msgspec

from exports.order import Batch, StoredFile
from portal.errors import SourceError, SourceRefused, SourceUnsupported
from portal.policy.model import PostgresSource, Table
from portal.sources import (
    completeness,
    postgres_erase,
    postgres_held,
    postgres_rectify,
    postgres_rights,
    postgres_search,
    preflight,
)
from portal.sources import postgres_sql as sql
from portal.sources.base import (
    Correction,
    Erased,
    Erasing,
    Fault,
    Held,
    Identifiers,
    Needles,
    Page,
    Restricted,
    Searched,
    no_files,
)
from portal.sources.catalogue import Connection, read_types
from portal.sources.copying import BEGINNING, copy_lines
from portal.sources.postgres_session import CONNECT_SECONDS, SESSION, TROUBLE, speaking

type Row = dict[str, msgspec.Raw]
type Touch = Callable[[Table, Row], Row]
"""What Python does to a row of a `sensitive` table before anybody sees it: decryption, masking."""

DECODER = msgspec.json.Decoder(Row.__value__)
ENCODER = msgspec.json.Encoder()


def unchanged(_: Table, row: Row) -> Row:
    """Leave a row as it is."""
    return row


class Postgres:
    """The adapter. `touch` is applied to each row of the tables that the policy calls sensitive.

    `write_dsn` and `scan_dsn` are those of two more roles; without them a person erases and corrects by hand, and
    nobody searches. `erasures` is what erasing a whole person asks for.
    """

    def __init__(
        self, spec: PostgresSource, dsn: str, *, write_dsn: str = "", scan_dsn: str = "",
        erasures: Sequence[Erasing] = (), touch: Touch = unchanged, fold: bool = True,
    ) -> None:  # fmt: skip
        self.id = spec.id
        self.spec = spec
        self.dsn = dsn
        self.write_dsn = write_dsn
        self.scan_dsn = scan_dsn
        self.erasures = tuple(erasures)
        self.touch = touch
        self.fold = fold
        self._pool: asyncpg.Pool | None = None
        self._types: sql.Types = {}
        self._held: Connection | None = None
        """The open transaction that this view of one moment reads in."""

    async def check(self) -> list[Fault]:
        """Compare the live schema with the policy file, and look for missing indexes and too many or few rights."""
        return [
            *await self._check_reading(),
            *await postgres_rights.check_writer(self.spec, self.write_dsn, self.erasures),
            *await postgres_rights.check_scanner(self.spec, self.scan_dsn),
        ]

    async def _check_reading(self) -> list[Fault]:
        try:
            async with self._connection() as connection:
                return [
                    *await completeness.check(connection, self.spec),
                    *await preflight.check(connection, self.spec),
                ]
        except SourceError as error:
            remedy = f"See that {self.spec.url_variable} is right and that the server answers from here."
            return [Fault(source=self.id, place="connection", what=str(error), remedy=remedy)]

    async def identify(self, known: Identifiers) -> Identifiers:
        """Add the spellings, account ids and Stripe customers of the accounts under the person's addresses."""
        async with self._connection() as connection:
            reading = await self._reading(connection, known)
            rows = await connection.fetch(sql.accounts(self.spec.lookup, reading), *reading.values)
        emails, accounts, customers, names, languages = (
            [row[place] for row in rows if row[place]] for place in range(5)
        )
        return msgspec.structs.replace(
            known,
            emails=known.emails.union(emails),
            account_ids=known.account_ids.union(accounts),
            stripe_customers=known.stripe_customers.union(customers),
            display_name=known.display_name or next(iter(names), ""),
            language=known.language or next(iter(languages), "")[:2].lower(),
        )

    async def count(self, subject: Identifiers) -> Mapping[str, int]:
        """Return how many rows each category holds, in one query."""
        async with self._connection() as connection:
            return await self._count(connection, self.spec.tables, subject)

    async def page(self, subject: Identifiers, category: str, *, offset: int, limit: int) -> Page:
        """Return some rows of a category, newest first, with the values that a copy would hold."""
        tables = self._tables(category)
        if not tables:
            return Page(rows=(), total=0)
        async with self._connection() as connection:
            reading = await self._reading(connection, subject)
            query = sql.newest(tables, reading, offset=offset, limit=limit)
            found = await connection.fetch(query, *reading.values)
            total = await self._count(connection, tables, subject)
        return Page(rows=tuple(msgspec.json.decode(row["line"]) for row in found), total=total[category])

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["Postgres"]:
        """Open one transaction; everything read through what it yields is as it was at this moment."""
        with speaking(self.id):
            pool = await self._open()
            connection = await pool.acquire(timeout=CONNECT_SECONDS)
        transaction = connection.transaction(isolation="repeatable_read", readonly=True)
        try:
            with speaking(self.id):
                await transaction.start()
                # A copy may take as long as its reader likes; `copy_lines` watches for a server that stalls.
                await connection.execute(f"SET LOCAL statement_timeout = 0; {BEGINNING}")
                moment = Postgres(self.spec, self.dsn, erasures=self.erasures, touch=self.touch, fold=self.fold)
                moment._types = await read_types(connection, _named(self.spec))
                moment._held = connection
            yield moment
        finally:
            # Nothing was written, so nothing is lost when a connection that broke cannot be ended in good order.
            with suppress(*TROUBLE):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await transaction.rollback()
            with suppress(*TROUBLE):
                await pool.release(connection)

    async def collect(self, subject: Identifiers, category: str) -> AsyncGenerator[Batch, None]:
        """Stream all rows of a category as they are at one moment, table after table."""
        if self._held is None:
            async with self.snapshot() as moment, aclosing(moment.collect(subject, category)) as batches:
                async for batch in batches:
                    yield batch
            return
        for table in self._tables(category):
            reading = sql.Reading(subject, self._types, fold=self.fold)
            async with aclosing(copy_lines(self._held, sql.lines(table, reading), reading.values)) as pieces:
                while piece := await self._next(pieces):
                    lines = self._touched(table, piece) if table.sensitive else piece
                    yield Batch(lines=lines, count=lines.count(b"\n"))

    def files(self, subject: Identifiers, category: str) -> AsyncIterator[StoredFile]:  # noqa: ARG002  a protocol
        """Yield nothing: a database has no files."""
        return no_files()

    async def erase(
        self,
        subject: Identifiers,
        items: Sequence[Erasing],
        *,
        pseudonym: UUID,
        handle: str = "",  # noqa: ARG002
    ) -> Erased:
        """Do all `items` in one transaction of the writing role, or nothing."""
        return await postgres_erase.erase(self.spec, self._writer(), subject, items, pseudonym)

    async def erase_held(self, pseudonym: UUID, items: Sequence[Held]) -> int:
        """Erase kept rows whose day has come, and the shells that nothing needs any more."""
        kept = {erasing.category for erasing in self.erasures if erasing.action == "keep"}
        return await postgres_held.erase_held(self.spec, self._writer(), pseudonym, items, kept=kept)

    async def rectify(self, subject: Identifiers, correction: Correction) -> int:
        """Write the value into the columns that fill the field."""
        return await postgres_rectify.rectify(self.spec, self._writer(), subject, correction)

    async def restrict(self, subject: Identifiers, *, on: bool) -> Restricted:
        """Set the platform's own flag with the one role, and read it back with the other."""
        if self.spec.restrict is None:
            raise SourceUnsupported(self.id, "the policy names no column that keeps data out of use")
        await postgres_rectify.set_flag(self.spec, self._writer(), subject, on=on)
        async with self._connection() as connection:
            reading = await self._reading(connection, subject)
            await postgres_rectify.assert_flag(connection, self.spec, reading, on=on)
        return Restricted(means="flag")

    async def search(self, needles: Needles) -> Searched:
        """Look through every table with the scanning role."""
        if not self.scan_dsn:
            raise SourceUnsupported(self.id, "there is no role that may read every table: set scan_url_variable")
        return await postgres_search.search(self.id, self.scan_dsn, needles)

    def _writer(self) -> str:
        if not self.write_dsn:
            raise SourceUnsupported(self.id, "there is no role that may write: set write_url_variable")
        return self.write_dsn

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    def _tables(self, category: str) -> list[Table]:
        return [table for table in self.spec.tables if table.category == category]

    async def _next(self, pieces: AsyncIterator[bytes]) -> bytes:
        with speaking(self.id):
            return await anext(pieces, b"")

    def _touched(self, table: Table, lines: bytes) -> bytes:
        rows: list[Row] = DECODER.decode_lines(lines)
        return ENCODER.encode_lines([self.touch(table, row) for row in rows])

    async def _count(self, connection: Connection, tables: Sequence[Table], subject: Identifiers) -> Mapping[str, int]:
        found = {table.category: 0 for table in tables}
        if tables:
            reading = await self._reading(connection, subject)
            for row in await connection.fetch(sql.totals(tables, reading), *reading.values):
                found[row["category"]] += row["number"]
        return found

    async def _reading(self, connection: Connection, subject: Identifiers) -> sql.Reading:
        """Start a statement. The live types are read once, and again after the server refused something."""
        self._types = self._types or await read_types(connection, _named(self.spec))
        return sql.Reading(subject, self._types, fold=self.fold)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection, or use the one of our moment; what goes wrong on it becomes one of our errors."""
        try:
            with speaking(self.id):
                if self._held is not None:
                    yield self._held
                    return
                pool = await self._open()
                async with pool.acquire(timeout=CONNECT_SECONDS) as connection:
                    yield connection
        except SourceRefused:
            self._types = {}
            raise

    async def _open(self) -> asyncpg.Pool:
        if self._pool is None:
            self._pool = asyncpg.create_pool(
                self.dsn, min_size=0, max_size=4, timeout=CONNECT_SECONDS, server_settings=SESSION,
                max_inactive_connection_lifetime=60,
            )  # fmt: skip
        return await self._pool


def _named(spec: PostgresSource) -> list[str]:
    """Return every table that the policy names for reading."""
    return [spec.lookup.table, *(t.name for t in spec.tables), *(j.table for t in spec.tables for j in t.subject.via)]
