"""The record of processing says what the policy states, calls assumed what is assumed, and makes nothing up."""

import csv
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from portal.disclosures.processing import Processing, facts_of, record
from portal.disclosures.processing_files import as_csv, as_json
from portal.policy.load import load
from portal.policy.model import Policy
from portal.settings import Settings, read_settings
from portal.words import Words

POLICIES = Path(__file__).parent.parent.parent / "policies"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ORGANISATIONS = ("casagbic", "caaartoons")


def settings_of(name: str, url: str = "https://privacy.example") -> Settings:
    """An installation on one of the two policies."""
    return read_settings({
        "HABEAS_SECRET_KEY": "k" * 40, "HABEAS_PUBLIC_URL": url, "HABEAS_POLICY": str(POLICIES / f"{name}.toml"),
    })  # fmt: skip


def record_of(name: str, language: str = "en", policy: Policy | None = None) -> Processing:
    """The record of an organisation, or of a policy in its place."""
    known = policy or load(POLICIES / f"{name}.toml")
    return record(Words(language, known.controller.zone), known, settings_of(name), at=NOW)


def values(found: Processing, section: str, item: str, fact: str) -> tuple[str, ...]:
    """The values of one fact."""
    return next(
        one.values for part, about, one in facts_of(found) if (part.id, about.id, one.id) == (section, item, fact)
    )


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", ORGANISATIONS)
def test_everything_in_the_policy_is_in_it(name: str, language: str) -> None:
    """Each purpose, category and recipient, each with all that Art. 30(1) asks for; a fact without value is a gap."""
    policy, found = load(POLICIES / f"{name}.toml"), record_of(name, language)
    items = {section.id: [item.id for item in section.items] for section in found.sections}
    assert items["purposes"] == [one.id for one in policy.purposes]
    assert items["categories"] == ["people", *(one.id for one in policy.categories), "backups"]
    assert items["recipients"] == [one.id for one in policy.recipients]
    assert [section.article for section in found.sections] == [
        "30(1)(a)", "30(1)(b)", "30(1)(c), (f)", "30(1)(d), (e)", "30(1)(g)",
    ]  # fmt: skip
    assert all((fact.standing == "gap") == (not fact.values) for _, _, fact in facts_of(found))
    for one in policy.categories:
        assert values(found, "categories", one.id, "retention") == (one.retention.text[language],)


def test_what_is_not_stated_is_a_gap_and_what_is_assumed_says_so() -> None:
    """The legal name, who is concerned and our own measures are in no policy; the day of a review neither."""
    found = record_of("casagbic")
    gaps = {(item.id, fact.id) for _, item, fact in facts_of(found) if fact.standing == "gap"}
    assert gaps >= {("controller", "legal_name"), ("people", "people"), ("security", "measures"), ("aws", "reviewed")}
    standing = {(item.id, fact.id): fact.standing for _, item, fact in facts_of(found)}
    assert standing["run-account", "basis"] == "assumed" and standing["aws", "transfer"] == "stated"
    policy = load(POLICIES / "casagbic.toml")
    filled = msgspec.structs.replace(policy, controller=msgspec.structs.replace(policy.controller, legal_name="C SAS"))
    assert len(record_of("casagbic", policy=filled).gaps) == len(found.gaps) - 1


def test_security_is_what_is_really_so() -> None:
    """Without HTTPS that is a gap, and no sentence claims it; one person alone is told apart from two."""
    policy = load(POLICIES / "casagbic.toml")
    words = Words("en", policy.controller.zone)
    plain = record(words, policy, settings_of("casagbic", "http://127.0.0.1:8000"), at=NOW)
    secure = record_of("casagbic")
    assert not any("HTTPS" in one for one in values(plain, "security", "security", "enforced"))
    assert any("HTTPS" in one for one in values(secure, "security", "security", "enforced"))
    assert len(plain.gaps) == len(secure.gaps) + 1
    alone = values(record_of("caaartoons"), "security", "security", "enforced")
    assert any("a day lies between" in one for one in alone)


def test_the_digest_is_of_the_file_that_is_in_force() -> None:
    """Another policy than the file's has none."""
    file = POLICIES / "casagbic.toml"
    assert record_of("casagbic").policy_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    other = msgspec.structs.replace(load(file), mail_from="other@casagbic.example")
    assert record_of("casagbic", policy=other).policy_sha256 == ""


@pytest.mark.parametrize("name", ORGANISATIONS)
def test_the_files_hold_every_fact(name: str) -> None:
    """The JSON as it is, the CSV one row for each value or gap; no cell is a formula."""
    found = record_of(name)
    assert len(json.loads(as_json(found))["sections"]) == 5
    rows = list(csv.reader(as_csv(found).decode("utf-8-sig").splitlines()))
    assert rows[3] == ["policy_version", found.policy_version]
    assert len(rows) == 7 + sum(max(len(fact.values), 1) for _, _, fact in facts_of(found))
    assert not any(value[:1] in set("=+@") for row in rows for value in row)
