"""How we talk to somebody else's PostgreSQL: as whom, for how long, and in whose words a failure is told.

Always true here: an error names roles, tables, columns and constraints, and never a value; nothing waits for ever.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import asyncpg

from portal.errors import SourceRefused, SourceUnavailable
from portal.sources.catalogue import Connection

CONNECT_SECONDS = 3.0
SESSION = {
    "application_name": "habeas",
    "default_transaction_read_only": "on",
    "statement_timeout": "20s",
    "lock_timeout": "5s",
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "3",
    "row_security": "off",
}
"""`row_security=off` makes the server refuse a query from which a policy would silently hide rows."""
WRITING = SESSION | {
    "application_name": "habeas_writer",
    "default_transaction_read_only": "off",
    "statement_timeout": "120s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "60s",
}
"""A busy platform is not held up: whoever waits three seconds for a row gives up, undone, and tries again later."""
SCANNING = SESSION | {"application_name": "habeas_scan", "statement_timeout": "30min", "bytea_output": "hex"}
"""The search reads whole tables, once."""

TROUBLE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
LATER = ("08", "25", "40", "53", "55P03", "57", "58", "XX")
"""SQLSTATEs that pass: connection, lost transaction, conflict, resources, lock, shutdown or time-out, system."""
TELLING = ("28", "3D", "42")
"""SQLSTATEs whose message names roles, tables and columns only, never a value."""


@contextmanager
def speaking(source: str, place: str = "") -> Iterator[None]:
    """Turn what the driver raises into one of our errors, without a word that could be somebody's data.

    `place` is what was worked on, a table for instance; it leads the message.
    """
    try:
        yield
    except asyncpg.PostgresError as error:
        later = (error.sqlstate or "").startswith(LATER)
        message = f"{place}: {_words(error)}" if place else _words(error)
        raise (SourceUnavailable if later else SourceRefused)(source, message) from None
    except asyncpg.InterfaceError as error:
        refused = isinstance(error, ValueError)  # A wrong DSN or argument; the others mean a lost connection.
        raise (SourceRefused if refused else SourceUnavailable)(source, type(error).__name__) from None
    except (OSError, asyncpg.InternalClientError) as error:  # The latter: a connection that is cut half way.
        raise SourceUnavailable(source, type(error).__name__) from None


def _words(error: asyncpg.PostgresError) -> str:
    state = error.sqlstate or ""
    words = f"{type(error).__name__} ({state})"
    if state.startswith(TELLING):
        return f"{words}: {error.args[0]}"
    # The detail of a broken constraint quotes values; its names do not.
    names = ", ".join(filter(None, (error.table_name, error.column_name, error.constraint_name)))
    return f"{words}: {names}" if state.startswith("23") and names else words


@asynccontextmanager
async def connected(source: str, dsn: str, settings: dict[str, str]) -> AsyncIterator[Connection]:
    """Open a connection for one piece of work. What goes wrong on it becomes one of our errors."""
    with speaking(source):
        connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, server_settings=settings)
        try:
            yield connection
        finally:
            with suppress(*TROUBLE, TimeoutError):
                await connection.close(timeout=CONNECT_SECONDS)


@asynccontextmanager
async def writing(source: str, dsn: str) -> AsyncIterator[Connection]:
    """Open one transaction of the writing role: all of it happens, or nothing."""
    async with connected(source, dsn, WRITING) as connection, connection.transaction():
        yield connection
