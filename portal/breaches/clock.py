"""The breach clock: until when the authority and the people are told.

Always true here: hours are elapsed time from the exact minute of awareness, through nights, weekends and holidays; they
are never rounded up and never moved. A late notice is still due. Source: GDPR Art. 33(1), 34(1); rules D18 to D21.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import msgspec

from portal.errors import Invalid
from portal.policy.model import Policy

GAP_HOURS = 24
"""A short investigation is allowed between the first signal and awareness. Source: EDPB 9/2022 s. II.A.2."""
GAP_WARNING = (
    "More than {limit} hours lie between the first signal and the finding that it is a breach. Write down why."
)


class AuthorityHours(msgspec.Struct, frozen=True, kw_only=True):
    """How many hours the law gives to tell the authority, for awareness from one day on (UTC)."""

    since: date
    hours: int
    source: str


AUTHORITY_HOURS: Sequence[AuthorityHours] = (
    AuthorityHours(since=date(2018, 5, 25), hours=72, source="GDPR Art. 33(1)"),
)
"""Oldest row first. A new law is a new row: COM(2025) 837 would make it 96, and is only proposed."""


class BreachClock(msgspec.Struct, frozen=True, kw_only=True):
    """The instants that count. All are aware, in the controller's zone."""

    aware_at: datetime
    first_signal_at: datetime
    """When something was first noticed; awareness itself, if nothing was noticed earlier."""
    due: datetime
    """Until when the authority is told."""
    people_due: datetime | None
    """Until when people are told, by our own promise; None: without undue delay, as the law says."""
    people_when: str
    """At which risk people are told: any-risk or high-risk."""
    cautious: datetime
    """The same hours from the first signal: who keeps this one need not argue about awareness."""
    gap_hours: int
    """Whole hours between first signal and awareness."""
    warning: str | None
    """An English msgid with {limit} when the gap needs a reason. Source: rule D20."""


def breach_clock(*, aware_at: datetime, policy: Policy, first_signal_at: datetime | None = None) -> BreachClock:
    """Compute the clock. `aware_at` (aware) is when it became reasonably certain that personal data are affected.

    A processor's breach: we are aware when the processor tells us.

    Raises:
        Invalid: when the first signal is later than awareness.
    """
    # In UTC: in one and the same zone Python compares and subtracts wall clocks, an hour wrong when the clocks change.
    aware_at, signal = aware_at.astimezone(UTC), (first_signal_at or aware_at).astimezone(UTC)
    if signal > aware_at:
        raise Invalid("The first signal cannot come after awareness (rule D20).", field="signal")
    hours, people = hours_on(aware_at), policy.breach.people_hours
    gap = aware_at - signal
    zone = ZoneInfo(policy.controller.zone)
    return BreachClock(
        aware_at=aware_at.astimezone(zone), first_signal_at=signal.astimezone(zone),
        due=_after(aware_at, hours, zone), people_due=_after(aware_at, people, zone) if people is not None else None,
        people_when=policy.breach.people_when, cautious=_after(signal, hours, zone),
        gap_hours=int(gap / timedelta(hours=1)), warning=GAP_WARNING if gap > timedelta(hours=GAP_HOURS) else None,
    )  # fmt: skip


def hours_on(aware_at: datetime) -> int:
    """Return the hours the law gives for what became known at `aware_at`."""
    day = aware_at.astimezone(UTC).date()
    return next((row.hours for row in reversed(AUTHORITY_HOURS) if row.since <= day), AUTHORITY_HOURS[0].hours)


def filed_late(clock: BreachClock, *, filed_at: datetime, reason: str) -> bool:
    """Tell whether a first notice filed at `filed_at` is late. Filing is never refused for being late.

    Raises:
        Invalid: it is late and no reason is given. Source: GDPR Art. 33(1), second sentence.
    """
    late = filed_at.astimezone(UTC) > clock.due.astimezone(UTC)
    if late and not reason.strip():
        raise Invalid("The law’s hours have passed: say why the notice is late. It is still due (rule D21).")
    return late


def complete_by(filed_at: datetime) -> datetime:
    """Return when to have completed a first notice that was incomplete: 72 hours on, if possible. Source: CNIL; D21."""
    return _after(filed_at, 72, UTC)


def _after(instant: datetime, hours: int, zone: tzinfo) -> datetime:
    """Add elapsed hours: in UTC, where an hour is an hour on the night the clocks change too."""
    return (instant.astimezone(UTC) + timedelta(hours=hours)).astimezone(zone)
