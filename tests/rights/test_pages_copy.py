"""A copy from its first record to its last day: every state has a page that says what is true."""

import re
from datetime import timedelta

import pytest

from portal.mail.tables import Mail
from portal.rights import outcome
from portal.rights.requests import find
from portal.rights.tables import ExportPart, Parcel, SubjectRequest
from tests.rights.conftest import Browser, House, ask, finish

POLLING = {"hx-request": "true"}


async def working(house: House, browser: Browser, *parts: tuple[str, str, int, int | None]) -> str:
    """Ask for a copy that the worker has begun: (category, state, done, expected) for each part."""
    reference = await ask(browser, c=[category for category, *_ in parts])
    request = await find(reference, browser.subject_id)
    await outcome.start(request, at=house.clock())
    await ExportPart.insert(*(
        ExportPart(
            request=request.id, source=house.policy.sources_of(category)[0].id, category=category, position=n,
            state=state, done=done, expected=expected,
        )
        for n, (category, state, done, expected) in enumerate(parts)
    ))  # fmt: skip
    return reference


async def test_before_the_worker_begins_the_page_waits(house: House) -> None:
    """No part is planned yet: all categories are listed, none is done."""
    ana = await house.person()
    text = (await ana.get(f"/en/requests/{await ask(ana)}/progress")).text
    assert "Waiting to start" in text
    assert text.count('<li class="todo">') == 3


async def test_progress_shows_each_category_and_the_whole(house: House) -> None:
    """Done, running and waiting categories with their counts, and the sum of them."""
    ana = await house.person()
    parts = [("account", "done", 4, 4), ("prompts", "working", 100, 128), ("uploads", "waiting", 0, 9)]
    reference = await working(house, ana, *parts)
    house.clock.advance(timedelta(minutes=10))
    text = (await ana.get(f"/en/requests/{reference}/progress")).text
    assert "104 of 141 records" in text
    assert "about 3 minutes left" in text
    assert re.search(r'<progress max="141" value="104"', text)
    assert re.findall(r'<li class="(\w+)">', text) == ["done", "run", "todo", "todo"]
    assert "100 of 128" in text


async def test_a_count_that_is_unknown_is_not_made_up(house: House) -> None:
    """A source that could not count shows what was read so far."""
    ana = await house.person()
    reference = await working(house, ana, ("prompts", "working", 7, None))
    text = (await ana.get(f"/en/requests/{reference}/progress")).text
    assert '<span class="num">7</span>' in text


async def test_polling_gets_the_part_that_changes_and_asks_again(house: House) -> None:
    """The fragment has no page around it and carries its own next poll."""
    ana = await house.person()
    reference = await working(house, ana, ("prompts", "working", 1, 128))
    text = (await ana.get(f"/en/requests/{reference}/progress", **POLLING)).text
    assert "<html" not in text
    assert 'hx-trigger="every 3s"' in text
    assert 'role="status"' not in text


async def test_a_screen_reader_hears_half_once(house: House) -> None:
    """Half is said in the poll that crosses it, and not in the next one."""
    ana = await house.person()
    reference = await working(house, ana, ("prompts", "working", 64, 128))
    first = (await ana.get(f"/en/requests/{reference}/progress?said=start", **POLLING)).text
    assert "Half done." in first
    following = re.search(r'hx-get="([^"]+)"', first)
    assert following is not None
    assert "Half done." not in (await ana.get(following[1], **POLLING)).text


async def test_polling_stops_when_the_copy_is_ready(house: House) -> None:
    """The last fragment says so, leads to the copy and asks for nothing more; nobody is moved without a click."""
    ana = await house.person()
    reference = await finish(house, ana)
    answer = await ana.get(f"/en/requests/{reference}/progress?said=half", **POLLING)
    assert answer.status_code == 200
    assert "hx-get" not in answer.text
    assert f"/en/requests/{reference}/copy" in answer.text
    assert answer.text.count("Your copy is ready.") == 2


async def test_polling_after_signing_out_reloads_the_page(house: House) -> None:
    """The fragment is not replaced by a sign-in page; the browser goes there itself."""
    answer = await house.anybody().get("/en/requests/DR-2026-0101/progress", headers=POLLING)
    assert answer.headers["hx-refresh"] == "true"
    assert answer.text in {"", "null"}


async def test_the_two_addresses_lead_to_what_is_true(house: House) -> None:
    """Progress of a finished copy leads to the copy; a copy that is not there yet leads to its progress."""
    ana, ben = await house.person(), await house.person("ben@person.example")
    begun, done = await ask(ana), await finish(house, ben)
    assert (await ana.get(f"/en/requests/{begun}/copy")).headers["location"] == f"/en/requests/{begun}/progress"
    assert (await ben.get(f"/en/requests/{done}/progress")).headers["location"] == f"/en/requests/{done}/copy"


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_ready_copy_tells_all_about_itself(house: House, language: str) -> None:
    """Size, last day, contents, what was left out, downloads left and fingerprint, in both languages."""
    ana = await house.person()
    text = (await ana.get(f"/{language}/requests/{await finish(house, ana)}/copy")).text
    for part in (", 11\u00a0", ", 9\u00a0", "248", '<dd class="v">5</dd>', "ab" * 32, "21\u00a0"):
        assert part in text
    assert house.policy.category("payments").title[language] in text
    assert 'class="err"' not in text


async def test_a_copy_is_downloaded_and_counted(house: House) -> None:
    """The bytes are those of the store, named by the reference, never cached; one download fewer is left."""
    ana = await house.person()
    reference = await finish(house, ana)
    answer = await ana.post(f"/en/requests/{reference}/download", {"what": "zip"})
    assert answer.content == b"PK zip byte"
    assert answer.headers["content-disposition"] == f'attachment; filename="{reference}.zip"'
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-length"] == "11"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    pdf = await ana.post(f"/en/requests/{reference}/download", {"what": "pdf"})
    assert (pdf.content, pdf.headers["content-type"]) == (b"%PDF-1.7!", "application/pdf")
    assert (await Parcel.select(Parcel.downloads_left).first())["downloads_left"] == 3


async def test_a_download_is_told_to_the_registered_address(house: House) -> None:
    """Whoever took the copy, the person hears of it at once."""
    ana = await house.person()
    reference = await finish(house, ana)
    await ana.post(f"/en/requests/{reference}/download", {"what": "zip"})
    told = await Mail.select().where(Mail.kind == "copy-downloaded").first()
    assert told and (told["to_address"], told["reference"]) == (ana.email, reference)


async def test_a_download_is_not_counted_while_the_storage_is_away(house: House) -> None:
    """A copy that cannot be opened costs nothing and tells nobody."""
    ana = await house.person()
    reference = await finish(house, ana)
    house.storage.files.clear()
    assert (await ana.post(f"/en/requests/{reference}/download", {"what": "zip"})).status_code == 503
    assert (await Parcel.select(Parcel.downloads_left).first())["downloads_left"] == 5
    assert not await Mail.exists().where(Mail.kind == "copy-downloaded")


async def test_trying_again_at_once_is_offered_while_something_is_missing(house: House) -> None:
    """The button adds one job, however often it is pressed; a stranger's press adds none."""
    ana, eve = await house.person(), await house.person("eve@person.example")
    reference = await finish(house, ana, missing=["prompts"])
    assert "Try again now" in (await ana.get(f"/en/requests/{reference}/copy")).text
    for _ in range(2):
        assert (await ana.post(f"/en/requests/{reference}/again")).status_code == 303
    assert (await eve.post(f"/en/requests/{reference}/again")).status_code == 404
    jobs = await Parcel.raw("SELECT 1 FROM pgqueuer WHERE dedupe_key LIKE '%:now'")
    assert len(jobs) == 1


async def test_a_download_needs_a_fresh_code(house: House) -> None:
    """A quarter of an hour after signing in the form leads to step-up and back to the copy; nothing is counted."""
    ana = await house.person()
    reference = await finish(house, ana)
    house.clock.advance(timedelta(minutes=house.policy.sign_in.step_up_minutes))
    answer = await ana.post(f"/en/requests/{reference}/download", {"what": "zip"})
    assert answer.headers["location"] == f"/en/step-up?next=%2Frequests%2F{reference}%2Fcopy"
    assert (await Parcel.select(Parcel.downloads_left).first())["downloads_left"] == 5


async def test_nothing_is_handed_over_by_get_or_without_our_form(house: House) -> None:
    """A link or another site starts no download."""
    ana = await house.person()
    reference = await finish(house, ana)
    assert (await ana.get(f"/en/requests/{reference}/download")).status_code == 405
    assert (await ana.client.post(f"/en/requests/{reference}/download", data={"what": "zip"})).status_code == 403
    assert (await ana.post(f"/en/requests/{reference}/download", {"what": "../secret"})).status_code == 404
    assert (await Parcel.select(Parcel.downloads_left).first())["downloads_left"] == 5


async def test_only_the_pdf_offers_only_the_pdf(house: House) -> None:
    """Who asked for the PDF alone sees one button."""
    ana = await house.person()
    text = (await ana.get(f"/en/requests/{await finish(house, ana, f='pdf')}/copy")).text
    assert "Download PDF" in text
    assert 'value="zip"' not in text


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_copy_in_part_says_what_is_missing(house: House, language: str) -> None:
    """What did not work is named with its place and time, and the rest can be downloaded."""
    ana = await house.person()
    reference = await finish(house, ana, missing=["prompts"])
    text = (await ana.get(f"/{language}/requests/{reference}/copy")).text
    error = text[text.index('class="err"') : text.index("</ul>", text.index('class="err"'))]
    assert house.policy.category("prompts").title[language] in error
    place = house.policy.sources_of("prompts")[0]
    assert place.title[language] in error
    assert "2026" in error
    assert "10" in text
    assert 'value="zip"' in text


async def test_while_the_rest_is_fetched_the_page_says_so(house: House) -> None:
    """During a new try no part counts as failed, and the page does not pretend that all is well."""
    ana = await house.person()
    reference = await finish(house, ana, missing=["prompts"])
    await ExportPart.update({ExportPart.state: "working"}, force=True)
    text = (await ana.get(f"/en/requests/{reference}/copy")).text
    assert "We are trying again right now." in text


async def test_when_trying_is_over_a_person_is_named(house: House) -> None:
    """After the last try the page stops promising one."""
    ana = await house.person()
    reference = await finish(house, ana, missing=["prompts"])
    await outcome.come_back(
        await find(reference, ana.subject_id), policy=house.policy, settings=house.settings,
        at=house.clock() + outcome.GIVE_UP,
    )  # fmt: skip
    text = (await ana.get(f"/en/requests/{reference}/copy")).text
    assert "Trying again did not help" in text
    assert "We try again every 10 minutes" not in text


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_an_expired_copy_offers_a_new_one_with_one_button(house: House, language: str) -> None:
    """Even before the bytes are swept away, the page says that its time is over; the button asks for the same again."""
    ana = await house.person()
    reference = await finish(house, ana, c=["prompts"])
    house.clock.advance(timedelta(days=7))
    page = await ana.get(f"/{language}/requests/{reference}/copy")
    assert "21\u00a0" in page.text
    assert re.findall(r'name="c" value="(\w+)"', page.text) == ["prompts"]
    assert (await ana.post(f"/en/requests/{reference}/download", {"what": "zip"})).status_code in {303, 404}
    assert (await ana.post("/en/export", {"c": "prompts", "f": "all"})).status_code == 303
    assert await SubjectRequest.count() == 2


async def test_a_copy_that_was_downloaded_five_times_is_used_up(house: House) -> None:
    """The sixth download is refused and the page says why."""
    ana = await house.person()
    reference = await finish(house, ana)
    answers = [await ana.post(f"/en/requests/{reference}/download", {"what": "pdf"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert "downloaded as often as one copy can be" in (await ana.get(f"/en/requests/{reference}/copy")).text


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_stopping_withdraws_the_request(house: House, language: str) -> None:
    """The button on the progress page ends it; the page says so, and stopping twice changes nothing."""
    ana = await house.person()
    reference = await ask(ana)
    for _ in range(2):
        answer = await ana.post(f"/{language}/requests/{reference}/withdraw")
        assert answer.headers["location"] == f"/{language}/requests/{reference}"
    request = await find(reference, ana.subject_id)
    assert (request.state, request.outcome) == ("closed", "withdrawn")
    page = await ana.get(f"/{language}/requests/{reference}/copy")
    assert page.status_code == 200
    assert "14\u00a0" in page.text
    assert "hx-get" not in (await ana.get(f"/{language}/requests/{reference}/progress", **POLLING)).text
