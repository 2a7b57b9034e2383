"""The home page tells everything at once, and tells the truth when it cannot."""

import re

import pytest

from tests.rights.conftest import House

DATA = [("account", 1), ("prompts", 128), ("payments", 6)]


def fill(house: House, email: str) -> None:
    """Give a person something everywhere."""
    for category, number in DATA:
        source = house.sources[house.policy.sources_of(category)[0].id]
        source.put(email, category, [{"kind": "row", "id": str(n)} for n in range(number)])


def count_of(text: str, category: str) -> str:
    """Return what the row of a category says at its right end."""
    row = re.search(rf'/data/{category}">.*?<td role="cell" class="c[^>]*>(.*?)</td>', text, re.DOTALL)
    assert row is not None
    return row[1]


@pytest.mark.parametrize("house", ["casagbic", "caaartoons"], indirect=True)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_category_is_listed_with_its_period(house: House, language: str) -> None:
    """Both organisations, both languages: title, explanation and period of every category, and the rows of zero."""
    ana = await house.person()
    page = await ana.get(f"/{language}")
    assert page.status_code == 200
    text = page.text.replace("&#39;", "'")
    for category in house.policy.categories:
        assert category.title[language] in text
        assert category.retention.text[language] in text
    for never in house.policy.never:
        assert never.title[language] in text
    assert "ana@person.example" in text


async def test_counts_are_those_of_the_sources(house: House) -> None:
    """A count is what the sources say about this person, not about anybody else."""
    ana = await house.person()
    fill(house, ana.email)
    fill(house, "ben@person.example")
    text = (await ana.get("/en")).text
    assert [count_of(text, category) for category, _ in DATA] == ["1", "128", "6"]


async def test_a_source_that_is_down_is_never_a_zero(house: House) -> None:
    """What could not be counted says so, and the others are still shown."""
    ana = await house.person()
    fill(house, ana.email)
    house.sources[house.policy.sources_of("uploads")[-1].id].down = True
    text = (await ana.get("/en")).text
    assert count_of(text, "uploads") == "Could not count just now"
    assert count_of(text, "prompts") == "128"
    assert "Some places do not answer just now." in text
    assert "found nothing" not in text


async def test_nothing_held_is_a_full_answer(house: House) -> None:
    """When every place answered and none holds anything, the page says so in a sentence."""
    ana = await house.person()
    text = (await ana.get("/en")).text
    assert f"We looked in all {len(house.policy.sources)} places" in text
    assert "No requests yet." in text


@pytest.mark.parametrize("house", ["caaartoons"], indirect=True)
async def test_what_cannot_be_looked_up_is_explained_and_not_counted(house: House) -> None:
    """Rate-limit memory has no number beside it."""
    ana = await house.person()
    hidden = next(category for category in house.policy.categories if not category.searchable)
    assert count_of((await ana.get("/en")).text, hidden.id) == "Cannot be looked up by person"


async def test_a_request_in_progress_is_on_top(house: House) -> None:
    """The hero says that a copy is being prepared and leads to its progress."""
    ana = await house.person()
    started = await ana.post("/en/export", {"c": ["account"], "f": "all"})
    text = (await ana.get("/en")).text
    assert "Your copy is being prepared." in text
    assert started.headers["location"] in text


async def test_the_six_verbs_and_the_other_doors_lead_somewhere(house: House) -> None:
    """Every link of the home page into this room answers."""
    ana = await house.person()
    text = (await ana.get("/en")).text
    paths = set(re.findall(r'href="(/en/(?:ask|automated|correct|data|erase|export|pause|say-no|take)[^"]*)"', text))
    assert len(paths) >= 11 + len(house.policy.categories)
    for path in paths:
        assert (await ana.get(path)).status_code == 200, path


async def test_somebody_who_is_not_signed_in_is_asked_to_sign_in(house: House) -> None:
    """Every page about a person leads to sign-in, and back afterwards."""
    for path in ("", "/export", "/export/check", "/requests", "/requests/DR-2026-0101", "/data/account"):
        page = await house.anybody().get(f"/en{path}")
        assert page.status_code == 303
        assert page.headers["location"].startswith("/en/sign-in")
