"""Orders to measure with: as few words as an order can have, around records that cost what real ones cost.

Always true here: nothing is printed but made-up data.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

from exports.order import Batch, Column, Order, Part, Section
from portal.sources.base import Identifiers, Source

SNAPSHOT = datetime(2026, 10, 14, 7, 12, tzinfo=UTC)


async def silent(_section: str, _source: str, _count: int) -> None:
    """Hear of progress and do nothing."""


def section(id: str, columns: Mapping[str, str], source: Source, person: Identifiers, expected: int) -> Section:
    """A section of one source. `columns` gives the kind of each field; the first four are the main ones."""
    return section_of(id, columns, lambda: source.collect(person, id), expected)


def section_of(
    id: str, columns: Mapping[str, str], batches: Callable[[], AsyncIterator[Batch]], expected: int
) -> Section:
    """A section of whatever `batches` streams."""
    return Section(
        id=id, title=id, explanation="What is measured.", why="to measure (contract)", until="the end of the run",
        recipients="nobody",
        columns=tuple(
            Column(id=name, title=name, kind=kind, main=place < 4) for place, (name, kind) in enumerate(columns.items())
        ),
        parts=(Part(source="platform", source_title="Platform", expected=expected, batches=batches),),
    )  # fmt: skip


def order(*sections: Section) -> Order:
    """An order for these sections."""
    return Order(
        reference="DR-2026-0147", language="en", organisation="Casagbic", title=("Your data,", "your rules."),
        accent="#1f3fa8", name="Amélie Laurent", email="amelie.laurent@person.example", snapshot_at=SNAPSHOT,
        zone="Europe/Paris", contact="privacy@casagbic.example",
        schema_url="https://privacy.casagbic.example/schema/habeas-export-1.json",
        sections=sections, uses=(), notices=(), not_in_here=(),
    )  # fmt: skip
