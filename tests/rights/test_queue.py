"""The queue shows what is open by its day, a page at a time, and the plan names each request once."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from piccolo.querystring import QueryString

from portal.database import engine
from portal.evidence.log import append
from portal.identity.tables import Subject
from portal.mail.tables import Mail
from portal.rights import queue, queue_plan, queue_pulse
from portal.rights.queue import Chosen, Row
from portal.rights.tables import RequestMessage, SubjectRequest, Task
from portal.rights.tables_desk import Approval

TODAY = date(2026, 10, 14)
NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("database")


class Made:
    """Requests with consecutive numbers, all of one person."""

    def __init__(self, subject: UUID) -> None:
        self.subject, self.count = subject, 0

    async def __call__(self, days: int, **columns: object) -> SubjectRequest:
        """Make a request that is due in so many days."""
        self.count += 1
        due = TODAY + timedelta(days=days)
        request = SubjectRequest(**{
            "id": uuid4(), "reference": f"DR-2026-{self.count:04d}", "subject": self.subject, "right": "inquiry",
            "language": "fr", "state": "deciding", "received_at": NOON - timedelta(days=30 - days), "law_day": due,
            "due_day": due, "act_by_day": due, "categories": [], **columns,
        })  # fmt: skip
        await request.save()
        return request


@pytest.fixture
async def made() -> Made:
    """One person, and requests of theirs on demand."""
    subject = Subject(id=uuid4(), email="marie@example.fr", created_at=NOON)
    await subject.save()
    return Made(subject.id)


async def shown(chosen: Chosen | None = None) -> dict[str, list[str]]:
    """Return the last digit of each reference by group, as the first page shows them."""
    pages = await queue.pages(chosen or Chosen(), TODAY)
    return {page.group: [row.reference[-2:] for row in page.rows] for page in pages}


async def only(chosen: Chosen | None = None) -> Row:
    """Return the one row there is."""
    ((row,),) = [page.rows for page in await queue.pages(chosen or Chosen(), TODAY)]
    return row


async def test_requests_stand_in_the_group_of_their_day(made: Made) -> None:
    """The bounds belong to the nearer group; who waits for the person is hidden only while the day is far."""
    for days in (-1, 0, 3, 4, 7, 8):
        await made(days)
    await made(-2, waits=True)
    await made(2, waits=True)
    await made(4, waits=True)
    await made(-5, closed_at=NOON, state="closed", outcome="fulfilled")
    assert await shown() == {
        "late": ["07", "01"], "soon": ["02", "08", "03"], "week": ["04", "05"], "later": ["06"], "waiting": ["09"],
    }  # fmt: skip
    ahead = await queue_plan.ahead(Chosen(), TODAY)
    assert ahead.groups == {"late": 2, "soon": 3, "week": 2, "later": 1, "waiting": 1}
    assert (ahead.open, ahead.late) == (9, 2)


async def test_what_nobody_has_comes_first_within_a_day(made: Made) -> None:
    """What the worker carries out is not nobody's."""
    await made(2, assignee=7)
    await made(2, state="working")
    await made(2)
    assert await shown() == {"soon": ["03", "01", "02"]}
    assert await shown(Chosen(owner="nobody")) == {"soon": ["03"]}
    assert await shown(Chosen(owner="7")) == {"soon": ["01"]}


async def test_a_filter_leaves_out_and_counts_only_what_it_shows(made: Made) -> None:
    """The days of the strip are those of everything that is open."""
    await made(2)
    await made(2, right="erasure")
    chosen = Chosen(right="erasure")
    assert await shown(chosen) == {"soon": ["02"]}
    ahead = await queue_plan.ahead(chosen, TODAY)
    assert ahead.groups == {"soon": 1}
    assert ahead.open == 2


@pytest.mark.parametrize("oldest_first", [False, True])
async def test_every_request_is_on_exactly_one_page(made: Made, oldest_first: bool) -> None:  # noqa: FBT001
    """Also when many are due on the same day and came at the same moment."""
    for number in range(2 * queue.PAGE + 3):
        await made(2, received_at=NOON, assignee=None if number % 3 else 7)
    seen, chosen = list[str](), Chosen(group="soon", oldest_first=oldest_first)
    while True:
        (page,) = await queue.pages(chosen, TODAY)
        seen += [row.reference for row in page.rows]
        assert len(page.rows) <= queue.PAGE
        if not page.after:
            break
        chosen = Chosen(group="soon", oldest_first=oldest_first, after=page.after)
    assert len(seen) == len(set(seen)) == 2 * queue.PAGE + 3


async def test_the_address_is_masked_before_it_leaves_the_database(made: Made) -> None:
    """Enough to recognise somebody who is on the telephone."""
    await made(2)
    row = await only()
    assert row.address == "m•••@example.fr"
    assert "marie" not in repr(row)


@pytest.mark.parametrize(
    ("columns", "action"),
    [
        ({"state": "verifying"}, "identify"), ({"state": "deciding"}, "decide"), ({"state": "received"}, "decide"),
        ({"state": "received", "right": "access"}, "watch"), ({"state": "working"}, "watch"),
        ({"state": "ready"}, "watch"), ({"waits": True}, "wait"),
    ],
)  # fmt: skip
async def test_a_row_says_what_is_next(made: Made, columns: dict[str, object], action: str) -> None:
    """Not how far it is."""
    await made(2, **columns)
    assert (await only()).action == action


async def test_what_is_under_way_is_next(made: Made) -> None:
    """A task, before it an unanswered message, before both a second person who waits; each until it is done."""
    request = await made(2, state="working")
    await Task(request=request.id, kind="tell", about="stripe", opened_at=NOON, due_day=TODAY).save()
    row = await only()
    assert (row.action, row.tasks, row.task.kind if row.task else "") == ("task", 1, "tell")
    await RequestMessage(request=request.id, at=NOON, author="person", text="Well?").save()
    assert (await only()).action == "reply"
    await Approval(request=request.id, verb="refuse", digest="0", asked_by="staff:7", asked_at=NOON).save()
    row = await only()
    assert (row.action, row.approval, row.asked_by) == ("approve", "refuse", "staff:7")
    await Approval.update({Approval.state: "approved"}, force=True)
    await RequestMessage(request=request.id, at=NOON + timedelta(hours=1), author="staff", text="Soon.").save()
    assert (await only()).action == "task"


async def test_the_plan_holds_what_cannot_wait_and_each_request_once(made: Made) -> None:
    """Late, to be acted on by tomorrow, a task for then, a message, somebody's approval; not what can wait."""
    late, _, weekend = await made(-1), await made(5), await made(3, act_by_day=TODAY + timedelta(days=1))
    wrote, helped, asked = await made(20), await made(21), await made(22)
    await RequestMessage(request=late.id, at=NOON, author="person", text="Well?").save()
    await RequestMessage(request=wrote.id, at=NOON, author="person", text="Well?").save()
    await Task(request=helped.id, kind="by-hand", opened_at=NOON, due_day=TODAY + timedelta(days=1)).save()
    await Approval(request=asked.id, verb="refuse", digest="0", asked_by="staff:7", asked_at=NOON).save()
    plan = await queue_plan.plan(TODAY, actor="staff:8")
    found = [row.reference for row in plan.rows]
    assert found == [one.reference for one in (late, weekend, wrote, helped, asked)]
    assert plan.counts == {"reply": 2, "decide": 1, "task": 1, "approve": 1}
    own = await queue_plan.plan(TODAY, actor="staff:7")
    assert asked.reference not in [row.reference for row in own.rows]


async def test_a_long_plan_is_counted_whole_and_spelt_out_in_part(made: Made) -> None:
    """The most urgent are those that are spelt out."""
    for days in range(-20, 1):
        await made(days)
    plan = await queue_plan.plan(TODAY, actor="staff:8")
    assert len(plan.rows) == queue_plan.SHOWN_THINGS
    assert plan.counts == {"decide": 21}
    assert plan.rows[0].due_day == TODAY - timedelta(days=20)


async def test_a_task_of_an_ended_request_stays_in_the_plan(made: Made) -> None:
    """A recipient still has to be told."""
    request = await made(2, closed_at=NOON, state="closed", outcome="fulfilled")
    await Task(request=request.id, kind="tell", about="stripe", opened_at=NOON, due_day=TODAY).save()
    plan = await queue_plan.plan(TODAY, actor="staff:8")
    assert [row.action for row in plan.rows] == ["task"]


async def test_nothing_becomes_late_before_the_day_after_the_next_last_day_to_act(made: Made) -> None:
    """What is in the plan does not count; a task does; without anything there is no such day."""
    assert (await queue_plan.ahead(Chosen(), TODAY)).next_late is None
    await made(0)
    assert (await queue_plan.ahead(Chosen(), TODAY)).next_late is None
    await made(3, act_by_day=TODAY + timedelta(days=2))
    assert (await queue_plan.ahead(Chosen(right="erasure"), TODAY)).next_late == date(2026, 10, 17)
    await made(9)
    request = await made(30)
    assert (await queue_plan.ahead(Chosen(), TODAY)).next_late == date(2026, 10, 17)
    await SubjectRequest.update({SubjectRequest.closed_at: NOON}).where(SubjectRequest.due_day == date(2026, 10, 17))
    await Task(request=request.id, kind="tell", opened_at=NOON, due_day=TODAY + timedelta(days=4)).save()
    assert (await queue_plan.ahead(Chosen(), TODAY)).next_late == date(2026, 10, 19)


async def test_the_pulse_of_an_installation_that_never_worked_is_not_well() -> None:
    """No worker, no look at the clocks, no mail."""
    pulse = await queue_pulse.pulse(NOON)
    assert (pulse.clocks_stopped, pulse.worker_stopped, pulse.mail_stuck, pulse.well) == (True, True, False, False)
    assert (pulse.mails, pulse.delivered, pulse.returned, pulse.by_themselves) == (0, 0, 0, 0)


async def test_the_pulse_counts_what_left_and_what_came_back() -> None:
    """In 24 hours; a mail that waits for a quarter of an hour is stuck, unless nobody needs it any more."""
    await _mail("delivered", hours=1)
    await _mail("bounced", hours=2)
    await _mail("accepted", hours=3)
    await _mail("delivered", hours=30)
    pulse = await queue_pulse.pulse(NOON)
    assert (pulse.mails, pulse.delivered, pulse.returned, pulse.mail_stuck) == (3, 1, 1, False)
    await _mail("waiting", hours=2, expires_at=NOON - timedelta(hours=1))
    assert not (await queue_pulse.pulse(NOON)).mail_stuck
    await _mail("waiting", hours=1)
    assert (await queue_pulse.pulse(NOON)).oldest_mail_at == NOON - timedelta(hours=1)


async def test_an_answer_counts_as_by_itself_when_no_member_of_staff_did_anything(made: Made) -> None:
    """Looking at a request is not doing anything."""
    for name in ("staff:request:opened", "rights:request:closed"):
        request = await made(2, closed_at=NOON - timedelta(days=1), state="closed", outcome="fulfilled")
        async with engine().transaction():
            await append(name, at=NOON, actor="staff:7", reference=request.reference)
    await made(2, closed_at=NOON - timedelta(days=8), state="closed", outcome="fulfilled")
    await made(2, closed_at=NOON - timedelta(days=1), state="closed", outcome="withdrawn")
    assert (await queue_pulse.pulse(NOON)).by_themselves == 1


async def test_the_queue_reads_its_index(made: Made) -> None:
    """Rather than sort what is open: the expression in the query is that of the index."""
    await made(2)
    await engine().run_querystring(QueryString("ANALYZE subject_request"))
    async with engine().transaction():
        await engine().connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        plan = await engine().connection.fetch(
            f"EXPLAIN SELECT r.id FROM subject_request r WHERE r.closed_at IS NULL AND r.due_day < '2026-10-14'"
            f" ORDER BY r.due_day, {queue.HELD}, r.reference LIMIT 51"
        )
    text = "\n".join(row[0] for row in plan)
    assert "subject_request_queue" in text
    assert "Sort" not in text


async def _mail(state: str, *, hours: int, **columns: object) -> None:
    at = NOON - timedelta(hours=hours)
    accepted = {} if state == "waiting" else {"accepted_at": at}
    await Mail(kind="received", to_address="m@example.fr", language="fr", state=state, created_at=at,
               **accepted, **columns).save()  # fmt: skip
