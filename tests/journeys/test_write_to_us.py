"""A person writes: a question, a complaint, a message; what they typed is never lost, and the end is proven."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from playwright.async_api import expect

from portal.cli import main
from tests.journeys.records import signed_out
from tests.journeys.surfer import Meeting, Surfer

type Surf = Callable[..., Awaitable[Surfer]]

WORDS = "Où puis-je lire ce que vous avez gardé ?\nMerci d’avance."


async def test_a_question_a_message_a_withdrawal_and_its_receipt(crossing: Meeting, surf: Surf, tmp_path: Path) -> None:
    """Ask, add to it, take it back, download the receipt: the command says that it is genuine."""
    person: Surfer = await surf(crossing.stack, crossing.language, crossing.width)
    await person.sign_in_by_code(crossing.person(9))
    await person.follow("Ask a person")
    await person.look()
    await person.press("Send")
    await person.look()
    await person.page.locator("#text").fill(WORDS)
    await person.press("Send")
    await person.look()
    await person.page.locator("#text").fill("x" * 6001)
    await person.page.evaluate("document.querySelector('#text').removeAttribute('maxlength')")
    await person.page.locator("#text").fill("y" * 6001)
    await person.press("Send")
    await expect(person.page.locator("#text")).to_have_value("y" * 6001)
    await person.look()
    await person.page.locator("#text").fill(WORDS)
    await person.press("Send")
    await expect(person.page.locator(".said").last).to_have_text(WORDS)
    await person.look()
    await person.press("Withdraw this request")
    await person.until_it_reads("Download the receipt")
    await person.look()
    receipt = await saved(person, tmp_path)
    key = await public_key(person, tmp_path)
    assert main(["receipt", "verify", str(receipt), "--key", str(key)]) == 0
    receipt.write_text(receipt.read_text().replace("withdrawn", "fulfilled"))
    assert main(["receipt", "verify", str(receipt), "--key", str(key)]) != 0


async def test_a_complaint_about_a_request(meeting: Meeting, surf: Surf) -> None:
    """The authority comes first; a wrong reference keeps the words; the right one gets a date."""
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await person.sign_in_by_code(meeting.person(10))
    await person.follow("Complain about us")
    await person.look()
    await person.page.locator("#country").select_option("DE")
    await person.press("Show its authority")
    await person.look()
    await person.page.locator("#text").fill(WORDS)
    await person.page.locator("#request").fill("DR-1999-0001")
    await person.press("Send")
    await expect(person.page.locator("#text")).to_have_value(WORDS)
    await person.look()
    await person.page.locator("#request").fill("")
    await person.press("Send")
    await person.look()
    await person.open("/requests")
    await person.look()


async def test_text_survives_being_signed_out(meeting: Meeting, surf: Surf) -> None:
    """Signed out while writing: nothing is sent, and the words are still there, in both kinds of form."""
    email = meeting.person(11)
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await person.sign_in_by_code(email)
    await person.open("/ask/person")
    await person.page.locator("#text").fill("Is anybody there?")
    await person.press("Send")
    await person.page.locator("#text").fill(WORDS)
    await signed_out(meeting.stack, email)
    await person.press("Send")
    await person.reads("You were signed out while you wrote")
    await expect(person.page.locator("#text")).to_have_value(WORDS)
    await person.look()
    await person.open("/ask/person")
    await person.page.locator("#text").fill(WORDS)
    await person.press("Send")
    await expect(person.page.locator("#text")).to_have_value(WORDS)
    await person.look()


async def saved(person: Surfer, folder: Path) -> Path:
    """Download the receipt of the request whose page is open."""
    async with person.page.expect_download() as waiting:
        await person.follow("Download the receipt")
    place = folder / "receipt.json"
    await (await waiting.value).save_as(place)
    return place


async def public_key(person: Surfer, folder: Path) -> Path:
    """Fetch the organisation's key from where it is published."""
    answer = await person.page.request.get(f"{person.stack.portal_url}/.well-known/habeas-receipt-key.pem")
    place = folder / "key.pem"
    place.write_text(await answer.text())
    return place
