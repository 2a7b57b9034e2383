"""People who do not sign in: by a confirmed mailbox, for somebody else with a mandate, about a child's account."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from playwright.async_api import expect

from tests.journeys.surfer import Meeting, Surfer, code_of, link_in

type Surf = Callable[..., Awaitable[Surfer]]

MANDATE = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


async def test_a_question_from_a_confirmed_mailbox(crossing: Meeting, surf: Surf) -> None:
    """It counts when it is sent; the code shows that the mailbox is theirs, and the page follows it."""
    email = f"stranger.{crossing.language}@elsewhere.example"
    person: Surfer = await surf(crossing.stack, crossing.language, crossing.width)
    await person.open("/sign-in")
    await person.open("/ask")
    await person.look()
    await person.follow("Get a copy of your data")
    await person.look()
    await person.page.locator("#email").fill("not an address")
    await person.press("Send")
    await person.look()
    await person.page.locator("#email").fill(email)
    await person.press("Send")
    await person.look()
    mail = await person.mail_to(email)
    await person.page.locator("#code").fill("000000")
    await person.press("Confirm")
    await person.look()
    await person.page.locator("#code").fill(code_of(mail))
    await person.press("Confirm")
    await person.reads("What you sent us")
    await person.look()


async def test_somebody_acts_with_a_mandate(meeting: Meeting, surf: Surf, tmp_path: Path) -> None:
    """The agent sends the mandate; the person says yes with their own code; the agent sees how far it is, no more."""
    email, agent = meeting.person(12), f"agent.{meeting.language}@cabinet.example"
    sender: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await sender.open("/ask/agent")
    await sender.look()
    await sender.press("Send")
    await sender.look()
    await sender.page.locator("#name").fill("Cabinet Nguyễn & Filles")
    await sender.page.locator("#email").fill(agent)
    await sender.page.locator("#about").fill(email)
    await sender.page.locator("#wish").select_option("see")
    (tmp_path / "mandat.pdf").write_bytes(MANDATE)
    await sender.page.locator("#file").set_input_files(tmp_path / "mandat.pdf")
    await sender.press("Send")
    await sender.look()
    await sender.page.locator("#code").fill(code_of(await sender.mail_to(agent)))
    await sender.press("Confirm")
    await sender.look()
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    mail = await person.mail_about(email, person.words("Someone says they act for you"))
    await person.page.goto(link_in(mail, "/ask/answer/"))
    await person.look()
    await person.press("Answer")
    await person.look()
    await person.page.locator("#said-yes").check()
    await person.page.locator("#code").fill(code_of(mail))
    await person.press("Answer")
    await person.reads("Thank you, we have your answer")
    await person.look()
    await sender.open("/ask/mine")
    asked = sender.words("We have asked the person whether you act for them. They have not answered yet.")
    await sender.reads("What you sent us")
    await expect(sender.page.locator("main")).not_to_contain_text(asked)
    await sender.look()


async def test_a_childs_account_is_reported(crossing: Meeting, surf: Surf) -> None:
    """Nobody signs in to report; whoever reads the account's mail says what is true."""
    email = crossing.person(13)
    sender: Surfer = await surf(crossing.stack, crossing.language, crossing.width)
    await sender.open("/ask/child")
    await sender.look()
    await sender.press("Send")
    await sender.look()
    await sender.page.locator("#about").fill(email)
    await sender.page.locator("#name-parent").check()
    await sender.page.locator("#under-yes").check()
    await sender.page.locator("#text").fill("C’est ma fille, elle a dix ans.")
    await sender.press("Send")
    await sender.reads("Thank you for telling us")
    await sender.look()
    person: Surfer = await surf(crossing.stack, crossing.language, crossing.width)
    mail = await person.mail_to(email)
    await person.page.goto(link_in(mail, "/ask/answer/"))
    await person.look()
    await person.page.locator("#said-no").check()
    await person.page.locator("#code").fill(code_of(mail))
    await person.press("Answer")
    await person.reads("A person of ours looks at it. The account stays paused until then.")
    await person.look()


async def test_a_lost_mailbox_is_asked_about(meeting: Meeting, surf: Surf) -> None:
    """Whoever lost the mailbox says what only they know, from another one; a person finds out with them."""
    email = f"lost.{meeting.language}@elsewhere.example"
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width, scripts=False)
    await person.open("/ask/lost")
    await person.page.locator("#wish").select_option("erase")
    await person.page.locator("#text").fill("I opened it in March.")
    await person.page.locator("#email").fill(email)
    await person.press("Send")
    await person.page.locator("#code").fill(code_of(await person.mail_to(email)))
    await person.press("Confirm")
    await expect(person.page.locator("textarea")).to_be_visible()
    await person.look()
