"""Today says what to do, in which order, and when the next thing can go wrong, without naming anybody."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from litestar import Litestar
from piccolo.querystring import QueryString

from admin import today_bulk, today_things
from admin.desk_words import days_in_words
from admin.sign_in import make_link, use_link
from admin.tables import StaffUser
from admin.today_calendar import folded
from admin.today_chosen import chosen_of, query_of
from admin.today_find import hash_of, references
from admin.today_strip import DOTS, strip
from admin.who import COOKIE
from portal.clock import SetClock
from portal.database import engine
from portal.identity.tables import Subject
from portal.mail.tables import Mail
from portal.rights import approvals, queue
from portal.rights.deadlines import deadline, to_json
from portal.rights.four_eyes import Verb
from portal.rights.intake import clock_of
from portal.rights.queue import Chosen
from portal.rights.queue_plan import Day
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import RequestMessage, SubjectRequest, Task
from portal.rights.tables_clock import Heartbeat
from portal.settings import read_settings
from portal.words import Words
from tests.web_app import SECRET, browsing, make_app, organisation

TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


class Desk:
    """A browser of a member of staff at Today, on a clock that stands."""

    def __init__(self, client: httpx.AsyncClient, clock: SetClock) -> None:
        self.client, self.clock, self.count = client, clock, 0
        self.subject = uuid4()
        self.policy = organisation()

    async def sign_in(self, name: str = "desk") -> int:
        """Become a member of staff. Returns their number."""
        token = await make_link(f"{name}@casagbic.example", at=self.clock())
        self.client.cookies.set(COOKIE, await use_link(token, at=self.clock()) or "", domain="127.0.0.1")
        row = await StaffUser.select(StaffUser.id).where(StaffUser.email == f"{name}@casagbic.example").first()
        assert row
        return int(row["id"])

    async def asked(self, days_ago: int = 0, **columns: object) -> SubjectRequest:
        """Store a request that arrived so many days ago, with the dates the law gives it."""
        if not await Subject.exists().where(Subject.id == self.subject):
            await Subject(id=self.subject, email="marie@person.example", created_at=self.clock()).save()
        self.count += 1
        at = self.clock() - timedelta(days=days_ago)
        inputs = clock_of("rectification", at, self.policy)
        due = deadline(inputs)
        request = SubjectRequest(**{
            "id": uuid4(), "reference": f"DR-2026-{self.count:04d}", "subject": self.subject, "right": "rectification",
            "language": "fr", "state": "deciding", "received_at": at, "promise_day": due.promise, "law_day": due.law,
            "due_day": due.due, "act_by_day": due.act_by, "categories": [], "clock": to_json(inputs), **columns,
        })  # fmt: skip
        await request.save()
        return request

    async def page(self, query: str = "", language: str = "en") -> str:
        """Open Today."""
        answer = await self.client.get(f"/{language}/staff/desk?{query}")
        assert answer.status_code == 200, answer.text[:2000]
        return answer.text

    async def send(self, path: str, **fields: object) -> httpx.Response:
        """Send a form of Today."""
        token = TOKEN.findall(await self.page())[0]
        return await self.client.post(f"/en{path}", data={"csrf": token, **fields})


@pytest.fixture
async def desk(database: str, clock: SetClock) -> AsyncIterator[Desk]:
    """The whole application on a Wednesday morning, and a browser that is signed in as staff."""
    app: Litestar = make_app()
    before, app.state.clock = app.state.clock, clock
    try:
        async with browsing(app) as client:
            desk = Desk(client, clock)
            await desk.sign_in()
            await Heartbeat(name="rights.clock", at=clock()).save()
            yield desk
    finally:
        app.state.clock = before


@pytest.fixture(autouse=True)
def only_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but requests in the plan: that no worker runs here is a failure of its own."""
    monkeypatch.setattr(today_things, "MORE", [])


def text_of(page: str) -> str:
    """Return what a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\N{NO-BREAK SPACE}", " ")


async def test_an_empty_desk_is_calm(desk: Desk) -> None:
    """Nothing to do, and nothing that could become late."""
    page = text_of(await desk.page())
    assert "Today: nothing" in page
    assert "Nothing is open, so nothing can become late." in page
    assert "Nothing is due in these thirty days." in page


async def test_the_plan_says_what_why_and_how_long(desk: Desk) -> None:
    """In the order in which it is to be done; afterwards comes the day before which nothing can go wrong."""
    late, tomorrow, weekend = await desk.asked(31), await desk.asked(29), await desk.asked(26)
    later = await desk.asked(20)
    page = text_of(await desk.page())
    assert "Today: 2 things, about 4 minutes" in page
    places = [page.index(one.reference) for one in (late, tomorrow)]
    assert places == sorted(places)
    assert "One day late. Nobody has it." in page
    assert "Due tomorrow. Nobody has it." in page
    assert weekend.reference in page and later.reference in page
    day = Words("en", "Europe/Paris").day(weekend.act_by_day + timedelta(days=1)).replace("\N{NO-BREAK SPACE}", " ")
    assert f"After these, nothing can become late before {day}." in page
    assert "(1 late) Today" in page


async def test_a_day_that_falls_on_a_weekend_is_acted_on_before(desk: Desk) -> None:
    """The row says so from the start, and the plan when it is time."""
    request = await desk.asked(27)
    assert (str(request.due_day), str(request.act_by_day)) == ("2026-10-17", "2026-10-16")
    assert "Sat 17 Oct: act Fri" in text_of(await desk.page())
    desk.clock.now += timedelta(days=2)
    await desk.sign_in()
    assert "Act today: Sat 17 Oct is no working day." in text_of(await desk.page())


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_nobody_is_named_and_no_words_are_shown(desk: Desk, language: str) -> None:
    """The reference leads to the page; the address is masked."""
    request = await desk.asked(10)
    await RequestMessage(request=request.id, at=request.received_at, author="person", text="My secret").save()
    page = await desk.page(language=language)
    assert f'href="/{language}/staff/desk/{request.reference}"' in page
    assert "m•••@person.example" in page
    assert "marie" not in page and "My secret" not in page


async def test_a_row_has_both_days_and_who_has_it(desk: Desk) -> None:
    """The earlier day leads; nobody is somebody to worry about."""
    request = await desk.asked(10)
    page = text_of(await desk.page())
    assert "Nobody yet" in page and "law:" in page
    me = await desk.sign_in()
    await SubjectRequest.update({SubjectRequest.assignee: me}).where(SubjectRequest.id == request.id)
    assert "Who has it: desk" in text_of(await desk.page())
    await SubjectRequest.update({SubjectRequest.assignee: None, SubjectRequest.state: "working"}, force=True)
    page = text_of(await desk.page())
    assert "Automatic" in page and "Running by itself" in page


async def test_it_says_who_has_written_until_one_of_ours_writes(desk: Desk) -> None:
    """In the row and in the plan."""
    request = await desk.asked(1)
    await RequestMessage(request=request.id, at=desk.clock(), author="person", text="Well?").save()
    page = text_of(await desk.page())
    assert "Today: one thing" in page and "The person has written" in page
    later = desk.clock() + timedelta(minutes=1)
    await RequestMessage(request=request.id, at=later, author="staff", text="Soon.").save()
    assert "The person has written" not in text_of(await desk.page())


async def test_it_is_there_and_says_so_when_nothing_works_by_itself(desk: Desk) -> None:
    """No worker, old clocks, mail that does not leave; every day is there all the same."""
    request = await desk.asked(10)
    page = text_of(await desk.page())
    assert "No worker is there" in page and "Nobody looks at the clocks" not in page
    await Heartbeat.update({Heartbeat.at: desk.clock() - timedelta(hours=3)}, force=True)
    await Mail(kind="received", to_address="m@person.example", language="fr",
               created_at=desk.clock() - timedelta(hours=1)).save()  # fmt: skip
    page = text_of(await desk.page())
    assert "Nobody looks at the clocks They were last looked at on Wednesday 14 October 2026, 08:00." in page
    assert "E-mail does not leave" in page
    assert request.reference in page


async def test_who_never_decides_as_the_second_person_is_not_asked_to(desk: Desk) -> None:
    """It is no thing of theirs to do, and its row says for whom it waits."""
    request = await desk.asked(2)
    await ask(Verb.REFUSE, await find_by_id(request.id), desk.clock())
    assert "Approve or refuse, as the second person" in text_of(await desk.page())
    await StaffUser.update({StaffUser.roles: ["handler"]}, force=True)
    page = text_of(await desk.page())
    assert "Today: nothing" in page and "Waits for a second person" in page
    assert "as the second person" not in page


async def ask(verb: Verb, request: RequestView, at: datetime) -> None:
    """Have a colleague ask for something that takes two."""
    fields = {"reasons": ["excessive"], "facts": ["Forty."], "why": ["The same."]}
    await approvals.ask(
        verb, request, fields, "Why.", settings=read_settings({"HABEAS_SECRET_KEY": SECRET}), at=at, actor="staff:99"
    )


async def test_filters_are_kept_and_nonsense_is_left_out(desk: Desk) -> None:
    """Whatever stands in the address, the page is made."""
    one = await desk.asked(10)
    other = await desk.asked(10, right="erasure", id=uuid4())
    page = await desk.page("right=erasure")
    assert other.reference in page and one.reference not in page
    assert 'value="erasure" selected' in page
    for query in (
        "right=x&owner=x&group=x&after=x", "group=week&after=1~2~3", "owner=99999999999999", "given=x&left=9",
        "group=late&after=2026-13-99~0~DR-2026-0001", "order=received&group=week&after=x~DR-2026-0001",
    ):  # fmt: skip
        assert one.reference in await desk.page(query) or "No request is like that." in await desk.page(query)


async def test_what_is_chosen_is_written_as_it_is_read() -> None:
    """An address and what it means are the same in both directions."""
    chosen = Chosen(right="erasure", owner="7", group="soon", after=("2026-10-14", "0", "DR-2026-0001"))
    assert chosen_of(query_of(chosen), me=1) == chosen
    assert chosen_of("owner=me", me=12).owner == "12"
    oldest = Chosen(group="late", oldest_first=True, after=("2026-10-14T09:00:00+00:00", "DR-2026-0001"))
    assert chosen_of(query_of(oldest), me=1) == oldest


async def test_pages_follow_each_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link leads to the next ones of one group, and there back to the beginning."""
    monkeypatch.setattr(queue, "PAGE", 2)
    made = [(await desk.asked(10)).reference for _ in range(3)]
    first = await desk.page()
    assert [one for one in made if f"t-{one}" in first] == made[:2]
    link = re.search(r'href="/en/staff/desk\?(group=later&amp;after=[^"]+)"', first)
    assert link
    second = await desk.page(link.group(1).replace("&amp;", "&"))
    assert [one for one in made if f"t-{one}" in second] == made[2:]
    assert "From the beginning" in second


async def test_the_number_of_queries_does_not_grow(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request or many, with tasks to tell somebody: six of its own, and the session; what failed is one more."""
    counted: list[str] = []
    real = type(engine()).run_querystring

    async def counting(self: object, querystring: QueryString, in_pool: bool = True) -> object:  # noqa: FBT001, FBT002
        counted.append(str(querystring))
        return await real(self, querystring, in_pool)  # type: ignore[arg-type]

    monkeypatch.setattr(type(engine()), "run_querystring", counting)
    numbers = []
    await desk.page()
    for many in (1, 12):
        for _ in range(many):
            request = await desk.asked(29)
            await Task(request=request.id, kind="tell", about="stripe", opened_at=desk.clock(),
                       due_day=request.due_day).save()  # fmt: skip
        counted.clear()
        await desk.page()
        numbers.append(len(counted))
    monkeypatch.setattr(today_things, "MORE", [today_things.what_failed])
    counted.clear()
    assert "Mend what has failed" in await desk.page()
    assert [*numbers, len(counted)] == [7, 7, 8]


@pytest.mark.parametrize(
    ("typed", "found"),
    [("DR-2026-0118", ["DR-2026-0118"]), ("2026-118", ["DR-2026-0118"]), ("dr 2026 0118", ["DR-2026-0118"]),
     ("nothing", []), ("", []), ("DR-2026-", []), ("1'--", [])],
)  # fmt: skip
def test_a_reference_may_be_typed_as_it_is_remembered(typed: str, found: list[str], clock: SetClock) -> None:
    """With or without what is always the same."""
    assert references(typed, clock().date()) == found


def test_a_bare_number_is_looked_for_in_every_year(clock: SetClock) -> None:
    """The newest first."""
    assert references("118", clock().date())[:2] == ["DR-2026-0118", "DR-2025-0118"]


async def test_a_reference_leads_to_its_page(desk: Desk) -> None:
    """One that is not there keeps what was typed."""
    request = await desk.asked(10)
    answer = await desk.send("/staff/find", find="1")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/en/staff/desk/{request.reference}")
    answer = await desk.send("/staff/find", find="DR-2026-9999")
    assert answer.status_code == 422
    assert 'value="DR-2026-9999"' in answer.text and "Nothing found." in answer.text
    assert (await desk.client.get("/en/staff/find")).status_code == 303


async def test_an_address_leads_to_its_persons_requests_and_is_written_nowhere(desk: Desk) -> None:
    """Also to those that have ended; evidence holds a keyed hash of it, which another key does not give."""
    request = await desk.asked(10)
    ended = await desk.asked(40, state="closed", closed_at=desk.clock(), outcome="fulfilled")
    answer = await desk.send("/staff/find", find=" Marie@Person.EXAMPLE ")
    assert answer.status_code == 200
    assert request.reference in answer.text and ended.reference in answer.text
    assert "marie" not in answer.text.lower()
    rows = await engine().run_querystring(
        QueryString("SELECT actor, details::text FROM evidence WHERE event = 'staff:address:searched'")
    )
    assert len(rows) == 1
    settings = read_settings({"HABEAS_SECRET_KEY": SECRET})
    assert hash_of("marie@person.example", settings) in rows[0]["details"]
    assert "marie" not in rows[0]["details"]
    other = read_settings({"HABEAS_SECRET_KEY": SECRET[::-1]})
    assert hash_of("marie@person.example", other) != hash_of("marie@person.example", settings)


@pytest.mark.parametrize("typed", ["nobody@person.example", "@", "marie@", "a b@c"])
async def test_an_address_that_leads_nowhere_is_given_back(desk: Desk, typed: str) -> None:
    """So that it can be mended."""
    await desk.asked(10)
    answer = await desk.send("/staff/find", find=typed)
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text


def test_there_is_no_verb_in_bulk_that_decides() -> None:
    """Approving, refusing, answering and erasing take a look at each request."""
    assert set(today_bulk.VERBS) == set(today_bulk.PERMISSIONS) == {"give", "extend", "calendar"}


async def test_an_unknown_verb_changes_nothing(desk: Desk) -> None:
    """Whatever somebody writes into the form."""
    request = await desk.asked(31)
    before = await SubjectRequest.select().where(SubjectRequest.id == request.id).first()
    for verb in ("approve", "erase", "refuse", "close", ""):
        answer = await desk.send("/staff/bulk", do=verb, ref=[request.reference])
        assert (answer.status_code, answer.headers["location"]) == (303, "/en/staff/desk?")
    assert await SubjectRequest.select().where(SubjectRequest.id == request.id).first() == before


async def test_a_form_without_a_choice_says_what_to_do(desk: Desk) -> None:
    """Nothing is changed."""
    await desk.asked(10)
    for verb in today_bulk.VERBS:
        answer = await desk.send("/staff/bulk", do=verb, to="me")
        assert answer.status_code == 422
        assert "Choose at least one request." in answer.text


async def test_several_are_given_at_once(desk: Desk) -> None:
    """To me, to a colleague, to nobody; to no one who does not work on requests; each is evidence once."""
    me = await desk.sign_in()
    made = [await desk.asked(10) for _ in range(3)]
    ended = await desk.asked(10, closed_at=desk.clock(), state="closed", outcome="fulfilled")
    chosen = [one.reference for one in made[:2]] + [ended.reference, "DR-2026-9999", "x"]
    answer = await desk.send("/staff/bulk", do="give", to="me", ref=chosen, back="right=rectification")
    assert answer.headers["location"] == "/en/staff/desk?right=rectification&given=2&left=1"
    assert "2 requests were given. One had ended meanwhile." in text_of(
        (await desk.client.get(answer.headers["location"])).text
    )
    await desk.send("/staff/bulk", do="give", to="me", ref=chosen)
    rows = await SubjectRequest.select(SubjectRequest.assignee).order_by(SubjectRequest.reference)
    assert [row["assignee"] for row in rows] == [me, me, None, None]
    given = await engine().run_querystring(
        QueryString("SELECT count(*) AS n FROM evidence WHERE event = 'staff:request:given'")
    )
    assert given[0]["n"] == 2
    assert (await desk.send("/staff/bulk", do="give", to="nobody", ref=chosen)).status_code == 303
    for nobody in ("999", "0", "x", ""):
        assert (await desk.send("/staff/bulk", do="give", to=nobody, ref=chosen)).status_code == 422
    assert not await SubjectRequest.exists().where(SubjectRequest.assignee.is_not_null())


async def test_what_may_be_extended_is_extended_and_the_rest_is_named(desk: Desk) -> None:
    """First the page that counts, then one reason for all, in each language; a second time changes nothing."""
    french, english = await desk.asked(10), await desk.asked(10, language="en")
    late = await desk.asked(45)
    chosen = [french.reference, english.reference, late.reference]
    answer = await desk.send("/staff/bulk", do="extend", ref=chosen)
    assert answer.status_code == 303
    shown = await desk.client.get(answer.headers["location"])
    page = text_of(shown.text)
    assert "2 can take longer" in page and "One is left as it is" in page and "(rule D9)" in page
    form = {"ref": chosen[:2], "kept": chosen[2:], "ground": "complexity", "why-en": "It is long.", "why-fr": ""}
    wrong = await desk.send("/staff/bulk/extend", **form)
    assert wrong.status_code == 422
    assert "It is long." in wrong.text and 'id="why-fr-error"' in wrong.text
    assert not await SubjectRequest.exists().where(SubjectRequest.extended_on.is_not_null())
    for _ in range(2):
        answer = await desk.send("/staff/bulk/extend", **{**form, "why-fr": "C’est long."})
        page = text_of((await desk.client.get(answer.headers["location"])).text)
        assert "2 have more time" in page and "One is left as it is" in page
    letters = await RequestMessage.select(RequestMessage.text).where(RequestMessage.kind == "letter")
    assert sorted(("C’est long." in row["text"], "It is long." in row["text"]) for row in letters) == [
        (False, True), (True, False),
    ]  # fmt: skip


async def test_who_may_not_decide_may_not_extend_in_bulk(desk: Desk) -> None:
    """The page of the reason neither."""
    request = await desk.asked(10)
    await StaffUser.update({StaffUser.roles: ["auditor"]}, force=True)
    page = await desk.page()
    assert 'value="extend"' not in page and 'value="give"' not in page and 'value="calendar"' in page
    for verb in ("extend", "give"):
        assert (await desk.send("/staff/bulk", do=verb, to="me", ref=[request.reference])).status_code == 403
    assert (await desk.client.get(f"/en/staff/bulk/extend?ref={request.reference}")).status_code == 403
    assert (await desk.send("/staff/bulk", do="calendar", ref=[request.reference])).status_code == 200


async def test_the_calendar_file_is_one_that_calendars_read(desk: Desk) -> None:
    """RFC 5545: CRLF, lines of 75 bytes, one event for each request with a UID that stays, whole days, no person."""
    weekend, other = await desk.asked(27), await desk.asked(10)
    ended = await desk.asked(10, closed_at=desk.clock(), state="closed", outcome="fulfilled")
    chosen = [one.reference for one in (weekend, other, ended)]
    answer = await desk.send("/staff/bulk", do="calendar", ref=chosen)
    assert answer.headers["content-type"].startswith("text/calendar")
    body = answer.content
    assert body.endswith(b"END:VCALENDAR\r\n") and b"\n" not in body.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    plain = body.decode().replace("\r\n ", "")
    events = plain.split("BEGIN:VEVENT")[1:]
    assert len(events) == 2
    (event,) = [one for one in events if weekend.reference in one]
    assert "DTSTART;VALUE=DATE:20261016\r\nDTEND;VALUE=DATE:20261018\r\n" in event
    assert re.search(rf"UID:{weekend.reference}@[a-z0-9.-]+\r\n", event)
    assert "DTSTAMP:20261014T090000Z\r\n" in event
    assert "marie" not in plain and "•••" not in plain
    again = (await desk.send("/staff/bulk", do="calendar", ref=chosen)).content
    assert again == body


def test_a_long_line_is_folded_between_characters() -> None:
    """Never inside one of several bytes."""
    line = folded("SUMMARY:" + "é" * 200)
    assert all(len(part) <= 75 for part in line.split(b"\r\n"))
    assert line.replace(b"\r\n ", b"").decode() == "SUMMARY:" + "é" * 200 + "\r\n"


def test_the_strip_has_a_place_for_every_day(clock: SetClock) -> None:
    """What is late stands first, weekends and holidays are marked, more than fit is a number, the rest is counted."""
    today = clock().date()
    days = [Day(today - timedelta(days=9), 2), Day(today - timedelta(days=1), 1), Day(today, 4),
            Day(today + timedelta(days=5), 40), Day(today + timedelta(days=31), 3)]  # fmt: skip
    drawn = strip(days, today, frozenset({today + timedelta(days=1)}))
    late, first, second, *_ = drawn.columns
    assert (late.day, late.count, first.count, drawn.later) == (None, 3, 4, 3)
    assert (first.off, second.off, drawn.columns[4].off) == (False, True, True)
    assert len(drawn.columns[6].dots) == DOTS
    assert [one.x for one in drawn.columns] == sorted(one.x for one in drawn.columns)
    assert drawn.columns[-1].x + drawn.columns[-1].width <= 642


def test_days_are_said_in_words(clock: SetClock) -> None:
    """The words of the desk and of Today are the same."""
    today = clock().date()
    assert days_in_words(Words("en", "Europe/Paris"), today, today) == "due today"
