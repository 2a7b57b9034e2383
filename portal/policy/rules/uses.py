"""Rules on categories, purposes and recipients: what is held, why, how long, and who else gets it.

Always true here: what passes can be printed as the answer to an access request without a gap. Source: GDPR Art. 15.
"""

from collections.abc import Collection, Iterator

from portal.policy.model import Basis, Category, Policy, Retention, categories_of
from portal.policy.rules.walk import each
from portal.policy.shape import suggestion
from portal.policy.territories import EEA, is_country

PORTABLE = {Basis.CONTRACT, Basis.CONSENT}
MOST_MAIN = 4


def purposes(policy: Policy) -> Iterator[str]:
    """Our own interest is said where it is the basis, and every purpose is some category's."""
    used = {id for category in policy.categories for id in category.purposes}
    for at, purpose in each("purposes", policy.purposes):
        if purpose.basis is Basis.LEGITIMATE_INTEREST and purpose.interest is None:
            yield f"{at}.interest: is missing. Say in both languages which interest it is (Art. 13(1)(d))."
        if purpose.basis is not Basis.LEGITIMATE_INTEREST and purpose.interest is not None:
            yield f"{at}.interest: belongs to legitimate-interest only. Remove it, or change the basis."
        if purpose.marketing and purpose.basis not in {Basis.LEGITIMATE_INTEREST, Basis.CONSENT}:
            yield f"{at}.marketing: rests on consent or legitimate-interest. Change the basis, or remove marketing."
        if purpose.id not in used:
            yield f"{at}: no category is used for it. Name it in a category's purposes, or remove it."


def recipients(policy: Policy) -> Iterator[str]:
    """Whoever gets data is in a country, gets something, and outside the EEA under a tool."""
    used = {id for part in (*policy.categories, *policy.sources) for id in part.recipients}
    for at, recipient in each("recipients", policy.recipients):
        outside = recipient.country not in EEA
        tool = recipient.transfer.tool if recipient.transfer else None
        if not is_country(recipient.country) or recipient.country != recipient.country.upper():
            yield f'{at}.country: "{recipient.country[:20]}" is no country. Write two capital letters, such as FR.'
        elif outside and tool is None:
            yield (
                f"{at}.transfer: is missing, and {recipient.country} lies outside the EEA. "
                'Write what makes the transfer lawful, such as transfer = { tool = "scc", detail = "…" }.'
            )
        if tool in {"dpf", "scc+dpf"} and recipient.country != "US":
            yield f"{at}.transfer.tool: the Data Privacy Framework is for the United States. Write scc or adequacy."
        if tool == "adequacy" and recipient.country == "US":
            yield f"{at}.transfer.tool: for the United States write dpf; only listed companies are covered."
        if recipient.id not in used:
            yield f"{at}: gets nothing from any category or source. Name it where it gets data, or remove it."


def categories(policy: Policy) -> Iterator[str]:
    """A category names what exists, can be shown, has a period, and is collected from somewhere."""
    collected = {id for source in policy.sources for id in categories_of(source)}
    purposes = {purpose.id: purpose for purpose in policy.purposes}
    recipients = [recipient.id for recipient in policy.recipients]
    for at, category in each("categories", policy.categories):
        yield from references(f"{at}.purposes", category.purposes, [*purposes], "purpose")
        yield from references(f"{at}.recipients", category.recipients, recipients, "recipient")
        if not category.purposes:
            yield f"{at}.purposes: is empty. Say what the data is for."
        bases = {purposes[id].basis for id in category.purposes if id in purposes}
        if category.portable and bases and not bases & PORTABLE:
            yield f"{at}.portable: none of its purposes rests on contract or consent (Art. 20). Write portable = false."
        yield from _shown(at, category)
        yield from _period(f"{at}.retention", category.retention)
        yield from _erasure(at, category)
        yield from _looked_up(at, category, collected)


def _shown(at: str, category: Category) -> Iterator[str]:
    main = sum(field.main for field in category.fields)
    if not category.fields:
        yield f"{at}.fields: is empty. Name every thing that is known, even if it cannot be looked up."
    elif not 1 <= main <= MOST_MAIN:
        yield f"{at}.fields: {main} fields have main = true. Mark 1 to {MOST_MAIN}: those a narrow page shows."


def _period(at: str, retention: Retention) -> Iterator[str]:
    needs = {"age": "days", "inactivity": "days", "business-year": "years"}.get(retention.rule)
    for unit in ("days", "years"):
        number = getattr(retention, unit)
        if unit == needs and (number is None or number < 1):
            yield f'{at}.{unit}: the rule "{retention.rule}" needs it. Write a number of {unit}, 1 or more.'
        if unit != needs and number is not None:
            yield f'{at}.{unit}: the rule "{retention.rule}" does not use it. Remove it, or change the rule.'


def _erasure(at: str, category: Category) -> Iterator[str]:
    erasure, rule = category.erasure, category.retention.rule
    if erasure.action == "keep":
        if not erasure.ground:
            yield f'{at}.erasure.ground: is missing. Name the article that lets you keep it, such as "Art. 17(3)(b)".'
        if rule not in {"age", "business-year"}:
            yield f'{at}.retention.rule: what is kept after an erasure needs an end. Write "age" or "business-year".'
        if not erasure.minimum:
            yield f"{at}.erasure.minimum: is empty. Name the fields that must stay; all others are erased."
    elif erasure.minimum or erasure.ground:
        yield f'{at}.erasure: ground and minimum belong to action = "keep". Remove them, or change the action.'
    if rule == "business-year" and erasure.action != "keep":
        yield f'{at}.erasure.action: a period set by accounting law outlives an erasure. Write "keep" with its ground.'
    if erasure.action == "nothing" and rule != "memory":
        yield f'{at}.erasure.action: "nothing" is for what goes by itself. Write "erase", or "keep" with its ground.'
    yield from references(f"{at}.erasure.minimum", erasure.minimum, [field.id for field in category.fields], "field")


def _looked_up(at: str, category: Category, collected: Collection[str]) -> Iterator[str]:
    if category.searchable and category.id not in collected:
        yield f"{at}: no source collects it. Add it to a source, or write searchable = false and explain why."
    if not category.searchable and category.id in collected:
        yield f"{at}.searchable: is false, yet a source collects it. Write true, or remove it from the source."
    if category.may_name_others and not category.searchable:
        yield f"{at}.may_name_others: no copy ever holds it. Remove it, or write searchable = true."
    if category.retention.rule == "memory" and category.searchable:
        yield f"{at}.searchable: memory cannot be looked up by person. Write searchable = false."


def references(place: str, named: Collection[str], known: list[str], what: str) -> Iterator[str]:
    """Yield a line for each name that does not exist and each that is named twice."""
    for name in dict.fromkeys(named):
        if name not in known:
            yield f'{place}: there is no {what} "{name}". {suggestion(name, known)}'
    if len(set(named)) < len(named):
        yield f"{place}: names one twice. Write each once."
