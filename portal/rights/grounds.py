"""Which rights follow from which legal basis, in words. The pages and the export read them from here.

Always true here: the rights offered are computed from the basis in the policy file, never typed in twice.
"""

from portal.policy.model import Basis, Category, Policy, Purpose, Recipient
from portal.policy.territories import EEA
from portal.words import Words


def basis_in_words(words: Words, basis: Basis) -> str:
    """Name a legal basis. Source: GDPR Art. 6(1)."""
    return {
        Basis.CONTRACT: words("contract"),
        Basis.CONSENT: words("your consent"),
        Basis.LEGAL_DUTY: words("legal duty"),
        Basis.LEGITIMATE_INTEREST: words("legitimate interest"),
    }[basis]


def rights_in_words(words: Words, basis: Basis) -> str:
    """List what a person may do about a use on this basis. Source: GDPR Art. 7(3), 15-18, 20, 21."""
    see, take, correct = words("see"), words("take"), words("correct")
    erase, pause, refuse, withdraw = words("erase"), words("pause"), words("say no"), words("withdraw your consent")
    return ", ".join(
        {
            Basis.CONTRACT: (see, take, correct, erase, pause),
            Basis.CONSENT: (see, take, correct, erase, pause, withdraw),
            Basis.LEGAL_DUTY: (see, correct, pause),
            Basis.LEGITIMATE_INTEREST: (see, correct, erase, pause, refuse),
        }[basis]
    )


def why(words: Words, policy: Policy, category: Category) -> str:
    """Say why a category is held: each purpose with its basis."""
    purposes = (policy.purpose(id) for id in category.purposes)
    return " ".join(
        f"{purpose.title[words.language].rstrip('.')} ({basis_in_words(words, purpose.basis)})." for purpose in purposes
    )


def ground(words: Words, purpose: Purpose) -> str:
    """Say on what ground a use stands, with our interest where that is the ground."""
    basis = basis_in_words(words, purpose.basis)
    if purpose.interest is None:
        return basis
    return words("{title}: {text}", title=basis, text=purpose.interest[words.language])


def recipients_in_words(words: Words, policy: Policy, category: Category) -> str:
    """Name everyone else who gets a category, with their country when it lies outside the EEA."""
    names = [recipient_name(words, policy.recipient(id)) for id in category.recipients]
    return ", ".join(names) if names else words("nobody")


def recipient_name(words: Words, recipient: Recipient) -> str:
    """Name a recipient, its country when that is a third one, and what it does."""
    does = recipient.does[words.language].rstrip(".")
    where = f", {words.country(recipient.country)}" if outside_eea(recipient) else ""
    return f"{recipient.name}{where} ({does[0].lower()}{does[1:]})"


def outside_eea(recipient: Recipient) -> bool:
    """Return whether the company that gets the data is outside the European Economic Area."""
    return recipient.country not in EEA
