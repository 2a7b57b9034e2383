"""The staff's door: a link is used up by its button alone, and only from our own page."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from litestar.types import ASGIApp

from admin.sign_in import make_link
from admin.who import COOKIE
from portal.clock import system_clock
from tests.web_app import browsing, make_app

HTTPS = "https://privacy.casagbic.example"
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


@pytest.fixture
async def client(database: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the door of the whole application, over HTTPS."""
    app: ASGIApp = make_app(HABEAS_PUBLIC_URL=HTTPS)
    async with browsing(app) as opened:
        opened.base_url = httpx.URL(HTTPS)
        yield opened


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_opening_a_link_uses_nothing_up(client: httpx.AsyncClient, language: str) -> None:
    """GET and HEAD, as often as one likes, set no staff cookie; the button then still works, once: S-05."""
    path = f"/{language}/staff/link/{await make_link('desk@casagbic.example', at=system_clock())}"
    for method in ("HEAD", "GET", "GET"):
        page = await client.request(method, path)
        assert page.status_code == 200
        assert COOKIE not in page.cookies
    form = {"csrf": TOKEN.findall(page.text)[0]}
    used = await client.post(path, data=form)
    assert (used.status_code, used.headers["location"]) == (303, f"/{language}/staff/desk")
    assert COOKIE in used.cookies
    assert (await client.get("/admin/")).status_code == 200
    assert (await client.post(path, data=form)).status_code == 403


async def test_the_cookie_is_kept_from_scripts_and_plain_http(client: httpx.AsyncClient) -> None:
    """HttpOnly, Secure, SameSite=Lax, for half a day at most: S-21."""
    path = f"/en/staff/link/{await make_link('desk@casagbic.example', at=system_clock())}"
    page = await client.get(path)
    used = await client.post(path, data={"csrf": TOKEN.findall(page.text)[0]})
    (cookie,) = [value for value in used.headers.get_list("set-cookie") if value.startswith(f"{COOKIE}=")]
    flags = {flag.strip().lower() for flag in cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/", "max-age=43200"} <= flags


async def test_another_site_cannot_use_a_link(client: httpx.AsyncClient) -> None:
    """Without the page's own token, or from another origin, the link stays good: S-09."""
    path = f"/en/staff/link/{await make_link('desk@casagbic.example', at=system_clock())}"
    form = {"csrf": TOKEN.findall((await client.get(path)).text)[0]}
    assert (await client.post(path)).status_code == 403
    assert (await client.post(path, data=form, headers={"Origin": "https://evil.example"})).status_code == 403
    assert (await client.post(path, data=form)).status_code == 303


@pytest.mark.parametrize("token", ["x", "é", "%00", "a" * 5000, "..%2f"])
async def test_a_nonsense_link_is_no_fault_of_ours(client: httpx.AsyncClient, token: str) -> None:
    """Whatever stands where the token should be, the answer is a page or a refusal."""
    assert (await client.get(f"/en/staff/link/{token}")).status_code in {200, 400, 404}


async def test_the_door_says_how_to_get_in(client: httpx.AsyncClient) -> None:
    """The page names the command, in both languages."""
    assert (await client.get("/staff/sign-in")).headers["location"] == "/en/staff/sign-in"
    for language in ("en", "fr"):
        assert "habeas staff link" in (await client.get(f"/{language}/staff/sign-in")).text
