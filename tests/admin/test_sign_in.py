"""Staff sessions end when they must, and open nothing before their second factor."""

from admin.sign_in import make_link, use_link
from admin.tables import IDLE, StaffSession, StaffUser
from admin.who import find_staff
from portal.clock import SetClock


async def test_no_token_is_stored_in_clear(database: str, clock: SetClock) -> None:
    """A session's token cannot be read from the database."""
    half = await make_link("a@casagbic.example", at=clock())
    session = await use_link(half, at=clock())
    assert session
    assert session not in str(await StaffSession.select())


async def test_a_session_gets_a_new_token_with_its_second_factor(database: str, clock: SetClock) -> None:
    """The token from before, which somebody may have put into the browser, opens nothing: no fixation."""
    half = await make_link("Desk@Casagbic.example", at=clock())
    assert await find_staff(half, at=clock()) is None
    session = await use_link(half, at=clock()) or ""
    assert session != half
    assert await find_staff(session, at=clock())
    assert await find_staff(half, at=clock()) is None
    assert await use_link(half, at=clock()) is None


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
