"""What a measurement is: two ways of doing the same, in turn, in one run, and the ratio of their medians.

Always true here: a figure is a ratio; seconds stand in notes alone, because they say more about the machine than of us.
"""

import statistics
from collections.abc import Callable, Sequence

import msgspec


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured. Targets are meant for `full`; the others show whether it works, and roughly how."""

    name: str
    rounds: int
    rows: int
    """In the export of one large table."""
    few_rows: int
    """In the small export whose memory is compared with the large one's."""
    pdf_rows: tuple[int, int]
    """In the two PDFs whose times are compared."""
    text_bytes: int
    random_bytes: int
    load_seconds: int
    """How long a page is asked for without pause."""
    people: tuple[str, ...] = ("ordinary", "heavy")
    """Whose copies are waited for, by their role in the demo."""


SCALES = {
    scale.name: scale
    for scale in (
        Scale(
            name="tiny", rounds=1, rows=3_000, few_rows=1_000, pdf_rows=(50, 120),
            text_bytes=1 << 18, random_bytes=1 << 18, load_seconds=1, people=("ordinary",),
        ),
        Scale(
            name="small", rounds=3, rows=100_000, few_rows=10_000, pdf_rows=(500, 2_000),
            text_bytes=1 << 25, random_bytes=1 << 26, load_seconds=3,
        ),
        Scale(
            name="full", rounds=3, rows=1_000_000, few_rows=10_000, pdf_rows=(2_000, 20_000),
            text_bytes=240_000_000, random_bytes=600_000_000, load_seconds=10,
        ),
    )
}  # fmt: skip


class Goal(msgspec.Struct, frozen=True):
    """What a ratio should at least or at most be."""

    sign: str
    bound: float

    def met(self, ratio: float) -> bool:
        """Return whether `ratio` is good enough, to the digits that are shown."""
        return round(ratio, 2) >= self.bound if self.sign == "≥" else round(ratio, 2) <= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


def at_least(bound: float) -> Goal:
    """Want this much or more."""
    return Goal("≥", bound)


def at_most(bound: float) -> Goal:
    """Want this much or less."""
    return Goal("≤", bound)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    what: str
    ratio: float
    goal: Goal | None = None
    note: str = ""


def in_turn(rounds: int, *ways: Callable[[], float]) -> list[float]:
    """Run the ways one after the other, `rounds` times over. Returns the median of what each returned."""
    return medians([[way() for way in ways] for _ in range(rounds)])


def medians(rounds: Sequence[Sequence[float]]) -> list[float]:
    """Return the median of each way, of what every round measured."""
    return [statistics.median(way) for way in zip(*rounds, strict=True)]
