"""The right to take one's data along: what is in it, and what is not and why.

Always true here: only what rests on consent or a contract can be taken along, as the policy file says; the rest can
still be seen. Source: GDPR Art. 20(1); WP242 rev.01.
"""

import msgspec

from portal.policy.model import Basis, Category, Policy
from portal.words import Words


class LeftOut(msgspec.Struct, frozen=True):
    """A category that cannot be taken along, and why."""

    title: str
    why: str


def portable(policy: Policy) -> list[Category]:
    """Return what can be taken along, in the policy's order."""
    return [
        category
        for category in policy.categories
        if category.portable and category.searchable and policy.sources_of(category.id)
    ]


def left_out(words: Words, policy: Policy) -> list[LeftOut]:
    """Return what cannot be taken along, with the reason."""
    taken = {category.id for category in portable(policy)}
    return [
        LeftOut(category.title[words.language], _why(words, policy, category))
        for category in policy.categories
        if category.id not in taken
    ]


def _why(words: Words, policy: Policy, category: Category) -> str:
    if not category.searchable:
        return words("We cannot look it up by person.")
    bases = {policy.purpose(id).basis for id in category.purposes}
    if bases <= {Basis.LEGITIMATE_INTEREST}:
        return words("We keep it in our own interest, not under a contract with you.")
    if Basis.LEGAL_DUTY in bases and not bases & {Basis.CONTRACT, Basis.CONSENT}:
        return words("We keep it because the law wants us to, not under a contract with you.")
    return words("We made it ourselves; you did not give it to us.")
