"""What failed is a list that mends: each thing is tried again, skipped or done by hand once, by whoever may."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from uuid import UUID, uuid4

import httpx
import pytest
from piccolo.querystring import QueryString

from admin.roles import Role
from admin.tables import StaffSession
from admin.who import COOKIE
from portal.clock import system_clock
from portal.database import engine
from portal.errors import Invalid
from portal.identity.tables import Subject
from portal.jobs import enqueue
from portal.mail.outcome import accept, note
from portal.mail.tables import Mail, MailBody
from portal.rights import failures, failures_found, plans
from portal.rights.beats import BACKUP, beat
from portal.rights.failures import Failure
from portal.rights.failures_mend import Mended, mend
from portal.rights.intake import Asked, open_request
from portal.rights.plans import Line, lay
from portal.rights.requests import RequestView
from portal.rights.tables import Plan, PlanItem, Task
from portal.rights.tables_clock import Heartbeat
from portal.rights.tasks import open_task
from portal.settings import read_settings
from tests.admin.reminding import somebody
from tests.web_app import SECRET, browsing, make_app, organisation

TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
POLICY = organisation()
SETTINGS = read_settings({"HABEAS_SECRET_KEY": SECRET})


@pytest.fixture
async def worker(database: str) -> None:
    """Everything beats, so that only what a test breaks is in the list."""
    for name in ("rights.clock", "staff.reminders", "staff.daily", "evidence.anchor"):
        await Heartbeat(name=name, at=system_clock()).save()
    await Mail.raw("INSERT INTO pgqueuer_schedules (expression, entrypoint) VALUES ('* * * * *', 'health.beat')")


@pytest.fixture
async def client(worker: None) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the desk."""
    async with browsing(make_app()) as opened:
        yield opened


async def sign_in(client: httpx.AsyncClient, *roles: Role) -> str:
    """Become somebody with these roles. Returns how evidence names them."""
    id = await somebody(f"{uuid4().hex}@staff.example", *roles)
    client.cookies.set(COOKIE, await StaffSession.begin(id, at=system_clock(), confirmed=True), domain="127.0.0.1")
    return f"staff:{id}"


async def asked() -> RequestView:
    """An open question of somebody."""
    at, subject = system_clock(), uuid4()
    await Subject(id=subject, email=f"{subject.hex}@person.example", created_at=at).save()
    wanted = Asked(right="inquiry", subject=subject, language="en", text="Please.", received_at=at)
    opened = await open_request(wanted, policy=POLICY, public_url=SETTINGS.public_url, at=at)
    await Mail.raw("UPDATE mail SET state = 'delivered'")
    return opened.request


async def park(name: str, payload: dict[str, str], key: str = "k") -> str:
    """Have a job that failed for good. Returns the failure's id."""
    async with engine().transaction():
        await enqueue(name, payload, key=key)
    rows = await Mail.raw(
        "UPDATE pgqueuer SET status = 'failed', attempts = 6 WHERE dedupe_key = {} AND status = 'queued' RETURNING id",
        key,
    )
    return f"job:{rows[0]['id']}"


async def bounce(request: RequestView, kind: str = "answered") -> str:
    """Have a mail that came back. Returns the failure's id."""
    mail = Mail(
        kind=kind, to_address=await address(request), language="en", reference=request.reference,
        created_at=system_clock(),
    )  # fmt: skip
    await mail.save()
    provider = uuid4().hex
    async with engine().transaction():
        await accept(mail.id, provider, at=system_clock())
    async with engine().transaction():
        await note(uuid4().hex, provider, "email.bounced", occurred_at=system_clock(), at=system_clock())
    return f"mail:{mail.id}"


async def address(request: RequestView) -> str:
    """Where the person of a request is written to."""
    row = await Subject.select(Subject.email).where(Subject.id == request.owner).first()
    assert row
    return str(row["email"])


async def found() -> list[Failure]:
    """The list as it is now."""
    return await failures.open_failures(POLICY, at=system_clock())


async def do(id: str, action: failures.Action, *, turn: int = 0, reason: str = "") -> None:
    """Act on a failure as staff 1."""
    await mend(id, turn, action, reason=reason, policy=POLICY, settings=SETTINGS, at=system_clock(), actor="staff:1")


async def statuses() -> list[str]:
    """The states of all jobs but those that send mail."""
    rows = await Mail.raw("SELECT status::text AS status FROM pgqueuer WHERE entrypoint <> 'mail.send' ORDER BY id")
    return [row["status"] for row in rows]


async def events() -> list[tuple[str, str]]:
    """What staff did about failures, by the evidence: event and reference."""
    rows = await engine().run_querystring(
        QueryString("SELECT event, reference FROM evidence WHERE event LIKE 'staff:failure:%' ORDER BY seq")
    )
    return [(row["event"], row["reference"]) for row in rows]


async def test_nothing_has_failed(worker: None) -> None:
    """A desk where everything works has an empty list."""
    assert await found() == []
    assert await failures.count_open(POLICY, at=system_clock()) == 0


async def test_an_old_backup_is_noticed_where_there_was_one(worker: None) -> None:
    """Whoever never ran `habeas backup` makes backups by other means, or says so to nobody; a week is in time."""
    await beat(BACKUP, at=system_clock() - timedelta(days=7))
    assert await found() == []
    await Heartbeat.update({Heartbeat.at: system_clock() - timedelta(days=9)}).where(Heartbeat.name == BACKUP)
    assert [(one.kind, one.what, one.actions) for one in await found()] == [("beat", BACKUP, ())]
    assert await failures.count_open(POLICY, at=system_clock()) == 1


async def test_a_parked_job_says_whose_it_is_and_by_when(worker: None) -> None:
    """Its name, how often it was tried, the request it is for, and the day on which to act for that."""
    request = await asked()
    id = await park("rights.export", {"request": str(request.id)})
    [failure] = await found()
    assert (failure.id, failure.what, failure.attempts, failure.reference, failure.by, failure.actions) == (
        id, "rights.export", 6, request.reference, request.act_by_day, ("retry", "by-hand"),
    )  # fmt: skip


async def test_a_job_is_tried_again_once_however_many_say_so(worker: None) -> None:
    """Two clicks, two members of staff, the same moment: it runs once, and one of them is told."""
    id = await park("rights.export", {"request": str(uuid4())})
    ways = await asyncio.gather(*(do(id, "retry") for _ in range(4)), return_exceptions=True)
    assert sorted(str(type(way).__name__) for way in ways) == ["Mended", "Mended", "Mended", "NoneType"]
    assert await statuses() == ["queued"]
    assert [event for event, _ in await events()] == ["staff:failure:retried"]


async def test_a_job_that_fails_again_can_be_tried_again(worker: None) -> None:
    """Who acts on the turn before is told; who looks again may act."""
    id = await park("rights.export", {"request": str(uuid4())})
    await do(id, "retry")
    await Mail.raw("UPDATE pgqueuer SET status = 'failed' WHERE entrypoint = 'rights.export'")
    assert [failure.turn for failure in await found()] == [1]
    with pytest.raises(Mended):
        await do(id, "retry")
    await do(id, "retry", turn=1)
    assert await statuses() == ["queued"]


async def test_a_job_that_was_enqueued_again_meanwhile_is_not_doubled(worker: None) -> None:
    """The newer one does the work; the parked one goes."""
    id = await park("rights.export", {"request": str(uuid4())})
    async with engine().transaction():
        await enqueue("rights.export", {"request": str(uuid4())}, key="k")
    await do(id, "retry")
    assert await statuses() == ["queued"]


async def test_what_would_make_us_miss_a_right_is_never_skipped(worker: None) -> None:
    """A copy is made or done by hand; only a code or news for a chat room may be skipped, and with a reason."""
    copy, news = await park("rights.export", {"request": str(uuid4())}), await park("staff.hook", {}, key="h")
    with pytest.raises(Invalid):
        await do(copy, "skip", reason="not needed")
    with pytest.raises(Invalid):
        await do(news, "skip", reason="  ")
    await do(news, "skip", reason="the channel is gone")
    await do(copy, "by-hand", reason="handed over on paper")
    assert await statuses() == [] and await found() == []
    assert [event for event, _ in await events()] == ["staff:failure:skipped", "staff:failure:by-hand"]


async def test_evidence_of_it_holds_no_words(worker: None) -> None:
    """Somebody may write what they must not: it can be deleted from the table, and never from the log."""
    await do(await park("staff.hook", {}), "skip", reason="Ana Lopes rang")
    rows = await Mail.raw("SELECT details::text AS said FROM evidence WHERE event = 'staff:failure:skipped'")
    assert "Ana" not in rows[0]["said"] and "reason_sha256" in rows[0]["said"]


async def test_a_mail_that_came_back_is_written_again_to_the_same_person(worker: None) -> None:
    """Nothing new is asked for: the second says where the first one's words are, and counts as the first did."""
    request = await asked()
    id = await bounce(request)
    [failure] = await found()
    assert (failure.kind, failure.error, failure.reference) == ("mail", "bounced", request.reference)
    assert re.fullmatch(r".•••@person\.example", failure.about)
    await do(id, "retry")
    rows = await MailBody.select(MailBody.text).where(MailBody.mail.kind == "answered")
    assert len(rows) == 1 and f"/en/requests/{request.reference}" in rows[0]["text"]
    assert await Mail.count().where((Mail.kind == "answered") & (Mail.to_address == await address(request))) == 2
    assert await found() == []
    with pytest.raises(Mended):
        await do(id, "retry")


async def test_a_code_that_did_not_arrive_is_nobodys_work(worker: None) -> None:
    """Whoever mistyped an address asks for another code."""
    await Mail(
        kind="sign-in", to_address="a@person.example", language="en", created_at=system_clock(), state="bounced"
    ).save()
    assert await found() == []


async def planned(request: RequestView, error: str, *, task: bool) -> tuple[UUID, str]:
    """Have a plan one of whose places failed two days ago. Returns the plan and the failure's id."""
    at = system_clock()
    async with engine().transaction():
        plan = await lay(
            request.id, request.reference, "erase", [Line(source="platform", category="account", action="erase")],
            at=at, runs_at=at + timedelta(days=1), actor="person",
        )  # fmt: skip
    row = await PlanItem.select(PlanItem.id).where(PlanItem.plan == plan).first()
    assert row
    await PlanItem.update({
        PlanItem.state: "failed", PlanItem.error: error, PlanItem.tries: 3, PlanItem.failed_at: at - timedelta(days=2),
    }).where(PlanItem.plan == plan)  # fmt: skip
    await Plan.update({Plan.state: "running", Plan.runs_at: at + timedelta(hours=6)}).where(Plan.id == plan)
    if task:
        async with engine().transaction():
            await open_task(
                request.id, request.reference, "silent", "platform", due=request.due_day, at=at, item=row["id"]
            )
    return plan, f"place:{plan}:platform"


async def test_a_silent_place_is_asked_now_when_somebody_says_so(worker: None) -> None:
    """The plan's turn is now, once, whatever its own pace was."""
    request = await asked()
    plan, id = await planned(request, "unavailable", task=False)
    [failure] = await found()
    assert (failure.id, failure.kind, failure.what, failure.actions) == (id, "place", "unavailable", ("retry",))
    await do(id, "retry")
    row = await Plan.select(Plan.runs_at).where(Plan.id == plan).first()
    assert row and row["runs_at"] <= system_clock()
    assert await statuses() == ["queued"]


async def test_what_a_place_will_not_do_is_done_by_hand(worker: None) -> None:
    """That ends the task and the plan's rows, and the plan goes on."""
    request = await asked()
    plan, id = await planned(request, "refused", task=True)
    await do(id, "by-hand", reason="deleted in their console")
    assert await found() == []
    assert await PlanItem.select(PlanItem.state, PlanItem.means).where(PlanItem.plan == plan) == [
        {"state": "done", "means": "by-hand"}
    ]
    assert await Task.count().where(Task.ended_at.is_null()) == 0


async def test_a_recipient_that_cannot_be_told_is_a_failure(worker: None) -> None:
    """One whom the policy forgot, and one without a contact; a contact mends the second."""
    request = await asked()
    known = POLICY.recipients[0].id
    for name in ("gone-company", known):
        async with engine().transaction():
            await open_task(request.id, request.reference, "tell", name, due=request.due_day, at=system_clock())
    assert {(one.what, one.about) for one in await found()} == {("unknown", "gone-company"), ("no-contact", known)}
    await Mail.raw(
        "INSERT INTO recipient_contact (id, recipient, name, email, url) VALUES (gen_random_uuid(), {}, 'x', 'y', '')",
        known,
    )
    [left] = await found()
    await do(left.id, "by-hand", reason="wrote to its successor")
    assert await found() == []


@pytest.mark.parametrize(
    ("query", "value", "index"),
    [(failures_found._PLACES, "now()", "plan_item_failed"), (failures_found._COPIES, "now()", "export_part_failed"),
     (failures_found._MAILS, "'{staff-daily}'", "mail_troubled"), (plans.DUE, "now()", "plan_living")],
)  # fmt: skip
async def test_what_failed_is_found_among_any_number_of_what_did_not(
    worker: None, query: str, value: str, index: str
) -> None:
    """Each look of the desk, and of the worker's minutes, has an index of its own, on what is not over alone."""
    async with engine().transaction():
        await engine().connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        plan = await engine().connection.fetch("EXPLAIN " + query.format(value))
    assert index in "\n".join(row[0] for row in plan)


async def test_what_has_stopped_is_said_by_its_cause(worker: None) -> None:
    """A mail that waits too long is named; without a worker everything stops, and the worker alone is named."""
    await Mail(
        kind="received", to_address="a@person.example", language="en", reference="",
        created_at=system_clock() - timedelta(hours=1),
    ).save()  # fmt: skip
    assert [failure.id for failure in await found()] == ["beat:mail"]
    await Heartbeat.update({Heartbeat.at: system_clock() - timedelta(hours=27)}).where(Heartbeat.name == "staff.daily")
    assert [failure.id for failure in await found()] == ["beat:staff.daily", "beat:mail"]
    await Mail.raw("UPDATE pgqueuer_schedules SET heartbeat = now() - interval '1 hour'")
    assert [failure.id for failure in await found()] == ["beat:worker"]


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_page_shows_every_kind(client: httpx.AsyncClient, language: str) -> None:
    """Each failure with its words, its forms and its day, and no whole address."""
    await sign_in(client, Role.DPO)
    request = await asked()
    await park("rights.export", {"request": str(request.id)})
    await park("staff.hook", {}, key="h")
    await bounce(request)
    await planned(request, "refused", task=True)
    async with engine().transaction():
        await open_task(request.id, request.reference, "tell", "gone-company", due=request.due_day, at=system_clock())
    await Mail.raw("UPDATE heartbeat SET at = now() - interval '9 days'")
    page = await client.get(f"/{language}/staff/failures")
    assert page.status_code == 200
    assert page.text.count('class="box"') == 9 == await failures.count_open(POLICY, at=system_clock())
    assert "@person.example" in page.text and await address(request) not in page.text


async def test_a_form_of_the_page_does_it_once(client: httpx.AsyncClient) -> None:
    """The button works without script; the same form sent again is told that it is done."""
    actor = await sign_in(client, Role.DPO)
    id = await park("rights.export", {"request": str(uuid4())})
    page = await client.get("/en/staff/failures")
    form = {"csrf": unescape(TOKEN.findall(page.text)[0]), "failure": id, "turn": "0", "do": "retry"}
    assert (await client.post("/en/staff/failures", data=form)).status_code == 303
    again = await client.post("/en/staff/failures", data=form)
    assert again.status_code == 409 and "Somebody has seen to this already" in again.text
    rows = await Mail.raw("SELECT actor FROM evidence WHERE event = 'staff:failure:retried'")
    assert [row["actor"] for row in rows] == [actor]


async def test_what_was_typed_is_kept_when_a_reason_is_missing(client: httpx.AsyncClient) -> None:
    """The field says what is wrong; nothing is changed."""
    await sign_in(client, Role.DPO)
    id = await park("staff.hook", {})
    page = await client.get("/en/staff/failures")
    form = {"csrf": unescape(TOKEN.findall(page.text)[0]), "failure": id, "turn": "0", "do": "skip", "reason": " "}
    answer = await client.post("/en/staff/failures", data=form)
    assert answer.status_code == 422
    assert f'id="reason-{id.replace(":", "-")}-error"' in answer.text
    assert await statuses() == ["failed"]


@pytest.mark.parametrize(
    "sent", [{}, {"failure": "job:x", "turn": "-1", "do": "retry"}, {"failure": "?", "turn": "9" * 99}]
)
async def test_nonsense_is_refused(client: httpx.AsyncClient, sent: dict[str, str]) -> None:
    """What no form of ours sends is answered, and does nothing."""
    await sign_in(client, Role.DPO)
    await park("staff.hook", {})
    page = await client.get("/en/staff/failures")
    answer = await client.post("/en/staff/failures", data={"csrf": unescape(TOKEN.findall(page.text)[0]), **sent})
    assert answer.status_code == 409
    assert await statuses() == ["failed"]


async def test_who_mends_requests_sees_those_of_one_request_alone(client: httpx.AsyncClient) -> None:
    """A handler mends what belongs to a request, and neither sees nor touches the rest through it."""
    await sign_in(client, Role.HANDLER)
    request = await asked()
    mine, other = await park("rights.export", {"request": str(request.id)}), await park("staff.hook", {}, key="h")
    assert (await client.get("/en/staff/failures")).status_code == 403
    page = await client.get(f"/en/staff/failures/{request.reference}")
    assert page.text.count('class="box"') == 1
    path, token = f"/en/staff/failures/{request.reference}", unescape(TOKEN.findall(page.text)[0])
    form = {"csrf": token, "turn": "0", "do": "retry"}
    assert (await client.post(path, data={**form, "failure": other})).status_code == 409
    assert (await client.post(path, data={**form, "failure": mine})).status_code == 303
    assert await statuses() == ["queued", "failed"]
