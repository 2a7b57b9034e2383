"""Acting for somebody: the person is asked in their own mailbox, the mandate is sealed, and status is all there is."""

from datetime import timedelta

import pytest

from portal.rights import uploads
from portal.rights.intake_clock import tend
from portal.rights.tables import Task
from portal.rights.tables_intake import IntakeForm, Upload
from tests.rights.conftest import House
from tests.rights.intake_desk import ANA, BEN, Visitor, last_code, last_link, mails_to, rows, work, workshop

PDF = b"%PDF-1.7\nI act for Ana.\n%%EOF\n"
FORM = {"name": "Ben Roy, Data Helpers", "email": BEN, "about": ANA, "wish": "see", "text": ""}
MANDATE = ("mandate.pdf", PDF, "application/pdf")


async def agent(house: House, *, wish: str = "see") -> Visitor:
    """An agent who has sent the form with a mandate and confirmed their own mailbox."""
    visitor = Visitor(house)
    answer = await visitor.send("/en/ask/agent", {**FORM, "wish": wish}, file=MANDATE)
    assert answer.headers["location"] == "/en/ask/sent", answer.text
    assert (await visitor.confirm()).status_code == 303
    return visitor


async def reply(house: House, said: str) -> Visitor:
    """Ana's answer, by the link and the code of her mail."""
    ana = Visitor(house)
    code, link = await last_code(house, "mandate"), await last_link("mandate")
    page = await ana.get(link)
    assert "Ben Roy, Data Helpers" in page.text
    assert (await ana.send(link, {"said": said, "code": code})).status_code == 200
    assert (await ana.get(link)).status_code == 410
    return ana


async def test_the_person_is_asked_and_nothing_happens_before(house: House) -> None:
    """The agent's mailbox is confirmed, the person is written to, and the request is nobody's yet."""
    await agent(house)
    [request] = await rows()
    assert (request["subject"], request["state"], request["right"]) == (None, "verifying", "access")
    assert await mails_to(ANA) == ["mandate"]
    assert await mails_to(BEN) == ["mailbox", "received"]


async def test_yes_runs_for_the_person_and_the_agent_sees_status_only(house: House) -> None:
    """The request is the person's, from the day of the form; the agent sees nothing of it; the mandate is gone."""
    source = house.sources[house.policy.sources[0].id]
    source.put(ANA, next(iter(source.categories)), [{"a": 1}])
    helper = await agent(house)
    sent = (await rows())[0]["received_at"]
    house.clock.advance(timedelta(days=3))
    await reply(house, "yes")
    await work(house)
    assert "rights.export" in await work(house)
    [request] = await rows()
    assert (request["state"], request["received_at"]) == ("deciding", sent)
    page = await helper.get("/en/ask/mine")
    assert "The person confirmed it." in page.text
    assert ANA not in page.text
    assert (await helper.get(f"/en/requests/{request['reference']}")).status_code == 404
    assert (await mails_to(ANA))[-1] == "received"
    assert (house.storage.files, await Upload.count()) == ({}, 0)


async def test_no_closes_it(house: House) -> None:
    """The honest end is that nobody could be identified; the agent hears that there is an answer."""
    helper = await agent(house)
    await reply(house, "no")
    assert (await rows())[0]["outcome"] == "unidentified"
    assert (await mails_to(BEN))[-1] == "answered"
    assert "did not confirm" in (await helper.get("/en/ask/mine")).text
    assert house.storage.files == {}


async def test_unknown_alerts_a_person_and_keeps_the_paper_for_them(house: House) -> None:
    """Nothing is done; staff have a task, and what was sent is still there for them to look at."""
    await agent(house)
    await reply(house, "unknown")
    assert [(row["kind"], row["about"]) for row in await Task.select()] == [("identify", "mandate-unknown")]
    assert (await rows())[0]["state"] == "verifying"
    [upload] = await Upload.select()
    media_type, content = await uploads.read(
        upload["id"], house.storage, house.settings, at=house.clock(), actor="staff:1"  # type: ignore[arg-type]
    )  # fmt: skip
    assert (media_type, content) == ("application/pdf", PDF)


async def test_a_mandate_is_sealed_where_it_lies(house: House) -> None:
    """Nothing of it can be read in the store, and two of the same differ."""
    await agent(house)
    other = Visitor(house)
    await other.send("/en/ask/agent", {**FORM, "email": "carl@person.example"}, file=MANDATE)
    stored = list(house.storage.files.values())
    assert len(set(stored)) == 2
    assert all(b"Ana" not in one and b"PDF" not in one for one in stored)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (("mandate.pdf", b"<html><script>alert(1)</script></html>", "application/pdf"), "This file is none of them"),
        (("mandate.pdf", b"MZ\x90\x00 PDF %PDF-1.7 %%EOF", "application/pdf"), "This file is none of them"),
        (("mandate.pdf", b"%PDF-1.7 <html>", "application/pdf"), "This file is none of them"),
        (("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "image/png"), "The picture is damaged"),
        (("a.jpg", b"\xff\xd8\xff\xe0\xff\xff", "image/jpeg"), "The picture is damaged"),
        (("a.pdf", b"%PDF-1.7" + b" " * (11 << 20) + b"%%EOF", "application/pdf"), "larger than 10 MB"),
        (("empty.pdf", b"", "application/pdf"), "Choose the file with your mandate"),
        (None, "Choose the file with your mandate"),
    ],
    ids=["html", "exe", "headless", "png", "jpeg", "11MB", "empty", "none"],
)
async def test_what_is_no_mandate_is_refused_with_words(
    house: House, file: tuple[str, bytes, str] | None, words: str
) -> None:
    """By its content, never by its name; what was typed is kept, nothing is stored."""
    answer = await Visitor(house).send("/en/ask/agent", FORM, file=file)
    assert answer.status_code == 422
    assert words in answer.text
    assert "Ben Roy, Data Helpers" in answer.text
    assert (await rows(), house.storage.files, await Upload.count()) == ([], {}, 0)


async def test_a_name_with_a_path_means_nothing(house: House) -> None:
    """A polyglot name and a lying type do not change what a file is or where it lies."""
    answer = await Visitor(house).send("/en/ask/agent", FORM, file=("../../etc/x.html", PDF, "text/html"))
    assert answer.status_code == 303
    assert all(place.startswith("upload-") and "/" not in place for place in house.storage.files)
    assert (await Upload.select())[0]["media_type"] == "application/pdf"


async def test_two_files_are_one_too_many(house: House) -> None:
    """One mandate at a time."""
    visitor = Visitor(house)
    await visitor.get("/en/ask/agent")
    page = (await visitor.get("/en/ask/agent")).text
    token = page.split('name="csrf" value="')[1].split('"')[0]
    answer = await visitor.client.post(
        "/en/ask/agent", data={"csrf": token, **FORM}, files=[("file", MANDATE), ("file", MANDATE)]
    )
    assert answer.status_code == 422
    assert await rows() == []


async def test_a_body_without_end_is_cut_off(house: House) -> None:
    """Far more than a mandate is refused before it is kept."""
    visitor = Visitor(house)
    answer = await visitor.client.post(
        "/en/ask/agent", files={"file": ("a.pdf", b"%PDF-1.7" + b" " * (24 << 20), "application/pdf")}
    )
    assert answer.status_code == 413


async def test_a_form_with_a_file_needs_our_own_token(house: House) -> None:
    """Another site cannot send one, and a form of another kind is none."""
    client = house.anybody()
    assert (await client.post("/en/ask/agent", data=FORM, files={"file": MANDATE})).status_code == 403
    assert (await client.post("/en/ask/agent", data=FORM)).status_code == 422
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert (await client.post("/en/ask/agent", content=b"--x\r\nnonsense", headers=broken)).status_code == 422


async def test_files_go_by_the_clock(house: House) -> None:
    """What nobody claimed goes within the hour; what is undecided after 30 days goes in any case, with its request."""
    await agent(house)
    await reply(house, "unknown")
    await uploads.store(PDF, house.storage, house.settings, at=house.clock())  # type: ignore[arg-type]
    assert len(house.storage.files) == 2
    house.clock.advance(timedelta(hours=2))
    await tend(workshop(house))
    assert len(house.storage.files) == 1
    house.clock.advance(timedelta(days=30))
    await tend(workshop(house))
    assert (house.storage.files, await Upload.count()) == ({}, 0)


async def test_who_never_answers_is_no_yes(house: House) -> None:
    """After 30 days the agent's request ends with a letter; nothing was done."""
    await agent(house)
    house.clock.advance(timedelta(days=31))
    await tend(workshop(house))
    [request] = await rows()
    assert (request["outcome"], request["subject"]) == ("unidentified", None)
    assert (await mails_to(BEN))[-1] == "answered"


async def test_many_agents_do_not_fill_the_mailbox(house: House) -> None:
    """The fourth mail of a day is sent the next day, by itself."""
    for number in range(5):
        visitor = Visitor(house)
        await visitor.send("/en/ask/agent", {**FORM, "email": f"a{number}@agent.example"}, file=MANDATE)
        await visitor.confirm()
    assert await mails_to(ANA) == ["mandate"] * 3
    house.clock.advance(timedelta(days=1, hours=1))
    await tend(workshop(house))
    assert await mails_to(ANA) == ["mandate"] * 5
    assert await IntakeForm.count().where(IntakeForm.mails == 1) == 5
