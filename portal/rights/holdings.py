"""What is held about a person, counted now, category by category.

Always true here: what could not be counted is None, never 0; no source that is down stops the page.
"""

from collections.abc import Mapping

import msgspec

from portal.policy.model import Policy, categories_of
from portal.rights.person import cannot_tell
from portal.sources.registry import Identified, Sources


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


async def holdings(sources: Sources, person: Identified, policy: Policy) -> Holdings:
    """Count every searchable category in every source that can tell whose records are whose."""
    by_source = await sources.count(person.identifiers)
    counts: dict[str, int | None] = {category.id: 0 for category in policy.categories if category.searchable}
    silent: list[str] = []
    for spec in policy.sources:
        found = None if cannot_tell(spec, policy, person) else by_source[spec.id]
        if found is None:
            silent.append(spec.id)
        for category in categories_of(spec) & counts.keys():
            before = counts[category]
            counts[category] = None if before is None or found is None else before + found.get(category, 0)
    return Holdings(counts=counts, places=len(policy.sources), unreachable=tuple(silent))
