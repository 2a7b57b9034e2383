"""A person signs in and takes their data with them, from the first page to the opened file."""

import json
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from demo.stack import Stack
from tests.journeys.surfer import Meeting, Surfer, Width

type Surf = Callable[..., Awaitable[Surfer]]

HEAVY = "amelie.laurent@person.example"
HAVE_SOME = {"en": 40, "fr": 41}
"""The ordinary people who take their copies here, by their language."""


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("width", Width)
async def test_everything_is_taken_in_one_file(
    stack: Stack, surf: Surf, tmp_path: Path, language: str, width: Width
) -> None:
    """Sign in, see the counts, ask, wait, download: the ZIP holds as many records as the home page said.

    In each language once with thousands of records and once with some, in each width too.
    """
    ordinary = Meeting(stack, language, width).person(HAVE_SOME[language])
    amelie = await surf(stack, language, width)
    await amelie.sign_in_by_code(HEAVY if (language == "en") == (width is Width.PHONE) else ordinary)
    await amelie.assert_in_order()
    counts = await amelie.counts()
    reference = await amelie.ask_for_copy()
    await amelie.assert_in_order()
    await amelie.wait_until_ready(reference)
    await amelie.assert_in_order()
    copy = zipfile.ZipFile(await amelie.download(tmp_path))
    assert copy.testzip() is None
    assert copy.read("report.pdf").startswith(b"%PDF-")
    for category, number in counts.items():
        if category != "requests":  # Asking for the copy is itself a request, and so are the mails about it.
            lines = copy.read(f"data/{category}.jsonl").splitlines() if number else []
            assert len(lines) == number, category


async def test_the_copy_holds_the_rows_of_the_platform(casagbic: Stack, surf: Surf, tmp_path: Path) -> None:
    """Row by row: every prompt of this person at the platform, exactly, and nobody else's."""
    amelie = await surf(casagbic, "en")
    await amelie.sign_in_by_link(HEAVY)
    await amelie.wait_until_ready(await amelie.ask_for_copy(only="prompts"))
    copy = zipfile.ZipFile(await amelie.download(tmp_path))
    taken = {row["job_id"]: row["prompt"] for row in map(json.loads, copy.read("data/prompts.jsonl").splitlines())}
    assert taken == await prompts_at(casagbic, HEAVY)


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_it_works_without_javascript(stack: Stack, surf: Surf, language: str) -> None:
    """The same way with scripts turned off: “Update this page” in place of polling."""
    newcomer = await surf(stack, language, Width.PHONE, scripts=False)
    await newcomer.sign_in_by_code(next(person.email for person in stack.people if person.role == "newcomer"))
    reference = await newcomer.ask_for_copy(format="pdf")
    await newcomer.wait_until_ready(reference)
    assert await newcomer.page.locator("button[name=what][value=pdf]").is_visible()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("width", Width)
async def test_every_page_is_in_order(stack: Stack, surf: Surf, language: str, width: Width) -> None:
    """axe, sideways scrolling and foreign requests, on each page that needs no copy, even with hostile records."""
    hostile = next(person.email for person in stack.people if person.role == "hostile")
    person = await surf(stack, language, width)
    await person.sign_in_by_code(hostile)
    categories = await person.counts()
    pages = [
        "",
        "/export",
        "/export/check?c=account&f=all",
        "/requests",
        "/account",
        *(f"/data/{c}" for c in categories),
    ]
    pages += [
        f"/ask/{topic}" for topic in ("correct", "erase", "pause", "say-no", "complain", "child", "agent", "person")
    ]
    for path in pages:
        await person.open(path)
        await person.assert_in_order()


async def prompts_at(stack: Stack, email: str) -> dict[str, str]:
    """Ask the platform's own database, with its owner's rights."""
    connection = await asyncpg.connect(stack.platform_dsn)
    try:
        rows = await connection.fetch(
            "SELECT j.id, j.prompt FROM jobs j JOIN accounts a ON a.id = j.account_id WHERE lower(a.email) = $1", email
        )
    finally:
        await connection.close()
    return {str(row["id"]): row["prompt"] for row in rows}
