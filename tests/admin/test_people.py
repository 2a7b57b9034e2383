"""Who is staff: invited once, changed by others only, told of each change, and never all shut out."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from admin import people
from admin.invitations import LIFE
from admin.roles import Permission, Role
from admin.tables import StaffUser
from admin.tables_factors import StaffIdentity, StaffInvitation, StaffPasskey
from admin.who import COOKIE, NotPermitted, Staff, find_staff
from demo.openid import Mode, Person, Provider, Twist
from portal.clock import SetClock
from portal.errors import Invalid
from portal.evidence.tables import Evidence
from portal.mail.tables import Mail
from portal.rights.tables import SubjectRequest
from tests.admin.reminding import request
from tests.admin.staff_site import HTTPS, Browser, Device, Site
from tests.identity.outside import AMELIE, choose, make_providers, reach

TEAM = "/en/staff/people"


async def signed_in(site: Site, browser: Browser) -> Staff:
    """Who is signed in in a browser."""
    found = await find_staff(browser.cookies.get(COOKIE, ""), at=site.clock())
    assert found
    return found


async def told(email: str) -> list[str]:
    """The kinds of mail that somebody was sent."""
    return [row["kind"] for row in await Mail.select(Mail.kind).where(Mail.to_address == email)]


async def test_an_invitation_makes_a_member_once(site: Site) -> None:
    """Looking uses nothing up; a passkey does; the name, the roles and a fresh session are there at once."""
    page, browser, device = await site.invitation(), site.browser(), Device(HTTPS)
    for _ in range(2):
        assert (await browser.get(page)).status_code == 200
    made = device.make(await browser.options(page))
    joined = await browser.submit(page, {"name": " Ada  Lovelace ", "passkey": made, "called": "laptop"})
    assert joined.status_code == 200
    staff = await signed_in(site, browser)
    assert (staff.name, staff.roles, staff.fresh(site.clock())) == ("Ada Lovelace", {Role.DPO}, True)
    assert (await site.browser().get(page)).status_code == 410
    assert "staff-invitation" in await told("dpo@staff.example")
    assert joined.headers["cache-control"] == "no-store"


async def test_a_passkey_that_fails_leaves_the_invitation_good(site: Site) -> None:
    """Whoever could not make one tries again with the same link."""
    page, browser, device = await site.invitation(), site.browser(), Device(HTTPS, verified=False)
    refused = await browser.submit(page, {"passkey": device.make(await browser.options(page))})
    assert refused.status_code == 422
    assert await StaffPasskey.count() == 0
    device.verified = True
    made = await browser.submit(page, {"passkey": device.make(await browser.options(page))})
    assert made.status_code == 200


async def test_an_invitation_dies_after_seven_days_and_by_a_newer_one(site: Site) -> None:
    """Of two only the newer works, until its last moment."""
    old, new = await site.invitation(), await site.invitation()
    assert (await site.browser().get(old)).status_code == 410
    site.clock.advance(LIFE - timedelta(seconds=1))
    assert (await site.browser().get(new)).status_code == 200
    site.clock.advance(timedelta(seconds=1))
    assert (await site.browser().get(new)).status_code == 410


async def test_an_invitation_is_used_once_by_two_at_once(site: Site) -> None:
    """Two browsers press the button together: one gets in."""
    page, one, two = await site.invitation(), site.browser(), site.browser()
    made = [Device(HTTPS).make(await browser.options(page)) for browser in (one, two)]
    answers = await asyncio.gather(
        *(browser.submit(page, {"passkey": key}) for browser, key in zip((one, two), made, strict=True))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 410]
    assert await StaffPasskey.count() == 1


async def test_who_is_a_member_already_is_not_invited_again(site: Site) -> None:
    """Their roles do not change by it."""
    await site.join(site.browser())
    with pytest.raises(Invalid):
        await site.invitation("dpo@staff.example", Role.ADMIN)
    assert (await people.members())[0].roles == {Role.DPO}


async def test_the_team_is_for_those_who_may(site: Site) -> None:
    """A handler is refused, and that they tried is evidence."""
    browser = site.browser()
    await site.join(browser, "handler@staff.example", Role.HANDLER)
    for path in (TEAM, f"{TEAM}/invite", f"{TEAM}/1"):
        assert (await browser.get(path)).status_code == 403, path
    assert await Evidence.exists().where(Evidence.event == "staff:refused")
    assert "/staff/people" not in (await browser.get("/en/staff/me")).text


async def test_inviting_from_the_page(site: Site) -> None:
    """The link is shown once and mailed; what is missing is said and nothing lost."""
    browser = site.browser()
    await site.join(browser)
    page = f"{TEAM}/invite"
    wrong = await browser.submit(page, {"email": "eve@staff.example", "name": "Eve"})
    assert wrong.status_code == 422
    assert 'value="eve@staff.example"' in wrong.text
    right = await browser.submit(page, {"email": "Eve@staff.example", "roles": ["handler", "auditor"]})
    link = re.search(r"/en/staff/invitation/[\w-]+", right.text)
    assert link
    assert (await site.browser().get(link[0])).status_code == 200
    assert await told("eve@staff.example") == ["staff-invitation"]
    listed = (await browser.get(TEAM)).text
    assert "eve@staff.example" in listed
    assert "invited until" in listed


@pytest.mark.parametrize(
    ("deed", "event"),
    [
        ({"do": "roles", "roles": ["auditor"]}, "staff:roles:changed"),
        ({"do": "deactivate"}, "staff:member:deactivated"),
        ({"do": "end"}, "staff:sessions:ended"),
        ({"do": "reset"}, "staff:factors:reset"),
    ],
)
async def test_each_change_ends_their_sessions_is_evidence_and_told(
    site: Site, deed: dict[str, object], event: str
) -> None:
    """Whoever it concerns is out at once and reads of it: S-21; ASVS 7.4.2."""
    dpo, handler = site.browser(), site.browser()
    await site.join(dpo)
    await site.join(handler, "handler@staff.example", Role.HANDLER)
    user = (await signed_in(site, handler)).id
    before = len(await told("handler@staff.example"))
    assert (await dpo.submit(f"{TEAM}/{user}", deed)).status_code in {200, 303}
    assert await find_staff(handler.cookies[COOKIE], at=site.clock()) is None
    assert await Evidence.exists().where(Evidence.event == event, Evidence.actor == "staff:1")
    assert len(await told("handler@staff.example")) > before


@pytest.mark.parametrize(
    ("deed", "left"),
    [({"do": "deactivate"}, 0), ({"do": "roles", "roles": ["auditor"]}, 0), ({"do": "roles", "roles": ["intake"]}, 1)],
)
async def test_nobody_has_the_requests_of_whoever_does_not_work_on_them(
    site: Site, deed: dict[str, object], left: int
) -> None:
    """They are nobody's at once, on every page and in every mail; what has ended stays under their name."""
    dpo, handler = site.browser(), site.browser()
    await site.join(dpo)
    await site.join(handler, "handler@staff.example", Role.HANDLER)
    user = (await signed_in(site, handler)).id
    await request("DR-2026-0001", site.clock().date(), assignee=user)
    await request("DR-2026-0002", site.clock().date(), assignee=user)
    await SubjectRequest.update({SubjectRequest.closed_at: site.clock(), SubjectRequest.state: "closed"}).where(
        SubjectRequest.reference == "DR-2026-0002"
    )
    assert (await dpo.submit(f"{TEAM}/{user}", deed)).status_code in {200, 303}
    rows = await SubjectRequest.select(SubjectRequest.assignee).order_by(SubjectRequest.reference)
    assert [row["assignee"] for row in rows] == [user if left else None, user]
    given = await Evidence.select(Evidence.actor, Evidence.reference).where(Evidence.event == "staff:request:given")
    assert given == ([] if left else [{"actor": "staff:1", "reference": "DR-2026-0001"}])


async def test_a_reset_takes_every_key_and_invites_again(site: Site) -> None:
    """The old passkey is worthless; the others who keep the list are told."""
    dpo, other, lost = site.browser(), site.browser(), site.browser()
    await site.join(dpo)
    await site.join(other, "admin@staff.example", Role.ADMIN)
    await site.join(lost, "handler@staff.example", Role.HANDLER)
    user = (await signed_in(site, lost)).id
    answer = await dpo.submit(f"{TEAM}/{user}", {"do": "reset"})
    link = re.search(r"/en/staff/invitation/[\w-]+", answer.text)
    assert link
    assert not await StaffPasskey.exists().where(StaffPasskey.user == user)
    assert (await told("admin@staff.example"))[-1] == "staff-notice"
    again = Device(HTTPS)
    assert (await lost.submit(link[0], {"passkey": again.make(await lost.options(link[0]))})).status_code == 200
    assert (await signed_in(site, lost)).roles == {Role.HANDLER}


async def test_nobody_changes_themselves(site: Site) -> None:
    """Not their roles, not their access, not their keys from here."""
    browser = site.browser()
    await site.join(browser, "admin@staff.example", Role.ADMIN)
    for deed in ("roles", "deactivate", "end", "reset"):
        answer = await browser.submit(f"{TEAM}/1", {"do": deed, "roles": ["dpo"]})
        assert answer.status_code == 422, deed
    assert (await people.members())[0].roles == {Role.ADMIN}
    assert (await browser.get("/en/staff/me")).status_code == 200


async def test_two_who_shut_each_other_out_are_one_in_the_end(site: Site) -> None:
    """The second comes too late: their own right is looked at under the same lock."""
    one, two = site.browser(), site.browser()
    await site.join(one)
    await site.join(two, "second@staff.example")
    first, second = await signed_in(site, one), await signed_in(site, two)
    outcomes = await asyncio.gather(
        people.set_active(second.id, active=False, by=first, office=site.office, at=site.clock()),
        people.set_active(first.id, active=False, by=second, office=site.office, at=site.clock()),
        return_exceptions=True,
    )
    assert {type(outcome) for outcome in outcomes} == {type(None), NotPermitted}
    assert await StaffUser.count().where(StaffUser.active.eq(True)) == 1


async def test_the_last_who_can_invite_is_not_removed(site: Site) -> None:
    """Somebody who was invited and has no key yet does not count."""
    browser = site.browser()
    await site.join(browser)
    await site.invitation("next@staff.example", Role.ADMIN)
    with pytest.raises(Invalid):
        await people.remove(1, actor="command-line", office=site.office, at=site.clock())
    await site.join(site.browser(), "next@staff.example", Role.ADMIN)
    await people.remove(1, actor="command-line", office=site.office, at=site.clock())
    assert await find_staff(browser.cookies[COOKIE], at=site.clock()) is None
    assert (await StaffUser.select(StaffUser.name).where(StaffUser.id == 1).first()) == {"name": "Ada"}


async def test_no_invitation_is_stored_in_clear(site: Site) -> None:
    """Who reads the table can accept nothing."""
    page = await site.invitation()
    assert page.rpartition("/")[2] not in str(await StaffInvitation.select())


class Outside:
    """A site whose staff have a single sign-on, and the way through it."""

    def __init__(self, site: Site, http: httpx.AsyncClient, provider: Provider) -> None:
        self.site, self.http, self.provider = site, http, provider

    async def through(self, browser: Browser, page: str, to: str, person: Person = AMELIE) -> httpx.Response:
        """Press the button on a page, choose who to be there, and come back."""
        left = await browser.submit(page, {"next": "/staff/me"}, to=to)
        assert left.status_code == 303, left.text
        return await browser.get(await choose(self.http, left.headers["location"], person))


@pytest.fixture
async def outside(database: str, clock: SetClock) -> AsyncIterator[Outside]:
    """The organisation's own provider is set up."""
    providers = make_providers(clock)
    google = providers[Mode.GOOGLE]
    google.portal = HTTPS
    environment = {
        "HABEAS_STAFF_OIDC_ISSUER": google.issuer, "HABEAS_STAFF_OIDC_CLIENT_ID": "habeas",
        "HABEAS_STAFF_OIDC_CLIENT_SECRET": "hush", "HABEAS_STAFF_OIDC_NAME": "Company login",
    }  # fmt: skip
    async with reach(providers) as http:
        yield Outside(Site(clock, http, **environment), http, google)


async def test_the_single_sign_on_is_bound_by_an_invitation_and_then_opens(outside: Outside) -> None:
    """It stands for both factors, and the session is fresh because the provider says when they proved it."""
    site, browser = outside.site, outside.site.browser()
    page = await site.invitation()
    joined = await outside.through(browser, page, f"{page}/sso")
    assert joined.status_code == 200, joined.text
    assert len(re.findall(r"<code>", joined.text)) == 10
    again = site.browser()
    entered = await outside.through(again, "/en/staff/sign-in", "/en/staff/sso")
    assert (entered.status_code, entered.headers["location"]) == (303, "/en/staff/me")
    staff = await signed_in(site, again)
    assert staff.may(Permission.PEOPLE)
    assert staff.fresh(site.clock())


async def test_an_identity_that_nobody_bound_gets_nothing(outside: Outside) -> None:
    """Not even when its address is a member's: S-01."""
    site, browser = outside.site, outside.site.browser()
    await site.join(site.browser(), AMELIE.email)
    refused = await outside.through(browser, "/en/staff/sign-in", "/en/staff/sso")
    assert refused.status_code == 403
    assert COOKIE not in browser.cookies
    assert await StaffIdentity.count() == 0


async def test_an_identity_is_bound_from_inside_to_one_member(outside: Outside) -> None:
    """With a fresh second factor; what is somebody else's stays theirs."""
    site, one, two = outside.site, outside.site.browser(), outside.site.browser()
    await site.join(one)
    await site.join(two, "second@staff.example")
    bound = await outside.through(one, "/en/staff/me", "/en/staff/me/single-sign-on")
    assert (bound.status_code, bound.headers["location"]) == (303, "/en/staff/me")
    taken = await outside.through(two, "/en/staff/me", "/en/staff/me/single-sign-on")
    assert taken.status_code == 422
    (row,) = await StaffIdentity.select(StaffIdentity.user)
    assert row["user"] == 1


async def test_the_state_belongs_to_the_browser_that_began(outside: Outside) -> None:
    """What another browser brings back opens nothing there: no session of somebody else's is put into it."""
    site, one, two = outside.site, outside.site.browser(), outside.site.browser()
    page = await site.invitation()
    await outside.through(one, page, f"{page}/sso")
    left = await site.browser().submit("/en/staff/sign-in", {}, to="/en/staff/sso")
    back = await choose(outside.http, left.headers["location"], AMELIE)
    assert (await two.get(back)).status_code == 403
    assert COOKIE not in two.cookies


async def test_a_provider_that_lies_opens_nothing(outside: Outside) -> None:
    """A token for somebody else's client is refused for staff as for people."""
    site = outside.site
    page = await site.invitation()
    await outside.through(site.browser(), page, f"{page}/sso")
    outside.provider.twist = Twist.WRONG_AUDIENCE
    browser = site.browser()
    assert (await outside.through(browser, "/en/staff/sign-in", "/en/staff/sso")).status_code == 403
    assert COOKIE not in browser.cookies
