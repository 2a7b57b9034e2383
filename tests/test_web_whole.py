"""The whole application on a real database: every room is mounted, and none of its doors is left open."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.web_app import browsing, make_app

SIGNED_IN_ONLY = ["", "/requests", "/requests/DR-2026-0147", "/export", "/account", "/data/account"]


@pytest.fixture
async def visitor(database: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a session, in front of the running application."""
    app = make_app()
    async with app.lifespan(), browsing(app) as client:
        yield client


@pytest.mark.parametrize("path", SIGNED_IN_ONLY)
async def test_a_persons_page_leads_a_stranger_to_signing_in(visitor: httpx.AsyncClient, path: str) -> None:
    """And back to that page afterwards; no page says whether what it was asked for exists."""
    answer = await visitor.get(f"/fr{path}")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/fr/sign-in")


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_signing_in_sets_the_one_cookie(visitor: httpx.AsyncClient, language: str) -> None:
    """A page with a form needs it; it is HttpOnly, SameSite=Lax, and the only one."""
    answer = await visitor.get(f"/{language}/sign-in")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert answer.status_code == 200
    assert cookie.startswith("habeas=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


async def test_a_form_without_protection_is_refused(visitor: httpx.AsyncClient) -> None:
    """Every form that changes something, signing in and out included."""
    for path in ("/en/sign-in", "/en/sign-out", "/en/export"):
        answer = await visitor.post(
            path, data={"email": "a@person.example"}, headers={"Origin": "https://evil.example"}
        )
        assert answer.status_code in {303, 403, 405}
        assert not answer.headers.get("location", "").startswith("/en/sign-in/code")


async def test_the_staffs_door_is_shut_to_visitors(visitor: httpx.AsyncClient) -> None:
    """The records lead to the staff's sign-in page, under the admin's own policy of content."""
    answer = await visitor.get("/admin/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff/sign-in")
    assert "'unsafe-inline'" in answer.headers["content-security-policy"]
    assert (await visitor.get("/admin/api/tables/")).status_code in {401, 403, 404}


async def test_a_webhook_without_a_signature_is_refused_in_json(visitor: httpx.AsyncClient) -> None:
    """The provider's door says nothing to whoever cannot sign."""
    answer = await visitor.post("/webhooks/resend", content=b"{}")
    assert answer.status_code == 400


async def test_the_schema_of_the_export_is_published(visitor: httpx.AsyncClient) -> None:
    """Whoever receives a data.json can check it."""
    answer = await visitor.get("/schema/habeas-export-1.json")
    assert answer.status_code == 200
    assert answer.json()["$schema"].startswith("https://json-schema.org/")
