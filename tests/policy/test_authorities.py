"""Where a person can complain, whatever country they live in."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from portal.policy.authorities import BY_COUNTRY, EUROPE, NationalAuthority, authority_for
from portal.policy.load import load
from portal.policy.territories import EEA, is_country

POLICIES = Path(__file__).parents[2] / "policies"
POLICY = load(POLICIES / "casagbic.toml")
ROWS = [pytest.param(row, id=row.country) for row in BY_COUNTRY.values()]


def test_every_country_of_the_economic_area_has_one_row() -> None:
    """The 27, Iceland, Liechtenstein and Norway: none missing, none twice."""
    assert sorted(row.country for row in EUROPE) == sorted(EEA)
    assert {row.reach for row in EUROPE} == {"gdpr"}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_whole(row: NationalAuthority) -> None:
    """A name in both languages, its own name, and the address of a site over HTTPS, without a trailing slash."""
    assert is_country(row.country) or row.country == "US-CA"
    assert row.name.en and row.name.fr and row.official
    parts = urlsplit(row.url)
    assert parts.scheme == "https" and parts.hostname and not parts.query and not row.url.endswith("/")


@pytest.mark.parametrize("row", ROWS)
def test_french_names_are_set_as_french_is(row: NationalAuthority) -> None:
    """A typographic apostrophe, and no plain space before a high sign."""
    texts = [row.name.fr, *([row.note.fr] if row.note else [])]
    assert not any(re.search(r"'|(?<!\u00a0)[;!?:]", text) for text in texts)


def test_no_two_countries_share_an_address() -> None:
    """A row copied from its neighbour would send people to the wrong place."""
    hosts = [row.url for row in BY_COUNTRY.values()]
    assert len(set(hosts)) == len(hosts)


def test_the_authority_of_the_country_comes_first_and_ours_is_always_there() -> None:
    """A person in Ireland may turn to the DPC, and to the CNIL as well."""
    found = authority_for("IE", POLICY)
    assert found.first("en").url == "https://www.dataprotection.ie"
    assert found.own == POLICY.controller.authority


@pytest.mark.parametrize("country", [None, "", "FR", "fr", "XX", "US", "JP"])
def test_without_another_authority_ours_is_the_one(country: str | None) -> None:
    """The policy's own is not named twice, and an unknown country leaves nobody without one."""
    found = authority_for(country, POLICY)
    assert found.theirs is None
    assert found.first("fr") == POLICY.controller.authority


@pytest.mark.parametrize(("country", "code"), [("UK", "GB"), ("gb", "GB"), ("EL", "GR"), (" be ", "BE")])
def test_other_spellings_of_a_country_are_understood(country: str, code: str) -> None:
    """The Union writes EL and everybody writes UK."""
    theirs = authority_for(country, POLICY).theirs
    assert theirs is not None
    assert theirs.country == code


@pytest.mark.parametrize("country", ["CH", "BR", "US-CA"])
def test_an_authority_of_another_law_never_takes_the_place_of_ours(country: str) -> None:
    """It is told for information: Art. 77 leads to an authority in the Union."""
    found = authority_for(country, POLICY)
    assert found.theirs is not None
    assert found.first("en") == POLICY.controller.authority
