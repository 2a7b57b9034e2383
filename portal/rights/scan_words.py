"""What a search after an erasure is called, for people: stores, verdicts, and why something could not be looked into.

Always true here: what a source says of its own places is shown as it says it; all else is in both languages.
"""

from portal.policy.model import Policy
from portal.rights.scan_places import BACKUPS, FILES, LOGS, MAIL, PARCELS
from portal.rights.scan_report import StoreView
from portal.words import Words


def title(words: Words, policy: Policy, store: str) -> str:
    """Return what a store is called."""
    own = {
        PARCELS: words("Copies that were made here"),
        FILES: words("Working files"),
        LOGS: words("Log files"),
        MAIL: words("The mail provider"),
        BACKUPS: words("Backups"),
    }
    named = next((source.title[words.language] for source in policy.sources if source.id == store), store)
    return own.get(store, named)


def verdict(words: Words, view: StoreView) -> str:
    """Return what was found there, in a few words."""
    sayings = {
        "gone": words("looked through: nothing is left"),
        "gone-where-looked": words("nothing is left in what can be looked through"),
        "kept": words("only what the law makes us keep"),
        "left": words("something is left; we are at it"),
        "blind": words("cannot be looked through"),
        "unavailable": words("did not answer yet; we try again"),
        "refused": words("did not let us look yet; we see to it"),
        "judged": words("what is left was looked at by a person, and is not about you"),
    }
    return sayings[view.verdict]


def reason(words: Words, blind: str) -> str:
    """Return why something could not be looked into. What a source says of its places has no other words."""
    code, _, about = blind.partition(" ")
    sayings = {
        "mail-provider": words("It cannot be searched by address. It deletes mails by its own rule."),
        "backups-unknown": words("They cannot be searched. They are overwritten in time."),
        "logs-elsewhere": words("They go to the system that runs us, which we cannot look into."),
        "logs-none": words("Some log files were not there."),
        "copies-unknown": words("Copies that belong to no request."),
        "no-right": words("Nobody gave us the right to look there."),
        "not-answering": words("It did not answer, and a person of ours looked after it."),
        "account-stays": words("Everything else: your account stays, so it is still known by its name."),
        "number": words("Mentions of a number that cannot be told from other numbers."),
    }
    if code == "backups":
        return words.plural(
            "They cannot be searched. They are overwritten after {count} day.",
            "They cannot be searched. They are overwritten after {count} days.",
            int(about),
        )
    if code == "anonymised":
        return words("Records that were made anonymous.")
    return sayings.get(code, blind)
