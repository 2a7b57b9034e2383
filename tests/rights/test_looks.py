"""A look at a person's data is written down first, is open for a quarter of an hour, and is read by the person."""

from datetime import timedelta
from uuid import UUID

import pytest
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import Invalid
from portal.rights import looks
from portal.rights.looks import OPEN_FOR, look, open_until
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import SubjectRequest
from portal.rights.tables_looks import RequestLook
from tests.rights.conftest import Browser, House, ask
from tests.rights.shop import events_of

SECRET = "They quarrel with Tom"


async def one(house: House) -> tuple[Browser, RequestView]:
    """Somebody who asked for a copy."""
    ana = await house.person()
    await ask(ana)
    row = await SubjectRequest.select(SubjectRequest.id).first()
    assert row is not None
    return ana, await find_by_id(UUID(str(row["id"])))


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_person_reads_when_and_why_and_not_who(house: House, language: str) -> None:
    """Each reason has words of its own; what staff wrote stands below, escaped."""
    ana, request = await one(house)
    said = {"en": "A person of ours looked at your data", "fr": "L’un de nous a consulté vos données"}[language]
    assert said not in (await ana.get(f"/{language}/requests/{request.reference}")).text
    for number, reason in enumerate(looks.REASONS):
        await look(request, reason, "<b>an audit</b>" if reason == "other" else "", staff=7, at=house.clock())
        text = (await ana.get(f"/{language}/requests/{request.reference}")).text.replace("&#39;", "’")
        assert text.count(said) == number + 1, reason
    assert "&lt;b&gt;an audit&lt;/b&gt;" in text
    assert "staff:7" not in text


async def test_a_look_is_evidence_without_what_was_seen_or_said(house: House) -> None:
    """Who, when, which reason and for which request."""
    _, request = await one(house)
    await look(request, "other", SECRET, staff=7, at=house.clock())
    rows = await engine().run_querystring(
        QueryString(
            "SELECT actor, details->>'reason' AS reason, details::text AS said FROM evidence"
            " WHERE reference = {} AND event = 'staff:person:looked'",
            request.reference,
        )
    )
    assert [(row["actor"], row["reason"]) for row in rows] == [("staff:7", "other")]
    assert SECRET not in rows[0]["said"]


async def test_it_is_open_to_one_for_one_request_and_a_quarter_of_an_hour(house: House) -> None:
    """Not to a colleague, not for another request, not a moment longer."""
    _, request = await one(house)
    bob = await house.person("bob@person.example")
    await ask(bob)
    other = await SubjectRequest.select(SubjectRequest.id).where(SubjectRequest.id != request.id).first()
    assert other is not None
    at = house.clock()
    assert await open_until(request.id, staff=7, at=at) is None
    await look(request, "decide", "", staff=7, at=at)
    assert await open_until(request.id, staff=7, at=at) == at + OPEN_FOR
    assert await open_until(request.id, staff=7, at=at + OPEN_FOR - timedelta(seconds=1)) == at + OPEN_FOR
    assert await open_until(request.id, staff=7, at=at + OPEN_FOR) is None
    assert await open_until(request.id, staff=8, at=at) is None
    assert await open_until(other["id"], staff=7, at=at) is None


async def test_a_second_click_is_no_second_look_and_another_reason_is(house: House) -> None:
    """After the quarter of an hour the same reason is a new look."""
    _, request = await one(house)
    at = house.clock()
    for reason, minutes, looks_so_far in (("decide", 0, 1), ("decide", 1, 1), ("answer", 2, 2), ("decide", 20, 3)):
        await look(request, reason, "", staff=7, at=at + timedelta(minutes=minutes))
        assert await RequestLook.count() == looks_so_far
    assert (await events_of(request.reference)).count("staff:person:looked") == 3


@pytest.mark.parametrize(
    ("reason", "why", "field"),
    [("", "", "reason"), ("curious", "", "reason"), ("other", "  ", "why"), ("decide", "x" * 201, "why")],
)
async def test_without_a_reason_nothing_opens(house: House, reason: str, why: str, field: str) -> None:
    """The field that is missing is named, and nothing is written."""
    _, request = await one(house)
    with pytest.raises(Invalid) as wrong:
        await look(request, reason, why, staff=7, at=house.clock())
    assert wrong.value.field == field
    assert await RequestLook.count() == 0 and await open_until(request.id, staff=7, at=house.clock()) is None
