"""What staff must hear of now: a day that comes near while nobody has the request, and a day that has passed.

Always true here: days are days where the controller is, and those on which people work; each alarm is raised once for
its request and day, whoever looks and however often; nothing is said before eight in the morning.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from portal.database import engine
from portal.evidence.log import append
from portal.policy.model import Policy
from portal.rights.late import is_morning
from portal.rights.tables import SubjectRequest
from portal.rights.tables_alarms import Reminder
from portal.working_days import Calendar, last_working_day_on_or_before

type AlarmKind = Literal["unowned-soon", "unowned-today", "late"]
"""`unowned-soon` nobody has it, and this is the last working day before the one to act on · `unowned-today` nobody has
it, and today it must be acted on · `late` its day is over."""

AHEAD = timedelta(days=14)
"""No weekend and no row of holidays is longer than this."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One request that staff must hear of."""

    kind: AlarmKind
    id: UUID
    reference: str
    right: str
    act_by: date
    due: date

    @property
    def day(self) -> date:
        """The day that the alarm is about."""
        return self.due if self.kind == "late" else self.act_by

    @property
    def key(self) -> str:
        """What it is said under, once."""
        return f"{self.kind}:{self.reference}:{self.day.isoformat()}"


async def due_alarms(policy: Policy, holders: Collection[int], *, at: datetime) -> list[Alarm]:
    """Return the alarms that are to be raised now, by their day. `holders` are the staff who can have a request."""
    if not is_morning(policy, at):
        return []
    rows = await SubjectRequest.raw(
        f"{_SELECT} WHERE closed_at IS NULL AND due_day <= {{}} ORDER BY due_day, reference", _today(policy, at) + AHEAD
    )
    alarms = _alarms(rows, policy, holders, at)
    said = await Reminder.select(Reminder.key).where(Reminder.key.is_in([one.key for one in alarms])) if alarms else []
    return [one for one in alarms if one.key not in {row["key"] for row in said}]


async def raise_alarms(
    found: Sequence[Alarm], policy: Policy, holders: Collection[int], *, at: datetime
) -> list[Alarm]:  # fmt: skip
    """Return those that are still true and were raised by nobody else, as evidence, inside the caller's transaction.

    Nobody takes or ends these requests before the caller commits.
    """
    rows = await engine().connection.fetch(
        f"{_SELECT} WHERE closed_at IS NULL AND id = ANY($1) ORDER BY id FOR UPDATE", [one.id for one in found]
    )
    mine = [one for one in _alarms([dict(row) for row in rows], policy, holders, at) if await say_once(one.key, at=at)]
    for one in mine:
        details = {"kind": one.kind, "day": one.day.isoformat()}
        await append("staff:alarm:raised", at=at, actor="worker", reference=one.reference, details=details)
    return sorted(mine, key=lambda one: (one.day, one.reference))


async def say_once(key: str, *, at: datetime) -> bool:
    """Tell whether the caller, in their transaction, is the one who says this; nobody says it after they commit."""
    return bool(
        await Reminder.raw(
            "INSERT INTO reminder (key, at) VALUES ({}, {}) ON CONFLICT DO NOTHING RETURNING key", key, at
        )
    )


def day_before(day: date, calendar: Calendar) -> date:
    """Return the last working day before `day`: for a Monday that is the Friday."""
    return last_working_day_on_or_before(day - timedelta(days=1), calendar)


def _alarms(
    rows: Sequence[Mapping[str, object]], policy: Policy, holders: Collection[int], at: datetime
) -> list[Alarm]:  # fmt: skip
    today, calendar = _today(policy, at), Calendar(policy.controller.holidays)
    found = [_alarm(row, today, calendar, holders) for row in rows]
    return [one for one in found if one is not None]


def _alarm(row: Mapping[str, object], today: date, calendar: Calendar, holders: Collection[int]) -> Alarm | None:
    alarm = msgspec.convert({**row, "kind": "late"}, Alarm)
    if alarm.due < today:
        return alarm
    if row["assignee"] in holders or today < day_before(alarm.act_by, calendar):
        return None
    return msgspec.structs.replace(alarm, kind="unowned-soon" if today < alarm.act_by else "unowned-today")


def _today(policy: Policy, at: datetime) -> date:
    return at.astimezone(ZoneInfo(policy.controller.zone)).date()


_SELECT = (
    'SELECT id, reference, "right", coalesce(act_by_day, due_day) AS act_by, due_day AS due, assignee'
    " FROM subject_request"
)
