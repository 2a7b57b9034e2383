"""A new address: shown by a code, warned about at the old one, nobody else's, and put back from there for 72 hours."""

from datetime import timedelta

import msgspec
import pytest
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import Invalid, NotFound
from portal.identity.links import Purpose, Wrong, ask, code_of
from portal.identity.sessions import SignedIn
from portal.identity.tables import KnownIdentifier, Session, SignInAttempt, Subject
from portal.rights import address_change, address_old, address_rows, corrections
from portal.rights.address_hold import Held, held_until
from portal.rights.delivery import hand_over
from portal.rights.requests import RequestView, find_by_id, timeline_of
from portal.rights.tables import Parcel
from portal.rights.tables_rectification import AddressChange
from portal.rights.tasks import tasks_of
from portal.sources.base import Identifiers
from tests.rights.conftest import Browser, House, finish
from tests.rights.shop import mails_to, shop_of, work
from tests.rights.test_rectification import person, states

NEW = "ana.new@person.example"


async def session_of(browser: Browser) -> SignedIn:
    """Return the session of a browser as the pages know it."""
    row = await Session.select().where(Session.subject == browser.subject_id).order_by(Session.created_at).first()
    assert row is not None
    values = {**row, "subject_id": row["subject"], "email": browser.email, "display_name": ""}
    return msgspec.convert({name: values[name] for name in SignedIn.__struct_fields__}, SignedIn)


async def begin(house: House, browser: Browser, email: str = NEW) -> str:
    """Ask for another address as the page does. Returns the code that is sent to it."""
    await address_change.begin(
        await session_of(browser), email, language="en", policy=house.policy, settings=house.settings, at=house.clock()
    )
    id = await ask(
        email, browser="this browser", purpose=Purpose.ADDRESS, language="en", next_path="/address/code",
        life=timedelta(minutes=15), settings=house.settings, at=house.clock(),
    )  # fmt: skip
    return code_of(house.settings, id, Purpose.ADDRESS)


async def prove(house: House, browser: Browser, code: str, *, from_browser: str = "this browser") -> object:
    """Type a code as the page does."""
    return await address_change.prove(
        code, await session_of(browser), browser=from_browser, language="en", policy=house.policy,
        settings=house.settings, at=house.clock(),
    )  # fmt: skip


async def change(house: House, browser: Browser) -> RequestView:
    """Ask and show the code. Returns the request."""
    request = await prove(house, browser, await begin(house, browser))
    assert isinstance(request, RequestView)
    return request


async def link(house: House) -> str:
    """Return the token of the newest warning to an old address."""
    row = await AddressChange.select(AddressChange.id).order_by(AddressChange.asked_at, ascending=False).first()
    assert row is not None
    return address_rows.token_of(house.settings, row["id"])


async def keep(house: House) -> bool:
    """Press the button at the old address."""
    return await address_old.keep_old(
        await link(house), policy=house.policy, settings=house.settings, at=house.clock()
    )  # fmt: skip


async def signs_in_with(browser: Browser) -> str:
    """Return the address that the person signs in with now."""
    row = await Subject.select(Subject.email).where(Subject.id == browser.subject_id).first()
    assert row is not None
    return str(row["email"])


async def open_sessions(browser: Browser) -> int:
    """Return how many sessions the person has."""
    return await Session.count().where((Session.subject == browser.subject_id) & Session.ended_at.is_null())


async def test_it_changes_everywhere_once_the_code_was_shown(house: House) -> None:
    """The platform, Stripe and sign-in hold the new address; the request is done; the old one was warned first."""
    ana = await person(house)
    code = await begin(house, ana)
    assert await mails_to(ana.email) == ["address-changing"]
    assert await signs_in_with(ana) == ana.email
    request = await prove(house, ana, code)
    assert isinstance(request, RequestView)
    await work(house)
    await work(house)
    assert await signs_in_with(ana) == NEW
    assert house.sources["platform"].rows[ana.email, "account"][0]["email"] == NEW
    assert house.sources["stripe"].rows[ana.email, "payments"][0]["email"] == NEW
    assert (await find_by_id(request.id)).outcome == "fulfilled"


async def test_a_wrong_code_or_another_browser_changes_nothing(house: House) -> None:
    """Tries are counted and end; the right code is of no use anywhere else."""
    ana = await person(house)
    code = await begin(house, ana)
    assert await prove(house, ana, code, from_browser="another") is None
    wrong = "000000" if code != "000000" else "111111"
    left = [await prove(house, ana, wrong) for _ in range(house.policy.sign_in.code_tries)]
    assert [one.tries_left for one in left if isinstance(one, Wrong)] == [4, 3, 2, 1, 0]
    assert await prove(house, ana, code) is None
    await work(house)
    assert await signs_in_with(ana) == ana.email


async def test_a_code_of_another_person_in_the_same_browser_is_of_no_use(house: House) -> None:
    """Whoever signs in after somebody on a shared computer does not get their address."""
    ana, eve = await person(house), await house.person("eve@person.example")
    code = await begin(house, ana)
    assert await prove(house, eve, code) is None
    assert await signs_in_with(eve) == "eve@person.example"


async def test_asked_twice_the_old_address_is_warned_once(house: House) -> None:
    """A second code for the same address is no second warning; another address is."""
    ana = await person(house)
    await begin(house, ana)
    await begin(house, ana)
    assert await mails_to(ana.email) == ["address-changing"]
    await begin(house, ana, "third@person.example")
    assert await mails_to(ana.email) == ["address-changing"] * 2
    with pytest.raises(Invalid):
        await begin(house, ana, ana.email)


async def test_other_sessions_end(house: House) -> None:
    """The browser that asked stays signed in; whoever else was signed in is not."""
    ana = await person(house)
    at = house.clock()
    await Session(
        subject=ana.subject_id, token_hash="other", way="code", created_at=at + timedelta(seconds=1),
        expires_at=at + timedelta(days=30), confirmed_at=at,
    ).save()  # fmt: skip
    await change(house, ana)
    await work(house)
    assert await open_sessions(ana) == 1


@pytest.mark.parametrize("worked", [False, True])
async def test_the_old_address_puts_everything_back(house: House, worked: bool) -> None:  # noqa: FBT001  a parameter
    """Before the worker and after it: sign-in, platform and Stripe hold the old address; every session is over."""
    ana = await person(house)
    request = await change(house, ana)
    if worked:
        await work(house)
    house.clock.advance(timedelta(hours=71))
    assert await keep(house)
    assert await signs_in_with(ana) == ana.email
    assert await open_sessions(ana) == 0
    for _ in range(3):
        house.clock.advance(timedelta(hours=7))
        await work(house)
    assert house.sources["platform"].rows[ana.email, "account"][0]["email"] == ana.email
    assert house.sources["stripe"].rows[ana.email, "payments"][0]["email"] == ana.email
    assert await signs_in_with(ana) == ana.email
    assert not (await find_by_id(request.id)).is_open
    assert "identify" in [task.kind for task in await tasks_of(request.id) if task.ended_at is None]
    assert not await KnownIdentifier.exists().where(KnownIdentifier.value == NEW)


async def test_after_72_hours_nobody_can_cancel_and_the_old_address_is_forgotten(house: House) -> None:
    """The link says that it is too late; our own tables know the old address no more."""
    ana = await person(house)
    await change(house, ana)
    await work(house)
    house.clock.advance(timedelta(hours=73))
    assert not await keep(house)
    assert await address_old.settle_due(shop_of(house)) == 1
    found = await engine().run_querystring(
        QueryString(
            "SELECT (SELECT count(*) FROM mail WHERE to_address = {}) + (SELECT count(*) FROM known_identifier"
            " WHERE value = {}) + (SELECT count(*) FROM subject WHERE email = {}) AS n",
            ana.email, ana.email, ana.email,
        )
    )  # fmt: skip
    assert found[0]["n"] == 0
    assert await signs_in_with(ana) == NEW


async def test_before_the_code_the_old_address_can_stop_it(house: House) -> None:
    """The code is of no use any more."""
    ana = await person(house)
    code = await begin(house, ana)
    assert await keep(house)
    assert await prove(house, ana, code) is None


async def test_a_second_change_waits_until_the_first_cannot_be_cancelled(house: House) -> None:
    """Otherwise a thief would change twice, and the warning would go to their own address."""
    ana = await person(house)
    await change(house, ana)
    await work(house)
    ana.email = NEW
    with pytest.raises(address_change.ChangedLately):
        await begin(house, ana, "third@person.example")
    house.clock.advance(timedelta(hours=73))
    await begin(house, ana, "third@person.example")
    assert await held_until(ana.subject_id, at=house.clock()) is not None


async def test_an_address_of_somebody_else_goes_to_a_person_of_ours(house: House) -> None:
    """The page, the mails and the request begin as always; nothing is written, and nobody is signed in as another."""
    ana, bea = await person(house), await house.person(NEW)
    request = await change(house, ana)

    async def identify(known: Identifiers) -> Identifiers:
        return msgspec.structs.replace(known, subject_id=str(bea.subject_id)) if NEW in known.emails else known

    house.sources["portal"].identify = identify  # type: ignore[method-assign]
    await work(house)
    await work(house)
    assert await signs_in_with(ana) == ana.email
    assert "rectify" not in house.sources["platform"].calls
    now = await find_by_id(request.id)
    assert (now.state, now.is_open) == ("deciding", True)
    assert [task.kind for task in await tasks_of(request.id) if task.ended_at is None] == ["identify"]
    assert await held_until(ana.subject_id, at=house.clock()) is None


async def test_a_place_that_is_down_holds_the_change_back(house: House) -> None:
    """As long as nobody can say whose the new address is, nothing changes anywhere."""
    ana = await person(house)
    house.sources["stripe"].down = True
    request = await change(house, ana)
    await work(house)
    assert await signs_in_with(ana) == ana.email
    assert (await states(request))["platform"] == "failed"
    house.sources["stripe"].down = False
    house.clock.advance(timedelta(hours=7))
    await work(house)
    await work(house)
    assert await signs_in_with(ana) == NEW


async def test_sign_in_changes_only_after_the_platform_has(house: House) -> None:
    """A platform that refuses keeps the person signed in with the address that it knows."""
    ana = await person(house)
    house.sources["platform"].refuses = True
    request = await change(house, ana)
    await work(house)
    await work(house)
    assert await signs_in_with(ana) == ana.email
    assert (await find_by_id(request.id)).state == "deciding"


async def test_copies_wait_for_seven_days_or_for_the_old_address(house: House) -> None:
    """A copy is refused with a sentence, handed over after the old address confirmed, and anyway after the week."""
    ana = await person(house)
    reference = await finish(house, ana)
    await change(house, ana)
    await work(house)

    async def take() -> str:
        delivery = await hand_over(
            house.storage,  # type: ignore[arg-type]
            reference, ana.subject_id, "pdf", policy=house.policy, public_url=house.settings.public_url,
            at=house.clock(),
        )  # fmt: skip
        return delivery.filename

    with pytest.raises(Held):
        await take()
    assert await address_old.confirm_old(await link(house), settings=house.settings, at=house.clock())
    assert await take() == f"{reference}.pdf"
    await AddressChange.update({AddressChange.confirmed_at: None}, force=True)
    with pytest.raises(Held):
        await take()
    house.clock.advance(timedelta(days=7))
    await Parcel.update({Parcel.expires_at: house.clock() + timedelta(days=1)}, force=True)
    assert await take() == f"{reference}.pdf"


async def test_who_signed_in_with_the_old_address_meanwhile_is_the_same_person(house: House) -> None:
    """Putting back does not fail on the row that a sign-in made in between; what was asked there comes along."""
    ana = await person(house)
    await change(house, ana)
    await work(house)
    house.clock.advance(timedelta(hours=1))
    again = await house.person(ana.email)
    assert await keep(house)
    assert await signs_in_with(ana) == ana.email
    assert await Subject.exists().where((Subject.id == again.subject_id) & Subject.email.is_null())


async def test_no_address_is_in_evidence_or_in_the_change_itself(house: House) -> None:
    """Both addresses are sealed; what evidence has is a keyed digest."""
    ana = await person(house)
    request = await change(house, ana)
    await work(house)
    rows = await engine().run_querystring(
        QueryString(
            "SELECT string_agg(t, ' ') AS t FROM (SELECT e::text AS t FROM evidence e UNION ALL SELECT a::text FROM"
            " address_change a UNION ALL SELECT c::text FROM correction c UNION ALL SELECT q::text FROM pgqueuer q) x"
        )
    )
    assert NEW not in str(rows[0]["t"])
    assert ana.email not in str(rows[0]["t"])
    assert corrections.digest(house.settings, ana.subject_id, "account.email", NEW) in str(rows[0]["t"])
    assert "address-changed" in [entry.event for entry in await timeline_of(request.id)]


async def test_a_link_that_nobody_was_sent_opens_nothing(house: House) -> None:
    """A guessed token finds no change, and codes for addresses are kept apart from codes to sign in."""
    with pytest.raises(NotFound):
        await address_old.keep_old("guess", policy=house.policy, settings=house.settings, at=house.clock())
    ana = await person(house)
    await begin(house, ana)
    attempt = await SignInAttempt.select(SignInAttempt.purpose).first()
    assert attempt == {"purpose": "address"}
