"""A person has their data erased: they look, they decide, they change their mind; or all of it really goes."""

import re
from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from tests.journeys.records import signed_in_a_while_ago, three_days_passed
from tests.journeys.surfer import Meeting, Surfer

type Surf = Callable[..., Awaitable[Surfer]]

WORD = {"en": "earse", "fr": "efacer"}
RIGHT = {"en": "ERASE", "fr": "Effacer"}


async def test_an_erasure_is_planned_and_kept_after_all(meeting: Meeting, surf: Surf) -> None:
    """Review, a new code because the sign-in is old, a slip in the word, the word, planned; one button keeps it all."""
    email = meeting.person(0)
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await person.sign_in_by_code(email)
    await person.follow("Erase it")
    await person.look()
    await signed_in_a_while_ago(meeting.stack, email)
    await person.press("Continue")
    await person.look()
    await person.confirm_by_code(email, ask="E-mail me a code", then="Confirm")
    await person.look()
    await type_word(person, WORD[meeting.language])
    await expect(person.page.locator("#word")).to_have_value(WORD[meeting.language])
    await person.look()
    await type_word(person, RIGHT[meeting.language])
    await person.look()
    planned = await person.mail_about(email, person.reference)
    assert f"/{meeting.language}/requests/{person.reference}" in planned["text"]
    await person.open()
    await person.look()
    await person.press("Keep my data after all")
    await person.reads("You kept your data.")
    await person.look()


async def test_a_whole_erasure_is_carried_out(crossing: Meeting, surf: Surf) -> None:
    """Three days later the worker erases everywhere; the last mail's number proves it without an account."""
    email = crossing.person(1)
    person: Surfer = await surf(crossing.stack, crossing.language, crossing.width)
    await person.sign_in_by_code(email)
    await ask_for_erasure(person)
    await three_days_passed(crossing.stack, person.reference)
    last = await person.mail_about(email, person.words("Last message: receipt {reference}", reference=person.reference))
    number = re.search(r"\d{4}(?:[ \u00a0-]\d{4}){4}|\d{20}", last["text"])
    assert number is not None, last["text"]
    stranger: Surfer = await surf(crossing.stack, crossing.language, crossing.width)
    await stranger.open("/receipt")
    await stranger.look()
    await stranger.page.locator("#number").fill(number[0])
    await stranger.press("Check it")
    await stranger.reads("This receipt is genuine.")
    await stranger.look()
    await person.page.reload()
    await expect(person.page.locator("#email")).to_be_visible()
    assert await forgotten(person, stranger, email)


async def test_only_a_part_is_erased(meeting: Meeting, surf: Surf) -> None:
    """One kind of data is named, the rest stays: the account goes on, and the page says what it came to."""
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await person.sign_in_by_code(meeting.person(2))
    await person.open("/erase")
    await person.page.locator("input[name=s][value=some]").check()
    await person.press("Continue")
    await expect(person.page.locator(".err")).to_be_visible()
    await person.look()
    await person.page.locator("input[name=c]").first.check()
    await person.page.locator("input[name=s][value=some]").check()
    await person.press("Continue")
    await person.look()
    await type_word(person, RIGHT[meeting.language])
    await person.look()
    await three_days_passed(meeting.stack, person.reference)
    await person.until_it_reads("Download the receipt")
    await person.look()


async def forgotten(person: Surfer, stranger: Surfer, email: str) -> bool:
    """Ask to sign in, then for what anybody gets at any mailbox: only the second mail comes."""
    before = {mail["id"] for mail in await person.mails(email)}
    await person.type_address(email)
    await stranger.open("/ask/mine")
    await stranger.page.locator("#email").fill(email)
    await stranger.page.locator("main form button.btn").first.click()
    await stranger.new_mail(email, before)
    new = [mail for mail in await person.mails(email) if mail["id"] not in before]
    return all("/ask/link/" in mail["text"] for mail in new)


async def type_word(person: Surfer, word: str) -> None:
    """Type the word and press the button."""
    await person.page.locator("#word").fill(word)
    await person.press("Erase my data")


async def ask_for_erasure(person: Surfer) -> None:
    """Go all the way with everything ticked."""
    await person.open("/erase")
    await person.press("Continue")
    await type_word(person, RIGHT[person.language])
    await person.reads("Keep my data after all")
