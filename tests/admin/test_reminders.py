"""Staff are told of each day and of what comes near, once, whatever breaks in between."""

import asyncio
import random
import re
from collections import Counter
from datetime import date, timedelta
from html import unescape

from piccolo.querystring import QueryString

from admin import reminders
from admin.roles import Role
from admin.tables import StaffSession, StaffUser
from admin.tables_reminders import StaffChoice
from admin.who import COOKIE
from portal.clock import SetClock, system_clock
from portal.database import engine
from portal.mail.tables import Mail, MailBody
from portal.rights.beats import DAILY, beats
from portal.rights.tables import SubjectRequest
from tests.admin.reminding import alarms, local, mails, request, shop_of, somebody, subjects
from tests.web_app import browsing, make_app

TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
WEDNESDAY = date(2026, 10, 14)
FRIDAY = date(2026, 10, 16)
SUNDAY, MONDAY = date(2026, 10, 18), date(2026, 10, 19)


async def round_at(clock: SetClock, day: date, hour: int, minute: int = 0) -> None:
    """Make the round at an hour in Paris."""
    clock.now = local(day, hour, minute)
    await reminders.make_round(shop_of(clock))


async def test_the_mail_of_the_day_comes_at_eight_also_when_nothing_is_open(database: str, clock: SetClock) -> None:
    """Silence means broken: the empty day is written about, at eight where the controller is and not before."""
    await somebody("nadia@staff.example", Role.HANDLER)
    await round_at(clock, WEDNESDAY, 7, 55)
    assert await mails("staff-daily") == []
    await round_at(clock, WEDNESDAY, 8)
    await round_at(clock, WEDNESDAY, 8, 5)
    assert await subjects("staff-daily") == ["Today: nothing to do"]
    text = (await MailBody.select(MailBody.text))[0]["text"]
    assert "Nothing is open. Nothing can become late before" in text
    assert "https://rights.example/en/staff/desk" in text
    assert "is responsible for your data" not in text


async def test_everybody_who_sees_the_queue_gets_it_in_their_language(database: str, clock: SetClock) -> None:
    """Who left, who may not see the queue and who has no address get nothing, and keep nobody from theirs."""
    await somebody("nadia@staff.example", Role.HANDLER)
    amelie = await somebody("amelie@staff.example", Role.AUDITOR)
    await somebody("admin@staff.example", Role.ADMIN)
    await somebody("gone@staff.example", Role.DPO, active=False)
    await somebody("no address", Role.DPO)
    await StaffChoice(user=amelie, language="fr").save()
    await round_at(clock, WEDNESDAY, 9)
    assert [(mail["to_address"], mail["language"]) for mail in await mails("staff-daily")] == [
        ("amelie@staff.example", "fr"), ("nadia@staff.example", "en"),
    ]  # fmt: skip
    assert await subjects("staff-daily") == ["Aujourd’hui\N{NO-BREAK SPACE}: rien à faire", "Today: nothing to do"]


async def test_the_plan_is_told_in_order_and_without_a_person(database: str, clock: SetClock) -> None:
    """What is late comes first; then what must be done by tomorrow; what comes later is only a day."""
    await somebody("nadia@staff.example", Role.HANDLER)
    await request("DR-2026-0003", WEDNESDAY + timedelta(days=9))
    await request("DR-2026-0002", WEDNESDAY)
    await request("DR-2026-0001", WEDNESDAY - timedelta(days=2))
    await round_at(clock, WEDNESDAY, 9)
    [subject] = await subjects("staff-daily")
    assert subject.startswith("Today: 2 things, about ") and subject.endswith("(1 late)")
    text = (await MailBody.select(MailBody.text).where(MailBody.mail.kind == "staff-daily"))[0]["text"]
    assert text.index("DR-2026-0001") < text.index("DR-2026-0002")
    assert "DR-2026-0003" not in text
    assert "After these, nothing can become late before Saturday 24\N{NO-BREAK SPACE}October" in text


async def test_what_nobody_has_is_said_the_working_day_before_and_on_the_day(database: str, clock: SetClock) -> None:
    """A Sunday's request is acted on by Friday: Thursday says it is near, Friday that it is today."""
    await somebody("nadia@staff.example", Role.HANDLER)
    await request("DR-2026-0001", SUNDAY)
    for day in range(6):
        for hour in (0, 7, 8, 12, 23):
            await round_at(clock, WEDNESDAY + timedelta(days=day), hour)
    assert [(kind, at.astimezone(local(WEDNESDAY, 8).tzinfo)) for kind, _, at in await alarms()] == [
        ("unowned-soon", local(WEDNESDAY + timedelta(days=1), 8)), ("unowned-today", local(FRIDAY, 8)),
        ("late", local(MONDAY, 8)),
    ]  # fmt: skip
    assert await subjects("staff-alarm") == [
        "DR-2026-0001: act by 16\N{NO-BREAK SPACE}October, and nobody has it",
        "DR-2026-0001: act today, and nobody has it", "DR-2026-0001 is late",
    ]  # fmt: skip


async def test_who_has_it_is_trusted_until_it_is_late(database: str, clock: SetClock) -> None:
    """An owner who is there keeps it quiet; one who has left is nobody."""
    nadia = await somebody("nadia@staff.example", Role.HANDLER)
    await request("DR-2026-0001", FRIDAY, assignee=nadia)
    await round_at(clock, FRIDAY, 9)
    assert await alarms() == []
    await somebody("omar@staff.example", Role.HANDLER)
    await StaffUser.update({StaffUser.active: False}).where(StaffUser.id == nadia)
    await round_at(clock, FRIDAY, 10)
    assert [kind for kind, *_ in await alarms()] == ["unowned-today"]


async def test_what_is_raised_together_is_one_mail(database: str, clock: SetClock) -> None:
    """Ten requests of one day are one mail to each, not ten."""
    await somebody("nadia@staff.example", Role.HANDLER)
    for number in range(3):
        await request(f"DR-2026-000{number}", FRIDAY)
    await round_at(clock, FRIDAY, 9)
    assert await subjects("staff-alarm") == ["3 requests need somebody now"]
    assert len(await alarms()) == 3


async def test_while_nobody_can_be_told_nothing_counts_as_said(database: str, clock: SetClock) -> None:
    """A desk without people forgets no alarm: the first who comes hears of it."""
    await request("DR-2026-0001", FRIDAY)
    await round_at(clock, FRIDAY, 9)
    assert await alarms() == []
    await somebody("nadia@staff.example", Role.HANDLER)
    await round_at(clock, FRIDAY, 10)
    assert len(await alarms()) == len(await mails("staff-alarm")) == 1


async def test_rounds_at_the_same_moment_say_everything_once(database: str, clock: SetClock) -> None:
    """Several workers make the same round; each thing is said by one of them."""
    await somebody("nadia@staff.example", Role.HANDLER)
    await somebody("omar@staff.example", Role.DPO)
    await request("DR-2026-0001", FRIDAY)
    clock.now = local(FRIDAY, 9)
    await asyncio.gather(*(reminders.make_round(shop_of(clock)) for _ in range(4)))
    assert len(await mails("staff-daily")) == len(await mails("staff-alarm")) == 2


async def test_a_round_that_is_cut_off_anywhere_is_taken_up_by_the_next(database: str, clock: SetClock) -> None:
    """Wherever it stops, what was written stays one mail for each, and what was not is written by the next round."""
    await somebody("nadia@staff.example", Role.HANDLER)
    await somebody("omar@staff.example", Role.DPO)
    await request("DR-2026-0001", FRIDAY)
    clock.now = local(FRIDAY, 9)
    for steps in range(0, 160, 4):
        going = asyncio.create_task(reminders.make_round(shop_of(clock)))
        for _ in range(steps):
            await asyncio.sleep(0)
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
    await reminders.make_round(shop_of(clock))
    assert len(await mails("staff-daily")) == len(await mails("staff-alarm")) == 2
    assert len(await alarms()) == 1


async def test_a_day_without_its_mail_is_noticed(database: str, clock: SetClock) -> None:
    """The beat counts what the mail provider took, not what we wrote; it turns silent after 26 hours."""
    await somebody("nadia@staff.example", Role.DPO)
    await round_at(clock, WEDNESDAY, 8)
    assert not await daily_is_silent(clock)
    clock.now = local(WEDNESDAY + timedelta(days=1), 10, 1)
    await reminders.make_round(shop_of(clock))
    assert await daily_is_silent(clock)
    await Mail.update({Mail.accepted_at: clock(), Mail.state: "accepted"}, force=True)
    await reminders.make_round(shop_of(clock))
    assert not await daily_is_silent(clock)


async def test_over_sixty_days_nothing_is_missed_and_nothing_said_twice(database: str, clock: SetClock) -> None:
    """Requests come, are taken, given up and answered by chance, and worker hours are lost by chance.

    Every request that nobody had when its last day for acting ended was raised before that; everybody got one mail a
    day; no alarm was raised twice.
    """
    chance = random.Random(4)
    staff = [await somebody(f"{name}@staff.example", Role.HANDLER) for name in ("nadia", "omar")]
    start, missed = date(2026, 4, 20), list[str]()
    for day in (start + timedelta(days=number) for number in range(60)):
        for _ in range(chance.randrange(3)):
            number = chance.randrange(10**6)
            await request(f"DR-2026-{number:06d}", day + timedelta(days=chance.randrange(12)))
        for hour in sorted({chance.randrange(8, 24), chance.randrange(24), 23}):
            await round_at(clock, day, hour)
            await _something_happens(chance, staff)
        await round_at(clock, day, 23, 55)
        missed += await _not_said(day)
    assert missed == []
    said = Counter((kind, reference) for kind, reference, _ in await alarms())
    assert len(said) > 20 and set(said.values()) == {1}
    days = Counter((mail["to_address"], mail["created_at"].date()) for mail in await mails("staff-daily"))
    assert len(days) == 120 and set(days.values()) == {1}


async def _something_happens(chance: random.Random, staff: list[int]) -> None:
    """One request is answered, another is taken, a third is given up."""
    rows = await SubjectRequest.select(SubjectRequest.id).where(SubjectRequest.closed_at.is_null())
    if len(rows) < 3 or chance.random() < 0.5:
        return
    done, taken, given_up = (row["id"] for row in chance.sample(rows, 3))
    await SubjectRequest.raw("UPDATE subject_request SET closed_at = now(), state = 'closed' WHERE id = {}", done)
    await SubjectRequest.update({SubjectRequest.assignee: chance.choice(staff)}).where(SubjectRequest.id == taken)
    await SubjectRequest.update({SubjectRequest.assignee: None}).where(SubjectRequest.id == given_up)


async def _not_said(day: date) -> list[str]:
    """The requests that nobody has, whose last day for acting ends now, and of which staff never heard."""
    rows = await engine().run_querystring(
        QueryString(
            "SELECT reference FROM subject_request r WHERE closed_at IS NULL AND assignee IS NULL AND act_by_day = {}"
            " AND NOT EXISTS (SELECT FROM evidence e WHERE e.event = 'staff:alarm:raised'"
            " AND e.reference = r.reference)",
            day,
        )
    )
    return [row["reference"] for row in rows]


async def daily_is_silent(clock: SetClock) -> bool:
    """What the desk says about the daily mail."""
    return next(one.silent for one in await beats(at=clock()) if one.name == DAILY)


async def test_everybody_chooses_their_own_language(database: str, clock: SetClock) -> None:
    """The page keeps the choice of whoever is signed in, once; a language we do not speak changes nothing."""
    id = await somebody("amelie@staff.example", Role.AUDITOR)
    async with browsing(make_app()) as client:
        client.cookies.set(COOKIE, await StaffSession.begin(id, at=system_clock(), confirmed=True), domain="127.0.0.1")
        page = await client.get("/fr/staff/reminders")
        assert page.status_code == 200 and "amelie@staff.example" in page.text
        for language in ("fr", "fr", "xx"):
            form = {"csrf": unescape(TOKEN.findall(page.text)[0]), "language": language}
            assert (await client.post("/fr/staff/reminders", data=form)).status_code == 303
    assert await StaffChoice.select(StaffChoice.user, StaffChoice.language) == [{"user": id, "language": "fr"}]
