"""A person stops what is done with their data: all of it for a while, or one use for good."""

from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from tests.journeys.surfer import Meeting, Surfer

type Surf = Callable[..., Awaitable[Surfer]]


async def test_a_pause_begins_at_once_and_ends_when_they_say(meeting: Meeting, surf: Surf) -> None:
    """Nothing chosen, then something: paused at once, marked on the home page, and ended by one button."""
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await person.sign_in_by_code(meeting.person(6))
    await person.follow("Pause it")
    await person.look()
    await person.page.locator("#text").fill("Keep what I wrote.")
    await person.press("Pause it now")
    await expect(person.page.locator("#text")).to_have_value("Keep what I wrote.")
    await person.look()
    await person.page.locator("input[name=c]").last.check()
    await person.page.locator("#r-accuracy").check()
    await person.press("Pause it now")
    await person.look()
    await person.open()
    await person.look()
    await person.open("/pause")
    await person.look()
    await person.press("End the pause now")
    await person.until_it_reads("You ended the pause.")
    await person.look()


async def test_a_use_is_refused(crossing: Meeting, surf: Surf) -> None:
    """What rests on our own interest stops at once and is weighed; what does not is listed with its reason."""
    person: Surfer = await surf(crossing.stack, crossing.language, crossing.width)
    await person.sign_in_by_code(crossing.person(7))
    await person.follow("Say no to a use")
    await person.look()
    if await person.page.get_by_role("button", name=person.words("Say no to this")).count():
        await person.page.locator("textarea").first.fill("Je préfère que non.")
        await person.press("Say no to this")
        await person.look()
        await person.open("/say-no")
        await person.look()
    await person.open("/automated")
    await person.look()
    await person.press("Have a person look")
    await person.look()
