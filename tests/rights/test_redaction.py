"""A copy that may name somebody else waits for a person; what they withhold is left out, told, and logged."""

import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from piccolo.querystring import QueryString

from exports.order import StoredFile
from exports.press import Press
from exports.storage import FolderStorage
from portal.database import engine
from portal.errors import Invalid
from portal.mail.tables import MailBody
from portal.policy.model import PostgresSource
from portal.rights import access, intake, redaction
from portal.rights.lifecycle import NotPossible
from portal.rights.messages import messages_of
from portal.rights.receipts import file_for, read
from portal.rights.redaction_look import RedactionView, look_of, waiting
from portal.rights.redaction_search import find_words, key_of, show
from portal.rights.requests import RequestView, find, parcel_of, timeline_of
from portal.rights.tasks import tasks_of
from portal.rights.workshop import Workshop
from portal.sources.base import Identifiers
from portal.sources.registry import Sources
from tests.exports.sample import stored
from tests.rights.conftest import House
from tests.rights.shop import events_of, mails_to
from tests.rights.test_access import FullSource

EMAIL = "ana@person.example"
STAFF = "staff:7"
ROWS: list[dict[str, object]] = [
    {"kind": "upload", "name": "from bob@other.example.csv", "media_type": "text/csv"},
    {"kind": "upload", "name": "mine, ana@person.example, again.txt", "media_type": "text/plain"},
]


class FileSource(FullSource):
    """A source that has files, too."""

    stored_files: tuple[StoredFile, ...] = ()

    async def files(self, subject: Identifiers, category: str) -> AsyncIterator[StoredFile]:
        """Give them for uploads alone."""
        for file in self.stored_files if category == "uploads" else ():
            yield file


@dataclass
class Desk:
    """Ana with two uploads, and whoever looks at her copy."""

    house: House
    shop: Workshop
    subject: UUID
    platform: FileSource
    folder: Path
    jobs: dict[str, str] = field(default_factory=dict)

    async def ask(self) -> RequestView:
        """Ask for a copy, and let the worker try."""
        opened = await intake.open_access(
            subject_id=self.subject, categories=["account", "uploads"], format="all", language="en",
            policy=self.house.policy, public_url="http://127.0.0.1:8000", at=self.house.clock(),
        )  # fmt: skip
        self.jobs = {"request": str(opened.request.id)}
        await self.work()
        return opened.request

    async def work(self) -> None:
        """Let the worker make the copy, or hold it."""
        await access.fulfil(self.shop, self.jobs)

    async def now(self, request: RequestView) -> RequestView:
        """Return a request as it is now."""
        return await find(request.reference, self.subject)

    async def places(self, request: RequestView) -> tuple[RedactionView, ...]:
        """Return what was found."""
        look = await look_of(request.id)
        return look.places if look else ()

    async def decide(self, request: RequestView, answer: str) -> None:
        """Give every open place the same answer."""
        places = [one for one in await self.places(request) if one.open]
        answers = {one.id: answer for one in places}
        await redaction.decide(request, answers, "others", at=self.house.clock(), actor=STAFF)

    async def release(self, request: RequestView) -> None:
        """Release the copy, and let the worker make it."""
        await redaction.release(request, at=self.house.clock(), actor=STAFF)
        await self.work()

    async def data(self, request: RequestView) -> dict[str, object]:
        """Return `data.json` of the newest copy."""
        parcel = await parcel_of(request.id)
        assert parcel is not None
        with zipfile.ZipFile(self.folder / "parcels" / parcel.place) as archive:
            return json.loads(archive.read("data.json"))  # type: ignore[no-any-return]

    @property
    def person(self) -> Identifiers:
        """What Ana is known by."""
        return Identifiers(emails=frozenset({EMAIL}))


@pytest.fixture(scope="module")
async def press() -> AsyncIterator[Press]:
    """Worker processes, warm for the module."""
    async with Press(workers=1) as press:
        yield press


@pytest.fixture
async def desk(house: House, press: Press, tmp_path: Path) -> Desk:
    """Ana's uploads, one of which names Bob."""
    sources = {spec.id: FileSource(spec) for spec in house.policy.sources}
    platform = next(spec.id for spec in house.policy.sources if isinstance(spec, PostgresSource))
    sources[platform].put(EMAIL, "account", [{"kind": "account", "email": EMAIL}])
    sources[platform].put(EMAIL, "uploads", ROWS)
    browser = await house.person(EMAIL)
    settings = msgspec.structs.replace(house.settings, data_folder=tmp_path)
    shop = Workshop(
        house.policy, settings, house.clock, Sources(list(sources.values())), FolderStorage(tmp_path / "parcels"), press
    )
    return Desk(house, shop, browser.subject_id, sources[platform], tmp_path)


async def test_a_copy_that_names_nobody_is_ready_at_once(desk: Desk) -> None:
    """Without a sign of anybody else nothing is held, and no task is opened."""
    desk.platform.put(EMAIL, "uploads", ROWS[1:])
    request = await desk.ask()
    assert (await desk.now(request)).outcome == "fulfilled"
    assert await look_of(request.id) is None and not await tasks_of(request.id)


async def test_a_copy_that_may_name_somebody_waits_with_its_day(desk: Desk) -> None:
    """It is held once, the due day stands, staff get one task, and the stored place holds no word of it."""
    request = await desk.ask()
    await desk.work()
    held = await desk.now(request)
    assert (held.state, held.is_open, held.due_day) == ("deciding", True, request.due_day)
    assert await parcel_of(request.id) is None
    assert [(task.kind, task.state, task.due_day) for task in await tasks_of(request.id)] == [
        ("redact", "open", request.due_day)
    ]
    assert [entry.event for entry in await timeline_of(request.id)] == ["received", "started", "look-needed"]
    assert await waiting(request.id) == 1
    (place,) = await desk.places(request)
    assert (place.category, place.part, place.field, place.number, place.sign) == (
        "uploads",
        "record",
        "name",
        1,
        "email",
    )
    rows = await engine().run_querystring(QueryString("SELECT to_jsonb(r)::text AS row FROM redaction r"))
    assert "bob" not in "".join(row["row"] for row in rows)


async def test_what_is_withheld_is_left_out_told_and_logged(desk: Desk) -> None:
    """The copy has the mark, the request ends partly, a letter gives ground and remedies, evidence has who and what."""
    request = await desk.ask()
    await desk.decide(request, "passage")
    await desk.release(request)
    ended = await desk.now(request)
    assert (ended.outcome, ended.state) == ("partly", "closed")
    data = await desk.data(request)
    records = data["categories"][1]["records"]  # type: ignore[index]
    assert [one["name"] for one in records] == ["from [withheld]", ROWS[1]["name"]]
    letter = next(one.text for one in await messages_of(request.id) if one.kind == "letter")
    for part in ("Uploaded files: one passage", "Art. 15(4) of the GDPR", desk.house.policy.controller.authority.name):
        assert part in letter
    assert "bob" not in letter
    receipt = await file_for(request.id)
    assert receipt is not None
    signed = [(one.category, one.what, one.ground) for one in read(receipt, desk.house.settings).done]
    assert ("uploads", "withheld", "Art. 15(4)") in signed and signed.count(("account", "handed-over", "")) >= 1
    assert "bob" not in receipt.file.decode()
    (mail,) = await MailBody.raw(
        "SELECT b.text FROM mail_body b JOIN mail m ON m.id = b.mail WHERE m.kind = 'copy-ready'"
    )
    assert "left out for the sake of other people" in " ".join(mail["text"].split())
    assert await mails_to(EMAIL) == ["copy-ready", "received"]
    assert [task.state for task in await tasks_of(request.id)] == ["done"]
    events = await events_of(request.reference)
    assert {"rights:copy:held", "rights:redaction:decided", "rights:copy:released"} <= set(events)
    assert [entry.event for entry in await timeline_of(request.id)][-2:] == ["looked-over", "ready-withheld"]


async def test_what_is_kept_is_fulfilled_without_a_letter(desk: Desk) -> None:
    """When every place stays, nothing was refused."""
    request = await desk.ask()
    await desk.decide(request, "keep")
    await desk.release(request)
    assert (await desk.now(request)).outcome == "fulfilled"
    receipt = await file_for(request.id)
    assert receipt is not None and b"withheld" not in receipt.file
    assert not [one for one in await messages_of(request.id) if one.kind == "letter"]


async def test_nothing_is_withheld_without_a_ground_and_never_everything(desk: Desk) -> None:
    """No ground, an undecided place, or nothing left: refused with the rule, and nothing changes."""
    request = await desk.ask()
    (place,) = await desk.places(request)
    with pytest.raises(Invalid, match="without a ground"):
        await redaction.decide(request, {place.id: "whole"}, "", at=desk.house.clock(), actor=STAFF)
    with pytest.raises(Invalid, match="every place"):
        await redaction.release(request, at=desk.house.clock(), actor=STAFF)
    await desk.decide(request, "whole")
    await engine().run_querystring(QueryString("UPDATE copy_look SET texts = 1"))
    with pytest.raises(Invalid, match="Not everything"):
        await redaction.release(request, at=desk.house.clock(), actor=STAFF)
    assert (await desk.now(request)).state == "deciding"


async def test_a_text_that_changed_after_the_decision_is_held_again(desk: Desk) -> None:
    """The decision fits no more: the place is shown again, whatever stands there now; `gone` ends it."""
    request = await desk.ask()
    await desk.decide(request, "passage")
    desk.platform.put(EMAIL, "uploads", [{"kind": "upload", "name": "from Bob himself.csv"}, ROWS[1]])
    await desk.release(request)
    assert (await desk.now(request)).state == "deciding" and await parcel_of(request.id) is None
    (place,) = await desk.places(request)
    assert place.lost and place.open
    await redaction.decide(request, {place.id: "gone"}, "", at=desk.house.clock(), actor=STAFF)
    desk.house.clock.advance(timedelta(minutes=1))
    await desk.release(request)
    assert (await desk.now(request)).outcome == "fulfilled"


async def test_words_that_a_person_marks_are_withheld_wherever_they_stand(desk: Desk) -> None:
    """A name has no sign; staff type it, and every text in which it stands loses it, a file's too."""
    desk.platform.stored_files = (stored(b"a,BOB OTHER\nb,c\n", "list.csv", "text/csv"),)
    rows = [*ROWS, {"kind": "upload", "name": "Bob Other, Bob Other.txt"}]
    desk.platform.put(EMAIL, "uploads", rows)
    request = await desk.ask()
    key = key_of(request.id, desk.shop.settings)
    found = await find_words("bob other", "uploads", desk.shop.sources, desk.person, desk.house.policy, key)
    assert [(one.part, one.start) for one in found] == [("record", 0), ("record", 11), ("file", 2)]
    await redaction.withhold_words(request, found, "others", at=desk.house.clock(), actor=STAFF)
    await redaction.withhold_words(request, found, "others", at=desk.house.clock(), actor=STAFF)
    await desk.decide(request, "keep")
    await desk.release(request)
    parcel = await parcel_of(request.id)
    assert parcel is not None
    with zipfile.ZipFile(desk.folder / "parcels" / parcel.place) as archive:
        whole = b"".join(archive.read(name) for name in archive.namelist() if not name.endswith(".pdf"))
    assert b"bob other" not in whole.lower() and b"[withheld], [withheld].txt" in whole
    with pytest.raises(Invalid, match="none of the texts"):
        await redaction.withhold_words(request, [], "others", at=desk.house.clock(), actor=STAFF)


async def test_staff_are_shown_a_place_as_it_stands_now(desk: Desk) -> None:
    """The passage with what is around it; a place that changed or is silent is not shown."""
    request = await desk.ask()
    places = await desk.places(request)
    key = key_of(request.id, desk.shop.settings)
    shown = await show(places, desk.shop.sources, desk.person, desk.house.policy, key)
    around = shown[places[0].id]
    assert (around.before, around.passage, around.after) == ("from ", "bob@other.example.csv", "")
    desk.platform.down = True
    assert not await show(places, desk.shop.sources, desk.person, desk.house.policy, key)
    desk.platform.down = False
    desk.platform.put(EMAIL, "uploads", ROWS[1:])
    assert not await show(places, desk.shop.sources, desk.person, desk.house.policy, key)


async def test_a_released_copy_is_decided_on_no_more(desk: Desk) -> None:
    """Whoever decides second is told; one release makes one copy."""
    request = await desk.ask()
    (place,) = await desk.places(request)
    await redaction.decide_again(request, place.id, at=desk.house.clock(), actor=STAFF)
    await desk.decide(request, "passage")
    await desk.release(request)
    for late in (
        redaction.release(request, at=desk.house.clock(), actor=STAFF),
        redaction.decide(request, {place.id: "keep"}, "", at=desk.house.clock(), actor=STAFF),
        redaction.decide_again(request, place.id, at=desk.house.clock(), actor=STAFF),
    ):
        with pytest.raises(NotPossible):
            await late


async def test_a_worker_that_dies_after_the_release_takes_up_where_it_stopped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decisions are stored: the next attempt makes the same copy, and nothing leaks between."""
    request = await desk.ask()
    await desk.decide(request, "passage")
    await redaction.release(request, at=desk.house.clock(), actor=STAFF)
    with monkeypatch.context() as patch:
        patch.setattr(access, "_store", _die)
        with pytest.raises(SystemExit):
            await desk.work()
    await desk.work()
    assert (await desk.now(request)).outcome == "partly"
    assert await MailBody.count() >= 1
    assert "bob@" not in json.dumps(await desk.data(request))


async def _die(*_: object) -> None:
    raise SystemExit
