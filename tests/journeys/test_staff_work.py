"""Work at the desk that is rare: what names other people in a copy, what failed, and the tables behind the desk."""

import re
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from playwright.async_api import Locator, expect

from demo.stack import Stack
from tests.journeys.records import three_days_passed
from tests.journeys.surfer import Meeting, Surfer, Width
from tests.journeys.test_erase import ask_for_erasure
from tests.journeys.test_staff_sign_in import invite
from tests.journeys.test_states import at_the_desk, leave_a_note

type Surf = Callable[..., Awaitable[Surfer]]

BOB = "bob@other.example"


async def test_a_copy_that_names_somebody_is_looked_over(crossing: Meeting, surf: Surf, tmp_path: Path) -> None:
    """The person waits and knows why; nothing goes without a ground; what is withheld is not in the file."""
    person: Surfer = await surf(crossing.stack, crossing.language, crossing.width)
    await person.sign_in_by_code(crossing.person(17))
    await person.open("/ask/person")
    await person.page.locator("#text").fill(f"Did {BOB} see what I made?")
    await person.press("Send")
    reference = await person.ask_for_copy(only="requests")
    await expect(person.page.locator("#job .note")).to_be_visible(timeout=60_000)
    await person.look()
    staff = await at_the_desk(crossing, surf)
    await staff.open(f"/staff/desk/{reference}")
    await staff.follow("Look and decide")
    await expect(staff.page.locator("main")).not_to_contain_text(BOB)
    await staff.look()
    await staff.press("Show me the places")
    await expect(staff.page.locator("mark").first).to_have_text(BOB)
    await staff.look()
    form = staff.page.locator("form:has(input[name=do][value=decide])")
    await form.locator("button").click()
    await staff.reads("Choose why it is withheld. Nothing is withheld without a ground.")
    await staff.look()
    await form.locator("select[name=ground]").select_option("others")
    await form.locator("button").click()
    await staff.look()
    await staff.press("Release the copy")
    await staff.reads("Done, and noted under your name.")
    await staff.look()
    await person.open(f"/requests/{reference}/progress")
    await person.wait_until_ready(reference)
    copy = zipfile.ZipFile(await person.download(tmp_path))
    text = copy.read("data/requests.jsonl").decode()
    assert BOB not in text and {"en": "[withheld]", "fr": "[non communiqué]"}[person.language] in text
    await person.open(f"/requests/{reference}")
    article = {"en": "Art. 15(4)", "fr": "Article 15, paragraphe 4"}[person.language]
    await expect(person.page.locator("main")).to_contain_text(article)
    await person.look()


async def test_what_failed_is_skipped_or_done_by_hand(casagbic: Stack, surf: Surf) -> None:
    """A mail to a colleague that came back is skipped; whom we cannot reach is told by hand: each with its reason."""
    meeting = Meeting(casagbic, "en", Width.PHONE)
    staff = await at_the_desk(meeting, surf)
    await staff.page.set_viewport_size({"width": meeting.width.value, "height": 844})
    await invite(casagbic, "bounced-colleague@staff.example")
    await staff.open("/staff/failures")
    await staff.until_it_reads("See that this address of a colleague is right.")
    await staff.look()
    box = staff.page.locator(".box", has_text=staff.words("See that this address of a colleague is right.")).first
    await says_why(staff, box, "Skip it for good", "The address was mistyped.")
    await expect(staff.page.locator("main table")).to_contain_text("The address was mistyped.")
    await staff.look()

    person: Surfer = await surf(casagbic, "en", Width.PHONE)
    await person.sign_in_by_code(meeting.person(18))
    await ask_for_erasure(person)
    await three_days_passed(casagbic, person.reference)
    await staff.open(f"/staff/desk/{person.reference}")
    await staff.until_it_reads("Do what only a person can do.")
    await staff.look()
    await staff.follow("What failed for this request")
    await staff.look()
    told = staff.page.locator(".box", has_text="we have no contact")
    before = await told.count()
    await says_why(staff, told.first, "Note that it is done", "I wrote to them by their form.")
    await expect(told).to_have_count(before - 1)
    await staff.look()


async def says_why(staff: Surfer, box: Locator, button: str, reason: str) -> None:
    """Press the button of one failure without a reason, read that it wants one, and give it."""
    await box.locator("summary").click()
    await box.get_by_role("button", name=staff.words(button)).click()
    await staff.reads("Say why it is skipped, or what you did.")
    await staff.look()
    await staff.page.locator("details[open] input[name=reason]").fill(reason)
    await staff.page.locator("details[open]").get_by_role("button", name=staff.words(button)).click()
    await staff.reads("Done, and noted under your name.")


async def test_the_tables_show_what_is_due_and_move_a_request(casagbic: Stack, surf: Surf) -> None:
    """Piccolo Admin: the most urgent open request first; a form gives one to a colleague, and the desk says so.

    It has no page that axe could look at without finding what is not ours to mend: docs/records.md, Limits.
    """
    meeting = Meeting(casagbic, "en", Width.DESKTOP)
    person: Surfer = await surf(casagbic, "en", Width.PHONE)
    await person.sign_in_by_code(meeting.person(19))
    reference = await leave_a_note(person)
    staff = await at_the_desk(meeting, surf)
    await staff.page.goto(f"{casagbic.portal_url}/admin/#/open_request")
    rows = staff.page.locator("tr", has=staff.page.locator("td", has_text=re.compile(r"^\s*DR-\d{4}-\d+\s*$")))
    await expect(rows.filter(has_text=reference)).to_be_visible()
    due = [re.findall(r"\d{4}-\d\d-\d\d", await row.inner_text())[0] for row in await rows.all()]
    assert due == sorted(due)
    await staff.page.goto(f"{casagbic.portal_url}/admin/#/forms/assign")
    await staff.page.locator("input[name=reference]").fill(reference)
    await staff.page.locator("input[name=colleague]").fill("dpo@staff.example")
    await staff.page.locator("[data-uitest=submit_custom_form_button]").click()
    await expect(staff.page.locator("body")).to_contain_text(f"{reference} is given.")
    assert not staff.asked_elsewhere
    await staff.open(f"/staff/desk/{reference}")
    await expect(staff.page.locator(".side")).to_contain_text("dpo")
    await staff.look()
