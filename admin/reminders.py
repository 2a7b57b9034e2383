"""What staff are told by themselves: the plan of each day, and at once what needs somebody now.

Always true here: who is told is read when it leaves; a mail, the note that it was written and the evidence commit
together, so each is written once, whoever makes the round, however often, and wherever it was cut off.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog
from piccolo.querystring import QueryString

from admin import hooks
from admin.colleagues import who_may
from admin.desk_words import right_in_words
from admin.reminders_plan import plan_for
from admin.roles import Permission, roles_of
from admin.tables import StaffUser
from admin.tables_reminders import StaffChoice
from admin.who import Staff
from portal.database import engine
from portal.errors import Invalid
from portal.jobs import Schedule, Work
from portal.mail.messages import Message
from portal.mail.messages.staff_reminders import Line, alarm_in_words, staff_alarm, staff_daily
from portal.mail.outbox import plain_address, post
from portal.policy.model import Language, Policy
from portal.rights.alarms import Alarm, due_alarms, raise_alarms, say_once
from portal.rights.beats import ANCHOR, DAILY, REMINDERS, beat
from portal.rights.failures import open_failures
from portal.rights.late import is_morning
from portal.rights.tables_alarms import Reminder
from portal.rights.tables_clock import Heartbeat
from portal.rights.workshop import Workshop
from portal.settings import Settings
from portal.words import Words

log = structlog.get_logger()

FORGOTTEN_AFTER = timedelta(days=400)
"""What was said so long ago could be said again."""
USEFUL = timedelta(days=1)
"""What did not leave within a day says nothing that is still true."""
DESK = "/staff/desk"


class Reader(msgspec.Struct, frozen=True):
    """A member of staff who is written to, and in which language."""

    staff: Staff
    language: Language


async def make_round(shop: Workshop) -> None:
    """Say what is due to be said now, and note that it was looked at. Idempotent."""
    at = shop.clock()
    await Heartbeat.raw(
        "INSERT INTO heartbeat (name, at) VALUES ({}, {}), ({}, {}) ON CONFLICT DO NOTHING", DAILY, at, ANCHOR, at
    )
    people = await readers(shop.policy, at=at)
    await _alarms(shop, people, at=at)
    await _days(shop, people, at=at)
    await _news(shop, at=at)
    await _note_what_left()
    await beat(REMINDERS, at=at)


async def readers(policy: Policy, *, at: datetime) -> list[Reader]:
    """Return the active staff who may see the queue, with the language each chose, or the organisation's first."""
    rows = await (
        StaffUser.select(StaffUser.id, StaffUser.email, StaffUser.name, StaffUser.roles)
        .where(StaffUser.active.eq(True))
        .order_by(StaffUser.id)
    )
    chosen = {row["user"]: row["language"] for row in await StaffChoice.select(StaffChoice.user, StaffChoice.language)}
    return [
        Reader(staff, next((one for one in policy.languages if one == chosen.get(staff.id)), policy.languages[0]))
        for row in rows
        if (staff := _staff(row, at)).may(Permission.QUEUE) and _can_be_written_to(staff)
    ]


async def language_of(staff: int, policy: Policy) -> Language:
    """Return the language in which a member of staff is written to."""
    row = await StaffChoice.select(StaffChoice.language).where(StaffChoice.user == staff).first()
    return next((one for one in policy.languages if row and one == row["language"]), policy.languages[0])


def works(shop: Workshop) -> list[Work]:
    """Return the jobs of this room."""
    return hooks.works(shop.policy, shop.settings, shop.clock)


def schedules(shop: Workshop) -> list[Schedule]:
    """Return what this room does by the clock. What came due while nobody worked is said at once."""

    async def remind() -> None:
        await make_round(shop)

    return [Schedule(REMINDERS, "*/5 * * * *", remind, at_start=True)]


async def _alarms(shop: Workshop, people: Sequence[Reader], *, at: datetime) -> None:
    """Raise what is due, in one mail for each reader. While nobody can be told it stays to be said."""
    if not people and not hooks.is_wanted(shop.settings):
        return
    holders = {one.id for one in await who_may(Permission.WRITE)}
    found = await due_alarms(shop.policy, holders, at=at)
    if not found:
        return
    async with engine().transaction():
        mine = await raise_alarms(found, shop.policy, holders, at=at)
        for alarm in mine:
            await hooks.announce(
                alarm.kind, {"reference": alarm.reference, "day": alarm.day.isoformat()}, key=alarm.key,
                settings=shop.settings, at=at,
            )  # fmt: skip
        for reader in people if mine else []:
            message = alarm_message(mine, Words(reader.language, shop.policy.controller.zone), shop)
            await post(
                message, to=reader.staff.email, language=reader.language, at=at, expires_at=at + timedelta(days=2)
            )


def alarm_message(alarms: Sequence[Alarm], words: Words, shop: Workshop) -> Message:
    """Write one mail about alarms."""
    first = alarms[0]
    one = alarm_in_words(words, first.kind, first.reference, first.day)
    many = words.plural("One request needs somebody now", "{count} requests need somebody now", len(alarms))
    return staff_alarm(
        words, shop.policy, subject=one if len(alarms) == 1 else many, lines=[_alarm_line(a, words) for a in alarms],
        late=any(a.kind == "late" for a in alarms), unowned=any(a.kind != "late" for a in alarms),
        link=link_to(shop.settings, words.language, f"{DESK}/{first.reference}" if len(alarms) == 1 else DESK),
    )  # fmt: skip


def link_to(settings: Settings, language: str, path: str) -> str:
    """Return the address of a page of the desk."""
    return f"{settings.public_url}/{language}{path}"


async def _days(shop: Workshop, people: Sequence[Reader], *, at: datetime) -> None:
    """Write the plan of the day to everybody who has not got it yet, from eight in the morning on."""
    if not is_morning(shop.policy, at):
        return
    today = at.astimezone(ZoneInfo(shop.policy.controller.zone)).date()
    keys = {f"daily:{today.isoformat()}:{one.staff.id}": one for one in people}
    said = await Reminder.select(Reminder.key).where(Reminder.key.is_in([*keys])) if keys else []
    for key in keys.keys() - {row["key"] for row in said}:
        await _day(shop, keys[key], people, key, today, at=at)


async def _day(
    shop: Workshop, reader: Reader, people: Sequence[Reader], key: str, today: date, *, at: datetime
) -> None:  # fmt: skip
    words = Words(reader.language, shop.policy.controller.zone)
    day = await plan_for(reader.staff, [one.staff.id for one in people], words, shop.policy, at=at)
    message = staff_daily(words, shop.policy, day=day, link=link_to(shop.settings, reader.language, DESK))
    async with engine().transaction():
        if await say_once(key, at=at):
            await post(
                message, to=reader.staff.email, language=reader.language, at=at, expires_at=at + timedelta(days=1)
            )
        await hooks.announce(
            "daily", {"things": str(day.count), "late": str(day.late)}, key=today.isoformat(), settings=shop.settings,
            at=at,
        )  # fmt: skip
        await Reminder.delete().where(Reminder.at < at - FORGOTTEN_AFTER)


async def _write_to(reader: Reader, message: Message, *, at: datetime) -> None:
    await post(message, to=reader.staff.email, language=reader.language, at=at, expires_at=at + USEFUL)


async def _news(shop: Workshop, *, at: datetime) -> None:
    """Tell the chat tool of what failed, but not of its own calls that did, and of what waits for a second person."""
    if not hooks.is_wanted(shop.settings):
        return
    for one in await open_failures(shop.policy, at=at):
        if one.what != hooks.JOB:
            key = f"{one.id}:{one.since.isoformat() if one.since else ''}"
            await _tell(shop, "failure", {"kind": one.kind, "reference": one.reference}, key, at=at)
    rows = await engine().run_querystring(
        QueryString(
            "SELECT a.id, a.verb, coalesce(r.reference, '') AS reference FROM approval a"
            " LEFT JOIN subject_request r ON r.id = a.request WHERE a.state = 'waiting'"
        )
    )
    for row in rows:
        await _tell(
            shop, "approval-waiting", {"verb": row["verb"], "reference": row["reference"]}, str(row["id"]), at=at
        )


async def _tell(shop: Workshop, event: str, data: Mapping[str, str], key: str, *, at: datetime) -> None:
    async with engine().transaction():
        await hooks.announce(event, data, key=key, settings=shop.settings, at=at)


async def _note_what_left() -> None:
    """Let the beat of the daily mail be the moment at which the mail provider last took one."""
    rows = await engine().run_querystring(
        QueryString("SELECT max(accepted_at) AS at FROM mail WHERE kind = 'staff-daily'")
    )
    if rows[0]["at"]:
        await beat(DAILY, at=rows[0]["at"])


def _can_be_written_to(staff: Staff) -> bool:
    """Tell whether a mail can be addressed to them. One address that is none must not keep the others from theirs."""
    try:
        plain_address(staff.email)
    except Invalid:
        log.warning("a member of staff has no address", staff=staff.id)
        return False
    return True


def _staff(row: Mapping[str, Any], at: datetime) -> Staff:
    return Staff(
        id=row["id"], email=row["email"], name=row["name"] or row["email"].partition("@")[0],
        roles=roles_of(row["roles"]), confirmed_at=at,
    )  # fmt: skip


def _alarm_line(alarm: Alarm, words: Words) -> Line:
    said = {
        "unowned-soon": words("act by {day}", day=words.day(alarm.act_by)),
        "unowned-today": words("act today"),
        "late": words("was due on {day}", day=words.day(alarm.due)),
    }[alarm.kind]
    return Line(f"{alarm.reference}, {right_in_words(words, alarm.right)}", said)
