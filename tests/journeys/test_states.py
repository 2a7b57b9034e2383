"""What a request says when it does not go smoothly: a question, more time, a refusal, too late."""

from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from demo.stack import Stack
from demo.stripe.api import Fault
from tests.journeys.records import hours_without_a_worker, months_passed, three_days_passed
from tests.journeys.surfer import Meeting, Surfer, Width
from tests.journeys.test_erase import ask_for_erasure

type Surf = Callable[..., Awaitable[Surfer]]

PROMPT = "Qu’avez-vous gardé ?"


async def test_staff_ask_take_longer_and_refuse(crossing: Meeting, surf: Surf) -> None:
    """One question, one extension, one refusal: the person reads each on the request's page, with what they can do."""
    email = crossing.person(14)
    person: Surfer = await surf(crossing.stack, crossing.language, crossing.width)
    staff = await at_the_desk(crossing, surf)
    await person.sign_in_by_code(email)
    reference = await leave_a_note(person)
    await decide(staff, reference, "ask", text="Which of the two invoices do you mean?", button="Ask")
    await person.page.reload()
    await person.reads("We need one thing from you.")
    await person.look()
    await person.page.locator("#text").fill(PROMPT)
    await person.press("Send")
    await decide(
        staff, reference, "extend", why="We have to ask three places by hand.", button="Tell the person the new date"
    )
    await person.page.reload()
    await person.look()
    await refuse(staff, reference)
    await person.page.reload()
    await person.reads("We did not do this. Our reasons are below.")
    await person.look()


async def test_a_late_request_says_so(meeting: Meeting, surf: Surf) -> None:
    """The day has passed: since when, the authority, no promise any more."""
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await person.sign_in_by_code(meeting.person(15))
    reference = await leave_a_note(person)
    await months_passed(meeting.stack, reference)
    await person.page.reload()
    await person.reads("We are late.")
    await person.look()
    await person.open("/requests")
    await expect(person.page.locator("main .tag", has_text=person.words("Late")).first).to_be_visible()
    await person.look()


async def test_a_place_is_down_during_an_erasure(meeting: Meeting, surf: Surf) -> None:
    """What answers is erased; what does not is named with since when, and that we try again."""
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await person.sign_in_by_code(meeting.person(16))
    await ask_for_erasure(person)
    meeting.stack.stripe.fail(Fault.ERROR, times=1000)
    try:
        await three_days_passed(meeting.stack, person.reference)
        said = person.words("This place does not answer since {when}. We try again by ourselves.", when="…")
        await person.until_it_reads(said.partition("…")[0])
        await person.look()
    finally:
        meeting.stack.stripe.mend()


async def test_staff_see_that_nobody_looks_at_the_clocks(crossing: Meeting, surf: Surf) -> None:
    """The worker stood still for hours: the desk says so above everything, and every date is there all the same."""
    staff = await at_the_desk(crossing, surf)
    await staff.open("/staff/desk")
    await staff.look()
    await hours_without_a_worker(crossing.stack)
    await staff.page.reload()
    await staff.reads("Nobody looks at the clocks")
    await staff.look()


async def leave_a_note(person: Surfer) -> str:
    """Ask for what a person must decide. Returns the reference."""
    await person.open("/note")
    await person.page.locator("#why").fill(PROMPT)
    await person.press("Send")
    return person.reference


async def refuse(staff: Surfer, reference: str) -> None:
    """Refuse with the first ground there is, and see the letter before it goes."""
    await staff.open(f"/staff/desk/{reference}")
    form = staff.page.locator("#correction-refuse-form")
    await form.locator("summary").click()
    await form.locator("input[name=reasons]").first.check()
    await form.locator("[name=facts]").fill("The invoice says what was paid.")
    await form.locator("[name=why]").fill("It is right as it is.")
    await form.get_by_role("button", name=staff.words("Show me the letter first")).click()
    await staff.look()
    await staff.press("Send this letter")


async def at_the_desk(meeting: Meeting, surf: Surf) -> Surfer:
    """Sign a data protection officer in by the demo's own door."""
    staff: Surfer = await surf(meeting.stack, meeting.language, Width.DESKTOP)
    await staff.page.goto(await link_for_staff(meeting.stack))
    await staff.page.locator("main form button").click()
    return staff


async def link_for_staff(stack: Stack) -> str:
    """Return where the demo signs a data protection officer in with one button."""
    return stack.desk_doors["dpo"]


async def decide(staff: Surfer, reference: str, verb: str, *, button: str, **fields: str) -> None:
    """Open a verb's form on the desk, fill it in and press its button."""
    await staff.open(f"/staff/desk/{reference}")
    form = staff.page.locator(f"#{verb}-form")
    await form.locator("summary").click()
    for choice in await form.locator("select[name=ground]").all():
        await choice.select_option(index=1)
    for name, text in fields.items():
        await form.locator(f"[name={name}]").fill(text)
    await form.get_by_role("button", name=staff.words(button), exact=True).click()
    await staff.look()
    await expect(staff.page.locator(".err")).to_have_count(0)
