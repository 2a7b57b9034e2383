"""The register of requests as a file, written line by line: a million requests take no more memory than ten.

Always true here: the file says as of when it is and with which entry the log ended then; nothing in it depends on when
it was made, so whoever takes the same moment again gets the same bytes. That it was taken is evidence, with its digest.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta
from typing import BinaryIO, Literal
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from portal import sheet
from portal.database import engine
from portal.errors import Invalid
from portal.evidence.log import append
from portal.policy.model import Policy
from portal.rights.register import Line, Moment, moment, total, walk

type Format = Literal["json", "csv"]
type Progress = Callable[[int, int], None]
"""Told after each piece: how many lines are written, of how many."""

FORMAT = "habeas-register-1"


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: evidence knows it by its digest."""

    register: str
    format: str
    as_of: datetime
    seq: int
    """The last entry of the log that it knows; 0 for a register that does not come from the log."""
    lines: int
    sha256: str


def instant(day: date | None, zone: str, *, at: datetime) -> datetime:
    """Return the instant that a register is as of: the end of a day in the controller's zone, or now.

    Raises:
        Invalid: the day has not come.
    """
    if day is None or day == at.astimezone(ZoneInfo(zone)).date():
        return at
    end = datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(zone)).astimezone(at.tzinfo)
    if end > at:
        raise Invalid("This day has not come yet. Choose today or an earlier day.", field="as_of")
    return end - timedelta(microseconds=1)


async def write(
    out: BinaryIO,
    format: Format,
    policy: Policy,
    *,
    as_of: datetime,
    roles: Mapping[int, str],
    progress: Progress = lambda _, __: None,
) -> Taken:
    """Write the register as of an instant. `roles`: number of a member of staff -> their roles."""
    digest, lines = hashlib.sha256(), 0

    def put(content: bytes) -> None:
        digest.update(content)
        out.write(content)

    async with _snapshot() as connection:
        known = await moment(connection, as_of)
        whole = await total(connection, known)
        put(_head(format, policy, known))
        async for piece in walk(connection, known, policy.controller.zone, roles):
            put(_lines(format, piece, first=lines == 0))
            lines += len(piece)
            progress(lines, whole)
    put(f'\n],"lines":{lines}}}\n'.encode() if format == "json" else b"")
    return Taken(
        register="requests", format=format, as_of=as_of, seq=known.head.seq, lines=lines, sha256=digest.hexdigest()
    )


async def note(taken: Taken, *, at: datetime, actor: str) -> None:
    """Note as evidence that a register was taken, by whom, and its digest."""
    async with engine().transaction():
        await append(
            "staff:register:taken", at=at, actor=actor,
            details={**msgspec.to_builtins(taken), "as_of": taken.as_of.isoformat()},
        )  # fmt: skip


@asynccontextmanager
async def _snapshot() -> AsyncIterator[asyncpg.Connection]:
    """Open a connection on one moment of the database: a long walk keeps none of the pool's."""
    connection: asyncpg.Connection = await engine().get_new_connection()
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close()


def _head(format: Format, policy: Policy, known: Moment) -> bytes:
    heading: dict[str, str | int] = {
        "format": FORMAT,
        "register": "requests",
        "organisation": policy.controller.name,
        "zone": policy.controller.zone,
        "as_of": known.at.isoformat(),
        "evidence_seq": known.head.seq,
        "evidence_digest": known.head.digest,
    }
    if format == "json":
        return msgspec.json.encode(heading)[:-1] + b',"requests":['
    return sheet.MARK + sheet.rows([*map(tuple, heading.items()), (), Line.__struct_fields__])


def _lines(format: Format, piece: list[Line], *, first: bool) -> bytes:
    if format == "json":
        return b"".join(
            (b"\n" if first and not i else b",\n") + msgspec.json.encode(line) for i, line in enumerate(piece)
        )
    return sheet.rows([*_row(line)] for line in piece)


def _row(line: Line) -> Iterator[sheet.Value]:
    for value in msgspec.structs.astuple(line):
        yield " ".join(value) if isinstance(value, tuple) else value
