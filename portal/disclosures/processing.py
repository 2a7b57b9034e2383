"""The record of processing activities, from the policy file and from what this installation really does.

Always true here: what the policy does not state is a gap and stands there as one; nothing is made up, and what is only
assumed says so. It is a controller's record (Art. 30(1)); one of a processor (Art. 30(2)) is out of its scope.
Source: GDPR Art. 30(1)(a)-(g).
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from portal.disclosures.processing_security import enforced
from portal.errors import PolicyError
from portal.policy.load import load
from portal.policy.model import Basis, Category, Language, Policy, Purpose, Recipient
from portal.policy.territories import EEA
from portal.settings import Settings
from portal.words import Words

type Standing = Literal["stated", "assumed", "enforced", "gap"]
"""Who stands behind it: the published policy; nobody yet; this product as it is set up; nobody: it is not known."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be said, under its name for programs and for people. Without values it is a gap."""

    id: str
    title: str
    values: tuple[str, ...]
    standing: Standing


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What some facts are about: one purpose, one category, one recipient."""

    id: str
    title: str
    facts: tuple[Fact, ...]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One letter of Art. 30(1)."""

    id: str
    article: str
    title: str
    items: tuple[Item, ...]


class Processing(msgspec.Struct, frozen=True, kw_only=True):
    """The whole record, in one language."""

    organisation: str
    language: Language
    made_at: datetime
    policy_version: str
    policy_sha256: str
    """Of the policy file; empty when it was changed after this portal read it."""
    sections: tuple[Section, ...]

    @property
    def gaps(self) -> list[tuple[str, str]]:
        """What is not stated: what it is about, and the name of the fact."""
        return [
            (item.title or section.title, fact.title)
            for section in self.sections for item in section.items for fact in item.facts if fact.standing == "gap"
        ]  # fmt: skip


def record(words: Words, policy: Policy, settings: Settings, *, at: datetime) -> Processing:
    """Return the record in the language of `words`, as of now: the policy in force is the only one we hold."""
    return Processing(
        organisation=policy.controller.name,
        language="fr" if words.language == "fr" else "en",
        made_at=at,
        policy_version=policy.version.isoformat(),
        policy_sha256=_digest(policy, settings),
        sections=(
            Section(
                id="controller", article="30(1)(a)", title=words("Who is responsible"),
                items=(Item(id="controller", title="", facts=(*_controller(words, policy),)),),
            ),
            Section(
                id="purposes", article="30(1)(b)", title=words("What it is for"),
                items=tuple(_purpose(words, policy, one) for one in policy.purposes),
            ),
            Section(
                id="categories", article="30(1)(c), (f)", title=words("Whose data, which data, and how long"),
                items=(
                    _people(words), *(_category(words, policy, one) for one in policy.categories),
                    _backups(words, policy),
                ),
            ),
            Section(
                id="recipients", article="30(1)(d), (e)", title=words("Who gets it, and where"),
                items=tuple(_recipient(words, one) for one in policy.recipients),
            ),
            Section(
                id="security", article="30(1)(g)", title=words("How it is protected"),
                items=(Item(id="security", title="", facts=(*_security(words, policy, settings),)),),
            ),
        ),
    )  # fmt: skip


def _controller(words: Words, policy: Policy) -> Iterator[Fact]:
    one = policy.controller
    yield _fact("name", words("Name"), one.name)
    yield _fact("legal_name", words("Name in law"), one.legal_name)
    yield _fact("address", words("Postal address"), one.address)
    yield _fact("contact", words("Contact"), one.contact)
    yield _fact("representative", words("Representative"), one.representative)
    yield _fact("data_protection_officer", words("Data protection officer"), one.data_protection_officer)
    yield _fact("joint_controllers", words("Joint controllers"))
    yield _fact("authority", words("Authority"), f"{one.authority.name} ({one.authority.url})")


def _purpose(words: Words, policy: Policy, one: Purpose) -> Item:
    data = [category.title[words.language] for category in policy.categories if one.id in category.purposes]
    facts = [
        _fact("basis", words("Legal basis"), _basis(words, one.basis), standing=one.standing),
        _fact("categories", words("Data"), *data, standing=one.standing),
    ]
    if one.interest is not None:
        facts.append(_fact("interest", words("Our interest"), one.interest[words.language], standing=one.standing))
    return Item(id=one.id, title=one.title[words.language], facts=tuple(facts))


def _people(words: Words) -> Item:
    """Whose data it is: no key of the policy says it, so it is a gap until one does."""
    return Item(id="people", title="", facts=(_fact("people", words("Categories of people")),))


def _category(words: Words, policy: Policy, one: Category) -> Item:
    language = words.language
    origin = one.origin[language] if one.origin else words("From the person")
    facts = (
        _fact("data", words("Data"), *(field.title[language] for field in one.fields), standing=one.standing),
        _fact("origin", words("Where it comes from"), origin, standing=one.standing),
        _fact("purposes", words("What it is for"), *_titles(policy, one, language), standing=one.standing),
        _fact(
            "recipients", words("Who gets it"),
            *([policy.recipient(id).name for id in one.recipients] or [words("nobody")]), standing=one.standing,
        ),
        _fact("retention", words("How long"), one.retention.text[language], standing=one.retention.standing),
    )  # fmt: skip
    return Item(id=one.id, title=one.title[language], facts=facts)


def _titles(policy: Policy, one: Category, language: str) -> list[str]:
    return [policy.purpose(id).title[language] for id in one.purposes]


def _backups(words: Words, policy: Policy) -> Item:
    days = policy.backups
    value = [words.plural("{count} day", "{count} days", days.days)] if days else []
    fact = _fact("retention", words("How long"), *value, standing=days.standing if days else "stated")
    return Item(id="backups", title=words("Backups"), facts=(fact,))


def _recipient(words: Words, one: Recipient) -> Item:
    role = {"processor": words("processor"), "controller": words("controller of its own")}[one.role]
    place = [words.country(one.country), *([one.region] if one.region else [])]
    facts = [
        _fact("does", words("What it does"), one.does[words.language], standing=one.standing),
        _fact("role", words("Role"), role, standing=one.standing),
        _fact("country", words("Country"), *place, standing=one.standing),
    ]
    if one.country not in EEA:
        facts += _transfer(words, one)
    return Item(id=one.id, title=one.name, facts=tuple(facts))


def _transfer(words: Words, one: Recipient) -> Iterator[Fact]:
    """What makes a transfer out of the European Economic Area lawful, and when somebody last looked."""
    tools = {
        "scc": words("standard contractual clauses"),
        "dpf": words("Data Privacy Framework"),
        "scc+dpf": words("standard contractual clauses and the Data Privacy Framework"),
        "adequacy": words("adequacy decision"),
        "uk-addendum": words("addendum of the United Kingdom"),
    }
    tool = one.transfer
    named = [tools[tool.tool], *([tool.detail] if tool.detail else [])] if tool else []
    yield _fact("transfer", words("Safeguard of the transfer"), *named, standing=one.standing)
    reviewed = [words.short_day(tool.reviewed)] if tool and tool.reviewed else []
    yield _fact("reviewed", words("Safeguard last looked at"), *reviewed, standing=one.standing)


def _security(words: Words, policy: Policy, settings: Settings) -> Iterator[Fact]:
    yield Fact(
        id="enforced", title=words("What this portal enforces"), values=tuple(enforced(words, policy, settings)),
        standing="enforced",
    )  # fmt: skip
    if not settings.secure:
        yield _fact("https", words("HTTPS for this portal"))
    yield _fact("measures", words("Measures of the organisation itself"))


def _basis(words: Words, basis: Basis) -> str:
    """Name a legal basis with its article. Source: GDPR Art. 6(1)."""
    return {
        Basis.CONTRACT: words("contract (Art. 6(1)(b))"),
        Basis.CONSENT: words("consent (Art. 6(1)(a))"),
        Basis.LEGAL_DUTY: words("legal duty (Art. 6(1)(c))"),
        Basis.LEGITIMATE_INTEREST: words("legitimate interest (Art. 6(1)(f))"),
    }[basis]


def _fact(id: str, title: str, *values: str, standing: str = "stated") -> Fact:
    """Return a fact; without a value that says something, it is a gap."""
    said = tuple(value.replace("\n", " ") for value in values if value.strip())
    return Fact(id=id, title=title, values=said, standing=_standing(standing) if said else "gap")


def _standing(standing: str) -> Standing:
    return "assumed" if standing == "assumed" else "stated"


def _digest(policy: Policy, settings: Settings) -> str:
    """Return the digest of the policy file, unless it says something else by now than what is in force."""
    try:
        content = settings.policy_file.read_bytes()
        return hashlib.sha256(content).hexdigest() if load(settings.policy_file) == policy else ""
    except (OSError, PolicyError):
        return ""


def facts_of(found: Processing) -> Sequence[tuple[Section, Item, Fact]]:
    """Return every fact with what it is about, in order."""
    return [(section, item, fact) for section in found.sections for item in section.items for fact in item.facts]
