"""What signing in leaves behind, and for how long. Source: CT-19; law rules S-06, S-08."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from portal.identity.send import schedules
from portal.identity.tables import OutsideAttempt, Session, SignInAttempt, Subject
from tests.identity.site import KNOWN, Site

PROBE = "203.0.113.199"
AGENT = "Probe/1.0 (Android) Firefox"


async def test_no_ip_and_no_user_agent_is_stored_or_logged(
    site: Site, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The whole database and everything that was logged, searched for the probe after signing in and failing to."""
    with caplog.at_level("DEBUG"), capture_logs() as lines:
        browser = site.browser(peer=PROBE, **{"user-agent": AGENT, "x-forwarded-for": PROBE})
        await browser.ask(KNOWN)
        await browser.submit("/en/sign-in/code", {"code": "000000"})
        await site.work()
        await browser.submit("/en/sign-in/code", {"code": await site.last_code()})
        await browser.get("/en/account")
    stored = await everything()
    assert KNOWN in stored, "the search would find what is there"
    for text in (stored, caplog.text, str(lines), "".join(capfd.readouterr())):
        assert PROBE not in text
        assert "Probe/1.0" not in text
    assert await Session.count() == 1


async def test_no_code_token_or_address_is_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Not even at the most talkative level."""
    with caplog.at_level("DEBUG"), capture_logs() as lines:
        browser = site.browser()
        await browser.ask(KNOWN)
        await site.work()
        secrets = [
            KNOWN,
            await site.last_code(),
            (await site.last_link()).rpartition("/")[2],
            dict(browser.cookies)["habeas"],
        ]
        await browser.submit(await site.last_link(), {})
    ours = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    )
    for secret in secrets:
        assert secret not in ours + str(lines)


async def test_what_is_over_is_forgotten_after_a_day(site: Site) -> None:
    """Attempts a day old and sessions a day past their end are deleted; the person stays."""
    browser = site.browser()
    await site.sign_in(browser)
    await OutsideAttempt(
        provider="google", browser="b", state_hash="s", language="en", created_at=site.clock(), expires_at=site.clock()
    ).save()
    (forget,) = schedules(site.clock)
    site.clock.advance(timedelta(days=1))
    await forget.run()
    assert (await SignInAttempt.count(), await OutsideAttempt.count()) == (1, 1)
    site.clock.advance(timedelta(seconds=1))
    await forget.run()
    assert (await SignInAttempt.count(), await OutsideAttempt.count(), await Session.count()) == (0, 0, 1)
    site.clock.advance(timedelta(days=30))
    await forget.run()
    assert (await Session.count(), await Subject.count()) == (0, 1)


async def everything() -> str:
    """Return the text of every row of every table."""
    tables = await Subject.raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = [await Subject.raw(f'SELECT t::text AS row FROM "{table["tablename"]}" t') for table in tables]
    return "\n".join(row["row"] for rows in found for row in rows)
