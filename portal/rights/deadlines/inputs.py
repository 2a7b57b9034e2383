"""What a clock is computed from, as one value that can be stored, and what comes out.

Always true here: the inputs hold everything, holidays too; the same inputs give the same dates for ever, whatever a
later release of the policy, the calendars or the profiles says. No names and no wishes of a person are in them.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from portal.errors import Refused
from portal.policy.model import Extension, IdentityPause, Jurisdiction, Policy
from portal.rights.deadlines.days import local_day, utc
from portal.rights.deadlines.profiles import Asked, profile_on
from portal.rights.deadlines.rules import Rule
from portal.working_days import SATURDAY, holidays_in

type Instant = Annotated[datetime, msgspec.Meta(tz=True)]
type Ground = Literal["complexity", "number"]
"""Why an answer takes longer: it is complex, or the person sent many requests. Source: GDPR Art. 12(3)."""

RULES_VERSION = 1
"""The version new clocks are computed by. Older ones stay computable."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the stored parts share: frozen, strict, named."""


class Paused(Part, frozen=True, kw_only=True, tag_field="event", tag="paused"):
    """Something was asked of the person. `answered_at` is None while they have not answered."""

    kind: Asked = "identity"
    asked_at: Instant
    answered_at: Instant | None = None


class Extended(Part, frozen=True, kw_only=True, tag_field="event", tag="extended"):
    """The person was told that the answer takes longer. `reason` is in words of ours without personal data."""

    noticed_at: Instant
    reason: str
    ground: Ground = "complexity"


class Joined(Part, frozen=True, kw_only=True, tag_field="event", tag="joined"):
    """A duplicate was joined: `received_at` is that one's receipt."""

    received_at: Instant


class ProfileAdded(Part, frozen=True, kw_only=True, tag_field="event", tag="profile-added"):
    """It turned out that one more law applies, from receipt on."""

    profile: Jurisdiction


type Event = Paused | Extended | Joined | ProfileAdded


class Inputs(Part, frozen=True, kw_only=True):
    """Everything a deadline is computed from. Make it with `inputs_for`, store it with `to_json`."""

    rules_version: int = RULES_VERSION
    received_at: Instant
    """When it arrived, in UTC. Nothing changes this one."""
    zone: str
    calendar: str
    """The controller's holiday calendar, such as FR."""
    promise_days: int | None
    profiles: tuple[Jurisdiction, ...]
    identity_pause: IdentityPause = "none"
    extension: Extension = "strict"
    about: Literal["request", "complaint"] = "request"
    events: tuple[Event, ...] = ()
    holidays: Mapping[str, Mapping[int, tuple[date, ...]]] = {}
    """Calendar -> year -> public holidays on weekdays, as they were known when the year was first needed."""

    @property
    def received(self) -> date:
        """The legal day of receipt: the earliest, if duplicates were joined."""
        joined = [event.received_at for event in self.events if isinstance(event, Joined)]
        return local_day(min([self.received_at, *joined]), self.zone)

    @property
    def all_profiles(self) -> tuple[Jurisdiction, ...]:
        """Every law that applies, each once."""
        added = [event.profile for event in self.events if isinstance(event, ProfileAdded)]
        return tuple(dict.fromkeys([*self.profiles, *added]))


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """What comes out. Days are days in the controller's zone."""

    received: date
    promise: date | None
    """None when no number of days is promised."""
    law: date
    """The last lawful day, extended and rolled forward; while the clock stands still, the day it was."""
    law_unrolled: date
    """The safe day: the same before a weekend or holiday moved it."""
    due: date
    """The day that counts."""
    act_by: date
    """The last working day on which to act."""
    extended: date | None
    """The law's day by the extension, None without one."""
    suspended: date | None
    """The law's day as it was when the clock stopped, None while it runs."""
    remind_on: date | None
    """When to remind the person of what was asked and not answered."""
    close_on: date | None
    """When to answer at the latest that we cannot identify them, if they never do."""
    ack_by: date | None
    """Until when to acknowledge, where a law says so."""
    late_at: datetime
    """The first instant (UTC) at which it is late: an answer that left before it was in time."""
    rules: tuple[Rule, ...]
    """The rules applied, in the order of the rule book."""


def inputs_for(
    received_at: datetime,
    policy: Policy,
    *,
    profiles: tuple[Jurisdiction, ...] | None = None,
    identity_pause: IdentityPause | None = None,
    inquiry: bool = False,
    complaint: bool = False,
) -> Inputs:
    """Return the inputs of a new clock. `received_at` (aware) is when it arrived, not when somebody entered it.

    `profiles` and `identity_pause` take the place of what the policy says. `inquiry`: no right is exercised, the
    promise for plain questions counts. `complaint`: it complains about how data is handled. Source: rule D2.
    """
    answer = policy.answer
    days = answer.inquiry_days if inquiry and answer.inquiry_days is not None else answer.days
    return with_holidays(
        Inputs(
            received_at=utc(received_at), zone=policy.controller.zone, calendar=policy.controller.holidays,
            promise_days=days, profiles=profiles or answer.profiles,
            identity_pause=identity_pause or answer.identity_pause, extension=answer.extension,
            about="complaint" if complaint else "request",
        )
    )  # fmt: skip


def with_holidays(inputs: Inputs) -> Inputs:
    """Add the holidays of calendars and years that the events made necessary. What is there already stays as it is."""
    last = max(inputs.received, *(local_day(instant, inputs.zone) for instant in _instants(inputs)))
    years = range(inputs.received.year, last.year + 2)
    profiles = (profile_on(name, inputs.received) for name in inputs.all_profiles)
    codes = dict.fromkeys([inputs.calendar, *(profile.calendar for profile in profiles if profile.calendar)])
    known = inputs.holidays
    wanted = {code: {year: _weekdays(code, year) for year in years} for code in codes}
    merged = {code: {**wanted.get(code, {}), **known.get(code, {})} for code in {**known, **wanted}}
    return msgspec.structs.replace(inputs, holidays=merged)


def to_json(inputs: Inputs) -> str:
    """Write inputs for the column that keeps them."""
    return msgspec.json.encode(inputs).decode()


def from_json(stored: str) -> Inputs:
    """Read inputs back.

    Raises:
        Refused: when this is not what `to_json` wrote: computing anything from it would be guessing.
    """
    try:
        inputs = msgspec.json.decode(stored, type=Inputs)
        ZoneInfo(inputs.zone)
    except (msgspec.DecodeError, LookupError, ValueError) as error:
        raise Refused(f"the stored clock cannot be read: {error}") from None
    return inputs


def _instants(inputs: Inputs) -> list[datetime]:
    found: list[datetime | None] = [inputs.received_at]
    for event in inputs.events:
        match event:
            case Paused():
                found += [event.asked_at, event.answered_at]
            case Extended():
                found.append(event.noticed_at)
            case _:
                pass
    return [instant for instant in found if instant is not None]


def _weekdays(code: str, year: int) -> tuple[date, ...]:
    return tuple(sorted(day for day in holidays_in(code, year) if day.weekday() < SATURDAY))
