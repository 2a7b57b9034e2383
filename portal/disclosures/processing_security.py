"""The security measures that this product enforces as it is set up: nothing that it merely could do.

Always true here: a line stands here because code refuses the opposite; what depends on a setting asks that setting.
Source: GDPR Art. 30(1)(g), 32(1).
"""

from collections.abc import Iterator

from portal.policy.model import Policy
from portal.settings import Settings
from portal.words import Words


def enforced(words: Words, policy: Policy, settings: Settings) -> Iterator[str]:
    """Yield each measure as a sentence."""
    if settings.secure:
        yield words("People reach this portal over HTTPS alone; scripts and other sites cannot read its cookies.")
    yield words("Nobody has a password here: people prove an address, or come from another provider.")
    yield words("Staff need a second factor.")
    yield words("Codes, links and sessions are stored as hashes only.")
    yield words("Staff see and do what their role permits; what is refused for that reason is written down.")
    if policy.controller.single_operator:
        yield words("Where two people are needed and there is only one, a day lies between proposal and decision.")
    else:
        yield words("A refusal that blames the request itself takes two people.")
    yield words("Whoever of the staff opens a request leaves an entry in the log.")
    yield words("The log holds references and digests, and each entry seals all before it.")
    yield words("What is kept as proof is encrypted with a key of each person’s own, destroyed with their erasure.")
    yield words.plural(
        "A copy that was made for somebody is deleted after {count} day.",
        "A copy that was made for somebody is deleted after {count} days.", settings.parcel_days,
    )  # fmt: skip
    yield words("After an erasure, what is left is looked for; it is erased again when a backup was restored.")
