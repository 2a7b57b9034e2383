"""A desk with people at it, requests of any day, and the round of reminders, for the tests of what staff are told."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
from piccolo.querystring import QueryString

from admin.roles import Role
from admin.tables import StaffUser
from portal.clock import SetClock
from portal.database import engine
from portal.mail.tables import Mail
from portal.policy.model import Policy
from portal.rights.tables import SubjectRequest
from portal.rights.workshop import Workshop
from portal.settings import read_settings
from portal.sources.registry import Sources
from portal.working_days import Calendar, last_working_day_on_or_before
from tests.web_app import SECRET, organisation

PARIS = ZoneInfo("Europe/Paris")


def shop_of(clock: SetClock, policy: Policy | None = None, **environment: str) -> Workshop:
    """What a worker has, without sources, storage and a press."""
    nothing = cast(Any, None)
    settings = read_settings(
        {"HABEAS_SECRET_KEY": SECRET, "HABEAS_PUBLIC_URL": "https://rights.example", **environment}
    )
    return Workshop(policy or organisation(), settings, clock, Sources([]), nothing, nothing)


async def somebody(email: str, *roles: Role, active: bool = True) -> int:
    """Give the desk a member of staff. Returns their number."""
    user = StaffUser(username=email, email=email, active=active, admin=True, roles=[str(role) for role in roles])
    user.password = ""
    await user.save()
    return int(user.id)


async def request(reference: str, due: date, *, assignee: int | None = None) -> None:
    """Have an open request whose answer is due on a day."""
    act_by = last_working_day_on_or_before(due, Calendar("FR"))
    await SubjectRequest(
        reference=reference, right="inquiry", language="en", state="deciding", assignee=assignee,
        received_at=datetime.combine(due - timedelta(days=30), time(9), UTC), promise_day=due, law_day=due, due_day=due,
        act_by_day=act_by, clock="{}",
    ).save()  # fmt: skip


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """An hour of the clock in Paris."""
    return datetime.combine(day, time(hour, minute), PARIS).astimezone(UTC)


async def mails(kind: str) -> list[dict[str, Any]]:
    """The mails of a kind, oldest first."""
    return await Mail.select(Mail.to_address, Mail.created_at, Mail.language).where(Mail.kind == kind).order_by(
        Mail.created_at, Mail.to_address
    )  # fmt: skip


async def subjects(kind: str) -> list[str]:
    """The subjects of the mails of a kind, oldest first."""
    rows = await Mail.raw(
        "SELECT b.subject FROM mail m JOIN mail_body b ON b.mail = m.id WHERE m.kind = {}"
        " ORDER BY m.created_at, m.to_address",
        kind,
    )
    return [row["subject"] for row in rows]


async def alarms() -> list[tuple[str, str, datetime]]:
    """What was raised, by the evidence: kind, reference and when."""
    said = "SELECT at, reference, details::text AS details FROM evidence WHERE event = {} ORDER BY seq"
    rows = await engine().run_querystring(QueryString(said, "staff:alarm:raised"))
    return [(msgspec.json.decode(row["details"])["kind"], row["reference"], row["at"]) for row in rows]


async def jobs(name: str) -> Sequence[dict[str, str]]:
    """The payloads of the jobs of a name that wait."""
    rows = await engine().run_querystring(
        QueryString("SELECT payload FROM pgqueuer WHERE entrypoint = {} ORDER BY id", name)
    )
    return [msgspec.json.decode(row["payload"]) for row in rows]
