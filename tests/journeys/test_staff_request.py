"""Staff look at a person's data: not without a reason, never in secret, and a note stays among colleagues."""

from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from tests.journeys.surfer import Meeting, Surfer
from tests.journeys.test_states import at_the_desk

type Surf = Callable[..., Awaitable[Surfer]]

NOTE = "Rang, nobody there."


async def test_a_look_needs_a_reason_and_the_person_reads_it(meeting: Meeting, surf: Surf) -> None:
    """No reason, no data; with one the page opens; the person reads that somebody looked, and no note."""
    email = meeting.person(13)
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await person.sign_in_by_code(email)
    await person.open("/ask/person")
    await person.page.locator("#text").fill("Where are my prompts kept?")
    await person.press("Send")
    reference = person.reference
    staff = await at_the_desk(meeting, surf)
    await staff.page.set_viewport_size({"width": meeting.width.value, "height": 844})
    await staff.open(f"/staff/desk/{reference}")
    await expect(staff.page.locator("main")).not_to_contain_text(email)
    await staff.look()
    await look_without_a_reason(staff, email)
    await staff.page.locator("input[name=reason][value=answer]").check()
    await staff.press("Show me the data")
    await expect(staff.page.locator("main")).to_contain_text(email)
    await staff.look()
    await staff.follow("Back to the request")
    await staff.page.locator("#note-form summary").click()
    await staff.page.locator("#note-text").fill(NOTE)
    await staff.press("Keep the note")
    await staff.reads("Done, and noted under your name.")
    await expect(staff.page.locator(".log")).to_contain_text(NOTE)
    await staff.press("Give it to me")
    await staff.look()
    await person.page.reload()
    await person.reads("A person of ours looked at your data, to answer you")
    await expect(person.page.locator("main")).not_to_contain_text(NOTE)
    await person.look()


async def look_without_a_reason(staff: Surfer, email: str) -> None:
    """Press the button with nothing chosen."""
    await staff.page.locator("#see-form summary").click()
    await staff.press("Show me the data")
    await staff.reads("Say why you need to see it. The person reads the reason.")
    await expect(staff.page.locator("main")).not_to_contain_text(email)
    await staff.look()
