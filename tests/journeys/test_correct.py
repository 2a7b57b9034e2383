"""A person corrects what is wrong: their own words at once, the address by a code, the rest by asking."""

import re
from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from tests.journeys.surfer import Meeting, Surfer, link_in

type Surf = Callable[..., Awaitable[Surfer]]

FIELD = {"casagbic": "/correct/account/display_name", "caaartoons": "/correct/account/language"}


async def test_own_words_change_at_once_and_go_back(crossing: Meeting, surf: Surf) -> None:
    """One field, one button, done in every place; the old value is kept for whoever wants it back."""
    person: Surfer = await surf(crossing.stack, crossing.language, crossing.width)
    await person.sign_in_by_code(crossing.person(3))
    await person.follow("Correct it")
    await person.look()
    await person.open(FIELD[crossing.stack.organisation])
    await person.look()
    if crossing.stack.organisation == "casagbic":
        await person.page.locator("#value").fill("é" * 101)
        await person.press("Save")
        await person.look()
        await person.page.locator("#value").fill("Zoé d’Été-L’Œuvre")
    else:
        await person.page.locator("input[name=value]:not(:checked)").first.check()
    await person.press("Save")
    await person.until_it_reads("Done.")
    await person.look()
    await person.open("/correct")
    await person.page.locator("details.h summary").first.click()
    await person.look()
    await person.press("Put it back")
    await person.until_it_reads("Done.")


async def test_the_old_address_cancels_a_new_one(meeting: Meeting, surf: Surf) -> None:
    """A code to the new address, a warning to the old one; the old one puts everything back without signing in."""
    old, new = meeting.person(4), f"new.{meeting.person(4)}"
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await person.sign_in_by_code(old)
    await person.open("/address")
    await person.look()
    await person.page.locator("#email").fill(old)
    await person.press("Send the code")
    await person.look()
    await person.page.locator("#email").fill(new)
    await person.confirm_by_code(new, ask="Send the code", then="Change my address")
    await expect(person.page.locator("h1")).to_have_text(person.words("A correction"))
    await person.look()
    warning = await person.mail_about(old, person.words("A new address was asked for"))
    stranger: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await stranger.page.goto(link_in(warning, "/address/old/"))
    await stranger.look()
    await stranger.press("Keep my present address")
    await stranger.look()
    await person.open("/requests")
    await expect(person.page.locator("#email")).to_be_visible()


async def test_what_a_person_must_decide_is_asked_for(meeting: Meeting, surf: Surf) -> None:
    """What cannot be changed here says what to do instead; a note about it gets a date, and can be withdrawn."""
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await person.sign_in_by_code(meeting.person(5))
    await person.open("/correct")
    for link in await person.page.locator("main ul a[href*='/correct/']").all():
        assert await link.is_visible()
    await person.page.locator("main ul a[href*='/correct/']").last.click()
    await person.look()
    await person.open("/correct/account/account_id")
    await person.look()
    await person.follow("Leave a note")
    await person.press("Send")
    await person.look()
    await person.page.locator("#why").fill("Le nom sur mes factures n’est plus le mien.")
    await person.press("Send")
    await person.look()
    await person.press("Withdraw this request")
    await person.reads("You withdrew this request.")
    assert re.fullmatch(r"DR-\d{4}-\d{4,}", person.reference)
