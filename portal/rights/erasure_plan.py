"""Draw the plan of an erasure: what goes, what stays and why, source by source, from the policy file and the counts.

Always true here: the plan that is carried out is the one that was shown; its digest says so. Nothing stays without
an article, and nothing stays longer than the day it names, where there is one.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta

import msgspec

from portal.policy.model import (
    Category,
    Policy,
    PortalSource,
    PostgresSource,
    Recipient,
    S3Source,
    SourceSpec,
    StripeSource,
    categories_of,
)
from portal.rights.plans import Line
from portal.sources.registry import Counts

ORDER: tuple[type[SourceSpec], ...] = (StripeSource, S3Source, PostgresSource, PortalSource)
"""Outside systems first, the platform that knows their names for the person next, our own tables last."""


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it is shown and approved."""

    lines: tuple[Line, ...]
    whole: bool
    """True when the account goes, and with it everything and the way to sign in."""
    digest: str

    def of(self, category: str) -> tuple[Line, ...]:
        """Return what happens to one category, source by source."""
        return tuple(line for line in self.lines if line.category == category)

    @property
    def told(self) -> tuple[str, ...]:
        """The ids of the recipients that a person of ours writes to."""
        return tuple(line.source for line in self.lines if line.action == "tell")


def draw(policy: Policy, chosen: Collection[str], counts: Counts, *, today: date) -> Drawn:
    """Return the plan for the chosen categories; whoever chooses the account chooses everything.

    `today` is the day on which it is carried out, in the controller's zone.
    """
    everything = {category.id for category in choosable(policy)}
    whole = not account_categories(policy).isdisjoint(chosen) or everything <= set(chosen)
    scope = [category for category in erasable(policy) if whole or category.id in chosen]
    lines = [line for spec in _in_order(policy) for line in _lines(spec, scope, counts, today)]
    told = [Line(source=recipient.id, action="tell") for recipient in recipients_told(policy, scope)]
    return Drawn(lines=(*lines, *told), whole=whole, digest=_digest(policy, lines, told, whole=whole))


def erasable(policy: Policy) -> list[Category]:
    """Return the categories that an erasure reaches, in the policy's order: what is kept by law is among them."""
    return [category for category in policy.categories if category.searchable and policy.sources_of(category.id)]


def choosable(policy: Policy) -> list[Category]:
    """Return the categories that can be erased by themselves: not what is kept anyway, nor our own records."""
    ours = {source.category for source in policy.sources if isinstance(source, PortalSource)}
    return [
        category
        for category in erasable(policy)
        if category.id not in ours and category.erasure.action in {"erase", "anonymise"}
    ]


def account_categories(policy: Policy) -> frozenset[str]:
    """Return the categories that are the account itself: those of the tables that know an address from another."""
    return frozenset(
        table.category
        for source in policy.sources
        if isinstance(source, PostgresSource)
        for table in source.tables
        if table.name == source.lookup.table
    )


def recipients_told(policy: Policy, scope: Sequence[Category]) -> list[Recipient]:
    """Return who gets any of these categories and hears of it from a person of ours. Source: GDPR Art. 19."""
    ids = {id for category in scope for id in category.recipients}
    return [recipient for recipient in policy.recipients if recipient.id in ids and recipient.told == "by-hand"]


def last_day(category: Category, today: date) -> date | None:
    """Return the last day on which something kept today may still be there; None when the policy names no period."""
    retention = category.retention
    if retention.rule == "business-year" and retention.years is not None:
        return date(today.year + retention.years, 12, 31)
    if retention.days is not None:
        return today + timedelta(days=retention.days)
    return None


def _in_order(policy: Policy) -> list[SourceSpec]:
    return sorted(policy.sources, key=lambda spec: ORDER.index(type(spec)))


def _lines(spec: SourceSpec, scope: Sequence[Category], counts: Counts, today: date) -> Iterator[Line]:
    found = counts.get(spec.id)
    for category in scope:
        erasure = category.erasure
        if category.id not in categories_of(spec) or erasure.action == "nothing":
            continue
        yield Line(
            source=spec.id,
            category=category.id,
            action=erasure.action,
            ground=erasure.ground,
            until=last_day(category, today) if erasure.action == "keep" else None,
            expected=None if found is None else found.get(category.id, 0),
        )


def _digest(policy: Policy, lines: Sequence[Line], told: Sequence[Line], *, whole: bool) -> str:
    """Sum up what was shown. Our own records are left out of the counting: looking at the page adds to them."""
    ours = {source.id for source in policy.sources if isinstance(source, PortalSource)}
    counted = [msgspec.structs.replace(line, expected=None) if line.source in ours else line for line in lines]
    body = msgspec.json.encode({"lines": counted, "told": told, "whole": whole}, order="deterministic")
    return hashlib.sha256(body).hexdigest()
