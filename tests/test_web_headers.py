"""What every answer carries, and what it must not."""

import pytest

from portal.headers import ADMIN, STRICT
from tests.web_app import browsing, make_app

ANSWERS = [
    "/",
    "/en/how-we-handle-data",
    "/en/no-such-page",
    "/en/break/x",
    "/static/style.css",
    "/healthz",
    "/robots.txt",
]


@pytest.mark.parametrize("path", ANSWERS)
async def test_every_answer_carries_the_security_headers(path: str) -> None:
    """Pages, files, redirects and errors alike."""
    async with browsing(make_app()) as client:
        headers = (await client.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "permissions-policy" in headers
    assert "cache-control" in headers
    assert "set-cookie" not in headers
    assert "server" not in headers


async def test_an_answer_is_not_stored_unless_it_says_so() -> None:
    """A page of a person must not be found in a shared computer's cache."""
    async with browsing(make_app()) as client:
        assert (await client.get("/en/break/x")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("url", "expected"), [("http://127.0.0.1:8000", False), ("https://privacy.casagbic.example", True)]
)
async def test_https_is_demanded_only_where_there_is_https(url: str, *, expected: bool) -> None:
    """HSTS over plain HTTP on this machine would lock the developer out."""
    async with browsing(make_app(HABEAS_PUBLIC_URL=url)) as client:
        assert ("strict-transport-security" in (await client.get("/healthz")).headers) is expected


async def test_a_form_may_lead_to_the_sign_in_providers_of_the_policy_alone() -> None:
    """Browsers apply form-action to the redirect after a form: Casagbic has Google and Microsoft, Caaartoons nobody."""
    async with browsing(make_app(GOOGLE_ISSUER="http://127.0.0.1:9999/google")) as client:
        policy = (await client.get("/healthz")).headers["content-security-policy"]
    assert "form-action 'self' http://127.0.0.1:9999 https://login.microsoftonline.com;" in policy
    async with browsing(make_app("caaartoons")) as client:
        policy = (await client.get("/healthz")).headers["content-security-policy"]
    assert "form-action 'self';" in policy


def test_only_the_admin_may_write_styles_into_its_page() -> None:
    """Its icons need it; a page of ours never does."""
    assert "unsafe-inline" not in STRICT
    assert ADMIN.count("unsafe-inline") == 1


async def test_head_is_answered_as_get_without_a_body() -> None:
    """Monitors and link checkers ask with HEAD."""
    async with browsing(make_app()) as client:
        head, get = await client.head("/en/how-we-handle-data"), await client.get("/en/how-we-handle-data")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == get.headers["etag"]


async def test_pages_are_compressed_for_who_reads_gzip_and_for_nobody_else() -> None:
    """An error page is made for one request; it still travels small."""
    async with browsing(make_app()) as client:
        small = await client.get("/en/no-such-page", headers={"Accept-Encoding": "br, gzip"})
        plain = await client.get("/en/no-such-page", headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(plain.content)
    assert "content-encoding" not in plain.headers
    assert len(plain.content) == int(plain.headers["content-length"])
