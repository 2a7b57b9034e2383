"""What a person sees when something does not work, and that nothing strange becomes a 500."""

import re

import pytest

from tests.web_app import browsing, make_app

REFERENCE = re.compile(r'<span class="ref">(\d{4}-\d{4})</span>')

NONSENSE = [
    "/xx",
    "/xx/requests",
    "/en/no-such-page",
    "/en/" + "a" * 8_000,
    "/en/how-we-handle-data%00",
    "/en/sign-in/link/%00",
    "/en/%ff%fe",
    "/en/a%0d%0aset-cookie:x=y",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/static/../app.py",
    "/static/%2e%2e/app.py",
    "/static/fonts/%00",
    "/en//evil.example",
    "/favicon.ico",
]


@pytest.mark.parametrize("path", NONSENSE)
async def test_a_nonsensical_address_is_not_found(path: str) -> None:
    """An address that no page has is a 404 page with a reference and a mailbox, never a 500."""
    async with browsing(make_app()) as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert REFERENCE.search(answer.text)
    assert "mailto:privacy@casagbic.example" in answer.text


async def test_a_nul_in_the_query_is_refused() -> None:
    """PostgreSQL stores no NUL, so it ends before any page."""
    async with browsing(make_app()) as client:
        answer = await client.get("/en/how-we-handle-data?page=%00")
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
async def test_a_wrong_method_is_said_to_be_one(method: str) -> None:
    """A method that a page does not take is a 405, also one that nobody ever heard of."""
    async with browsing(make_app()) as client:
        answer = await client.request(method, "/en/how-we-handle-data")
    assert answer.status_code == 405


async def test_a_large_body_is_refused() -> None:
    """Forms are small; 64 KiB is more than any of ours needs."""
    async with browsing(make_app(), **{"Content-Type": "application/x-www-form-urlencoded"}) as client:
        answer = await client.post("/webhooks/resend", content=b"a" * 70_000)
    assert answer.status_code in {400, 413}


@pytest.mark.parametrize(
    ("path", "title"), [("/en", "Something went wrong"), ("/fr", "Quelque chose n’a pas fonctionné")]
)
async def test_a_bug_becomes_a_page_without_the_words_of_the_error(path: str, title: str) -> None:
    """The person reads that nothing was lost, in the language of the address, and never what the error said."""
    async with browsing(make_app()) as client:
        answer = await client.get(f"{path}/break/amelie.laurent@person.example")
    assert answer.status_code == 500
    assert title in answer.text
    assert REFERENCE.search(answer.text)
    assert "could not greet" not in answer.text


async def test_a_form_that_breaks_does_not_claim_that_nothing_was_kept() -> None:
    """We do not know how far it came, so the person is told to look first."""
    async with browsing(make_app()) as client:
        sent, asked = await client.post("/en/break"), await client.get("/en/break/x")
    assert "We may not have kept what you just sent." in sent.text
    assert "Nothing was lost" not in sent.text
    assert "Nothing was lost or sent." in asked.text


async def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    """429 carries Retry-After in seconds."""
    async with browsing(make_app()) as client:
        answer = await client.get("/en/slow-down")
    assert answer.status_code == 429
    assert 88 <= int(answer.headers["retry-after"]) <= 90


async def test_a_source_that_is_down_is_not_our_bug_and_not_described() -> None:
    """503, with an invitation to try again, and nothing about our network."""
    async with browsing(make_app()) as client:
        answer = await client.get("/fr/no-source")
    assert answer.status_code == 503
    assert "10.1.2.3" not in answer.text
    assert "Réessayez dans quelques minutes." in answer.text


async def test_an_error_page_speaks_the_browsers_language_when_the_address_has_none() -> None:
    """/xx has no language, so Accept-Language decides; a strange header decides nothing."""
    async with browsing(make_app()) as client:
        french = await client.get("/xx", headers={"Accept-Language": "fr-CH, fr;q=0.9, en;q=0.8"})
        strange = await client.get("/xx", headers={"Accept-Language": ";;q=what, *;q=nan"})
    assert '<html lang="fr">' in french.text
    assert '<html lang="en">' in strange.text


async def test_a_program_gets_a_problem_in_json() -> None:
    """Who asks for JSON is answered with application/problem+json."""
    async with browsing(make_app()) as client:
        answer = await client.get("/en/no-such-page", headers={"Accept": "application/json"})
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["status"] == 404


async def test_a_hostile_host_is_refused() -> None:
    """A Host header that is none is a 4xx."""
    async with browsing(make_app()) as client:
        answer = await client.get("/en/how-we-handle-data", headers={"Host": "a b<script>"})
    assert answer.status_code == 400
