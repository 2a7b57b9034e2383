"""Says whether a policy file can be used, and what its operator must still confirm.

Always true here: Habeas starts on no file with a mistake; what is only assumed is reported, never promised.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from portal.errors import PolicyError
from portal.policy.load import line, read
from portal.policy.model import Frozen, Policy, Standing, Text
from portal.policy.rules import answers, corrections, facts, sources, uses, writing
from portal.policy.rules.walk import each, parts
from portal.policy.shape import is_inside
from portal.policy.territories import ADEQUATE, AS_OF, EEA

RULES = (
    writing.texts,
    writing.ids,
    writing.duplicates,
    writing.addresses,
    facts.languages,
    facts.colours,
    facts.sign_in,
    facts.cookies,
    facts.deadlines,
    facts.laws,
    facts.children,
    facts.promises,
    uses.purposes,
    uses.recipients,
    uses.categories,
    answers.answers,
    corrections.corrections,
    sources.sources,
)


def load_checked(path: Path) -> Policy:
    """Read the policy file and run every rule on it.

    Raises:
        PolicyError: with every mistake: `file: place: what is wrong. What to write.`
    """
    policy, mistakes = _read_and_check(path)
    if policy is None or mistakes:
        raise PolicyError([line(path, mistake) for mistake in mistakes])
    return policy


def report(path: Path) -> tuple[list[str], list[str]]:
    """Return the mistakes of a policy file and, if it has none, what its operator must confirm. Never raises for it."""
    try:
        policy, mistakes = _read_and_check(path)
    except PolicyError as error:
        return list(error.mistakes), []
    return [line(path, mistake) for mistake in mistakes], gaps(policy) if policy and not mistakes else []


def check(policy: Policy) -> list[str]:
    """Return what does not hold between the parts of a policy, `place: what is wrong. What to write.` each."""
    return [mistake for rule in RULES for mistake in rule(policy)]


def gaps(policy: Policy) -> list[str]:
    """Return what the operator must confirm or settle: assumed facts, missing facts, the gaps of the text itself."""
    return [*_assumed(policy), *_missing(policy), *(f'gap "{gap.id}": {gap.text}' for gap in policy.gaps)]


def _read_and_check(path: Path) -> tuple[Policy | None, list[str]]:
    policy, mistakes = read(path)
    if policy is None:
        return None, mistakes
    mended = {mistake.split(": ")[0] for mistake in mistakes}
    return policy, mistakes + [mistake for mistake in check(policy) if not is_inside(mistake, mended)]


def _assumed(policy: Policy) -> Iterator[str]:
    for place, part in parts(policy):
        if getattr(part, "standing", None) is Standing.ASSUMED:
            yield f'{place}: assumed{_gist(part)}. Confirm it with the organisation, then write standing = "stated".'


def _gist(part: Frozen) -> str:
    """Return the first text of a part in quotes, or its numbers, so that the operator knows what to confirm."""
    values = [getattr(part, field.name) for field in msgspec.structs.fields(part) if field.name != "standing"]
    texts = [value.en for value in values if isinstance(value, Text)]
    if texts:
        return f" (“{texts[0]}”)"
    plain = ", ".join(str(value) for value in values if isinstance(value, str | int) and value != "")
    return f" ({plain})" if plain else ""


def _missing(policy: Policy) -> Iterator[str]:
    wanted = {
        "legal_name": "the name of the person or company that answers in law",
        "address": "the postal address",
        "data_protection_officer": 'how to reach the data protection officer, or "none"',
        "representative": 'the representative in the EU or the UK, or "none"',
    }
    for name, what in wanted.items():
        if not getattr(policy.controller, name):
            yield f"controller.{name}: is not known. Write {what} (Art. 13(1)(a)-(b))."
    if policy.backups is None:
        yield "backups: is not known. Write after how many days an erased record is gone from backups too."
    for at, recipient in each("recipients", policy.recipients):
        if recipient.country in EEA or recipient.transfer is None:
            continue
        if recipient.transfer.reviewed is None:
            yield f"{at}.transfer.reviewed: nobody has looked at the safeguard yet. Look, then write the day."
        if recipient.transfer.tool == "adequacy" and recipient.country not in ADEQUATE:
            yield f"{at}.transfer.tool: we know of no adequacy decision for {recipient.country} on {AS_OF}. Confirm it."
