"""Turn stored values and counted parts into what a page prints.

Always true here: a value is shown as it is stored; what cannot be shown safely is made visible, never dropped.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from portal.policy.model import Field, Policy
from portal.rights.requests import PartView
from portal.rights.values import Names
from portal.words import Words

LONGEST = 2_000
"""Characters of one value on a page; the copy holds all of it."""

PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}
"""Control characters and their visible pictures: U+0007 becomes ␇. Source: Unicode, Control Pictures."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One value, ready to print. `whole` is its length when `text` is only its beginning."""

    title: str
    text: str
    kind: str
    main: bool
    whole: int = 0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One category of an export in the making."""

    title: str
    state: str
    """todo, run, done or failed"""
    done: int
    expected: int | None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an export is, summed over its parts."""

    steps: tuple[Step, ...]
    done: int
    expected: int

    @property
    def read(self) -> bool:
        """True when every part was read or failed: what is left is to write the copy."""
        return all(step.state in {"done", "failed"} for step in self.steps)

    @property
    def milestone(self) -> str:
        """What a screen reader is told, once each: start or half. The end is another page."""
        return "half" if self.read or (self.expected and self.done * 2 >= self.expected) else "start"

    def minutes_left(self, since: datetime, at: datetime) -> int | None:
        """Return the minutes left at the pace so far, or None while there is no pace to judge by."""
        if not 0 < self.done < self.expected or at <= since:
            return None
        left = (at - since) * ((self.expected - self.done) / self.done)
        return int(left.total_seconds() // 60)


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a copy that could not be fetched. `answers` tells whether its place refused or was silent."""

    title: str
    place: str
    answers: bool
    at: datetime | None


class DayBar(msgspec.Struct, frozen=True, kw_only=True):
    """The days between receipt and the promised answer, for the bar of cells."""

    total: int
    used: int

    @property
    def left(self) -> int:
        """Days that remain; never below zero."""
        return max(self.total - self.used, 0)


def cells(words: Words, fields: Sequence[Field], names: Names, row: Mapping[str, object]) -> tuple[Cell, ...]:
    """Return the values of one record in the order of the policy's fields; what is not stored is an empty text."""
    return tuple(_cell(words, field, names[field.id], row.get(field.id)) for field in fields)


def progress(words: Words, policy: Policy, categories: Sequence[str], parts: Sequence[PartView]) -> Progress:
    """Sum the parts of an export by category, in the order asked for."""
    steps = tuple(
        _step(category_title(words, policy, category), [part for part in parts if part.category == category])
        for category in categories
    )
    return Progress(
        steps=steps,
        done=sum(step.done for step in steps),
        expected=sum(step.done if step.expected is None else max(step.expected, step.done) for step in steps),
    )


def missing(words: Words, policy: Policy, parts: Sequence[PartView]) -> tuple[Missing, ...]:
    """Return what could not be fetched, with the names a person knows it by."""
    places = {source.id: source.title[words.language] for source in policy.sources}
    return tuple(
        Missing(
            title=category_title(words, policy, part.category),
            place=places.get(part.source, part.source),
            answers=part.error != "unavailable",
            at=part.failed_at,
        )
        for part in parts
        if part.state == "failed"
    )


def category_title(words: Words, policy: Policy, category: str) -> str:
    """Return what a person calls a category; its id when the policy has dropped it since the request was made."""
    found = next((known for known in policy.categories if known.id == category), None)
    return found.title[words.language] if found else category


def day_bar(received: date, due: date, today: date) -> DayBar:
    """Count the days of a request; all three are days in the controller's zone."""
    total = (due - received).days
    return DayBar(total=total, used=min(max((today - received).days, 0), total))


def shown(words: Words, kind: str, value: object) -> str:
    """Return a stored value as text in the person's language. What does not fit its kind is shown as it is stored."""
    if isinstance(value, str) and kind in {"moment", "day"}:
        return _day_or_moment(words, kind, value)
    match kind, value:
        case _, None:
            text = ""
        case "flag", bool():
            text = words("yes") if value else words("no")
        case _, dict() | list() | tuple() | bool():
            text = msgspec.json.encode(value).decode()
        case "moment", datetime():
            text = words.moment(value)
        case "day", date():
            text = words.short_day(value)
        case "size", int():
            text = words.size(value)
        case "number", int():
            text = words.number(value)
        case _:
            text = str(value)
    return text


def _cell(words: Words, field: Field, names: Mapping[str, str], value: object) -> Cell:
    called = names.get(value) if isinstance(value, str) else None
    text = called or shown(words, field.kind, value).translate(PICTURES)
    return Cell(
        title=field.title[words.language],
        text=text[:LONGEST],
        kind=field.kind,
        main=field.main,
        whole=len(text) if len(text) > LONGEST else 0,
    )


def _day_or_moment(words: Words, kind: str, text: str) -> str:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return text
    if kind == "day":
        return words.short_day(parsed.date())
    return words.moment(parsed) if parsed.tzinfo else text


def _step(title: str, parts: Sequence[PartView]) -> Step:
    states = {part.state for part in parts}
    counts = [part.expected for part in parts]
    return Step(
        title=title,
        state=_state(states),
        done=sum(part.done for part in parts),
        expected=None if None in counts or not counts else sum(count or 0 for count in counts),
    )


def _state(states: set[str]) -> str:
    if not states or states == {"waiting"}:
        return "todo"
    if states <= {"done", "failed"}:
        return "failed" if "failed" in states else "done"
    return "run"
