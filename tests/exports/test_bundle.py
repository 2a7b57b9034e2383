"""The parcel as a whole: what is in the ZIP, what is said about what is not, and what a killed attempt leaves."""

import asyncio
import csv
import hashlib
import io
import json
import stat
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import jsonschema
import msgspec
import pytest

from exports.bundle import Parcel, assemble
from exports.json import SCHEMA
from exports.order import Batch, PartError, StoredFile
from exports.press import Press
from exports.report import Limits
from exports.spool import read
from exports.tasks import Pack, RenderReport
from portal.clock import SetClock
from tests.exports.conftest import Making, output_of, silent, text_of
from tests.exports.sample import HOSTILE, PNG, files, note, notes, order, part, sample_order, section, stored


def _open(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def _json(path: Path, member: str = "data.json") -> dict[str, object]:
    with _open(path) as parcel:
        return json.loads(parcel.read(member))  # type: ignore[no-any-return]


async def test_every_member_has_the_size_and_fingerprint_the_manifest_says(make: Making) -> None:
    """The manifest lists every file of the ZIP but itself, with true size and SHA-256; the parcel has the ZIP's."""
    parcel = await make(sample_order())
    manifest = _json(parcel.zip_path, "manifest.json")
    with _open(parcel.zip_path) as opened:
        found = {
            name: (len(opened.read(name)), hashlib.sha256(opened.read(name)).hexdigest())
            for name in opened.namelist()
            if name != "manifest.json"
        }
    said = {each["path"]: (each["size_bytes"], each["sha256"]) for each in manifest["members"]}  # type: ignore[attr-defined]
    assert said == found
    assert parcel.sha256 == hashlib.sha256(parcel.zip_path.read_bytes()).hexdigest()
    assert manifest["records"] == parcel.records == 130 + 1 + len(HOSTILE) + 3 + 1 + 4 + 4


async def test_other_programs_can_open_the_zip(make: Making) -> None:
    """`unzip -t` finds no fault."""
    parcel = await make(sample_order())
    assert "No errors detected" in output_of("unzip", "-t", str(parcel.zip_path))


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_data_json_is_valid_against_the_published_schema(make: Making, language: str) -> None:
    """Every export, complete or not, validates, and the schema itself is a valid one."""
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    parcel = await make(sample_order(language))
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(_json(parcel.zip_path))


async def test_hostile_values_come_out_exact_in_json(make: Making) -> None:
    """Whatever people typed is in data.json and in the JSON Lines, character by character."""
    huge = "x" * 1_000_000 + "é\U0001f3a8"
    rows = [note(n, text) for n, text in enumerate([*HOSTILE, huge])]
    parcel = await make(order(notes(rows)))
    with _open(parcel.zip_path) as opened:
        lines = [json.loads(line) for line in opened.read("data/notes.jsonl").decode().split("\n")[:-1]]
        document = json.loads(opened.read("data.json"))
    assert lines == rows
    assert document["categories"][0]["records"] == rows


async def test_numbers_keep_every_digit(make: Making) -> None:
    """A long integer and a decimal with trailing zeros are the same text in JSON and in CSV."""

    async def batches() -> AsyncIterator[Batch]:
        yield Batch(lines=b'{"kind":"n","text":20.00,"made_at":123456789012345678901234567890}\n', count=1)

    parcel = await make(order(notes(batches)))
    with _open(parcel.zip_path) as opened:
        assert b'"text":20.00,"made_at":123456789012345678901234567890' in opened.read("data.json")
        assert (
            opened.read("data/notes.csv").decode("utf-8-sig").splitlines()[1]
            == "n,123456789012345678901234567890,20.00"
        )


async def test_half_a_surrogate_pair_does_not_lose_the_export(make: Making) -> None:
    """An old json column may hold what no text can: JSON keeps it, the CSV shows a replacement."""

    async def batches() -> AsyncIterator[Batch]:
        yield Batch(lines=b'{"kind":"n","text":"a\\ud800b \\ud83c\\udfa8 \\\\ud800"}\n', count=1)

    parcel = await make(order(notes(batches)))
    with _open(parcel.zip_path) as opened:
        assert b"\\ud800b" in opened.read("data.json")
        assert opened.read("data/notes.csv").decode("utf-8-sig").splitlines()[1] == "n,,a\ufffdb \U0001f3a8 \\ud800"


async def test_names_in_the_zip_are_ours(make: Making) -> None:
    """No path holds a name of the person's; nothing is absolute, a link, or goes up; times are the order's."""
    parcel = await make(sample_order())
    with _open(parcel.zip_path) as opened:
        for info in opened.infolist():
            assert info.filename.isascii()
            assert info.filename.isprintable()
            assert ".." not in info.filename
            assert not info.filename.startswith("/")
            assert stat.S_ISREG(info.external_attr >> 16)
            assert info.date_time == (2026, 10, 14, 7, 12, 0)
        listed = list(csv.reader(io.StringIO(opened.read("files/index.csv").decode("utf-8-sig"))))
    assert [row[3] for row in listed[1:]] == ["museum-hours.csv", "../../etc/passwd", "\u202egnp.exe"]
    assert [row[0] for row in listed[1:]] == [f"files/uploads/000{n}" for n in ("1.csv", "2.png", "3.bin")]
    kept = [file["name"] for file in _json(parcel.zip_path)["categories"][4]["files"]]  # type: ignore[index]
    assert kept == ["museum-hours.csv", "../../etc/passwd", "\u202egnp.exe"]


async def test_files_come_out_byte_for_byte_and_packed_ones_are_stored(make: Making) -> None:
    """A picture is copied without packing it again; a text file is packed; both are exact."""
    text = b"a,b\n" * 5000
    files_part = part([], files=files(stored(PNG, "a.png", "image/png"), stored(text, "b.csv", "text/csv")))
    parcel = await make(order(section("uploads", "Uploads", (), files_part)))
    with _open(parcel.zip_path) as opened:
        picture, table = opened.getinfo("files/uploads/0001.png"), opened.getinfo("files/uploads/0002.csv")
        assert opened.read(picture) == PNG
        assert opened.read(table) == text
    assert picture.compress_type == zipfile.ZIP_STORED
    assert table.compress_type == zipfile.ZIP_DEFLATED
    assert table.compress_size < 500
    assert parcel.files == 2


@pytest.mark.parametrize("reason", ["unavailable", "refused", "unsupported"])
async def test_a_source_that_fails_half_way_is_left_out_and_named(make: Making, reason: str, clock: SetClock) -> None:
    """The half it gave is dropped, what other sources gave stays, and data, manifest and parcel all say so."""

    async def breaking() -> AsyncIterator[Batch]:
        yield Batch(lines=b'{"kind":"note","text":"half"}\n', count=1)
        raise PartError(reason)

    both = section("notes", "Notes", (), part([note(1)]), part(breaking, "stripe", "Stripe"), part([note(2)], "portal"))
    parcel = await make(order(both, notes([note(3)], "others")))
    document, manifest = _json(parcel.zip_path), _json(parcel.zip_path, "manifest.json")
    said = {"section": "notes", "source": "stripe", "reason": reason, "at": "2026-10-14T09:00:00Z", "what": "records"}
    assert document["missing"] == manifest["missing"] == [said]
    assert [record["text"] for record in document["categories"][0]["records"]] == ["note 1", "note 2"]  # type: ignore[index]
    assert document["complete"] is manifest["complete"] is parcel.complete is False
    assert parcel.records == 3
    assert parcel.missing[0].at == clock()


async def test_a_broken_connection_counts_as_a_failed_part(make: Making) -> None:
    """An OSError from a source's own driver fails the part, not the export."""

    async def breaking() -> AsyncIterator[Batch]:
        raise ConnectionResetError
        yield

    parcel = await make(order(notes(breaking), notes([note(1)], "others")))
    assert [(missing.section, missing.reason) for missing in parcel.missing] == [("notes", "unavailable")]
    assert parcel.records == 1


async def test_a_file_that_breaks_is_named_and_the_others_are_there(make: Making) -> None:
    """A stream that stops early or raises loses that file alone; its name stays in the list."""

    async def cut() -> AsyncIterator[bytes]:
        yield b"half"

    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise PartError("unavailable")

    short = StoredFile(name="short.txt", media_type="text/plain", size_bytes=9, open=cut)
    torn = StoredFile(name="torn.txt", media_type="text/plain", size_bytes=9, open=broken)
    some = files(stored(b"one", "one.txt", "text/plain"), short, torn, stored(b"two", "two.txt", "text/plain"))
    parcel = await make(order(section("uploads", "Uploads", (), part([note(1)], files=some))))
    listed = _json(parcel.zip_path)["categories"][0]["files"]  # type: ignore[index]
    assert [(file["name"], bool(file["path"])) for file in listed] == [
        ("one.txt", True), ("short.txt", False), ("torn.txt", False), ("two.txt", True),
    ]  # fmt: skip
    assert [(missing.what, missing.source) for missing in parcel.missing] == [("files", "platform")]
    assert (parcel.files, parcel.records) == (2, 1)


async def test_after_three_broken_files_in_a_row_the_source_is_left_alone(make: Making) -> None:
    """A store that is down costs three time-outs, not one for each of a thousand files; all are named all the same."""
    opened: list[int] = []

    async def broken() -> AsyncIterator[bytes]:
        opened.append(1)
        raise PartError("unavailable")
        yield

    down = StoredFile(name="a.txt", media_type="text/plain", size_bytes=1, open=broken)
    parcel = await make(order(section("uploads", "Uploads", (), part([], files=files(*[down] * 10)))))
    assert len(opened) == 3
    assert len(_json(parcel.zip_path)["categories"][0]["files"]) == 10  # type: ignore[index]


async def test_two_runs_give_the_same_data(make: Making, tmp_path: Path) -> None:
    """Data, lists and files of the same order are the same bytes, so that a repeated attempt changes nothing."""
    first, second = await make(sample_order()), await make(sample_order(), tmp_path / "again")
    with _open(first.zip_path) as one, _open(second.zip_path) as two:
        names = [name for name in one.namelist() if not name.endswith(".pdf") and name != "manifest.json"]
        assert names
        assert [one.read(name) for name in names] == [two.read(name) for name in names]
        assert one.namelist() == two.namelist()


async def test_what_a_killed_attempt_left_is_cleared_away(make: Making, tmp_path: Path) -> None:
    """Files of an earlier attempt, even ones in the way, never reach the parcel."""
    folder = tmp_path / "work"
    (folder / "files" / "uploads").mkdir(parents=True)
    (folder / "files" / "uploads" / "0001.csv").write_text("someone else's")
    (folder / "notes.jsonl").write_text('{"kind":"old"}\n')
    (folder / "parcel.zip").write_bytes(b"half a ZIP")
    parcel = await make(order(notes([note(1)])), folder)
    assert parcel.records == 1
    assert not (folder / "files").exists()


async def test_only_we_can_read_what_is_on_disk(make: Making) -> None:
    """The folder and everything in it are closed to other users of the machine."""
    parcel = await make(sample_order())
    folder = parcel.zip_path.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o600}


async def test_progress_is_told_while_reading_and_at_the_end_of_each_part(tmp_path: Path, clock: SetClock) -> None:
    """Someone who watches sees a long part move and every part arrive at its true count."""
    seen: list[tuple[str, str, int]] = []

    async def watch(section: str, source: str, count: int) -> None:
        seen.append((section, source, count))

    some = order(notes([note(n) for n in range(2500)]), notes([], "others", "stripe"))
    await read(some, tmp_path / "work", progress=watch, now=clock)
    assert seen == [
        ("notes", "platform", 1000), ("notes", "platform", 2000), ("notes", "platform", 2500), ("others", "stripe", 0),
    ]  # fmt: skip


async def test_a_watcher_can_stop_the_export(tmp_path: Path, clock: SetClock) -> None:
    """What progress raises (the request was withdrawn) stops the reading and reaches the caller."""

    class Withdrawn(Exception):
        pass

    async def stop(_section: str, _source: str, _count: int) -> None:
        raise Withdrawn

    with pytest.raises(Withdrawn):
        await read(order(notes([note(1)])), tmp_path / "work", progress=stop, now=clock)


@pytest.mark.parametrize(
    "lines", [b'{"kind":"a"}', b'{"kind":"a"}\n\n', b"\n", b'{"kind":"a"}\n{"kind":"b"}\n', b"[]\n"]
)
async def test_a_source_that_counts_or_cuts_wrongly_is_a_mistake_of_ours(
    lines: bytes, tmp_path: Path, clock: SetClock
) -> None:
    """Lines that are not whole JSON objects, or not as many as said, stop the export loudly."""

    async def wrong() -> AsyncIterator[Batch]:
        yield Batch(lines=lines, count=1)

    with pytest.raises(ValueError, match="platform"):
        await read(order(notes(wrong)), tmp_path / "work", progress=silent, now=clock)


@pytest.mark.parametrize("id", ["../x", "a/b", "", "A", ".hidden", "x" * 65])
async def test_a_section_id_that_is_no_file_name_is_refused(id: str, tmp_path: Path, clock: SetClock) -> None:
    """Paths are made of section ids, so an id must be a plain one."""
    with pytest.raises(ValueError, match="safe file name"):
        await read(order(notes([], id)), tmp_path / "work", progress=silent, now=clock)


async def test_long_sections_get_volumes_with_every_record(make: Making) -> None:
    """A category beyond the report's extract has volumes that hold all of it, newest first, and true totals."""
    rows = [note(n) for n in range(60)]
    limits = Limits(rows=10, volume=25)
    parcel = await make(order(notes(rows)), limits=limits)
    with _open(parcel.zip_path) as opened:
        names = [name for name in opened.namelist() if name.endswith(".pdf")]
        assert names == ["report.pdf", "report-notes-01.pdf", "report-notes-02.pdf", "report-notes-03.pdf"]
        texts = [text_of(opened.read(name)) for name in names]
    assert "Above: the newest 10 of 60." in texts[0]
    assert "report-notes-01.pdf to report-notes-03.pdf" in texts[0]
    assert "note 9\n" in texts[0]
    assert "note 10\n" not in texts[0]
    assert [f"note {n}\n" in texts[1 + n // 25] for n in range(60)] == [True] * 60


async def test_beyond_the_volumes_the_report_points_to_the_data(make: Making) -> None:
    """A category too long for paper shows its newest records, its true total, and where all of them are."""
    parcel = await make(order(notes([note(n) for n in range(300)])), limits=Limits(rows=10, volume=25, volumes=5))
    with _open(parcel.zip_path) as opened:
        assert [name for name in opened.namelist() if name.endswith(".pdf")] == ["report.pdf"]
    text = " ".join(text_of(parcel.pdf_path.read_bytes()).split())
    assert "Above: the newest 10 of 300. All of them: data/notes.csv in the ZIP." in text


async def test_an_export_outlives_a_report_that_cannot_be_made(tmp_path: Path, clock: SetClock) -> None:
    """When layout fails every time, the parcel goes out with a page that says so, and the manifest says so."""

    class NoPaper(Press):
        async def run(self, task, *, seconds):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            return await super().run(task, seconds=0.0 if "Render" in type(task).__name__ else seconds)

    async with NoPaper() as press:
        some = sample_order("fr")
        parcel = await assemble(some, tmp_path / "work", progress=silent, now=clock, press=press)
    text = text_of(parcel.pdf_path.read_bytes())
    assert parcel.report == _json(parcel.zip_path, "manifest.json")["report"] == "failed"
    assert "Nous n’avons pas pu mettre en page" in text
    assert "DR-2026-0147" in text
    assert len(_json(parcel.zip_path)["categories"]) == 7  # type: ignore[arg-type]
    assert "No syntax or stream encoding errors" in output_of("qpdf", "--check", str(parcel.pdf_path))


async def test_a_report_that_cannot_be_made_is_tried_shorter(tmp_path: Path, clock: SetClock) -> None:
    """When the full report fails, one with fewer records and the same words and totals goes out."""

    class ShortOfPaper(Press):
        tries = 0

        async def run(self, task, *, seconds):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            self.tries += isinstance(task, RenderReport)
            late = isinstance(task, RenderReport) and self.tries == 1
            return await super().run(task, seconds=0.0 if late else seconds)

    async with ShortOfPaper() as press:
        some = order(notes([note(n) for n in range(60)]))
        parcel = await assemble(some, tmp_path / "work", progress=silent, now=clock, press=press)
    assert parcel.report == "short"
    assert "Above: the newest 5 of 60." in text_of(parcel.pdf_path.read_bytes())


async def test_a_withdrawn_export_stops_its_work(tmp_path: Path, clock: SetClock) -> None:
    """Cancelling the export while it is laid out leaves no task behind and the workers usable."""
    begun = asyncio.Event()

    class Telling(Press):
        async def run(self, task, *, seconds):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            begun.set()
            return await super().run(task, seconds=seconds)

    def making() -> asyncio.Task[Parcel]:
        some = order(notes([note(n) for n in range(200)]))
        return asyncio.create_task(assemble(some, tmp_path / "work", progress=silent, now=clock, press=press))

    async with Telling() as press:
        before = asyncio.all_tasks()
        first = making()
        await begun.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert asyncio.all_tasks() == before
        assert (await making()).records == 200


async def test_packing_needs_no_more_memory_for_more_records(tmp_path: Path, clock: SetClock) -> None:
    """Ten times the records, and not half more memory at its peak while reading and packing."""
    peaks = [await _peak(tmp_path / str(count), count, clock) for count in (20_000, 200_000)]
    assert peaks[1] < peaks[0] * 1.5


async def _peak(folder: Path, count: int, clock: SetClock) -> int:
    import tracemalloc

    lines = msgspec.json.Encoder().encode_lines([note(n, "x" * 100) for n in range(2000)])

    async def batches() -> AsyncIterator[Batch]:
        for _ in range(count // 2000):
            yield Batch(lines=lines, count=2000)

    tracemalloc.start()
    haul = await read(order(notes(batches)), folder, progress=silent, now=clock)
    Pack(haul=haul, target=folder / "parcel.zip").run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
