"""Rules on what a person may correct: their own words at once, an address by a code, the rest with a reason.

Always true here: nothing is offered that our sources could not write, or that would change several records by one word.
Source: GDPR Art. 16.
"""

from collections.abc import Iterator

from portal.policy.model import Category, Field, Policy, PostgresSource, StripeSource
from portal.policy.rules.walk import each

LONGEST = 5_000


def corrections(policy: Policy) -> Iterator[str]:
    """Every field says truthfully what happens when a person calls it wrong."""
    addresses: list[str] = []
    for place, category in each("categories", policy.categories):
        for at, field in each(f"{place}.fields", category.fields):
            yield from _reason(f"{at}.correct", field)
            how, filled = field.correct.how, _filled_by(policy, category, field)
            if how == "at-once" and filled != "value":
                yield (
                    f"{at}.correct.how: at-once is for what stands once, with the account or as the name of a Stripe "
                    'customer. Write "decide".'
                )
            if how == "new-address":
                addresses.append(at)
                if filled != "email":
                    yield f'{at}.correct.how: new-address is for the address to sign in with. Write "decide".'
            elif filled == "email" and how == "at-once":
                yield f'{at}.correct.how: people sign in with it. Write "new-address".'
    if len(addresses) > 1:
        yield f"{addresses[1]}.correct.how: there is one address to sign in with. Keep the first new-address only."


def _reason(at: str, field: Field) -> Iterator[str]:
    correct = field.correct
    if correct.how in {"elsewhere", "never"} and correct.why is None:
        yield f"{at}.why: is missing. Say in both languages what to do instead."
    if correct.how in {"at-once", "new-address"} and correct.why is not None:
        yield f'{at}.why: belongs to "elsewhere", "never" and "decide". Remove it, or change how.'
    if not 1 <= correct.longest <= LONGEST:
        yield f"{at}.longest: is {correct.longest}. Write a number from 1 to {LONGEST}."


def _filled_by(policy: Policy, category: Category, field: Field) -> str:
    """Return `email` or `value` for what the accounts' own table or a Stripe customer holds once, else nothing."""
    found = ""
    for source in policy.sources:
        match source:
            case PostgresSource():
                tables = [t for t in source.tables if t.name == source.lookup.table and t.category == category.id]
                names = {part.name for table in tables for part in table.columns if part.target == field.id}
                ids = {source.lookup.account_id, source.lookup.stripe_customer}
                if source.lookup.email in names:
                    return "email"
                found = "value" if names - ids else found
            case StripeSource():
                customers = [o for o in source.objects if o.object == "customer" and o.category == category.id]
                names = {column.name for part in customers for column in part.columns if column.target == field.id}
                found = "value" if "name" in names else found
            case _:
                pass
    return found
