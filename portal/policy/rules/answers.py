"""Rules on what happens when somebody asks: what is kept after an erasure, who is told, what was paid for.

Always true here: what passes can be carried out: whatever is kept has a day, and whoever is not told has a reason.
"""

from collections.abc import Iterator

from portal.policy.model import Category, Policy, PortalSource
from portal.policy.rules.walk import each
from portal.policy.shape import suggestion


def answers(policy: Policy) -> Iterator[str]:
    """Every promise of an erasure and of a correction can be kept by what the file names."""
    yield from _told(policy)
    for at, category in each("categories", policy.categories):
        yield from _kept(at, category, policy)
    yield from _balance(policy)


def _told(policy: Policy) -> Iterator[str]:
    by_source = {id for source in policy.sources for id in source.recipients}
    for at, recipient in each("recipients", policy.recipients):
        if recipient.told == "not-needed" and recipient.told_why is None:
            yield f"{at}.told_why: is missing. Say in both languages why it need not be told (Art. 19)."
        if recipient.told == "source" and recipient.id not in by_source:
            yield f'{at}.told: no source names this recipient. Name it in a source\'s recipients, or write "by-hand".'


def _kept(at: str, category: Category, policy: Policy) -> Iterator[str]:
    retention, fields = category.retention, [field.id for field in category.fields]
    if retention.field and retention.field not in fields:
        yield f'{at}.retention.field: there is no field "{retention.field}". {suggestion(retention.field, fields)}'
    if category.erasure.action != "keep":
        return
    if retention.years is None and retention.days is None:
        yield f"{at}.retention: is kept after an erasure without an end. Write years or days."
    elif not retention.field and not _ours(category.id, policy):
        yield f"{at}.retention.field: is missing. Name the field whose day the period counts from."
    if retention.field and retention.field not in category.erasure.minimum:
        yield f'{at}.erasure.minimum: without "{retention.field}" nobody could tell when it goes. Add it.'


def _ours(category: str, policy: Policy) -> bool:
    return any(source.category == category for source in policy.sources if isinstance(source, PortalSource))


def _balance(policy: Policy) -> Iterator[str]:
    balance = policy.paid_balance
    if balance is None:
        return
    ids = [category.id for category in policy.categories]
    if balance.category not in ids:
        yield f'paid_balance.category: there is no category "{balance.category}". {suggestion(balance.category, ids)}'
        return
    fields = {field.id: field for field in policy.category(balance.category).fields}
    if balance.field not in fields:
        yield f'paid_balance.field: there is no field "{balance.field}". {suggestion(balance.field, [*fields])}'
    elif fields[balance.field].kind != "number":
        yield f'paid_balance.field: "{balance.field}" is no number. Name the field that counts what is left.'
