"""A week at the desk: four people ask, five days go by, and nothing is late."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.async_api import expect

from admin.roles import Role
from demo.stack import Stack, running
from demo.stripe.api import Fault
from portal.clock import system_clock
from portal.words import Words
from tests.journeys.surfer import Surfer, Width
from tests.journeys.test_erase import ask_for_erasure
from tests.journeys.test_states import decide, leave_a_note, refuse
from tests.journeys.week_desk import Week, address, at, date_of
from tests.journeys.week_serve import OFFSET, OffsetClock

type Surf = Callable[..., Awaitable[Surfer]]

LETTER = "Please erase everything you have about me, and close my account."
QUESTION = "Who can read what I upload?"
ADA, HUGO, IRIS = "Ada", "Hugo", "Iris"


@pytest.fixture
def week() -> Iterator[Week]:
    """A demo of its own, whose clock stands half an hour before the desk opens on Monday."""
    with TemporaryDirectory(prefix="habeas-week-") as folder:
        (Path(folder) / OFFSET).write_text(str((at("Monday", 8, 30) - system_clock()).total_seconds()))
        program = ("-m", "tests.journeys.week_serve")
        with running("casagbic", Path(folder), trusted="127.0.0.1", program=program) as stack:
            stack.hook.clock = OffsetClock(stack.folder)
            yield Week(stack)


@dataclass
class Play:
    """Who is in it: the people by number, the staff each at their own browser, and the references by what was asked."""

    week: Week
    surf: Surf
    people: dict[str, Surfer] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)

    def email(self, number: int) -> str:
        """The address of the ordinary person `number`."""
        return [one.email for one in self.stack.people if one.role == "ordinary"][number]

    @property
    def words(self) -> Words:
        """The words of everybody in it."""
        return self.people[ADA].words

    @property
    def stack(self) -> Stack:
        """Where it is played."""
        return self.week.stack

    async def person(self, number: int) -> Surfer:
        """Sit a person down at a telephone, signed in."""
        person: Surfer = await self.surf(self.stack, "en", Width.PHONE)
        await person.sign_in_by_code(self.email(number))
        return person

    async def staff(self, name: str, *, minutes_ago: int = 0) -> Surfer:
        """Sit somebody down at the desk, who showed the second factor so long ago."""
        if name not in self.people:
            self.people[name] = await self.surf(self.stack, "en", Width.DESKTOP)
        await self.week.comes_in(self.people[name], name, ago=timedelta(minutes=minutes_ago))
        return self.people[name]


@pytest.mark.timeout(600)
async def test_a_week_at_the_desk(week: Week, surf: Surf) -> None:
    """Each day somebody needs the desk, and when the week is over nothing was late and everything is on record."""
    play = Play(week, surf)
    await week.hired(ADA, Role.DPO)
    await week.hired(HUGO, Role.HANDLER)
    await week.hired(IRIS, Role.INTAKE)
    for day in (monday, tuesday, wednesday, thursday, friday, monday_after):
        await day(play)
    await nothing_was_late(play)
    await everybody_was_told(play)
    status, said = await week.verify()
    assert status == 0, said


async def monday(play: Play) -> None:
    """One request answers itself, one needs a decision, two came by post; the plan says that nothing is urgent."""
    await play.week.becomes("Monday", 9)
    asking = await play.person(0)
    play.references["access"] = await asking.ask_for_copy()
    await asking.wait_until_ready(play.references["access"])
    play.references["note"] = await leave_a_note(await play.person(1))
    iris = await play.staff(IRIS)
    play.references["erasure"] = await write_down(
        iris, "erasure", "2026-12-22", "letter", "account-details", LETTER, play.email(2)
    )
    play.references["question"] = await write_down(
        iris, "inquiry", "2026-12-14", "email", "address-on-record", QUESTION, play.email(3)
    )
    ada = await play.staff(ADA)
    await ada.open("/staff/desk")
    await ada.look()
    await ada.reads("Today: nothing")
    await ada.reads("Nothing can become late before {day}.", day=ada.words.day(date_of("Thursday")))
    await ada.reads("One request answered itself this week")
    await give(ada, play.references["note"], HUGO)
    await ada.look()


async def tuesday(play: Play) -> None:
    """Nobody has what is due tomorrow: all are told, one takes it, looks for a reason, and takes longer."""
    reference = play.references["question"]
    await play.week.becomes("Tuesday", 9)
    assert await play.week.evidence("staff:alarm:raised") == [
        (reference, {"kind": "unowned-soon", "day": "2027-01-13"})
    ]
    hugo = await play.staff(HUGO)
    await hugo.mail_about(address(HUGO), reference)
    await hugo.open("/staff/desk")
    await hugo.look()
    await hugo.reads("Due tomorrow.")
    await hugo.page.locator(".plan").get_by_role("link", name=reference).click()
    await hugo.look()
    await hugo.press("Give it to me")
    await hugo.page.locator("#see-form summary").click()
    await hugo.page.locator("input[name=reason][value=answer]").check()
    await hugo.press("Show me the data")
    await expect(hugo.page.locator("main")).to_contain_text(play.email(3))
    await hugo.look()
    await decide(hugo, reference, "extend", why="We ask two places by hand.", button="Tell the person the new date")
    person = await play.person(3)
    await person.open(f"/requests/{reference}")
    await person.reads("A person of ours looked at your data, to answer you")
    await person.reads("We ask two places by hand.")
    await person.look()
    await play.week.becomes("Tuesday", 10)
    leaving = await play.person(4)
    await ask_for_erasure(leaving)
    play.references["own-erasure"] = leaving.reference


async def wednesday(play: Play) -> None:
    """The promise stays although the law gave more time: the question is answered, and the note refused by letter."""
    await play.week.becomes("Wednesday", 9)
    hugo = await play.staff(HUGO)
    await hugo.open("/staff/desk")
    await hugo.reads("Due today.")
    await hugo.look()
    await decide(
        hugo, play.references["question"], "answer", text="You, and whoever you show it to.", button="Send the answer"
    )
    await refuse(hugo, play.references["note"])
    await hugo.look()
    person = await play.person(1)
    await person.open(f"/requests/{play.references['note']}")
    await person.reads("We did not do this. Our reasons are below.")
    await person.look()


async def thursday(play: Play) -> None:
    """What came by letter is erased only if two agree, and the second one shows who they are again."""
    reference = play.references["erasure"]
    await play.week.becomes("Thursday", 9)
    hugo = await play.staff(HUGO)
    await decide(
        hugo, reference, "begin", because="The letter names what only they know.", button="Ask a second person"
    )
    await hugo.reads("A second person decides what was asked for below.")
    ada = await play.staff(ADA, minutes_ago=10)
    await ada.open("/staff/desk")
    await ada.reads("Approve or refuse, as the second person")
    await ada.look()
    await ada.open("/staff/approvals")
    await ada.look()
    await ada.page.locator("main a[href*='/staff/approvals/']").first.click()
    await ada.look()
    await ada.page.locator("#because").fill("I read the letter.")
    await ada.press("I agree: do it")
    await ada.reads("Then come back here and send it again: what you typed stays.")
    await ada.look()
    await play.week.shows_second_factor(ADA)
    await ada.press("I agree: do it")
    await ada.reads("Done, and noted under your name.")
    await ada.look()
    await play.week.until(
        "SELECT FROM plan p JOIN subject_request r ON r.id = p.request WHERE r.reference = $1", reference
    )


async def friday(play: Play) -> None:
    """A place is silent when an erasure begins: it is work, it is mended, tried again, and done."""
    reference, week = play.references["own-erasure"], play.week
    await week.becomes("Friday", 9)
    play.stack.stripe.fail(Fault.ERROR, times=1000)
    await week.becomes("Friday", 11)
    await week.until("SELECT FROM plan_item WHERE source = 'stripe' AND error = 'unavailable'")
    await week.becomes("Friday", 11, 20)
    ada = await play.staff(ADA)
    await ada.open("/staff/desk")
    await ada.look()
    await ada.open("/staff/failures")
    await expect(ada.page.locator("main")).to_contain_text(reference)
    await ada.look()
    play.stack.stripe.mend()
    await ada.press("Try again")
    await ada.reads("Done, and noted under your name.")
    await week.until("SELECT FROM plan WHERE kind = 'erase' AND state <> 'approved'")
    await week.goes_on_until_ended("Friday", 12, reference)
    ada = await play.staff(ADA)
    await ada.open("/staff/failures")
    await expect(ada.page.locator("main")).not_to_contain_text(
        ada.words("A place does not answer: {place}", place="Stripe")
    )
    await ada.look()
    assert [one for one, _ in await week.evidence("staff:failure:retried")] == [reference]


async def monday_after(play: Play) -> None:
    """Over the weekend the worker erases what two agreed on; nobody had to be there."""
    reference, week = play.references["erasure"], play.week
    await week.goes_on_until_ended("Monday after", 9, reference)
    ada = await play.staff(ADA)
    await ada.open(f"/staff/desk/{reference}")
    await ada.reads("Do what only a person can do.")
    await ada.reads("What was written went with the erasure.")
    await ada.look()
    await ada.open("/staff/desk")
    await ada.look()


async def nothing_was_late(play: Play) -> None:
    """Every request has ended as it was to, and in time."""
    rows = {name: await play.week.row(reference) for name, reference in play.references.items()}
    assert {name: row["outcome"] for name, row in rows.items()} == {
        "access": "fulfilled", "note": "refused", "question": "fulfilled",
        "own-erasure": "partly", "erasure": "partly",  # accounting law keeps invoices
    }  # fmt: skip
    for number, name in ((2, "erasure"), (4, "own-erasure")):
        last = play.words("Last message: receipt {reference}", reference=play.references[name])
        assert await play.people[ADA].mail_about(play.email(number), last)
    assert await play.week.late() == []
    assert len(await play.week.evidence("rights:request:extended")) == 1


async def everybody_was_told(play: Play) -> None:
    """Each of the staff got one mail on each day and one alarm, and no more."""
    await play.week.until("SELECT WHERE NOT EXISTS (SELECT FROM mail WHERE state = 'waiting')")
    names, days = (ADA, HUGO, IRIS), ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Monday after")
    daily = [(address(name), date_of(day)) for day in days for name in names]
    assert sorted(await play.week.mailed("staff-daily")) == sorted(daily)
    alarms = [(address(name), date_of("Tuesday")) for name in names]
    assert sorted(await play.week.mailed("staff-alarm")) == sorted(alarms)


async def write_down(
    staff: Surfer, right: str, day: str, channel: str, method: str, text: str, email: str
) -> str:  # fmt: skip
    """Write down what came by post. Returns the reference."""
    await staff.open("/staff/requests/new")
    await staff.page.locator(f"input[name=rights][value={right}]").check()
    if right == "erasure":
        await staff.page.locator("input[name=everything]").check()
    await staff.page.locator("#channel").select_option(channel)
    await staff.page.locator("#day").fill(day)
    await staff.page.locator("#time").fill("00:00")
    await staff.page.locator("#text").fill(text)
    await staff.page.locator("#method").select_option(method)
    await staff.page.locator("#email").fill(email)
    await staff.look()
    await staff.press("Write it down")
    await staff.look()
    return await staff.page.locator("main .ref").first.inner_text()


async def give(staff: Surfer, reference: str, name: str) -> None:
    """Give one of the list to a colleague."""
    await staff.page.locator(f"input[name=ref][value='{reference}']").check()
    await staff.page.locator("#to").select_option(label=name)
    await staff.page.get_by_role("button", name=staff.words("Give"), exact=True).click()
    await staff.reads("One request was given.")
