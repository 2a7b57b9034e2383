"""Letters, calls, mails and visits that staff write down.

Always true here: the clock runs from when it reached us, not from when it was entered; an hour that the clocks showed
twice is asked about, one that never was is refused, and so is the future; what the person said is kept as it was.
Source: law D1, D2, CG-25, Z4.
"""

from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from portal.database import engine
from portal.errors import Invalid
from portal.evidence.log import append
from portal.identity.sessions import subject_for
from portal.mail.messages import request_received
from portal.mail.outbox import post
from portal.mail.wording import asked_in_words
from portal.policy.model import Policy
from portal.rights.erasure_plan import choosable
from portal.rights.intake import Asked, take_in
from portal.rights.intake_settle import settle
from portal.rights.lifecycle import RIGHTS, SELF_SERVICE, Right
from portal.rights.replies import link_to
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import SubjectRequest
from portal.rights.tasks import open_task
from portal.settings import Settings
from portal.words import Words

CHANNELS = ("letter", "phone", "email", "counter")
METHODS = ("none", "address-on-record", "account-details", "in-person", "other")
"""How staff know who it is; `none`: they do not yet."""
LONGEST_TEXT = 20_000
ENTERED = tuple(right for right in RIGHTS if right != "child")
"""What can be written down here. A report about a child has a form of its own, which puts the account out of use."""
FIRST_YEAR = 2018
"""The GDPR applies since then: an earlier year is a slip."""


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """What staff wrote down."""

    rights: tuple[Right, ...]
    channel: str
    received_at: datetime
    """Aware; when it reached us."""
    text: str
    email: str
    """Normalised; empty when no address is known."""
    method: str
    language: str
    everything: bool = False
    """For an erasure: all of it was asked for."""


def received_instant(day: str, hour: str, which: str, *, policy: Policy, at: datetime) -> datetime:
    """Return the instant (UTC) of a day and a time of day in the controller's zone. `which`: first, second or empty.

    Raises:
        Invalid: no day, no time, the future, a year before the law, a time that the clocks skipped, or one that they
            showed twice while `which` does not say which; names the field.
    """
    zone = ZoneInfo(policy.controller.zone)
    local = datetime.combine(_day(day), _time(hour))
    if local.year < FIRST_YEAR:
        raise Invalid("Look at the year: this is longer ago than these rights.", field="day")
    early, late = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise Invalid("The clocks skipped this hour that night. Write the time they showed.", field="time")
    twice = early.utcoffset() != late.utcoffset()
    if twice and which not in {"first", "second"}:
        raise Invalid("The clocks went back that night: this hour came twice. Say which one.", field="which")
    found = (late if twice and which == "second" else early).astimezone(UTC)
    if found > at:
        raise Invalid("This is in the future. Write when it reached us.", field="day")
    return found


def checked(entered: Entered) -> Entered:
    """Return what was entered, if it holds together.

    Raises:
        Invalid: naming the field.
    """
    if not entered.rights or any(right not in ENTERED for right in entered.rights):
        raise Invalid("Tick what the person asks for.", field="rights")
    if entered.channel not in CHANNELS:
        raise Invalid("Say how it came.", field="channel")
    if not entered.text.strip():
        raise Invalid("Write what the person said, in their own words.", field="text")
    if len(entered.text) > LONGEST_TEXT:
        raise Invalid("Shorten the text to 20,000 characters; keep the letter itself on file.", field="text")
    if entered.method not in METHODS:
        raise Invalid("Say how you know who it is.", field="method")
    if entered.method != "none" and not entered.email:
        raise Invalid("Write the address of their account, or say that you do not know who it is yet.", field="email")
    return entered


async def enter(
    entered: Entered, *, policy: Policy, settings: Settings, at: datetime, actor: str
) -> tuple[RequestView, ...]:
    """Open one request for each right, in one transaction. Returns those that go on. `actor` is `staff:<id>`.

    What a person has open already is joined by the earlier receipt, and the very same letter of theirs changes nothing.
    Source: D16.
    """
    entered = checked(entered)
    async with engine().transaction():
        opened = [await _enter(right, entered, policy, settings, at, actor) for right in entered.rights]
    return tuple(opened)


async def _enter(
    right: Right, entered: Entered, policy: Policy, settings: Settings, at: datetime, actor: str
) -> RequestView:
    subject = None
    if entered.method != "none":
        subject = await subject_for(entered.email, language=entered.language, at=at)
        if (before := await _before(right, entered, subject)) is not None:
            return before
    asked = Asked(
        right=right, subject=None, language=entered.language, channel=entered.channel, text=entered.text,
        categories=_categories(right, entered, policy), author="person", actor=actor, state="verifying",
        received_at=entered.received_at,
    )  # fmt: skip
    request = await take_in(asked, policy=policy, public_url=settings.public_url, at=at, receipt=False)
    details = {"method": entered.method, "entered_at": at.isoformat()}
    await append("rights:request:entered", at=at, actor=actor, reference=request.reference, details=details)
    if subject is None:
        due = request.act_by_day or request.due_day
        await open_task(request.id, request.reference, "identify", entered.channel, due=due, at=at)
        await _confirm(request, entered, policy, settings, at)
        return request
    return await settle(
        request, subject, event="identified", policy=policy, settings=settings, at=at, actor=actor
    )  # fmt: skip


async def _before(right: Right, entered: Entered, subject: UUID) -> RequestView | None:
    """Return the open request that was written down from this very letter already: by a second click, say."""
    await engine().connection.execute("SELECT FROM subject WHERE id = $1 FOR UPDATE", subject)
    rows = await SubjectRequest.raw(
        "SELECT r.id FROM subject_request r JOIN request_message m ON m.request = r.id WHERE r.subject = {}"
        ' AND r."right" = {} AND r.channel = {} AND r.received_at = {} AND m.text = {} AND r.closed_at IS NULL LIMIT 1',
        subject, right, entered.channel, entered.received_at, entered.text,
    )  # fmt: skip
    return await find_by_id(rows[0]["id"]) if rows else None


async def _confirm(request: RequestView, entered: Entered, policy: Policy, settings: Settings, at: datetime) -> None:
    """Say to a known address that we have it; nothing in it is about the person."""
    if not entered.email:
        return
    words = Words(request.language, policy.controller.zone)
    message = request_received(
        words, policy, reference=request.reference, due_day=request.due_day, signed_in=False,
        what=asked_in_words(words, request.right), link=link_to(request, settings),
    )  # fmt: skip
    await post(message, to=entered.email, language=request.language, reference=request.reference, at=at)


def _categories(right: Right, entered: Entered, policy: Policy) -> tuple[str, ...]:
    if right in SELF_SERVICE:
        return all_categories(policy)
    if right == "erasure" and entered.everything:
        return tuple(category.id for category in choosable(policy))
    return ()


def all_categories(policy: Policy) -> tuple[str, ...]:
    """Return every category that can be copied."""
    return tuple(one.id for one in policy.categories if one.searchable and policy.sources_of(one.id))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid("Write the day as year, month and day, like 2026-03-06.", field="day") from None


def _time(text: str) -> time:
    try:
        found = time.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise Invalid("Write the time as hours and minutes, like 18:00.", field="time")
    return found
