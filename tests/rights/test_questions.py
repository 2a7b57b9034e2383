"""One question at a time, the clock as the law says, reminders once each, more time only in time, late said once."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import Invalid
from portal.mail.tables import Mail
from portal.rights import clock_round, clocks, decisions, intake, late, messages, questions, reminders, unidentified
from portal.rights.extensions import extend
from portal.rights.intake import Asked
from portal.rights.letters import NotComplete
from portal.rights.lifecycle import NotPossible, Right
from portal.rights.requests import RequestView, find_by_id, timeline_of
from portal.rights.tables import RequestMessage
from portal.rights.tasks import tasks_of
from tests.rights.conftest import Browser, House
from tests.rights.shop import mails_to, shop_of

STAFF = "staff:1"


def how(house: House) -> Mapping[str, object]:
    """Return what every verb is given."""
    return {"policy": house.policy, "settings": house.settings, "at": house.clock()}


def with_answer(house: House, **changes: object) -> None:
    """Change what the policy says about answers."""
    answer = msgspec.structs.replace(house.policy.answer, **changes)
    house.policy = msgspec.structs.replace(house.policy, answer=answer)


async def asked(house: House, person: Browser, right: Right = "inquiry") -> RequestView:
    """Take a request in now."""
    what = Asked(right=right, subject=person.subject_id, language="en", text="Why?", received_at=house.clock())
    opened = await intake.open_request(
        what, policy=house.policy, public_url=house.settings.public_url, at=house.clock()
    )  # fmt: skip
    return opened.request


async def ask(house: House, request: RequestView, kind: questions.Kind = "none", doubt: str = "") -> RequestView:
    """Ask something as staff. Returns the request as it is then."""
    await questions.ask(request, "Which account?", kind=kind, doubt=doubt, actor=STAFF, **how(house))
    return await find_by_id(request.id)


async def events(request: RequestView) -> list[str]:
    """Return the timeline."""
    return [entry.event for entry in await timeline_of(request.id)]


async def test_a_question_waits_and_the_clock_goes_on(house: House) -> None:
    """The mail does not say what was asked; the day stays; one question waits at a time."""
    ana = await house.person()
    request = await asked(house, ana)
    waiting = await ask(house, request)
    assert waiting.waits and waiting.due_day == request.due_day
    assert await mails_to(ana.email) == ["question", "received"]
    rows = await engine().run_querystring(QueryString("SELECT text FROM mail_body"))
    assert not any("Which account?" in row["text"] for row in rows)
    with pytest.raises(NotPossible):
        await ask(house, request)
    assert await RequestMessage.count().where(RequestMessage.kind == "question") == 1


async def test_the_answer_is_taken_once(house: House) -> None:
    """A second click finds that nothing waits any more."""
    request = await asked(house, await house.person())
    house.clock.advance(timedelta(minutes=1))
    await ask(house, request)
    house.clock.advance(timedelta(minutes=1))
    await questions.answer(request, "This one.", **how(house))
    with pytest.raises(NotPossible):
        await questions.answer(request, "This one.", **how(house))
    assert not (await find_by_id(request.id)).waits
    assert [one.kind for one in await messages.messages_of(request.id)] == ["message", "question", "answer"]


async def test_whoever_is_doubted_is_told_why_and_their_answer_becomes_a_task(house: House) -> None:
    """Art. 12(6): the letter holds the doubt; without one nothing is asked."""
    request = await asked(house, await house.person(), "access")
    with pytest.raises(NotComplete):
        await ask(house, request, "identity")
    assert not (await find_by_id(request.id)).waits
    doubted = await ask(house, request, "identity", "The name differs.")
    assert doubted.state == "verifying"
    letter = (await RequestMessage.select().where(RequestMessage.kind == "letter"))[0]["text"]
    assert "The name differs." in letter and "The date does not move" in letter
    await questions.answer(doubted, "I moved.", **how(house))
    assert (await find_by_id(request.id)).state == "deciding"
    assert [task.kind for task in await tasks_of(request.id)] == ["decide"]


async def test_asking_who_it_is_moves_nothing_without_a_pause_profile(house: House) -> None:
    """D11, vector P1: ten days of waiting, and the law's day stays."""
    request = await asked(house, await house.person(), "access")
    doubted = await ask(house, request, "identity", "The name differs.")
    house.clock.advance(timedelta(days=10))
    await questions.answer(doubted, "Me.", **how(house))
    after = await find_by_id(request.id)
    assert (after.due_day, after.law_day) == (request.due_day, request.law_day)


@pytest.mark.parametrize("house", ["caaartoons"], indirect=True)
async def test_the_french_decree_adds_the_days_of_waiting(house: House) -> None:
    """D12, D13: asked at once and answered ten days later, the month has ten days more; the mail gives no day."""
    with_answer(house, identity_pause="fr")
    ana = await house.person()
    request = await asked(house, ana, "access")
    doubted = await ask(house, request, "identity", "The name differs.")
    assert (await clocks.deadline_of(request.id)).suspended == request.law_day
    body = (await engine().run_querystring(QueryString("SELECT text FROM mail_body WHERE text LIKE '%one thing%'")))[0]
    assert "The clock goes on" not in body["text"]
    house.clock.advance(timedelta(days=10))
    await questions.answer(doubted, "Me.", **how(house))
    assert (await find_by_id(request.id)).law_day == date(2026, 11, 24)


async def test_reminders_leave_on_the_seventh_and_fourteenth_morning_once_each(house: House) -> None:
    """Not on the sixth day, not at night, not twice; whoever answered is left alone."""
    ana = await house.person()
    await ask(house, await asked(house, ana))
    shop = shop_of(house)
    for day, expected in ((6, 0), (7, 1), (7, 0), (13, 0), (14, 1), (20, 0)):
        house.clock.now = datetime(2026, 10, 14, 7, 30, tzinfo=UTC) + timedelta(days=day)
        assert await reminders.remind_due(shop) == expected, day
    assert (await mails_to(ana.email)).count("question-again") == 2


async def test_nobody_is_written_to_before_eight(house: House) -> None:
    """05:59 UTC is 07:59 in Paris in October."""
    await ask(house, await asked(house, await house.person()))
    house.clock.now = datetime(2026, 10, 22, 5, 59, tzinfo=UTC)
    assert await reminders.remind_due(shop_of(house)) == 0
    house.clock.advance(timedelta(minutes=1))
    assert await reminders.remind_due(shop_of(house)) == 1


async def test_after_a_long_silence_of_the_worker_one_reminder_leaves(house: House) -> None:
    """Not two on one morning."""
    ana = await house.person()
    await ask(house, await asked(house, ana))
    house.clock.advance(timedelta(days=15))
    for _ in range(3):
        await reminders.remind_due(shop_of(house))
    assert (await mails_to(ana.email)).count("question-again") == 1


async def test_a_new_question_has_reminders_of_its_own(house: House) -> None:
    """What was said about the last one does not count."""
    ana = await house.person()
    request = await asked(house, ana)
    for _ in range(2):
        await ask(house, request)
        house.clock.advance(timedelta(days=7))
        await reminders.remind_due(shop_of(house))
        await questions.answer(request, "Yes.", **how(house))
        house.clock.advance(timedelta(minutes=1))
    assert (await mails_to(ana.email)).count("question-again") == 2


async def test_staff_must_say_in_time_that_they_cannot_tell_who_it_is(house: House) -> None:
    """D13: a task three days before the answer must leave, once; then the letter, the receipt, and the task is done."""
    ana = await house.person()
    doubted = await ask(house, await asked(house, ana, "access"), "identity", "The name differs.")
    close_on = (await clocks.deadline_of(doubted.id)).close_on
    assert close_on == date(2026, 11, 13)
    house.clock.now = datetime(2026, 11, 9, 12, tzinfo=UTC)
    assert await reminders.look_at_unidentified(shop_of(house)) == 0
    house.clock.now = datetime(2026, 11, 10, 12, tzinfo=UTC)
    assert await reminders.look_at_unidentified(shop_of(house)) == 1
    assert await reminders.look_at_unidentified(shop_of(house)) == 0
    assert [(task.kind, task.due_day) for task in await tasks_of(doubted.id)] == [("identify", close_on)]
    await unidentified.unable_to_identify(
        doubted,
        facts=["We asked and had no answer."],
        would_help=["Sign in again."],
        actor=STAFF,
        **how(house),
    )
    ended = await find_by_id(doubted.id)
    assert (ended.outcome, ended.waits) == ("unidentified", False)
    assert [task.state for task in await tasks_of(doubted.id)] == ["done"]
    assert "answered" in await mails_to(ana.email)


@pytest.mark.parametrize("house", ["caaartoons"], indirect=True)
async def test_more_time_moves_the_law_and_tells_both_days(house: House) -> None:
    """E1: counted from receipt; the old day stays on record; the letter has the reason and why it applies."""
    ana = await house.person()
    request = await asked(house, ana, "access")
    new_day = await extend(request, "complexity", "Three archives.", actor=STAFF, **how(house))
    after = await find_by_id(request.id)
    assert new_day == after.due_day == date(2027, 1, 14)
    assert after.extended_on == request.due_day == date(2026, 11, 16)
    assert "extended" in await mails_to(ana.email)
    letter = (await RequestMessage.select().where(RequestMessage.kind == "letter"))[0]["text"]
    assert "Three archives." in letter and "16\u00a0November\u00a02026" in letter
    with pytest.raises(Invalid, match="D9"):
        await extend(request, "number", "Again.", actor=STAFF, **how(house))


async def test_a_strict_promise_stays_and_the_person_is_told_the_laws_day(house: House) -> None:
    """D10: the promised day still counts, and the letter says that we still try to keep it."""
    request = await asked(house, await house.person(), "access")
    new_day = await extend(request, "number", "Five requests.", actor=STAFF, **how(house))
    after = await find_by_id(request.id)
    assert after.due_day == request.due_day == date(2026, 11, 13)
    assert new_day == after.law_day == date(2027, 1, 14)
    letter = (await RequestMessage.select().where(RequestMessage.kind == "letter"))[0]["text"]
    assert "We still try to keep that day." in letter


@pytest.mark.parametrize("house", ["caaartoons"], indirect=True)
@pytest.mark.parametrize(("at", "why"), [(datetime(2026, 11, 16, 23, tzinfo=UTC), "Late."), (None, " ")])
async def test_unlawful_extensions_change_nothing(house: House, at: datetime | None, why: str) -> None:
    """E4, E5: after the law's last local midnight, or without a reason: no mail, no letter, the same days."""
    ana = await house.person()
    request = await asked(house, ana, "access")
    house.clock.now = at or house.clock.now
    with pytest.raises((Invalid, NotComplete)):
        await extend(request, "complexity", why, actor=STAFF, **how(house))
    assert await find_by_id(request.id) == request
    assert await mails_to(ana.email) == ["received"]
    assert "extended" not in await events(request)


async def test_late_is_said_the_morning_after_and_once(house: House) -> None:
    """Not before local midnight, not in the night, not twice, and not to whoever was answered."""
    ana, ben = await house.person(), await house.person("ben@person.example")
    request, other = await asked(house, ana, "access"), await asked(house, ben)
    shop = shop_of(house)
    house.clock.now = datetime(2026, 11, 13, 22, 30, tzinfo=UTC)
    assert await late.say_late(shop) == 0
    await decisions.answer_with(
        other, await decisions.answer_letter(other, ["So."], house.policy, at=house.clock()), "fulfilled",
        actor=STAFF, **how(house),
    )  # fmt: skip
    house.clock.now = datetime(2026, 11, 14, 6, 59, tzinfo=UTC)
    assert await late.say_late(shop) == 0
    house.clock.now = datetime(2026, 11, 14, 7, 0, tzinfo=UTC)
    assert await late.say_late(shop) == 1
    assert await late.say_late(shop) == 0
    assert (await mails_to(ana.email)).count("late") == 1
    assert "late" not in await mails_to(ben.email)
    assert await events(request) == ["received", "late"]


@pytest.mark.parametrize("house", ["caaartoons"], indirect=True)
async def test_a_clock_that_stands_still_is_not_late(house: House) -> None:
    """D13: while it is suspended the stored day passes without a mail, until the thirty days of waiting are over."""
    with_answer(house, identity_pause="fr")
    request = await asked(house, await house.person(), "access")
    house.clock.advance(timedelta(days=4))
    doubted = await ask(house, request, "identity", "The name differs.")
    assert doubted.due_day == date(2026, 11, 16)
    house.clock.now = datetime(2026, 11, 17, 12, tzinfo=UTC)
    assert await late.say_late(shop_of(house)) == 0
    house.clock.now = datetime(2026, 11, 18, 12, tzinfo=UTC)
    assert await late.say_late(shop_of(house)) == 1


@pytest.mark.parametrize(
    ("accepted", "in_time"),
    [(datetime(2026, 11, 13, 22, 59, 59, tzinfo=UTC), True), (datetime(2026, 11, 13, 23, tzinfo=UTC), False)],
)
async def test_an_answer_is_in_time_when_its_mail_left_before_local_midnight(
    house: House, accepted: datetime, *, in_time: bool
) -> None:
    """D8, Z1: UTC instants, half-open; while it waits it has not left."""
    request = await asked(house, await house.person())
    letter = await decisions.answer_letter(request, ["So."], house.policy, at=house.clock())
    await decisions.answer_with(request, letter, "fulfilled", actor=STAFF, **how(house))
    ended = await find_by_id(request.id)
    assert await late.answered_in_time(ended, at=house.clock()) is None
    assert await late.answered_in_time(ended, at=datetime(2026, 11, 13, 23, tzinfo=UTC)) is False
    await Mail.update({Mail.accepted_at: accepted}).where(Mail.kind == "answered")
    assert await late.answered_in_time(ended, at=datetime(2026, 12, 1, tzinfo=UTC)) is in_time


async def test_what_was_withdrawn_is_owed_no_answer(house: House) -> None:
    """Neither in time nor late, however long ago."""
    ana = await house.person()
    request = await asked(house, ana)
    await intake.withdraw(request.reference, ana.subject_id, **how(house))
    ended = await find_by_id(request.id)
    assert await late.answered_in_time(ended, at=datetime(2027, 1, 1, tzinfo=UTC)) is None


async def test_the_round_is_noted_when_it_came_to_its_end(house: House) -> None:
    """None before the first; then the clock's instant, and again."""
    assert await clock_round.last_round() is None
    for _ in range(2):
        house.clock.advance(timedelta(minutes=5))
        await clock_round.make_round(shop_of(house))
        assert await clock_round.last_round() == house.clock()


async def test_what_staff_write_is_told_of_and_not_quoted(house: House) -> None:
    """The mail says that there is something to read; evidence says that something was written."""
    ana = await house.person()
    request = await asked(house, ana)
    await messages.write(request, author="staff", text="Your file.", actor=STAFF, **how(house))
    assert "message" in await mails_to(ana.email)
    rows = await engine().run_querystring(
        QueryString("SELECT text AS t FROM mail_body UNION ALL SELECT details::text FROM evidence")
    )
    assert not any("Your file." in row["t"] for row in rows)
