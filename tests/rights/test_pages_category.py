"""A category’s page shows every record as it is stored, and nothing in it can harm the page."""

import re

import pytest

from portal.rights.pages_category import AT_ONCE
from tests.rights.conftest import House

HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "attribute": '" autofocus onfocus="alert(3)',
    "bidi": "abc\u202egnp.exe",
    "control": "ring\x07the\x1bbell",
    "formula": '=HYPERLINK("https://evil.example")',
    "scheme": "javascript:alert(4)",
    "template": "{{ 7 * 7 }} {% raw %}",
    "path": "../../etc/passwd",
}


def put(house: House, email: str, category: str, *values: str) -> None:
    """Store one record per value, under the category’s first field that is a text."""
    known = house.policy.category(category)
    field = next(field for field in known.fields if field.main and field.kind in {"text", "long-text", "code"})
    house.sources[house.policy.sources_of(category)[0].id].put(email, category, [{field.id: value} for value in values])


@pytest.mark.parametrize("house", ["casagbic", "caaartoons"], indirect=True)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_category_says_why_until_when_and_who_else(house: House, language: str) -> None:
    """Each category’s page opens in both languages with its purpose, period and recipients."""
    ana = await house.person()
    for category in house.policy.categories:
        page = await ana.get(f"/{language}/data/{category.id}")
        assert page.status_code == 200, category.id
        text = page.text.replace("&#39;", "'")
        assert category.title[language] in text
        assert category.retention.text[language] in text
        assert category.erasure.why[language] in text
        for recipient in category.recipients:
            assert house.policy.recipient(recipient).name in text


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_text_is_shown_and_does_nothing(house: House, value: str) -> None:
    """The page has the same elements, attributes and links whatever a record holds."""
    ana = await house.person()
    put(house, ana.email, "prompts", "harmless")
    harmless = (await ana.get("/en/data/prompts")).text
    put(house, ana.email, "prompts", value)
    hostile = (await ana.get("/en/data/prompts")).text
    assert re.findall(r"<[^>]*>", hostile) == re.findall(r"<[^>]*>", harmless)
    assert "harmless" not in hostile


async def test_a_direction_override_cannot_reach_beyond_its_value(house: House) -> None:
    """Every stored value is isolated in an element of its own."""
    ana = await house.person()
    put(house, ana.email, "prompts", HOSTILE["bidi"])
    text = (await ana.get("/en/data/prompts")).text
    assert len(re.findall(r"<bdi[^>]*>abc\u202egnp\.exe</bdi>", text)) == text.count("\u202e") > 0


async def test_control_characters_are_made_visible(house: House) -> None:
    """A bell is shown as the picture of a bell."""
    ana = await house.person()
    put(house, ana.email, "prompts", HOSTILE["control"])
    text = (await ana.get("/en/data/prompts")).text
    assert "ring␇the␛bell" in text
    assert "\x07" not in text


async def test_a_very_long_value_does_not_make_a_very_long_page(house: House) -> None:
    """A megabyte is cut with a note that says how long it is."""
    ana = await house.person()
    put(house, ana.email, "prompts", "x" * 1_000_000)
    text = (await ana.get("/en/data/prompts")).text
    assert "The first 2,000 of 1,000,000 characters" in text
    assert len(text) < 50_000


async def test_records_come_fifty_a_page(house: House) -> None:
    """The pages follow each other without a gap or a double, and the last one has no next."""
    ana = await house.person()
    put(house, ana.email, "prompts", *(f"prompt number {n:03d}." for n in range(AT_ONCE * 2 + 3)))
    seen: list[str] = []
    for number in (1, 2, 3):
        text = (await ana.get(f"/en/data/prompts?page={number}")).text
        seen += dict.fromkeys(re.findall(r"prompt number (\d+)\.", text))
        assert ('rel="next"' in text) == (number < 3)
        assert ('rel="prev"' in text) == (number > 1)
    assert seen == [f"{n:03d}" for n in range(AT_ONCE * 2 + 3)]
    assert "You have seen everything" in (await ana.get("/en/data/prompts?page=9")).text


@pytest.mark.parametrize("page", ["0", "-1", "abc", "100001", "9" * 30, ""])
async def test_a_page_number_that_is_none_is_refused(house: House, page: str) -> None:
    """Nonsense in the address is the reader’s mistake, never ours."""
    ana = await house.person()
    assert (await ana.get(f"/en/data/prompts?page={page}")).status_code == 400


async def test_an_unknown_category_is_not_found(house: House) -> None:
    """Only the policy’s categories have pages."""
    ana = await house.person()
    for category in ("nothing", "ACCOUNT", "account'--", "%00", "..%2f..%2fetc"):
        assert (await ana.get(f"/en/data/{category}")).status_code == 404, category


async def test_a_place_that_is_down_is_named_and_the_others_are_shown(house: House) -> None:
    """Payments are at two places; one being down hides nothing of the other."""
    ana = await house.person()
    first, second = house.policy.sources_of("payments")
    field = house.policy.category("payments").fields[0]
    house.sources[first.id].put(ana.email, "payments", [{field.id: "still here"}])
    house.sources[second.id].down = True
    text = (await ana.get("/en/data/payments")).text
    assert "still here" in text
    assert text.index(second.title.en) < text.index("This place does not answer just now")


async def test_nobody_sees_another_persons_records(house: House) -> None:
    """What Ben has is not on Ana’s page."""
    ana = await house.person()
    put(house, "ben@person.example", "prompts", "Ben’s secret")
    assert "secret" not in (await ana.get("/en/data/prompts")).text
