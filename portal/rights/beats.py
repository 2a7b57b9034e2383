"""What must not stop unnoticed: when each last came to its end, and for how long that is no reason to worry.

Always true here: whoever does something again and again writes its beat when it is done, never before; a beat that is
old is said on Today, by `habeas check` and in the metrics.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from piccolo.querystring import QueryString

from portal.database import engine
from portal.health import LONGEST_DAY, SILENT
from portal.rights.tables_clock import Heartbeat

CLOCKS, REMINDERS, DAILY, ANCHOR = "rights.clock", "staff.reminders", "staff.daily", "evidence.anchor"
WORKER, MAIL, BACKUP = "worker", "mail", "backup"
"""A worker shows itself by its schedules, mail by the oldest one that waits; `habeas backup` tells of a backup."""

BEATS = (
    "SELECT name, at FROM heartbeat UNION ALL"
    " SELECT 'worker', max(greatest(heartbeat, last_run)) FROM pgqueuer_schedules UNION ALL"
    " SELECT 'mail', min(created_at) FROM mail WHERE state = 'waiting'"
)
"""Their names and when each last came to its end, or the oldest mail was written."""
LONGEST = {
    CLOCKS: timedelta(minutes=15),
    REMINDERS: timedelta(minutes=15),
    DAILY: LONGEST_DAY,
    ANCHOR: timedelta(hours=2),
    WORKER: SILENT,
    MAIL: timedelta(minutes=30),
    BACKUP: timedelta(days=8),
}
"""How long each may be silent."""


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `at` is None when it never came to its end; for mail, when the oldest waiting one was written."""

    name: str
    at: datetime | None
    silent: bool


async def beat(name: str, *, at: datetime) -> None:
    """Note that something came to its end. It never goes back."""
    await Heartbeat.raw(
        "INSERT INTO heartbeat (name, at) VALUES ({}, {})"
        " ON CONFLICT (name) DO UPDATE SET at = greatest(heartbeat.at, excluded.at)",
        name, at,
    )  # fmt: skip


async def beats(*, at: datetime) -> list[Beat]:
    """Return all of them, in one query.

    What never was is silent, but for mail, where nothing waits, and for backups, which may be made by other means.
    """
    return told(await engine().run_querystring(QueryString(BEATS)), at)


def told(rows: Sequence[Mapping[str, Any]], at: datetime) -> list[Beat]:
    """Return all of them from rows of `BEATS`."""
    found = {row["name"]: row["at"] for row in rows}
    return [_beat(name, found.get(name), at) for name in LONGEST]


def _beat(name: str, last: datetime | None, at: datetime) -> Beat:
    silent = at - last > LONGEST[name] if last else name not in {MAIL, BACKUP}
    return Beat(name=name, at=last, silent=silent)
