"""The code that shows that a mailbox is one's own: for every address, for nothing else."""

from datetime import timedelta

from portal.database import engine
from portal.identity.links import Attempt, Purpose, Wrong, ask, by_token, token_of, use_code, use_link
from portal.identity.tables import SignInAttempt
from portal.mail.tables import Mail
from tests.identity.site import STRANGER, Site

TRIES = 5


async def asked(site: Site, *, browser: str = "b1") -> None:
    """Ask for a code for an address that nobody knows, and let the worker send it."""
    await ask(
        STRANGER, browser=browser, purpose=Purpose.MAILBOX, language="en", next_path="/ask/mine",
        life=timedelta(minutes=15), settings=site.settings, at=site.clock(),
    )  # fmt: skip
    await site.work()


async def use(
    site: Site, code: str, *, purpose: Purpose = Purpose.MAILBOX, browser: str = "b1"
) -> Attempt | Wrong | None:
    """Type a code."""
    at = site.clock()
    async with engine().transaction():
        found = await use_code(code, browser=browser, purpose=purpose, tries=TRIES, settings=site.settings, at=at)
    return found  # noqa: RET504  mypy believes that a transaction may swallow what is raised in it


async def test_it_goes_to_an_address_that_nobody_knows(site: Site) -> None:
    """A code to sign in does not; this one does, so that whoever owns the mailbox learns the truth."""
    await asked(site)
    assert [row["kind"] for row in await Mail.select()] == ["mailbox"]
    assert "/en/ask/link/" in (await site.mails())[-1]


async def test_it_is_no_code_to_sign_in(site: Site) -> None:
    """Neither the code nor the link opens what another purpose opens."""
    await asked(site)
    code = await site.last_code()
    assert await use(site, code, purpose=Purpose.SIGN_IN) is None
    [row] = await SignInAttempt.select()
    token = token_of(site.settings, row["id"], Purpose.MAILBOX)
    assert await by_token(token, site.settings) is None
    assert await by_token(token, site.settings, Purpose.MAILBOX) is not None


async def test_it_works_once_and_for_minutes(site: Site) -> None:
    """A second use and a late one find nothing."""
    await asked(site)
    code = await site.last_code()
    assert isinstance(await use(site, code), Attempt)
    assert await use(site, code) is None
    await asked(site)
    site.clock.advance(timedelta(minutes=15))
    assert await use(site, await site.last_code()) is None


async def test_its_link_needs_the_code_in_another_browser(site: Site) -> None:
    """Holding the link alone is not enough elsewhere."""
    await asked(site)
    [row] = await SignInAttempt.select()
    token = token_of(site.settings, row["id"], Purpose.MAILBOX)
    code = await site.last_code()
    for typed, kind in (("000000" if code != "000000" else "111111", Wrong), (code, Attempt)):
        async with engine().transaction():
            found = await use_link(
                token, typed, browser="b2", tries=TRIES, settings=site.settings, at=site.clock(),
                purpose=Purpose.MAILBOX,
            )  # fmt: skip
        assert isinstance(found, kind)
