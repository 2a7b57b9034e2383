"""What a person of the organisation is shown before a copy leaves, and what they decided about it.

Always true here: a decision names a text by a keyed fingerprint, so it fits the very same text or none; one that fits
none any more stops the copy, and so does a sign that nobody has decided on.
"""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from exports.lines import whole_surrogates
from exports.order import Column
from exports.spool import Haul

SILENT_KINDS = frozenset({"moment", "day", "money", "number", "flag", "size"})
"""Kinds of fields that hold no words."""
LONGEST_TEXT = 16 * 1024 * 1024
"""Bytes of a text file that is searched; a larger one is shown as a whole."""
_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/x-ndjson", "application/yaml"})

type Raw = dict[str, msgspec.Raw]
_decoder = msgspec.json.Decoder(Raw.__value__)


class Ground(msgspec.Struct, frozen=True):
    """Why something is withheld, ready to print: the article as it is cited, and what it says."""

    article: str
    text: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about one passage of one text, or about all of it."""

    section: str
    source: str
    part: str
    """record: a value of a record; file: what is in a file; name: a file's name"""
    field: str
    """The value's field; empty for a file."""
    place: str
    """The fingerprint of the whole text."""
    start: int
    length: int
    answer: str
    """keep, passage or whole"""
    ground: str
    """A key of `Review.grounds`; empty when it is kept."""
    digest: str
    """The fingerprint of the passage."""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be looked through before anything is laid out."""

    sections: tuple[str, ...]
    """The ids of those that may name other people."""
    known: tuple[str, ...]
    """The person's own addresses in small letters, and numbers as digits alone."""
    key: bytes
    """For fingerprints; of this one request."""
    grounds: Mapping[str, Ground]
    decisions: tuple[Decision, ...] = ()


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A passage that somebody has to decide on. It holds no word of the text."""

    section: str
    source: str
    part: str
    field: str
    place: str
    number: int
    """Of the record, or the file, among those of its section and source, from 1."""
    start: int
    length: int
    size: int
    """Characters of the whole text."""
    sign: str
    """email, phone, words (typed by a person), large or unreadable (a text file that cannot be searched)"""
    cuttable: bool
    """False when only all of it can be withheld."""
    digest: str


class Revised(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: the haul without what is withheld; or, when there is something to decide, what."""

    haul: Haul
    found: tuple[Found, ...] = ()
    lost: tuple[Decision, ...] = ()
    """Decisions to withhold whose text is not there any more as it was."""
    texts: int = 0
    """How many texts and records of the copy could be left: to tell whether something is."""
    empty: bool = False
    """True when nothing would be left."""


class NeedsLook(Exception):
    """Somebody has to look at the copy before it is made."""

    def __init__(self, revised: Revised) -> None:
        super().__init__("somebody has to look")
        self.found, self.lost, self.texts, self.empty = revised.found, revised.lost, revised.texts, revised.empty


class Text(msgspec.Struct, frozen=True):
    """One text that may name somebody, before it is looked at. `why_not` says why it cannot be searched."""

    part: str
    field: str
    text: str
    cuttable: bool = True
    why_not: str = ""


def values(line: bytes, columns: Sequence[Column]) -> Iterator[Text]:
    """Yield the words of a record, field by field. What is nested is one text: its JSON, without spaces."""
    silent = {column.id for column in columns if column.kind in SILENT_KINDS}
    for field, raw in _decoder.decode(line).items():
        text, cuttable = text_of(bytes(raw))
        if text and field != "kind" and field not in silent:
            yield Text("record", field, text, cuttable)


def text_of(raw: bytes) -> tuple[str, bool]:
    """Return a JSON value as text, and whether a passage can be cut out of it; an empty text where it has no words."""
    match raw[:1]:
        case b'"':
            return str(_decoded(raw)), True
        case b"{" | b"[":
            return msgspec.json.encode(_decoded(raw)).decode(), False
        case _:
            return "", False


def words_of(content: bytes) -> str:
    """Return a file's text so that `bytes_of` gives the very same bytes back."""
    return content.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """Return the bytes of a text that `words_of` made."""
    return text.encode("utf-8", "surrogateescape")


def is_text(media_type: str) -> bool:
    """Tell whether a file of this kind is searched; of others only the name is."""
    kind = media_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind.endswith(("+xml", "+json")) or kind in _TEXT_TYPES


def file_text(content: bytes) -> Text:
    """Return what is in a text file. One that is too large or no text after all is to be looked at as a whole."""
    if len(content) > LONGEST_TEXT:
        return Text("file", "", "", cuttable=False, why_not="large")
    if b"\0" in content:
        return Text("file", "", "", cuttable=False, why_not="unreadable")
    return Text("file", "", words_of(content))


def read_file_text(path: Path, media_type: str) -> Text | None:
    """Return what is in a file on disk; None when files of its kind are not searched."""
    if not is_text(media_type):
        return None
    with path.open("rb") as sheet:
        return file_text(sheet.read(LONGEST_TEXT + 1))


def fingerprint(key: bytes, *parts: str) -> str:
    """Return a keyed hash of some texts, told apart from each other by their lengths."""
    message = b"".join(len(part.encode("utf-8", "surrogatepass")).to_bytes(8) for part in parts)
    message += "".join(parts).encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, "sha256").hex()


def place_of(key: bytes, section: str, source: str, text: Text, content_hash: str = "") -> str:
    """Return the fingerprint of one text where it stands. A file that cannot be read as text goes by its hash."""
    return fingerprint(key, section, source, text.part, text.field, text.text or content_hash)


def found_at(
    key: bytes, section: str, source: str, text: Text, place: str, number: int, start: int, length: int, sign: str
) -> Found:  # fmt: skip
    """Describe one passage of a text."""
    return Found(
        section=section, source=source, part=text.part, field=text.field, place=place, number=number, start=start,
        length=length, size=len(text.text), sign=sign, cuttable=text.cuttable and sign not in {"large", "unreadable"},
        digest=fingerprint(key, "passage", text.text[start : start + length]),
    )  # fmt: skip


def _decoded(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return msgspec.json.decode(whole_surrogates(raw))
