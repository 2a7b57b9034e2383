"""The dates of signing in, to the second. Source: law rules, vectors T1 to T3."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from portal.clock import SetClock
from portal.identity.limits import ASK_PEER, LONGEST, Limits, Rule
from portal.identity.tables import Session
from portal.policy.load import load
from tests.identity.site import KNOWN, Browser, Site, make_settings


@pytest.fixture(params=["casagbic", "caaartoons"])
async def site(database: str, clock: SetClock, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """The portal of each organisation: both promise the same times."""
    async with httpx.AsyncClient() as outside:
        yield Site(load(Path(f"policies/{request.param}.toml")), make_settings(), clock, outside)


async def asked_at_ten(site: Site) -> Browser:
    site.clock.now = datetime(2026, 6, 10, 10, 0, 0, tzinfo=UTC)
    browser = site.browser()
    await browser.ask(KNOWN)
    await site.work()
    return browser


async def test_t1_a_link_works_a_second_before_its_quarter_of_an_hour_is_over(site: Site) -> None:
    """Issued 10:00:00, pressed 10:14:59: valid; pressed once more: refused."""
    browser = await asked_at_ten(site)
    link = await site.last_link()
    token = await browser.token(link)
    site.clock.now = datetime(2026, 6, 10, 10, 14, 59, tzinfo=UTC)
    assert (await browser.post(link, data={"csrf": token})).status_code == 303
    assert (await browser.submit("/en/account", {}, to=link)).status_code == 410


async def test_t1_neither_link_nor_code_works_at_the_quarter(site: Site) -> None:
    """Issued 10:00:00, pressed or typed 10:15:00: refused, though the page was opened in time."""
    browser = await asked_at_ten(site)
    link, code = await site.last_link(), await site.last_code()
    token = await browser.token(link)
    site.clock.now = datetime(2026, 6, 10, 10, 15, 0, tzinfo=UTC)
    assert (await browser.post(link, data={"csrf": token})).status_code == 410
    typed = await browser.post("/en/sign-in/code", data={"csrf": token, "code": code})
    assert typed.status_code == 422
    assert "This code stopped working at 12:15" in typed.text
    assert await Session.count() == 0


async def test_t2_a_session_ends_to_the_second_even_when_it_is_used(site: Site) -> None:
    """Signed in 10 June 08:00 UTC, used every day: refused from 10 July 08:00 UTC; the cookie promised as much."""
    site.clock.now = datetime(2026, 6, 10, 8, 0, 0, tzinfo=UTC)
    browser = site.browser()
    await site.sign_in(browser)
    for _ in range(29):
        site.clock.advance(timedelta(days=1))
        answer = await browser.get("/en")
        assert answer.text == f"hello {KNOWN}"
        assert "set-cookie" not in answer.headers
    site.clock.now = datetime(2026, 7, 10, 7, 59, 59, tzinfo=UTC)
    assert (await browser.get("/en")).text == f"hello {KNOWN}"
    site.clock.now = datetime(2026, 7, 10, 8, 0, 0, tzinfo=UTC)
    answer = await browser.get("/en")
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/sign-in")
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_t3_every_hit_of_an_ip_is_gone_within_the_hour_of_that_hit() -> None:
    """Hits at 08:00 and 08:30, under the longest rule there may be: gone by 09:00 and by 09:30, each by itself."""
    clock = SetClock(datetime(2026, 6, 10, 8, 0, 0, tzinfo=UTC))
    limits, rule = Limits(clock), Rule("longest", 10, LONGEST)
    limits.take((rule, "203.0.113.7"))
    clock.now = datetime(2026, 6, 10, 8, 30, 0, tzinfo=UTC)
    limits.take((rule, "203.0.113.7"), (ASK_PEER, "203.0.113.7"))
    assert len(limits) == 3
    clock.now = datetime(2026, 6, 10, 9, 0, 0, tzinfo=UTC)
    limits.evict()
    assert len(limits) == 1
    clock.now = datetime(2026, 6, 10, 9, 30, 0, tzinfo=UTC)
    limits.evict()
    assert len(limits) == 0


def test_t3_no_rule_can_remember_for_an_hour() -> None:
    """A rule that would break the promise cannot be made."""
    with pytest.raises(ValueError, match="too-long"):
        Rule("too-long", 1, timedelta(hours=1))
