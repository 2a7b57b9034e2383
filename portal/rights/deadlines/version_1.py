"""Version 1 of the deadline rules: D1 to D17 of the rule book, for every law that applies.

Always true here: nothing is asked but the inputs. Where two readings are possible, the earlier day is taken. Once a
release has computed by it, this version changes no more: another one is written beside it.
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from portal.errors import Invalid
from portal.rights.deadlines.days import add_months, end_of, local_day
from portal.rights.deadlines.inputs import Deadline, Extended, Inputs, Joined, Paused
from portal.rights.deadlines.profiles import Asked, Effect, Profile, profile_on
from portal.rights.deadlines.rules import RULES, Rule, rule
from portal.working_days import add_working_days, first_working_day_on_or_after, last_working_day_on_or_before

ASK_WITHIN_DAYS = 5
"""Identity asked for later than this after receipt was not asked "without undue delay". Source: EDPB 01/2022 s. 3.2."""
REMIND_AFTER_DAYS = 14
CLOSE_AFTER_DAYS = 30


@dataclass(frozen=True)
class Question:
    """Something asked of the person, in legal days."""

    kind: Asked
    asked: date
    answered: date | None


@dataclass(frozen=True)
class Standing:
    """How one law's clock stands: from where it counts, how many days it stood still, since when it stands still."""

    base: date
    added: int
    stopped: date | None
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Clock:
    """One law's clock, counted out. `safe` is its last day before it is moved on from a weekend or holiday."""

    safe: date
    last: date
    plain_safe: date
    """`safe` without the extension."""
    extended: bool
    stopped: date | None
    rules: tuple[Rule, ...]


def count(inputs: Inputs) -> Deadline:
    """Compute the dates. Raises: Invalid, when the events cannot have happened so."""
    _refuse_impossible(inputs)
    received, holidays = inputs.received, _holidays(inputs, inputs.calendar)
    promise = received + timedelta(days=inputs.promise_days) if inputs.promise_days is not None else None
    clocks = [clock_of(inputs, name) for name in inputs.all_profiles]
    running = [clock.last for clock in clocks if clock.stopped is None]
    law = min(running) if running else min(clock.last for clock in clocks)
    binding, promise_rules = _binding(inputs, promise, clocks)
    due = min(law, binding) if binding else law
    remind_on, close_on = _open_question(inputs, [*running, *([binding] if binding else [])])
    late_on = min([*running, *([binding] if binding else [])], default=max(due, close_on or due))
    ack_by, ack_rules = _acknowledge(inputs)
    extended = [clock.last for clock in clocks if clock.extended]
    stopped = min((clock.last for clock in clocks if clock.stopped), default=None)
    rules = [
        rule("zone", zone=inputs.zone), RULES["count"], *(one for clock in clocks for one in clock.rules),
        *promise_rules, *ack_rules, *_general(inputs, clocks, promise),
    ]  # fmt: skip
    return Deadline(
        received=received, promise=promise, law=law, law_unrolled=min(law, *(clock.safe for clock in clocks)), due=due,
        act_by=last_working_day_on_or_before(due, holidays), extended=min(extended, default=None),
        suspended=stopped if stopped and stopped <= law else None, remind_on=remind_on, close_on=close_on,
        ack_by=ack_by, late_at=end_of(late_on, inputs.zone), rules=_in_order(rules),
    )  # fmt: skip


def clock_of(inputs: Inputs, name: str) -> Clock:
    """Count one law's clock out: month or days, days of standing still, one extension, the roll."""
    profile = profile_on(name, inputs.received)
    holidays = _holidays(inputs, profile.calendar or inputs.calendar)
    now = standing(inputs, name)
    plain_safe, plain_last = _last(profile, now, holidays)
    extension = extension_of(inputs)
    rules = [*_period(name), *now.rules]
    if extension is None or not profile.extends:
        rules += [RULES["no-extension"]] if extension else []
        safe, last, extended = plain_safe, plain_last, False
    elif not in_time(inputs, name, extension.noticed_at):
        rules.append(RULES["extended-late"])
        safe, last, extended = plain_safe, plain_last, False
    else:
        late = local_day(extension.noticed_at, inputs.zone) > plain_safe
        rules += [RULES["extended"], *([RULES["extended-unsafe"]] if late else [])]
        (safe, last), extended = _last(profile, now, holidays, extended=True), True
    rules += [RULES["roll"]] if last != safe else []
    return Clock(safe, last, plain_safe, extended=extended, stopped=now.stopped, rules=tuple(rules))


def in_time(inputs: Inputs, name: str, noticed_at: datetime) -> bool:
    """Tell whether an extension sent at `noticed_at` is in time by one law, as its clock stood then. Source: D9."""
    profile = profile_on(name, inputs.received)
    then = standing(inputs, name, on=local_day(noticed_at, inputs.zone))
    _, last = _last(profile, then, _holidays(inputs, profile.calendar or inputs.calendar))
    return then.stopped is not None or noticed_at < end_of(last, inputs.zone)


def standing(inputs: Inputs, name: str, *, on: date | None = None) -> Standing:
    """Return how one law's clock stands, or stood at the end of the day `on`. Source: D11 to D14."""
    profile = profile_on(name, inputs.received)
    base = inputs.received
    stops: list[Question] = []
    restarts: list[Question] = []
    rules: list[Rule] = []
    for question in questions(inputs, on):
        what, why = effect(inputs, name, question.kind, question.asked, (base, _days(stops, base)))
        rules += why
        if what == "stops":
            stops.append(question)
        elif what == "restarts":
            restarts.append(question)
            base = max(base, question.answered or base)
    open_since = min((one.asked for one in [*stops, *restarts] if one.answered is None), default=None)
    added = _days(stops, base, open_since)
    if added or stops:
        rules.append(rule("clarified" if profile.asking else "paused", days=added))
    if open_since:
        rules.append(RULES["suspended"])
    return Standing(base, added, open_since, tuple(rules))


def effect(
    inputs: Inputs, name: str, kind: Asked, asked: date, so_far: tuple[date, int]
) -> tuple[Effect, tuple[Rule, ...]]:
    """Return what asking on the day `asked` does to one law's clock, and why; `so_far` is its base and days added."""
    profile = profile_on(name, inputs.received)
    if name == "eu" and kind == "identity" and inputs.identity_pause == "fr":
        if (asked - inputs.received).days > ASK_WITHIN_DAYS:
            return "runs", (rule("asked-late", days=ASK_WITHIN_DAYS),)
        return "stops", (RULES["decree"],)
    what = profile.asking.get(kind, "runs")
    if what == "runs":
        return what, (RULES["asking"],)
    holidays = _holidays(inputs, profile.calendar or inputs.calendar)
    if asked > _last(profile, Standing(*so_far, None, ()), holidays)[1]:
        return "runs", (RULES["asked-after"],)
    return what, (RULES["restart"],) if what == "restarts" else ()


def questions(inputs: Inputs, on: date | None = None) -> list[Question]:
    """Return what was asked of the person, oldest first; with `on`, as it stood at the end of that day."""
    found = []
    for event in inputs.events:
        if isinstance(event, Paused):
            asked = max(local_day(event.asked_at, inputs.zone), inputs.received)
            answered = local_day(event.answered_at, inputs.zone) if event.answered_at else None
            if on is None or asked <= on:
                found.append(Question(event.kind, asked, answered if on is None or (answered or on) <= on else None))
    return sorted(found, key=lambda one: (one.asked, one.answered or date.max, one.kind))


def extension_of(inputs: Inputs) -> Extended | None:
    """Return the extension. Raises: Invalid, when there are two, or one without a reason."""
    found = [event for event in inputs.events if isinstance(event, Extended)]
    if len(found) > 1:
        raise Invalid("An answer can be extended only once (rule D9).", field="extended")
    if found and not found[0].reason.strip():
        raise Invalid("An extension needs a reason, and the person is told it (rule D9).", field="reason")
    return found[0] if found else None


def _last(profile: Profile, now: Standing, holidays: Container[date], *, extended: bool = False) -> tuple[date, date]:
    """Return the last day of the period, before and after it is moved on from a weekend or holiday."""
    more_months, more_days = (profile.extra_months, profile.extra_days) if extended else (0, 0)
    end = add_months(now.base, profile.months + more_months) if profile.months else now.base
    safe = end + timedelta(days=(profile.days or 0) + more_days + now.added)
    return safe, first_working_day_on_or_after(safe, holidays) if profile.rolls else safe


def _days(stops: Sequence[Question], base: date, until: date | None = None) -> int:
    """Count the days on which the clock stood still: the day of asking does, that of the answer does not."""
    total, reached = 0, base
    for one in stops:
        start, end = max(one.asked, reached), min(one.answered or one.asked, until or date.max)
        total += max((end - start).days, 0)
        reached = max(reached, end)
    return total


def _binding(inputs: Inputs, promise: date | None, clocks: Sequence[Clock]) -> tuple[date | None, tuple[Rule, ...]]:
    """Return the promised day if it binds, and what was said about it. Source: D6, D10."""
    if promise is None or inputs.promise_days is None:
        return None, ()
    stays = rule("promise", days=inputs.promise_days)
    extension = extension_of(inputs)
    if extension is None or not all(clock.extended for clock in clocks):
        return promise, (stays,)
    if inputs.extension == "strict":
        return promise, (stays, RULES["strict"])
    by = min(promise, *(clock.plain_safe for clock in clocks))
    if extension.noticed_at < end_of(by, inputs.zone):
        return None, (stays, RULES["counts"])
    return promise, (stays, RULES["counts-late"])


def _open_question(inputs: Inputs, running: Sequence[date]) -> tuple[date | None, date | None]:
    """Return when to remind of the oldest unanswered question, and when to give up on it. Source: D13."""
    asked = next((one.asked for one in questions(inputs) if one.answered is None), None)
    if asked is None:
        return None, None
    return asked + timedelta(days=REMIND_AFTER_DAYS), min([asked + timedelta(days=CLOSE_AFTER_DAYS), *running])


def _acknowledge(inputs: Inputs) -> tuple[date | None, tuple[Rule, ...]]:
    found: list[tuple[date, Rule]] = []
    for name in inputs.all_profiles:
        profile = profile_on(name, inputs.received)
        if inputs.about == "complaint" and profile.ack_complaint_days:
            found.append((inputs.received + timedelta(days=profile.ack_complaint_days), RULES["ack-complaint"]))
        if inputs.about == "request" and profile.ack_working_days:
            found.append((add_working_days(inputs.received, profile.ack_working_days, ()), RULES["ack"]))
    return min((day for day, _ in found), default=None), tuple(one for _, one in found)


def _period(name: str) -> tuple[Rule, ...]:
    return (RULES[name if name in RULES else "month"],)


def _general(inputs: Inputs, clocks: Sequence[Clock], promise: date | None) -> Iterator[Rule]:
    if promise is not None:
        yield RULES["earlier"]
    if len(clocks) > 1:
        yield RULES["several"]
    if any(isinstance(event, Joined) for event in inputs.events):
        yield RULES["joined"]


def _holidays(inputs: Inputs, code: str) -> Container[date]:
    years = inputs.holidays.get(code, {})
    return frozenset(day for days in years.values() for day in days)


def _refuse_impossible(inputs: Inputs) -> None:
    first = local_day(inputs.received_at, inputs.zone)
    for event in inputs.events:
        if isinstance(event, Paused) and local_day(event.asked_at, inputs.zone) < inputs.received:
            raise Invalid("Nothing can be asked before the request is received (rule D13).", field="paused")
        if isinstance(event, Paused) and event.answered_at and event.answered_at < event.asked_at:
            raise Invalid("An answer cannot come before the question (rule D13).", field="paused")
        if isinstance(event, Extended) and local_day(event.noticed_at, inputs.zone) < min(first, inputs.received):
            raise Invalid("Nothing can be extended before it is received (rule D9).", field="extended")


def _in_order(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Drop repetitions and sort by number; those without one come last."""
    once = list({(one.id, one.text): one for one in rules}.values())
    return tuple(sorted(once, key=lambda one: int(one.id[1:]) if one.id.startswith("D") else 99))
