"""What the figures are: requests that are alike, counted, and what follows from the counts.

Always true here: nothing is estimated; a median is of every answer that counts; what is no answer of ours (withdrawn,
joined) has no days and is in no share. docs/figures.md defines each figure.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Literal

import msgspec

from portal.rights.lifecycle import RIGHTS
from portal.rights.register import NO_ANSWER, Line

type By = Literal["received", "answered"]
"""Which month a request counts in: that of its receipt, or that of its answer."""

type Mark = tuple[str, str]
"""What is counted, and of which kind: `("outcome", "refused")`, `("days", "12")`, `("in_time", "")`."""
type Counts = dict[tuple[date, str], Counter[Mark]]
"""Month (its first day) and right -> counts. Make it with `defaultdict(Counter)`."""

CHANNELS = ("portal", "mailbox", "agent", "report", "letter", "phone", "email", "counter")


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that are alike in everything that figures ask for. Months are their first days."""

    received_month: date
    answered_month: date | None = None
    right: str
    channel: str
    outcome: str = ""
    """Empty while open."""
    days: int | None = None
    in_time: bool | None = None
    in_time_promise: bool | None = None
    in_time_law: bool | None = None
    extended: bool = False
    by: str = ""
    grounds: tuple[str, ...] = ()
    late_now: bool = False
    """Open, and its day is over."""
    count: int = 1


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of some requests: of a right, a month, or all."""

    received: int
    """Joined ones are part of another request and are not in here."""
    answered: int
    open: int
    late_now: int
    fulfilled: int
    partly: int
    refused: int
    no_data: int
    unidentified: int
    withdrawn: int
    joined: int
    extended: int
    days: Mapping[int, int]
    """Days to the answer -> how many answers took so long."""
    median_days: float | None
    worst_days: int | None
    in_time: int
    """Of those answered: by the day that counts."""
    promised: int
    """Of those answered: how many had a promised day."""
    in_time_promise: int
    bound: int
    """Of those answered: how many whose day by law is known."""
    in_time_law: int
    by_program: int
    """Of those answered: nobody of ours did anything for it."""
    by_staff: int
    channels: Mapping[str, int]
    grounds: Mapping[str, int]
    """Of those refused, wholly or in part. One request may have several."""

    @property
    def late(self) -> int:
        """How many answers left after their day."""
        return self.answered - self.in_time


class Row(msgspec.Struct, frozen=True):
    """The figures of one right in one month."""

    month: date
    right: str
    figures: Figures


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a period. `months` and `rights` hold every month and every right that has any request."""

    first: date
    last: date
    by: By
    total: Figures
    months: Mapping[date, Figures]
    """Every month of the period, also those in which nothing happened."""
    rights: Mapping[str, Figures]
    rows: Sequence[Row]
    behind: bool
    """True while the counts of long ago are still being made: the newest ends are missing then."""


def cell_of(line: Line) -> Cell:
    """Return the cell of an ended request."""
    return Cell(
        received_month=line.received.replace(day=1),
        answered_month=line.answered.replace(day=1) if line.answered else None,
        right=line.right, channel=line.channel, outcome=line.outcome, days=line.days, in_time=line.in_time,
        in_time_promise=line.in_time_promise, in_time_law=line.in_time_law, extended=line.extended, by=line.by,
        grounds=line.grounds,
    )  # fmt: skip


def marks(cell: Cell) -> Iterator[Mark]:
    """Yield everything that a cell counts towards."""
    yield "outcome", cell.outcome
    if cell.outcome != "joined":
        yield from _if(cell.channel, "channel", cell.channel)
        yield from _if(cell.extended, "extended")
    yield from _if(cell.late_now, "late_now")
    if cell.outcome in {"refused", "partly"}:
        yield from (("ground", ground) for ground in cell.grounds)
    if not cell.outcome or cell.outcome in NO_ANSWER:
        return
    yield "answered", ""
    yield from _if(cell.days is not None, "days", str(cell.days))
    yield from _if(cell.in_time, "in_time")
    yield from _if(cell.in_time_promise is not None, "promised")
    yield from _if(cell.in_time_promise, "in_time_promise")
    yield from _if(cell.in_time_law is not None, "bound")
    yield from _if(cell.in_time_law, "in_time_law")
    yield "by", cell.by


def add(counts: Counts, cell: Cell, by: By) -> None:
    """Count a cell in its month and right, if it has that month at all."""
    month = cell.received_month if by == "received" else cell.answered_month
    if month is not None:
        for mark in marks(cell):
            counts[month, cell.right][mark] += cell.count


def report(counts: Counts, first: date, last: date, by: By, *, behind: bool = False) -> Report:
    """Make the figures of a period. `first` and `last` are first days of months, both within."""
    within = {place: found for place, found in counts.items() if first <= place[0] <= last}
    rights = [right for right in RIGHTS if any(right == known for _, known in within)]
    return Report(
        first=first, last=last, by=by, behind=behind, total=figures(within.values()),
        months={
            month: figures(found for (at, _), found in within.items() if at == month) for month in months(first, last)
        },
        rights={right: figures(found for (_, known), found in within.items() if known == right) for right in rights},
        rows=[
            Row(month, right, figures([within[month, right]]))
            for month in months(first, last) for right in rights if (month, right) in within
        ],
    )  # fmt: skip


def months(first: date, last: date) -> list[date]:
    """Return the first day of each month from `first` to `last`."""
    whole = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(index // 12, index % 12 + 1, 1) for index in whole]


def figures(counts: Iterable[Counter[Mark]]) -> Figures:
    """Sum counts to figures."""
    of = Counter[Mark]()
    for found in counts:
        of.update(found)
    outcomes, days = _named(of, "outcome"), {int(days): times for days, times in _named(of, "days").items()}
    return Figures(
        received=sum(outcomes.values()) - outcomes.get("joined", 0), answered=of["answered", ""],
        open=outcomes.get("", 0), late_now=of["late_now", ""],
        fulfilled=outcomes.get("fulfilled", 0), partly=outcomes.get("partly", 0), refused=outcomes.get("refused", 0),
        no_data=outcomes.get("no-data", 0), unidentified=outcomes.get("unidentified", 0),
        withdrawn=outcomes.get("withdrawn", 0), joined=outcomes.get("joined", 0), extended=of["extended", ""],
        days=days, median_days=median(days), worst_days=max(days, default=None),
        in_time=of["in_time", ""], promised=of["promised", ""], in_time_promise=of["in_time_promise", ""],
        bound=of["bound", ""], in_time_law=of["in_time_law", ""],
        by_program=of["by", "program"], by_staff=of["by", "staff"],
        channels=_named(of, "channel"), grounds=_named(of, "ground"),
    )  # fmt: skip


def median(spread: Mapping[int, int]) -> float | None:
    """Return the median of values given with how often each occurs; between two middle ones, their mean."""
    size = sum(spread.values())
    return (_nth(spread, (size - 1) // 2) + _nth(spread, size // 2)) / 2 if size else None


def share(part: int, whole: int) -> float | None:
    """Return a share in per cent, with one decimal; None of nothing."""
    return round(100 * part / whole, 1) if whole else None


def _nth(spread: Mapping[int, int], place: int) -> int:
    for value in sorted(spread):
        place -= spread[value]
        if place < 0:
            return value
    raise IndexError(place)


def _named(of: Counter[Mark], kind: str) -> dict[str, int]:
    return {key: times for (known, key), times in sorted(of.items()) if known == kind and times}


def _if(holds: object, kind: str, key: str = "") -> Iterator[Mark]:
    if holds:
        yield kind, key
