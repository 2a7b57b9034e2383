"""What may be found after an erasure and is no mistake: what the policy keeps, and nothing more.

Always true here: a finding is kept only with an article for it, and only in a place where that article's minimum
lies; when any of the person's kept records still stands under their own name, none of its table is explained.
"""

from collections.abc import Mapping, Sequence

import msgspec

from portal.policy.model import Policy, PostgresSource, SourceSpec, StripeSource, Table
from portal.rights.plans import ItemView
from portal.sources.base import Finding
from portal.sources.stripe_search import kept as kept_by_stripe


class Explained(msgspec.Struct, frozen=True):
    """A finding and the article that lets it stay; empty: nobody explained it."""

    finding: Finding
    ground: str


def explain(
    policy: Policy,
    spec: SourceSpec,
    items: Sequence[ItemView],
    findings: Sequence[Finding],
    counts: Mapping[str, int],
) -> list[Explained]:
    """Tell what stays on purpose. `items` are the source's rows of the plan; `counts` what it holds of them now."""
    grounds = {item.category: item.ground for item in items if item.action == "keep"}
    return [Explained(finding, _ground(policy, spec, grounds, finding, counts)) for finding in findings]


def _ground(
    policy: Policy, spec: SourceSpec, grounds: Mapping[str, str], finding: Finding, counts: Mapping[str, int]
) -> str:
    match spec:
        case StripeSource():
            return _of_stripe(spec, grounds, finding)
        case PostgresSource():
            return _of_postgres(policy, spec, grounds, finding, counts)
        case _:
            return ""


def _of_stripe(spec: StripeSource, grounds: Mapping[str, str], finding: Finding) -> str:
    """Stripe keeps payments and their documents under its own duty; our article must cover that kind of object."""
    if not kept_by_stripe(finding.place):
        return ""
    kind = finding.place.partition(".")[0]
    declared = [part.category for part in spec.objects if part.object == kind]
    return next((grounds[id] for id in declared if id in grounds), "" if declared else next(iter(grounds.values()), ""))


def _of_postgres(
    policy: Policy, spec: PostgresSource, grounds: Mapping[str, str], finding: Finding, counts: Mapping[str, int]
) -> str:
    """A kept record may hold its minimum. It stands under the plan's pseudonym, so the person counts none of them."""
    names = [name.strip('" ') for name in finding.place.split(".")]
    for table in spec.tables:
        kept = table.category in grounds and not counts.get(table.category, 0)
        if (
            kept
            and _same(names, table)
            and _fields(table, names[-1]) & {*policy.category(table.category).erasure.minimum}
        ):
            return grounds[table.category]
    return ""


def _same(names: Sequence[str], table: Table) -> bool:
    """Tell whether a place `[schema.]table.column` lies in a table of the policy, which names a schema or none."""
    return len(names) >= 2 and names[:-1][-len(table.name.split(".")) :] == table.name.split(".")


def _fields(table: Table, column: str) -> set[str]:
    return {one.target for one in table.columns if one.name == column}
