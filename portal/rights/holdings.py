"""What is held about a person, counted now, category by category.

Always true here: what could not be counted is None, never 0; no source that is down stops the page.
"""

from collections.abc import Mapping

import msgspec

from portal.policy.model import Policy, categories_of
from portal.sources.base import Identifiers
from portal.sources.registry import Sources


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """Counts by category id. `places` is how many sources were asked."""

    counts: Mapping[str, int | None]
    places: int
    unreachable: tuple[str, ...]
    """The ids of the sources that did not answer."""

    @property
    def total(self) -> int:
        """All records that could be counted."""
        return sum(count for count in self.counts.values() if count is not None)

    @property
    def nothing_held(self) -> bool:
        """True when every place answered and none holds anything."""
        return not self.unreachable and all(count == 0 for count in self.counts.values())


async def holdings(
    sources: Sources, subject: Identifiers, policy: Policy, *, unreachable: tuple[str, ...] = ()
) -> Holdings:
    """Count every searchable category. `unreachable` are sources known to be down from looking the person up.

    A source that could not be asked who the person is makes the counts of the others unsure only where they hold
    nothing under the identifiers we remember; those stay as counted.
    """
    by_source = await sources.count(subject)
    counts: dict[str, int | None] = {c.id: 0 for c in policy.categories if c.searchable}
    failed: list[str] = []
    for spec in policy.sources:
        found = by_source[spec.id]
        if found is None:
            failed.append(spec.id)
        for category in categories_of(spec) & counts.keys():
            before = counts[category]
            counts[category] = None if before is None or found is None else before + found.get(category, 0)
    gone = tuple(dict.fromkeys([*unreachable, *failed]))
    return Holdings(counts=counts, places=len(policy.sources), unreachable=gone)
