"""Staff get in by a link made on the command line, and by nothing else."""

from datetime import timedelta

from admin.sign_in import LINK_LIFE, make_link, use_link
from admin.tables import IDLE, StaffLink, StaffSession, StaffUser
from admin.who import find_staff
from portal.clock import SetClock


async def test_a_link_opens_one_session(database: str, clock: SetClock) -> None:
    """The first use signs in, the second gives nothing."""
    link = await make_link("Desk@Casagbic.example", at=clock())
    session = await use_link(link, at=clock())
    assert session
    assert await find_staff(session, at=clock())
    assert await use_link(link, at=clock()) is None


async def test_a_link_dies_after_a_quarter_of_an_hour(database: str, clock: SetClock) -> None:
    """It works until the last microsecond and not after."""
    link, late = await make_link("a@casagbic.example", at=clock()), await make_link("b@casagbic.example", at=clock())
    clock.advance(LINK_LIFE - timedelta(microseconds=1))
    assert await use_link(link, at=clock())
    clock.advance(timedelta(microseconds=1))
    assert await use_link(late, at=clock()) is None


async def test_a_new_link_replaces_the_old_one(database: str, clock: SetClock) -> None:
    """Of two links for one person only the newer works."""
    old, new = await make_link("a@casagbic.example", at=clock()), await make_link("a@casagbic.example", at=clock())
    assert await use_link(old, at=clock()) is None
    assert await use_link(new, at=clock())
    assert await StaffUser.count() == 1


async def test_no_token_is_stored_in_clear(database: str, clock: SetClock) -> None:
    """Neither the link's nor the session's token can be read from the database."""
    link = await make_link("a@casagbic.example", at=clock())
    session = await use_link(link, at=clock())
    stored = str(await StaffLink.select()) + str(await StaffSession.select())
    assert session
    assert link not in stored
    assert session not in stored


async def test_a_session_ends_when_idle_and_at_its_longest(database: str, clock: SetClock) -> None:
    """An idle session and one past its end are refused, and using one moves only the idle end."""
    link = await make_link("a@casagbic.example", at=clock())
    session = await use_link(link, at=clock()) or ""
    (before,) = await StaffSession.select()
    await StaffSession.update({StaffSession.expiry_date: before["expiry_date"] - IDLE / 2}, force=True)
    assert await find_staff(session, at=clock())
    (used,) = await StaffSession.select()
    assert used["expiry_date"] > before["expiry_date"] - IDLE / 2
    assert used["max_expiry_date"] == before["max_expiry_date"]
    past = before["expiry_date"] - 2 * IDLE
    await StaffSession.update({StaffSession.expiry_date: past}, force=True)
    assert not await find_staff(session, at=clock())
    await StaffSession.update(
        {StaffSession.expiry_date: before["expiry_date"], StaffSession.max_expiry_date: past}, force=True
    )
    assert not await find_staff(session, at=clock())


async def test_who_left_is_out_at_once(database: str, clock: SetClock) -> None:
    """An open session of someone who is no longer active opens nothing."""
    session = await use_link(await make_link("a@casagbic.example", at=clock()), at=clock()) or ""
    await StaffUser.update({StaffUser.active: False}, force=True)
    assert not await find_staff(session, at=clock())


async def test_no_password_signs_in(database: str, clock: SetClock) -> None:
    """Even a password that somebody wrote into the table is refused."""
    await make_link("a@casagbic.example", at=clock())
    await StaffUser.update_password("a@casagbic.example", "correct horse battery")
    assert await StaffUser.login("a@casagbic.example", "correct horse battery") is None
