"""Notes of staff are kept with the request, told to whoever asks for a copy, and gone with the person; who has it."""

import pytest
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import Invalid
from portal.identity.tables import Subject
from portal.rights.assignees import GivenMeanwhile, give
from portal.rights.lifecycle import NotPossible
from portal.rights.looks import look
from portal.rights.notes import LONGEST, write_note
from portal.rights.own_erasure import BY_REQUEST
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import SubjectRequest
from portal.rights.tables_desk import RequestNote
from portal.sources.base import Identifiers
from portal.sources.portal import OwnTables
from tests.rights.conftest import House
from tests.rights.shop import events_of
from tests.rights.test_looks import one
from tests.sources.test_portal import SPEC

SECRET = "She rang twice"


async def test_a_note_is_kept_once_and_evidence_does_not_know_it(house: House) -> None:
    """The same note by the same person twice is one; its words are in no evidence and on no page of the person."""
    ana, request = await one(house)
    for staff in (7, 7, 8):
        await write_note(request, f" {SECRET}\r\nand wrote ", staff=staff, at=house.clock())
    notes = await RequestNote.select(RequestNote.staff, RequestNote.text).order_by(RequestNote.staff)
    assert notes == [{"staff": staff, "text": f"{SECRET}\nand wrote"} for staff in (7, 8)]
    assert (await events_of(request.reference)).count("staff:note:written") == 2
    rows = await engine().run_querystring(QueryString("SELECT string_agg(details::text, '') AS all FROM evidence"))
    assert SECRET not in rows[0]["all"]
    assert SECRET not in (await ana.get(f"/en/requests/{request.reference}")).text


@pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST + 1)])
async def test_an_empty_or_endless_note_is_refused(house: House, text: str) -> None:
    """And nothing is written."""
    _, request = await one(house)
    with pytest.raises(Invalid):
        await write_note(request, text, staff=7, at=house.clock())
    assert await RequestNote.count() == 0


async def test_the_copy_holds_notes_and_looks_without_who(house: House, database: str) -> None:
    """What is written about somebody is theirs to read; the names of staff are not."""
    ana, request = await one(house)
    await write_note(request, SECRET, staff=7, at=house.clock())
    await look(request, "other", "an audit", staff=7, at=house.clock())
    source = OwnTables(SPEC, database)
    found = await source.page(Identifiers(emails=frozenset({ana.email})), "requests", offset=0, limit=50)
    await source.close()
    told = [row for row in found.rows if row.get("text") in {SECRET, "an audit"}]
    assert sorted(str(row["text"]) for row in told) == [SECRET, "an audit"]
    assert all("staff" not in row and 7 not in row.values() for row in told)
    assert {row.get("what") for row in told if row["text"] == "an audit"} == {"other"}


async def test_nothing_is_noted_about_whoever_was_erased(house: House) -> None:
    """Notes and looks go with the person, and none comes afterwards."""
    ana, request = await one(house)
    assert {"request_note", "request_look"} <= set(BY_REQUEST)
    await Subject.update({Subject.email: None}).where(Subject.id == ana.subject_id)
    with pytest.raises(NotPossible):
        await write_note(request, SECRET, staff=7, at=house.clock())


async def given(request: RequestView) -> int | None:
    """Who has it now."""
    return (await find_by_id(request.id)).assignee


async def test_a_request_is_given_taken_and_let_go(house: House) -> None:
    """Each change is evidence; giving it to whoever has it changes nothing."""
    _, request = await one(house)
    at = house.clock()
    assert await give(request.id, 7, at=at, actor="staff:7")
    assert not await give(request.id, 7, at=at, actor="staff:8")
    assert await give(request.id, None, at=at, actor="staff:8", before=7)
    assert await given(request) is None
    assert (await events_of(request.reference)).count("staff:request:given") == 2


async def test_who_takes_second_is_told(house: House) -> None:
    """Two saw that nobody had it; the first has it."""
    _, request = await one(house)
    await give(request.id, 7, at=house.clock(), actor="staff:7", before=None)
    with pytest.raises(GivenMeanwhile):
        await give(request.id, 8, at=house.clock(), actor="staff:8", before=None)
    assert await given(request) == 7
    await SubjectRequest.update({SubjectRequest.closed_at: house.clock()}).where(SubjectRequest.id == request.id)
    with pytest.raises(NotPossible):
        await give(request.id, 8, at=house.clock(), actor="staff:8")
