"""Google and Microsoft: who is believed, and every way in which they are not."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from demo.openid import Mode, Provider, Twist
from portal.clock import SetClock
from portal.errors import SettingsError
from portal.identity.openid import providers as configured
from portal.identity.tables import OutsideAttempt, OutsideIdentity, Session, SignInAttempt, Subject
from portal.policy.model import Policy
from tests.identity.outside import (
    ADDRESSLESS,
    AMELIE,
    UNVERIFIED,
    choose,
    environment,
    leave_for,
    make_providers,
    reach,
    through,
)
from tests.identity.site import KNOWN, Site, make_settings

LIES = {
    Twist.WRONG_ISSUER: "wrong-issuer",
    Twist.WRONG_AUDIENCE: "wrong-audience",
    Twist.OTHER_AUDIENCE_TOO: "wrong-audience",
    Twist.WRONG_PARTY: "wrong-party",
    Twist.EXPIRED: "expired",
    Twist.FROM_THE_FUTURE: "from-the-future",
    Twist.WRONG_NONCE: "wrong-nonce",
    Twist.NO_NONCE: "missing-claim",
    Twist.NO_SUBJECT: "no-subject",
    Twist.FOREIGN_KEY: "bad-signature",
    Twist.NO_ALGORITHM: "bad-signature",
    Twist.PUBLIC_KEY_AS_SECRET: "bad-signature",
    Twist.NOT_A_TOKEN: "bad-signature",
}
GOOGLES_OWN = {Twist.WRONG_ANSWER_ISSUER: "wrong-issuer", Twist.NO_ANSWER_ISSUER: "wrong-issuer"}
MICROSOFTS_OWN = {Twist.OTHER_TENANT: "wrong-issuer"}
TOLD = [
    *((Mode.GOOGLE, twist, reason) for twist, reason in (LIES | GOOGLES_OWN).items()),
    *((Mode.MICROSOFT, twist, reason) for twist, reason in (LIES | MICROSOFTS_OWN).items()),
]


@pytest.fixture
def providers(clock: SetClock) -> dict[Mode, Provider]:
    """Both providers, well-behaved."""
    return make_providers(clock)


@pytest.fixture
async def outside(providers: dict[Mode, Provider]) -> AsyncIterator[httpx.AsyncClient]:
    """The way to the providers."""
    async with reach(providers) as client:
        yield client


@pytest.fixture
def site(
    database: str, clock: SetClock, policy: Policy, providers: dict[Mode, Provider], outside: httpx.AsyncClient
) -> Site:
    """A portal that offers both."""
    return Site(policy, make_settings(**environment(providers)), clock, outside)


async def test_google_signs_in_whom_it_vouches_for(site: Site, outside: httpx.AsyncClient) -> None:
    """The verified address makes the person, and (issuer, subject) finds them again."""
    browser = site.browser()
    answer = await through(browser, outside, Mode.GOOGLE, AMELIE, next_path="/secret")
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/secret")
    assert (await browser.get("/en")).text == f"hello {KNOWN}"
    await through(site.browser(), outside, Mode.GOOGLE, AMELIE)
    subjects, identities = await Subject.select(), await OutsideIdentity.select()
    assert [(row["email"], row["display_name"]) for row in subjects] == [(KNOWN, "Amélie Laurent")]
    assert [(row["identifier"], row["subject"]) for row in identities] == [("1001", subjects[0]["id"])]
    assert {row["way"] for row in await Session.select()} == {"google"}


async def test_only_what_is_needed_is_asked_for(site: Site) -> None:
    """Three scopes, a code, S256, and a state that the database does not hold."""
    asked = parse_qs(urlsplit(await leave_for(site.browser(), Mode.GOOGLE)).query)
    assert asked["scope"] == ["openid email profile"]
    assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
    assert "access_type" not in asked
    rows = await OutsideAttempt.select()
    assert asked["state"][0] not in str(rows)
    assert asked["nonce"][0] not in str(rows)


@pytest.mark.parametrize(("mode", "twist", "reason"), TOLD)
async def test_a_lie_signs_nobody_in(
    site: Site, outside: httpx.AsyncClient, providers: dict[Mode, Provider], mode: Mode, twist: Twist, reason: str
) -> None:
    """Each is refused for its own reason: no session, no person, no mail, and a page that says so."""
    providers[mode].twist = twist
    with capture_logs() as lines:
        answer = await through(site.browser(), outside, mode, AMELIE)
    assert [line["reason"] for line in lines] == [reason]
    assert answer.status_code == 400
    assert "<title>Error: " in answer.text
    assert await Session.count() + await Subject.count() + await SignInAttempt.count() == 0


@pytest.mark.parametrize("mode", list(Mode))
async def test_somebody_who_says_no_is_told_that_nothing_happened(
    site: Site, outside: httpx.AsyncClient, mode: Mode
) -> None:
    """The provider's `access_denied` is an answer, not a failure of ours."""
    answer = await through(site.browser(), outside, mode, None)
    assert answer.status_code == 400
    assert "nothing has happened" in answer.text


@pytest.mark.parametrize("twist", [Twist.DOWN, Twist.WRONG_DISCOVERY])
async def test_a_provider_that_is_down_or_not_itself_is_not_gone_to(
    site: Site, providers: dict[Mode, Provider], twist: Twist
) -> None:
    """Nobody is sent to an address that discovery did not vouch for; the code still works."""
    providers[Mode.GOOGLE].twist = twist
    answer = await site.browser().submit("/en/sign-in", {"next": "/"}, to="/en/sign-in/google")
    assert answer.status_code == (503 if twist is Twist.DOWN else 400)
    assert "code e-mailed to you" in answer.text


async def test_a_rotated_key_is_fetched_once_and_not_for_every_bad_token(
    site: Site, outside: httpx.AsyncClient, providers: dict[Mode, Provider]
) -> None:
    """An unknown key makes us ask again, but an attacker cannot make us ask all the time."""
    google = providers[Mode.GOOGLE]
    await through(site.browser(), outside, Mode.GOOGLE, AMELIE)
    google.rotate()
    assert (await through(site.browser(), outside, Mode.GOOGLE, AMELIE)).status_code == 303
    assert google.fetched_keys == 2
    google.twist = Twist.FOREIGN_KEY
    for _ in range(3):
        assert (await through(site.browser(), outside, Mode.GOOGLE, AMELIE)).status_code == 400
    assert google.fetched_keys == 2
    site.clock.advance(timedelta(minutes=2))
    google.twist = Twist.NONE
    google.rotate()
    assert (await through(site.browser(), outside, Mode.GOOGLE, AMELIE)).status_code == 303


async def test_the_answer_works_once_in_the_asking_browser_and_in_time(site: Site, outside: httpx.AsyncClient) -> None:
    """Replayed, brought by another browser, brought to another provider, or too late: refused."""
    browser = site.browser()
    back = await choose(outside, await leave_for(browser, Mode.GOOGLE), AMELIE)
    assert (await site.browser().get(back)).status_code == 400
    assert (await browser.get(back.replace("/google/", "/microsoft/"))).status_code == 400
    assert (await browser.get(back)).status_code == 303
    assert (await browser.get(back)).status_code == 400
    late = site.browser()
    back = await choose(outside, await leave_for(late, Mode.GOOGLE), AMELIE)
    site.clock.advance(timedelta(minutes=10))
    assert (await late.get(back)).status_code == 400
    assert await Session.count() == 1


async def test_microsofts_address_has_to_show_a_code_and_is_linked_afterwards(
    site: Site, outside: httpx.AsyncClient
) -> None:
    """Its e-mail claim alone lets nobody in; the code from that inbox does, once and for ever."""
    browser = site.browser()
    answer = await through(browser, outside, Mode.MICROSOFT, AMELIE, next_path="/secret")
    assert answer.headers["location"] == "/en/sign-in/code"
    assert await Session.count() + await OutsideIdentity.count() == 0
    await site.work()
    answer = await browser.submit("/en/sign-in/code", {"code": await site.last_code()})
    assert answer.headers["location"] == "/en/secret"
    again = await through(site.browser(), outside, Mode.MICROSOFT, AMELIE)
    assert (again.status_code, again.headers["location"]) == (303, "/en")
    assert await OutsideIdentity.count() == 1


async def test_microsofts_word_for_an_address_is_not_taken(
    site: Site, outside: httpx.AsyncClient, providers: dict[Mode, Provider]
) -> None:
    """A tenant's administrator could have written both claims."""
    providers[Mode.MICROSOFT].twist = Twist.VOUCHES
    answer = await through(site.browser(), outside, Mode.MICROSOFT, AMELIE)
    assert answer.headers["location"] == "/en/sign-in/code"
    assert await Session.count() == 0


async def test_a_claimed_address_is_not_linked_by_its_owner_opening_the_mail_elsewhere(
    site: Site, outside: httpx.AsyncClient
) -> None:
    """Mallory claims the victim's address; the victim signs in with that mail; Mallory stays out."""
    await through(site.browser(), outside, Mode.MICROSOFT, UNVERIFIED)
    await site.work(lambda _: True)
    victim, link = site.browser(), await site.last_link()
    answer = await victim.submit(link, {"code": await site.last_code()})
    assert answer.status_code == 303
    assert await OutsideIdentity.count() == 0
    assert (await through(site.browser(), outside, Mode.MICROSOFT, UNVERIFIED)).headers["location"] != "/en"


async def test_googles_unverified_address_lets_nobody_in(site: Site, outside: httpx.AsyncClient) -> None:
    """Without `email_verified` it is a claim like Microsoft's."""
    answer = await through(site.browser(), outside, Mode.GOOGLE, UNVERIFIED)
    assert answer.headers["location"] == "/en/sign-in/code"
    assert await Session.count() == 0


async def test_without_any_address_the_code_is_offered(site: Site, outside: httpx.AsyncClient) -> None:
    """An identity that we do not know and that names no inbox cannot be matched with anything."""
    answer = await through(site.browser(), outside, Mode.MICROSOFT, ADDRESSLESS)
    assert answer.status_code == 400
    assert "did not tell us an e-mail address" in answer.text


async def test_a_way_that_is_not_configured_does_not_exist(
    database: str, clock: SetClock, policy: Policy, outside: httpx.AsyncClient
) -> None:
    """No button and no address; half a configuration stops the start."""
    bare = Site(policy, make_settings(), clock, outside)
    browser = bare.browser()
    assert "Google" not in (await browser.get("/en/sign-in")).text
    assert (await browser.submit("/en/sign-in", {}, to="/en/sign-in/google")).status_code == 404
    assert (await browser.get("/en/sign-in/google/callback?state=x&code=y")).status_code == 404
    with pytest.raises(SettingsError, match="GOOGLE_CLIENT_SECRET"):
        configured(policy, make_settings(GOOGLE_CLIENT_ID="habeas"))
