"""Both providers in the test's own process, and a browser's way through them."""

import re
from html import unescape
from urllib.parse import urlsplit

import httpx
from joserfc.jwk import RSAKey

from demo.openid import Mode, Person, Provider, application
from portal.clock import SetClock
from tests.identity.site import KNOWN, PUBLIC, Browser

KEY = RSAKey.generate_key(2048, parameters={"kid": "made-once"})
BASE = "http://127.0.0.1:9"
AMELIE = Person(sub="1001", email=KNOWN, name="Amélie Laurent")
UNVERIFIED = Person(sub="1002", email="victim@person.example", name="Mallory", verified=False)
ADDRESSLESS = Person(sub="1003", email="", name="No Address")
PEOPLE = [AMELIE, UNVERIFIED, ADDRESSLESS]
HIDDEN = re.compile(r'name="([a-z_]+)" value="([^"]*)"')


def make_providers(clock: SetClock) -> dict[Mode, Provider]:
    """Return Google's and Microsoft's stand-ins under the test's clock."""
    return {
        mode: Provider(
            mode, f"{BASE}/{mode}", PEOPLE,
            client_id="habeas", client_secret="hush", portal=PUBLIC, clock=clock, key=KEY,
        )
        for mode in Mode
    }  # fmt: skip


def reach(providers: dict[Mode, Provider]) -> httpx.AsyncClient:
    """Return a client that reaches them and nothing else."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=application(list(providers.values()))))


def environment(providers: dict[Mode, Provider]) -> dict[str, str]:
    """Return the settings of a portal that offers both."""
    found: dict[str, str] = {}
    for mode, provider in providers.items():
        found |= {
            f"{mode.upper()}_ISSUER": provider.issuer,
            f"{mode.upper()}_CLIENT_ID": "habeas",
            f"{mode.upper()}_CLIENT_SECRET": "hush",
        }
    return found


async def leave_for(browser: Browser, mode: Mode, *, next_path: str = "/") -> str:
    """Press the provider's button; return the address that the browser is sent to."""
    answer = await browser.submit("/en/sign-in", {"next": next_path}, to=f"/en/sign-in/{mode}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def choose(outside: httpx.AsyncClient, address: str, person: Person | None) -> str:
    """Choose who to be there; return the path with which the browser comes back."""
    page = await outside.get(address)
    assert page.status_code == 200, page.text
    fields = {name: unescape(value) for name, value in HIDDEN.findall(page.text) if name != "sub"}
    answer = await outside.post(address.partition("?")[0], data={**fields, "sub": person.sub if person else ""})
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


async def through(
    browser: Browser, outside: httpx.AsyncClient, mode: Mode, person: Person | None, *, next_path: str = "/"
) -> httpx.Response:
    """Go the whole way through a provider."""
    return await browser.get(await choose(outside, await leave_for(browser, mode, next_path=next_path), person))
