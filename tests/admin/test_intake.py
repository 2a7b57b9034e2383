"""Letters and calls that staff write down: counted from when they came, whatever the clock says now."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import httpx
import pytest
from litestar import Litestar, Router
from litestar.datastructures import State

from admin import intake
from admin.sign_in import make_link, use_link
from admin.who import COOKIE, handlers
from portal import error_pages
from portal.assets import Assets
from portal.clock import SetClock
from portal.evidence.tables import Evidence
from portal.identity import visitor
from portal.mail.tables import Mail
from portal.policy.load import load
from portal.rights.tables import RequestMessage, SubjectRequest, Task
from portal.settings import Settings
from portal.web import templates
from tests.admin.conftest import PORTAL

TOKEN = re.compile(r'name="csrf" value="([^"]*)"')
PAGE = "/en/staff/requests/new"
LETTER = {
    "rights": "access", "channel": "email", "day": "2026-03-06", "time": "18:00", "text": "What do you hold on me?",
    "email": "Ana@person.example", "method": "address-on-record", "spoken": "en",
}  # fmt: skip
POLICY = Path(__file__).parent.parent.parent / "policies" / "casagbic.toml"


@pytest.fixture
async def desk(database: str, settings: Settings, clock: SetClock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the staff form; not signed in."""
    policy = load(POLICY)
    clock.now = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
    app = Litestar(
        [Router("/{language:str}", route_handlers=[*intake.routes], middleware=[visitor.VisitorMiddleware()])],
        exception_handlers={**error_pages.handlers, **visitor.handlers, **handlers},
        template_config=templates(Assets(policy.colour).url), openapi_config=None,
        state=State({"policy": policy, "settings": settings, "clock": clock}),
    )  # fmt: skip
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PORTAL) as client:
        yield client


@pytest.fixture
async def staff(desk: httpx.AsyncClient, clock: SetClock) -> httpx.AsyncClient:
    """The same browser, signed in as staff."""
    session = await use_link(await make_link("desk@casagbic.example", at=clock()), at=clock())
    desk.cookies.set(COOKIE, session or "")
    return desk


async def write(client: httpx.AsyncClient, **fields: str | list[str]) -> httpx.Response:
    """Open the form and send it, as `LETTER` with `fields` changed."""
    found = TOKEN.search((await client.get(PAGE)).text)
    assert found
    return await client.post(PAGE, data={"csrf": unescape(found[1]), **LETTER, **fields}, follow_redirects=True)


async def test_nobody_but_staff_reaches_the_form(desk: httpx.AsyncClient) -> None:
    """Neither the page nor what it sends."""
    door = "/en/staff/sign-in?next=%2Fstaff%2Frequests%2Fnew"
    assert (await desk.get(PAGE)).headers["location"] == door
    assert (await desk.post(PAGE, data=LETTER)).headers["location"] == door
    assert not await SubjectRequest.exists()


async def test_it_speaks_of_the_person_and_not_to_them(staff: httpx.AsyncClient) -> None:
    """Whoever reads it is of the staff: no data is theirs."""
    page = (await staff.get(PAGE)).text
    assert "A copy of their data" in page and "your data" not in page.partition("<main")[2].partition("</main>")[0]
    assert "Une copie de ses données" in (await staff.get(PAGE.replace("/en/", "/fr/"))).text


async def test_the_day_it_came_counts(staff: httpx.AsyncClient) -> None:
    """Z4: it came on Friday 6 March at 18:00 and was entered on Monday; the clock runs from Friday."""
    answer = await write(staff)
    assert answer.status_code == 200
    [request] = await SubjectRequest.select()
    assert request["received_at"] == datetime(2026, 3, 6, 17, 0, tzinfo=UTC)
    assert request["promise_day"].isoformat() == "2026-04-05"
    assert (request["channel"], request["state"]) == ("email", "deciding")
    assert request["reference"] in answer.text
    assert [row["to_address"] for row in await Mail.select()] == ["ana@person.example"]
    entered = await Evidence.select().where(Evidence.event == "rights:request:received")
    assert entered[0]["actor"].startswith("staff:")
    assert (await RequestMessage.select())[0]["text"] == LETTER["text"]


async def test_a_consent_is_taken_back_by_letter_too(staff: httpx.AsyncClient) -> None:
    """GDPR Art. 7(3): as easily as it was given, and not on the portal alone."""
    assert 'value="consent"' in (await staff.get(PAGE)).text
    await write(staff, rights="consent")
    [request] = await SubjectRequest.select()
    assert (request["right"], request["state"]) == ("consent", "deciding")


async def test_the_very_same_letter_is_one_request_and_a_reload_sends_nothing(staff: httpx.AsyncClient) -> None:
    """A second click on the button makes no second question; two letters of one person are two."""
    question = {"rights": "inquiry", "text": "Where is it?"}
    first, again = await write(staff, **question), await write(staff, **question)
    assert first.request.method == "GET" and first.url == again.url
    await write(staff, **{**question, "text": "And who reads it?"})
    assert await SubjectRequest.count() == 2


async def test_each_right_is_a_request_of_its_own(staff: httpx.AsyncClient) -> None:
    """One letter may ask for several things; all have the same day."""
    await write(staff, rights=["access", "rectification", "objection"])
    found = await SubjectRequest.select()
    assert {row["right"] for row in found} == {"access", "rectification", "objection"}
    assert len({row["received_at"] for row in found}) == 1


async def test_the_same_letter_twice_joins_the_open_request(staff: httpx.AsyncClient) -> None:
    """D16: the earlier receipt counts for the one that is open; nothing is lost."""
    await write(staff)
    await write(staff, day="2026-03-05", time="09:00", text="I wrote the day before, too.")
    first, second = await SubjectRequest.select().order_by(SubjectRequest.reference)
    assert (first["promise_day"].isoformat(), second["outcome"]) == ("2026-04-04", "joined")
    assert await RequestMessage.count().where(RequestMessage.request == first["id"]) == 2


async def test_somebody_unknown_waits_for_a_person(staff: httpx.AsyncClient) -> None:
    """Without an identity it counts, nothing is done with it, and a task asks who it is."""
    await write(staff, method="none", email="", channel="letter")
    [request] = await SubjectRequest.select()
    assert (request["subject"], request["state"]) == (None, "verifying")
    assert (await Task.select())[0]["kind"] == "identify"
    assert not await Mail.exists()


async def test_a_late_one_says_how_late(staff: httpx.AsyncClient) -> None:
    """Older than the law's month: the page says since when."""
    answer = await write(staff, day="2026-01-05", time="10:00")
    assert "it is late by 33 days" in answer.text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"rights": []}, "rights"), ({"channel": "pigeon"}, "channel"), ({"day": "06/03/2026"}, "day"),
        ({"time": "six"}, "time"), ({"day": "2026-03-09", "time": "23:59"}, "day"), ({"text": "  "}, "text"),
        ({"method": ""}, "method"), ({"email": ""}, "email"), ({"email": "nobody"}, "email"),
        ({"day": "0001-01-01"}, "day"), ({"rights": ["child"]}, "rights"),
        ({"day": "2025-03-30", "time": "02:30"}, "time"), ({"day": "2025-10-26", "time": "02:30"}, "which"),
    ],
)  # fmt: skip
async def test_a_mistake_is_named_and_nothing_is_stored(
    staff: httpx.AsyncClient, changed: dict[str, str | list[str]], field: str
) -> None:
    """What was typed comes back, and the field is named."""
    answer = await write(staff, **changed)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert "text" in changed or "What do you hold on me?" in answer.text
    assert not await SubjectRequest.exists()


@pytest.mark.parametrize(("which", "hour"), [("first", 0), ("second", 1)])
async def test_an_hour_that_came_twice_is_asked_about(staff: httpx.AsyncClient, which: str, hour: int) -> None:
    """Half past two on the night the clocks go back is one of two instants."""
    answer = await write(staff, day="2025-10-26", time="02:30", which=which)
    assert answer.status_code == 200
    [request] = await SubjectRequest.select()
    assert request["received_at"] == datetime(2025, 10, 26, hour, 30, tzinfo=UTC)


async def test_the_form_needs_our_own_token(staff: httpx.AsyncClient) -> None:
    """Another site cannot enter anything."""
    assert (await staff.post(PAGE, data={**LETTER, "csrf": "0" * 64})).status_code == 403
    assert not await SubjectRequest.exists()
