"""Text made harmless, and values shown to people."""

import csv
import io
from pathlib import Path

import pytest

from exports.csv import write_csv
from exports.lines import newest, pieces, records
from exports.media import extension, shrinks
from exports.order import Column
from exports.show import Show
from exports.text import cell, one_line, visible
from exports.words import ENGLISH, FRENCH


@pytest.mark.parametrize(
    ("typed", "in_a_cell"),
    [
        ("plain", "plain"),
        ("", ""),
        ("=1+1", "'=1+1"),
        ("+33 6", "'+33 6"),
        ("-1+1", "'-1+1"),
        ("-12.50", "-12.50"),
        ("-12.50.1", "'-12.50.1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("\nx", "'\nx"),
        ("\x00=1", "'\u2400=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff201", "'\uff201"),
        ("a;=1+1", "a;'=1+1"),
        ("a\n=1+1", "a\n'=1+1"),
        ("a=b", "a=b"),
        ("a\x07b", "a\u2407b"),
        ("\ud800", "\ufffd"),
    ],
)
def test_no_cell_is_a_formula(typed: str, in_a_cell: str) -> None:
    """Whatever a spreadsheet might run begins with an apostrophe; plain text and plain numbers stay."""
    assert cell(typed) == in_a_cell


def test_a_csv_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Quotes, commas, line breaks, nested values, empty fields and numbers survive the trip; a BOM opens it."""
    lines = tmp_path / "a.jsonl"
    lines.write_text(
        '{"kind":"k","a":"x,\\"y\\"\\nz","b":-5,"c":{"d":[1.50,"=1"]},"d":true}\n{"kind":"k","a":null,"b":-0.10,"z":1}\n'
    )
    out = io.BytesIO()
    write_csv([Column(id=id, title=id) for id in "abcd"], lines, out.write)
    assert out.getvalue().startswith(b"\xef\xbb\xbfkind,a,b,c,d\r\n")
    assert list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))[1:] == [
        ["k", 'x,"y"\nz', "-5", '{"d":[1.50,"=1"]}', "true"],
        ["k", "", "-0.10", "", ""],
    ]


def test_control_and_bidi_characters_are_made_visible() -> None:
    """What could move or hide text on paper is spelt out, and line breaks are of one kind."""
    assert visible("a\u202eb\u2066c\x00\x1b\x7f\x85\ud800") == "a[U+202E]b[U+2066]c\u2400\u241b\u2421\ufffd\ufffd"
    assert visible("a\r\nb\rc\u2028d") == "a\nb\nc\nd"
    assert one_line(" a\n\tb  c ") == "a b c"
    assert visible("שלום 日本語 🎨") == "שלום 日本語 🎨"


@pytest.mark.parametrize(
    ("media_type", "end"),
    [
        ("image/png", "png"),
        ("IMAGE/JPEG; q=1", "jpg"),
        ("text/html", "txt"),
        ("image/svg+xml", "txt"),
        ("application/xhtml+xml", "txt"),
        ("application/x-msdownload", "bin"),
        ("../../x", "bin"),
        ("", "bin"),
    ],
)
def test_the_end_of_a_files_name_comes_from_our_table(media_type: str, end: str) -> None:
    """Nothing that runs when opened, and nothing a person chose, ends a name in the ZIP."""
    assert extension(media_type) == end


def test_pictures_films_and_archives_are_not_packed_again() -> None:
    """Packing what is packed costs much and gains nothing."""
    assert not any(shrinks(f"files/a/0001.{end}") for end in ("png", "jpg", "zip", "pdf", "mp4", "gz", "bin"))
    assert all(shrinks(name) for name in ("data.json", "data/a.jsonl", "data/a.csv", "files/a/0001.txt"))


def test_the_newest_records_are_found_wherever_they_are(tmp_path: Path) -> None:
    """Order in the file does not matter; records without a date come last; equals keep the file's order."""
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"at":"2026-01-01"}\n{"n":1}\n{"at":"2026-03-01","n":"é\\u2028"}\n{"at":"2026-03-01"}\n')
    content = lines.read_bytes()
    found = [content[offset : offset + length] for offset, length in newest(lines, "at", 4)]
    assert found == [content.split(b"\n")[n] for n in (2, 3, 0, 1)]
    assert newest(lines, "", 1) == [(0, 19)]


def test_lines_longer_than_a_piece_stay_whole(tmp_path: Path) -> None:
    """A record of three megabytes comes in one piece."""
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"a":"' + "x" * 3_000_000 + '"}\n{"a":"y"}\n')
    assert [len(str(record["a"])) for piece in pieces(lines) for record in records(piece)] == [3_000_000, 1]


@pytest.mark.parametrize(
    ("kind", "value", "english", "french"),
    [
        ("moment", "2026-10-14T07:12:00Z", "14 Oct 2026, 09:12", "14 oct. 2026, 9 h 12"),
        ("moment", "2026-10-14T07:12:00", "2026-10-14T07:12:00", "2026-10-14T07:12:00"),
        ("day", "2026-10-14", "14 Oct 2026", "14 oct. 2026"),
        ("money", "20.00", "€20.00", "20,00 €"),
        ("money", {"amount": "-1234.5", "currency": "usd"}, "-US$1,234.50", "-1 234,50 $US"),
        ("number", 1310, "1,310", "1 310"),
        ("number", "0.000012345678901", "0.000012345678901", "0,000012345678901"),
        ("size", 18_400_000, "18.4 MB", "18,4 Mo"),
        ("flag", True, "yes", "oui"),
        ("text", None, "–", "–"),
    ],
)
def test_values_are_shown_in_the_persons_language(kind: str, value: object, english: str, french: str) -> None:
    """Dates in their zone, money with its currency's decimals, every digit of a number."""
    column, record = Column(id="x", title="X", kind=kind), {"x": value, "currency": "EUR"}
    plain = str.maketrans({"\u00a0": " ", "\u202f": " "})
    assert Show("en", "Europe/Paris").value(column, record).translate(plain).replace("US$", "$") == english.replace(
        "US$", "$"
    )
    assert Show("fr", "Europe/Paris").value(column, record).translate(plain) == french


def test_french_has_its_own_words_and_spaces() -> None:
    """No phrase was forgotten in English, and a no-break space stands before high punctuation."""
    for field in ENGLISH.__struct_fields__:
        english, french = getattr(ENGLISH, field), getattr(FRENCH, field)
        if isinstance(french, str):
            assert not any(f" {mark}" in french for mark in ":;!?"), field
            if len(english.split()) > 2:
                assert english != french, field
