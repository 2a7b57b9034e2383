"""What may be done to a running clock, and the inputs after it: ask, answer, extend, join, add a law.

Always true here: a move returns new inputs and changes nothing; a move the law forbids is refused by the rule that
forbids it, named in the sentence.
"""

from datetime import datetime

import msgspec

from portal.errors import Invalid
from portal.policy.model import Jurisdiction
from portal.rights.deadlines import version_1
from portal.rights.deadlines.days import local_day, utc
from portal.rights.deadlines.inputs import (
    Event,
    Extended,
    Ground,
    Inputs,
    Joined,
    Paused,
    ProfileAdded,
    with_holidays,
)
from portal.rights.deadlines.profiles import Asked, profile_on


def may_extend(inputs: Inputs, *, noticed_at: datetime, reason: str) -> None:
    """See whether an extension whose notice leaves at `noticed_at` (aware) would count.

    Raises:
        Invalid: there is one already, no reason, no law that knows one, or the notice leaves too late. Source: D9.
    """
    if version_1.extension_of(inputs) is not None:
        raise Invalid("An answer can be extended only once (rule D9).", field="extended")
    if not reason.strip():
        raise Invalid("An extension needs a reason, and the person is told it (rule D9).", field="reason")
    extends = [name for name in inputs.all_profiles if profile_on(name, inputs.received).extends]
    if not extends:
        raise Invalid("The law that applies here knows no extension (rule 2d).", field="extended")
    if not any(version_1.in_time(inputs, name, noticed_at) for name in extends):
        raise Invalid("An extension is sent by the law’s last day: now the answer is late (rule D9).", field="extended")
    if local_day(noticed_at, inputs.zone) < inputs.received:
        raise Invalid("Nothing can be extended before it is received (rule D9).", field="extended")


def extend(inputs: Inputs, *, noticed_at: datetime, reason: str, ground: Ground = "complexity") -> Inputs:
    """Extend once. `reason` must hold no personal data. Raises: Invalid, as `may_extend`."""
    may_extend(inputs, noticed_at=noticed_at, reason=reason)
    return _with(inputs, Extended(noticed_at=utc(noticed_at), reason=reason, ground=ground))


def may_pause(inputs: Inputs, *, kind: Asked, asked_at: datetime) -> None:
    """See whether asking at `asked_at` (aware) would move the day of any law that applies.

    Asking is always allowed, see `pause`; this tells whether to count on the time.

    Raises:
        Invalid: it would not, by the rule that the sentence names. Source: D11 to D14.
    """
    asked = local_day(asked_at, inputs.zone)
    moved, reasons = False, set()
    for name in inputs.all_profiles:
        now = version_1.standing(inputs, name)
        what, why = version_1.effect(inputs, name, kind, asked, (now.base, now.added))
        moved = moved or what != "runs"
        reasons |= {one.id for one in why}
    if moved:
        return
    if "D12" in reasons:
        raise Invalid("Identity was asked for too late: the law’s day stays (rule D12).", field="paused")
    if "D14" in reasons:
        raise Invalid("The law’s last day is over: asking does not move it (rule D14).", field="paused")
    raise Invalid("Asking the person something does not move the law’s day (rule D11).", field="paused")


def pause(inputs: Inputs, *, kind: Asked, asked_at: datetime, answered_at: datetime | None = None) -> Inputs:
    """Record that something was asked, whether or not it moves a day.

    Raises:
        Invalid: before receipt, answered before it was asked, or the same is asked already and unanswered.
    """
    asked_at, answered_at = utc(asked_at), utc(answered_at) if answered_at else None
    if local_day(asked_at, inputs.zone) < inputs.received:
        raise Invalid("Nothing can be asked before the request is received (rule D13).", field="paused")
    if answered_at is not None and answered_at < asked_at:
        raise Invalid("An answer cannot come before the question (rule D13).", field="paused")
    if answered_at is None and _unanswered(inputs, kind) is not None:
        raise Invalid("This was asked already and is not answered yet (rule D13).", field="paused")
    return _with(inputs, Paused(kind=kind, asked_at=asked_at, answered_at=answered_at))


def answer(inputs: Inputs, *, kind: Asked, answered_at: datetime) -> Inputs:
    """Record the answer to the question of `kind` that waits for one. Without one that waits, nothing changes."""
    waiting = _unanswered(inputs, kind)
    if waiting is None:
        return inputs
    answered_at = utc(answered_at)
    if answered_at < waiting.asked_at:
        raise Invalid("An answer cannot come before the question (rule D13).", field="paused")
    answered = msgspec.structs.replace(waiting, answered_at=answered_at)
    events = tuple(answered if event is waiting else event for event in inputs.events)
    return with_holidays(msgspec.structs.replace(inputs, events=events))


def join(inputs: Inputs, *, received_at: datetime) -> Inputs:
    """Join a duplicate: the earliest receipt counts. Source: D16."""
    return _with(inputs, Joined(received_at=utc(received_at)))


def add_profile(inputs: Inputs, profile: Jurisdiction) -> Inputs:
    """Let one more law apply, from receipt on. Laws only add to each other. Idempotent."""
    return inputs if profile in inputs.all_profiles else _with(inputs, ProfileAdded(profile=profile))


def _with(inputs: Inputs, event: Event) -> Inputs:
    return with_holidays(msgspec.structs.replace(inputs, events=(*inputs.events, event)))


def _unanswered(inputs: Inputs, kind: Asked) -> Paused | None:
    waiting = (event for event in inputs.events if isinstance(event, Paused) and event.kind == kind)
    return next((event for event in waiting if event.answered_at is None), None)
