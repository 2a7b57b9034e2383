"""A week that is played: its clock, the people at the desk, and what the books say at its end.

Always true here: time only goes forward, and whatever the clock does by itself has been done when `becomes` returns; a
member of staff has a session put into the database, because how staff sign in has a journey of its own.
"""

import asyncio
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from admin.roles import Role
from admin.tables import IDLE, LONGEST, hashed
from admin.who import COOKIE
from demo.stack import Stack
from portal.clock import system_clock
from portal.settings import embedded_dsn
from tests.journeys.surfer import Surfer
from tests.journeys.week_serve import OFFSET, ROUND, OffsetClock, write_whole

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2027, 1, 11)
"""A week without a public holiday, in a winter without another hour."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "Monday after")
LATE = """
    SELECT reference FROM subject_request WHERE (closed_at IS NULL AND due_day < $1::date)
        OR (closed_at AT TIME ZONE 'Europe/Paris')::date > due_day
"""


class Week:
    """The week at `stack`, whose Habeas runs as `week_serve`."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.clock = OffsetClock(stack.folder)

    async def becomes(self, day: str, hour: int, minute: int = 0) -> datetime:
        """Let it become that time, as the clocks in Paris show it, and let all be done that is due by then."""
        moment = at(day, hour, minute)
        assert moment > self.clock(), "time goes forward"
        offset = str((moment - system_clock()).total_seconds())
        done = self.stack.folder / ROUND
        write_whole(self.stack.folder / OFFSET, offset)
        for _ in range(300):
            if done.exists() and done.read_text() == offset:
                return moment
            await asyncio.sleep(0.1)
        raise AssertionError(f"no round on {day}: {(self.stack.folder / 'habeas.log').read_text()[-2000:]}")

    async def ask(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Read from our own database."""
        connection = await asyncpg.connect(embedded_dsn(self.stack.folder))
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    async def until(self, query: str, *values: object) -> None:
        """Wait for the worker, until the query finds something."""
        for _ in range(600):
            if await self.ask(query, *values):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"the worker did not come to it: {query}")

    async def goes_on_until_ended(self, day: str, hour: int, reference: str) -> None:
        """Let time go by, a few minutes at once, until the worker has come to the end of a request."""
        for minute in range(0, 60, 4):
            await self.becomes(day, hour, minute)
            for _ in range(20):
                if (await self.row(reference))["closed_at"]:
                    return
                await asyncio.sleep(0.1)
        raise AssertionError(f"{reference} did not end on {day}")

    async def hired(self, name: str, *roles: Role) -> int:
        """Give the desk somebody. Returns their number."""
        rows = await self.ask(
            "INSERT INTO staff_user (username, password, email, active, admin, superuser, name, roles)"
            " VALUES ($1, '', $1, true, true, false, $2, $3) RETURNING id",
            address(name), name, [str(role) for role in roles],
        )  # fmt: skip
        return int(rows[0]["id"])

    async def comes_in(self, staff: Surfer, name: str, *, ago: timedelta = timedelta()) -> None:
        """Sit down at the desk; the second factor was shown so long ago."""
        token, now = secrets.token_urlsafe(32), self.clock()
        naive = now.replace(tzinfo=None)
        await self.ask(
            "INSERT INTO staff_session (token, user_id, expiry_date, max_expiry_date, confirmed_at)"
            " SELECT $1, id, $3, $4, $5 FROM staff_user WHERE email = $2",
            hashed(token), address(name), naive + IDLE, naive + LONGEST, now - ago,
        )  # fmt: skip
        await staff.page.context.add_cookies([{"name": COOKIE, "value": token, "url": self.stack.portal_url}])

    async def shows_second_factor(self, name: str) -> None:
        """Confirm in another window that it is still them."""
        await self.ask(
            "UPDATE staff_session SET confirmed_at = $2 FROM staff_user u WHERE u.id = user_id AND u.email = $1",
            address(name), self.clock(),
        )  # fmt: skip

    async def row(self, reference: str) -> asyncpg.Record:
        """Return a request as it stands."""
        rows = await self.ask("SELECT * FROM subject_request WHERE reference = $1", reference)
        return rows[0]

    async def late(self) -> list[str]:
        """Return what was not answered in time, or is not and should have been."""
        return [row["reference"] for row in await self.ask(LATE, self.clock().astimezone(PARIS).date())]

    async def mailed(self, kind: str) -> list[tuple[str, date]]:
        """Return who was mailed on which day, of the mails of a kind that the provider took."""
        rows = await self.ask(
            "SELECT to_address, (created_at AT TIME ZONE 'Europe/Paris')::date AS day FROM mail"
            " WHERE kind = $1 AND accepted_at IS NOT NULL ORDER BY created_at, to_address",
            kind,
        )
        return [(row["to_address"], row["day"]) for row in rows]

    async def evidence(self, event: str) -> Sequence[tuple[str, dict[str, Any]]]:
        """Return reference and details of each entry about an event, in order."""
        rows = await self.ask(
            "SELECT reference, details::text AS said FROM evidence WHERE event = $1 ORDER BY seq", event
        )
        return [(row["reference"], msgspec.json.decode(row["said"])) for row in rows]

    async def verify(self) -> tuple[int, str]:
        """Run `habeas evidence verify`. Returns how it ended and what it said."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "portal", "evidence", "verify",
            env=self.stack.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()


def at(day: str, hour: int, minute: int = 0) -> datetime:
    """Return an instant of the week, in UTC."""
    return datetime.combine(date_of(day), time(hour, minute), PARIS).astimezone(UTC)


def date_of(day: str) -> date:
    """Return the date of a day of the week that is played."""
    return MONDAY + timedelta(days=DAYS.index(day))


def address(name: str) -> str:
    """Return the address of somebody of the staff."""
    return f"{name.lower()}@staff.example"
