"""Somebody else's request, copy, download and session, over HTTP: the same answer as for what never was."""

import re
from uuid import uuid4

from tests.faults.conftest import Visit
from tests.faults.house import House

NOWHERE = "DR-2026-999999"


async def test_what_is_somebody_elses_is_answered_as_what_is_not_there(casagbic: House, visit: Visit) -> None:
    """Status, headers and page are the same to the byte, but for the address itself and the error's number."""
    owner = await visit(casagbic, casagbic.email("twice"))
    stranger = await visit(casagbic, casagbic.email("ordinary", 7))
    reference = await owner.ask("account")
    await owner.copy(reference)
    token = await stranger.token()
    for page in ("", "/progress", "/copy"):
        theirs, none = [await stranger.client.get(f"/en/requests/{one}{page}") for one in (reference, NOWHERE)]
        assert (theirs.status_code, none.status_code) == (404, 404), page
        assert plain(theirs.text, reference) == plain(none.text, NOWHERE)
        assert set(theirs.headers) == set(none.headers)
    for action, fields in (("download", {"what": "zip"}), ("withdraw", {})):
        theirs, none = [
            await stranger.send(f"/requests/{one}/{action}", fields, token=token) for one in (reference, NOWHERE)
        ]
        assert (theirs.status_code, none.status_code) == (404, 404), action
        assert plain(theirs.text, reference) == plain(none.text, NOWHERE)
    (parcel,) = await casagbic.parcels(reference)
    assert parcel["downloads_left"] == 5


async def test_nobody_ends_somebody_elses_session(casagbic: House, visit: Visit) -> None:
    """The id of a session that is another's is answered as one that never was, and the other stays signed in."""
    owner = await visit(casagbic, casagbic.email("twice"))
    stranger = await visit(casagbic, casagbic.email("ordinary", 7))
    (row,) = await casagbic.rows(
        "SELECT p.id FROM person_session p JOIN subject s ON s.id = p.subject"
        " WHERE lower(s.email) = lower($1) AND p.ended_at IS NULL ORDER BY p.created_at DESC LIMIT 1",
        owner.email,
    )
    token = await stranger.token()
    theirs, none = [await stranger.send(f"/account/sessions/{id}/end", {}, token=token) for id in (row["id"], uuid4())]
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert (await owner.client.get("/en/account")).status_code == 200


async def test_a_cookie_that_somebody_made_up_is_nobody(casagbic: House, visit: Visit) -> None:
    """A cookie with a foreign token, a session's row id or a changed letter leads to the sign-in page."""
    owner = await visit(casagbic, casagbic.email("twice"))
    (name, value), *_ = owner.client.cookies.items()
    (row,) = await casagbic.rows("SELECT id, token_hash FROM person_session ORDER BY created_at DESC LIMIT 1")
    changed = value[:-1] + ("A" if value[-1] != "A" else "B")
    for forged in (str(row["id"]), str(row["token_hash"]), changed, value[:20], value + "A"):
        stranger = await visit(casagbic)
        answer = await stranger.client.get("/en/requests", headers={"Cookie": f"{name}={forged}"})
        assert answer.status_code == 303, forged
        assert "/sign-in" in answer.headers["location"]


def plain(page: str, reference: str) -> str:
    """Take out of a page what may differ: the address that was asked for, and the random number of the error."""
    return re.sub(r"\b\d{4}-\d{4}\b", "", page.replace(reference, ""))
