"""What may be found after an erasure and is no mistake: what the policy keeps, and nothing more.

Always true here: a finding is kept only with an article for it, and only as often as records that are kept on purpose
hold it; one more, and it is left.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing

import msgspec

from portal.mail.tables import Mail
from portal.policy.model import PortalSource, PostgresSource, SourceSpec, StripeSource
from portal.rights.plans import ItemView, PlanView
from portal.sources.base import Finding, Identifiers, Needles, Source
from portal.sources.matching import found
from portal.sources.postgres_erase import held_under
from portal.sources.stripe_search import kept as kept_by_stripe

MAILS = frozenset({"mail", "mail_body"})
LAST_MAIL = "erasure-done"
TO_SAY_IT = "Art. 12(3)"
"""Why the address stays until the last mail has left."""


class Explained(msgspec.Struct, frozen=True):
    """A finding and the article that lets it stay; empty: nobody explained it."""

    finding: Finding
    ground: str = ""


async def explain(
    plan: PlanView, spec: SourceSpec, source: Source, items: Sequence[ItemView], wanted: Needles,
    findings: Sequence[Finding],
) -> list[Explained]:  # fmt: skip
    """Tell what stays on purpose. `items` are the source's rows of the plan.

    Raises:
        SourceUnavailable, SourceRefused: when it cannot be told which records are kept.
    """
    grounds = {item.category: item.ground for item in items if item.action == "keep"}
    match spec:
        case StripeSource():
            return [Explained(finding, _of_stripe(spec, grounds, finding)) for finding in findings]
        case PostgresSource() if grounds and findings:
            return await _of_postgres(plan, spec, source, grounds, wanted, findings)
        case PortalSource() if findings:
            return await _of_ours(plan, findings)
        case _:
            return [Explained(finding) for finding in findings]


def _of_stripe(spec: StripeSource, grounds: Mapping[str, str], finding: Finding) -> str:
    """Stripe keeps payments and their documents under its own duty; our article must cover that kind of object."""
    if not kept_by_stripe(finding.place):
        return ""
    kind = finding.place.partition(".")[0]
    declared = [part.category for part in spec.objects if part.object == kind]
    return next((grounds[id] for id in declared or grounds if id in grounds), "")


async def _of_postgres(
    plan: PlanView, spec: PostgresSource, source: Source, grounds: Mapping[str, str], wanted: Needles,
    findings: Sequence[Finding],
) -> list[Explained]:  # fmt: skip
    """A kept record holds its minimum under the plan's pseudonym: what is found there that often, and no more."""
    under = await source.identify(held_under(plan.pseudonym))
    holds = {category: await _holding(source, under, category, wanted) for category in grounds}
    tables = {table.name.removeprefix("public."): table.category for table in spec.tables}
    categories = {finding.place: tables.get(finding.place.removeprefix("public."), "") for finding in findings}
    seen: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        seen[categories[finding.place], finding.needle] += finding.number
    return [
        Explained(finding, grounds[category])
        if category in holds and seen[category, finding.needle] <= holds[category][finding.needle]
        else Explained(finding)
        for finding in findings
        for category in [categories[finding.place]]
    ]


async def _holding(source: Source, under: Identifiers, category: str, wanted: Needles) -> Counter[str]:
    """Count the kept records of a category that hold each needle, some at a time."""
    texts = [(id, text.lower(), id in wanted.whole) for id, text in wanted.texts.items()]
    holds: Counter[str] = Counter()
    async with aclosing(source.collect(under, category)) as batches:  # type: ignore[type-var]
        async for batch in batches:
            for line in batch.lines.decode().lower().splitlines():
                holds.update(id for id, text, whole in texts if found(line, text, whole=whole))
    return holds


async def _of_ours(plan: PlanView, findings: Sequence[Finding]) -> list[Explained]:
    """The last mail holds the address until it has left, and nothing else of ours does."""
    mails = await Mail.count().where(
        (Mail.reference == plan.reference) & (Mail.kind == LAST_MAIL) & (Mail.to_address != "")
    )
    return [
        Explained(finding, TO_SAY_IT if _table(finding.place) in MAILS and finding.number <= mails else "")
        for finding in findings
    ]


def _table(place: str) -> str:
    return place.removeprefix("public.").partition(".")[0]
