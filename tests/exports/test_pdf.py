"""The PDF: what it says, that it can be read by everyone, and that nothing in it can be made to do anything."""

import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pikepdf
import pytest
from weasyprint.urls import FatalURLFetchingError

from exports.order import Batch, Column, PartError
from exports.pdf import OwnAssets, RenderError, _string, _wash, render_report
from exports.report import Limits
from exports.spool import Haul, read
from portal.clock import SetClock
from tests.exports.conftest import Making, output_of, silent, text_of
from tests.exports.sample import HOSTILE, note, notes, order, part, sample_order, section


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A web server that only notes what it is asked for."""
    paths: list[str] = []

    class Noting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Noting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()
        thread.join()


def _words(text: str) -> str:
    return " ".join(text.split())


async def test_the_report_says_everything_the_law_wants_with_the_copy(make: Making) -> None:
    """Who, when, where we looked; per category why, until, who else; uses, rights, complaint; what is not in here."""
    text = _words(text_of((await make(sample_order())).pdf_path.read_bytes()))
    for said in (
        "Everything we hold about Amélie Laurent, on 14 October 2026 at 09:12.",
        "amelie.laurent@person.example", "DR-2026-0147", "We looked in The platform, File store, Stripe, Portal",
        "and your 3 files", "What is in here", "Why we have it: to run your account (contract).",
        "Until: you close it.", "Who else gets it: AWS (storage).", "We hold nothing of this kind about you.",
        "What we do with it, and your rights", "legitimate interest", "straight to the CNIL", "There are none.",
        "Passwords and card numbers: we never have them.",
        "Payments, from Stripe: this system did not answer (14 Oct 2026, 11:00).",
        "Not complete. Stripe: this system did not answer",
    ):  # fmt: skip
        assert said in text, said


async def test_dates_money_and_flags_are_in_the_persons_language_and_zone(make: Making) -> None:
    """French shows French forms, Paris time, and currencies with their own decimals."""
    text = _words(text_of((await make(sample_order("fr"))).pdf_path.read_bytes()))
    for said in (
        "le 14 octobre 2026 à 9 h 12",
        "14 oct. 2026",
        "20,00 €",
        "-10,50 €",
        "12 ko",
        "Lettre non",
        "élément",
    ):
        assert said in text, said


@pytest.mark.parametrize(("language", "accent"), [("en", "#1f3fa8"), ("fr", "#8a1c5f")])
async def test_everyone_can_read_it(make: Making, language: str, accent: str) -> None:
    """Tagged, marked PDF/UA-1, with language, title shown, bookmarks, header cells and every font inside."""
    parcel = await make(sample_order(language, accent))
    with pikepdf.open(parcel.pdf_path) as pdf:
        assert str(pdf.Root.Lang) == language
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert "/StructTreeRoot" in pdf.Root
        with pdf.open_metadata() as about:
            assert about["pdfuaid:part"] == "1"
            assert "DR-2026-0147" in about["dc:title"]
        with pdf.open_outline() as outline:
            assert len(outline.root) >= 9
    fonts = output_of("pdffonts", str(parcel.pdf_path)).splitlines()[2:]
    assert fonts
    assert {line.split()[-5] for line in fonts} == {"yes"}, fonts
    tree = output_of("pdfinfo", "-struct-text", str(parcel.pdf_path))
    assert all(tag in tree for tag in ("H1", "H2", "Table", "TH", "TD", "Link"))
    assert "No syntax or stream encoding errors" in output_of("qpdf", "--check", str(parcel.pdf_path))


async def test_contents_name_every_chapter_and_its_page(make: Making) -> None:
    """The second page leads to each chapter, with the page it really is on."""
    pdf = (await make(sample_order())).pdf_path.read_bytes()
    pages = text_of(pdf).split("\f")
    for title in ("Account", "Prompts", "Payments", "What we do with it, and your rights"):
        line = next(line for line in pages[1].splitlines() if line.strip().startswith(title))
        assert title in pages[int(line.split()[-1]) - 1], line


async def test_hostile_text_is_only_text(make: Making, asked: tuple[str, list[str]]) -> None:
    """HTML, CSS, templates and links of people's are printed, fetch nothing, attach nothing and run nothing."""
    address, paths = asked
    tries = [
        *HOSTILE, f'<img src="{address}/a.png">', f'"><link rel=stylesheet href="{address}/b.css">',
        f'</style><style>@import url({address}/c.css); body {{ background: url({address}/d.png) }}</style>',
        '<a rel=attachment href="file:///etc/passwd">x</a>', '<svg><image href="file:///etc/hostname"/></svg>',
        '"\\a } @import url(file:///etc/passwd); {',
    ]  # fmt: skip
    hostile = order(notes([note(n, text) for n, text in enumerate(tries)]), name=tries[-4])
    hostile = msgspec.structs.replace(
        hostile, organisation=tries[-1], reference=tries[-5], accent=tries[-1], title=(tries[-6],), contact=tries[-2]
    )
    parcel = await make(hostile)
    assert parcel.report == "full"
    assert paths == []
    with pikepdf.open(parcel.pdf_path) as pdf:
        assert not pdf.attachments
        assert "/JavaScript" not in str(pdf.Root)
        annotations = [note for page in pdf.pages for note in page.get("/Annots", [])]
        assert not [note for note in annotations if "/URI" in str(note.get("/A", ""))]
    text = _words(text_of(parcel.pdf_path.read_bytes()))
    assert '<img src="http://169.254.169.254/latest/meta-data/">' in text
    assert "{{ 7*7 }} {% raw %}" in text
    assert "[U+202E]gnp.exe[U+202C] after" in text
    assert "root:" not in text


async def test_a_page_that_wants_a_resource_is_not_made(haul: Haul, tmp_path: Path) -> None:
    """If escaping were ever forgotten, the document is refused, not fetched for."""
    fetch = OwnAssets().fetch
    for url in (
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "ftp://x.example/",
        "data:text/css,x",
        "asset:../pdf.py",
    ):
        with pytest.raises(FatalURLFetchingError):
            fetch(url)
    from markupsafe import Markup

    evil = Markup("<img src='file:///etc/passwd'>")
    bad = msgspec.structs.replace(haul, order=msgspec.structs.replace(haul.order, organisation=evil))
    with pytest.raises(RenderError):
        render_report(bad, Limits(), {}, tmp_path / "bad.pdf")


@pytest.fixture
async def haul(tmp_path: Path, clock: SetClock) -> Haul:
    """One note, read."""
    return await read(order(notes([note(1)])), tmp_path / "haul", progress=silent, now=clock)


async def test_a_long_text_is_cut_with_a_word_about_the_rest(make: Making) -> None:
    """A megabyte in one field shows its start, how much more there is, and where."""
    columns = (Column(id="text", title="Text", kind="long-text", main=True),)
    rows = [{"kind": "n", "text": "wordy " * 200_000}, {"kind": "n", "text": "y" * 900_000}]
    parcel = await make(order(section("prompts", "Prompts", columns, part(rows))))
    text = _words(text_of(parcel.pdf_path.read_bytes()))
    assert "[1,198,500 more characters: see data/prompts.jsonl]" in text
    assert "[898,500 more characters: see data/prompts.jsonl]" in text
    assert parcel.report == "full"


async def test_a_name_from_right_to_left_does_not_reorder_the_sentence(make: Making) -> None:
    """The words after a Hebrew name stay after it."""
    parcel = await make(msgspec.structs.replace(order(notes([note(1)])), name="\u202eדנה לוי"))
    text = _words(output_of("pdftotext", "-", "-", given=parcel.pdf_path.read_bytes()))
    assert "on 14 October 2026 at 09:12" in text
    assert "[U+202E]" in text


async def test_nothing_held_is_a_full_answer_on_one_page(make: Making) -> None:
    """Who has nothing with us reads where we looked and whom to complain to, in one page."""
    empty = order(notes([]), notes([], "others", "stripe"), language="fr")
    parcel = await make(empty)
    text = _words(text_of(parcel.pdf_path.read_bytes()))
    with pikepdf.open(parcel.pdf_path) as pdf:
        assert len(pdf.pages) == 1
    for said in ("Nous ne conservons rien sur vous.", "The platform", "rien trouvé", "CNIL", "amelie.laurent@"):
        assert said in text, said


async def test_an_unanswered_source_is_never_nothing_held(make: Making) -> None:
    """When a source did not answer we do not say that we hold nothing."""

    async def down() -> AsyncIterator[Batch]:
        raise PartError("refused")
        yield

    text = _words(text_of((await make(order(notes(down)))).pdf_path.read_bytes()))
    assert "We hold nothing" not in text
    assert "this system refused to answer" in text


async def test_values_of_unexpected_shape_are_shown_as_they_are(make: Making) -> None:
    """Wrong dates, currencies, numbers and nested values never stop the report."""
    columns = (
        Column(id="at", title="When", kind="moment", main=True),
        Column(id="sum", title="Sum", kind="money", main=True),
        Column(id="n", title="Number", kind="number", main=True),
        Column(id="size", title="Size", kind="size", main=True),
    )
    odd: tuple[object, ...] = (
        "infinity",
        "9999-12-31T23:59:59Z",
        {"a": [1]},
        -1,
        10**30,
        "1e999999",
        "NaN",
        True,
        None,
    )
    rows: list[dict[str, object]] = [
        {"kind": "o", "at": v, "sum": v, "n": v, "size": v, "currency": "XXQ"} for v in odd
    ]
    rows.append({"kind": "other", "elsewhere": "field"})
    parcel = await make(order(section("odd", "Odd", columns, part(rows))))
    assert parcel.report == "full"
    text = _words(text_of(parcel.pdf_path.read_bytes()))
    for said in ("infinity", '{"a":[1]}', "1e999999", "NaN"):
        assert said in text, said


async def test_the_wash_stays_pale_and_css_strings_cannot_end() -> None:
    """Ink on the accent's wash is readable, and no text can leave its CSS string."""
    assert _wash("#000000") == "#e8e8e8"
    assert set(_string('"; } @import "x\n')) <= set('"\\0123456789abcdefimportx')
