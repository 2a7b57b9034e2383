"""Looks a haul through before anything is laid out, and cuts out what is to be withheld.

Always true here: nothing is cut while anything is undecided; what is cut is gone from the only file that JSON, CSV and
PDF are made from; everything beside it stays byte for byte as it was.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from exports.archive import sha256_of
from exports.lines import pieces
from exports.order import Withheld
from exports.review import (
    Decision,
    Found,
    Raw,
    Review,
    Revised,
    Text,
    bytes_of,
    fingerprint,
    found_at,
    place_of,
    read_file_text,
    values,
)
from exports.signs import signs
from exports.spool import Haul, Held, HeldFile, HeldPart, create
from exports.words import phrases

_decoder = msgspec.json.Decoder(Raw.__value__)


class Revise(msgspec.Struct, frozen=True, kw_only=True):
    """Look through what an order gave, and withhold what was decided. A task for the press."""

    haul: Haul
    review: Review

    def run(self) -> Revised:
        """Return the haul without what is withheld, or what has to be decided first."""
        look = _Look(self.haul, self.review)
        look.run()
        if look.found or look.lost():
            return Revised(haul=self.haul, found=tuple(look.found), lost=look.lost(), texts=look.texts)
        haul, left = _Cut(self.haul, self.review).run() if look.withheld else (self.haul, True)
        return Revised(haul=haul, texts=look.texts, empty=bool(haul.withheld) and not left)


class _Look:
    """Goes through every text once, and compares what it finds with what was decided."""

    def __init__(self, haul: Haul, review: Review) -> None:
        self.haul, self.review = haul, review
        self.known = frozenset(review.known)
        self.decided = _by_place(review.decisions)
        self.withheld = {one.place for one in review.decisions if one.answer != "keep"}
        self.seen: set[str] = set()
        self.found: list[Found] = []
        self.texts = 0

    def run(self) -> None:
        for held in self.haul.held:
            if held.section.id not in self.review.sections:
                self.texts += held.count + held.files_here
                continue
            for part, number, line in _lines(held):
                for text in values(line, held.section.columns):
                    self.look(held, part.source, number, text)
            for number, file in _numbered(held.files):
                for text in _texts_of(file, self.haul.folder):
                    self.look(held, file.source, number, text, file.sha256)

    def look(self, held: Held, source: str, number: int, text: Text, content_hash: str = "") -> None:
        """Look at one text. The very same text in the same field is decided once, however often it stands there."""
        section, key = held.section.id, self.review.key
        place = place_of(key, section, source, text, content_hash)
        if place in self.seen:
            return
        self.seen.add(place)
        self.texts += 1
        decisions = self.decided.get(place, ())
        if text.why_not:
            if not decisions:
                self.found.append(found_at(key, section, source, text, place, number, 0, 0, text.why_not))
            return
        for sign in signs(text.text, self.known):
            if not any(_covers(one, sign.start, sign.length) for one in decisions):
                self.found.append(
                    found_at(key, section, source, text, place, number, sign.start, sign.length, sign.kind)
                )

    def lost(self) -> tuple[Decision, ...]:
        """Return what was to be withheld and is not there any more as it was; a part that is absent leaks nothing."""
        absent = {(missing.section, missing.source) for missing in self.haul.missing}
        return tuple(
            one
            for one in self.review.decisions
            if one.answer != "keep" and one.place not in self.seen and (one.section, one.source) not in absent
        )


class _Cut:
    """Writes the records and files anew without what is withheld."""

    def __init__(self, haul: Haul, review: Review) -> None:
        self.haul, self.review = haul, review
        self.words = phrases(haul.order.language)
        self.decided = _by_place(one for one in review.decisions if one.answer != "keep")
        self.counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.left = False

    def run(self) -> tuple[Haul, bool]:
        """Return the haul that may leave, and whether anything is left in it."""
        held = []
        for one in self.haul.held:
            if one.section.id in self.review.sections:
                held.append(self.section(one))
            else:
                self.left = self.left or one.count + one.files_here > 0
                held.append(one)
        haul = msgspec.structs.replace(self.haul, held=tuple(held), withheld=self.told())
        return haul, self.left

    def told(self) -> tuple[Withheld, ...]:
        """Say what was withheld, by section and ground."""
        return tuple(
            Withheld(
                section=section, article=self.review.grounds[ground].article, ground=self.review.grounds[ground].text,
                passages=count["passages"], values=count["values"], files=count["files"],
            )
            for (section, ground), count in sorted(self.counts.items())
        )  # fmt: skip

    def section(self, held: Held) -> Held:
        new = held.lines.with_suffix(".withheld")
        with create(new) as sheet:
            for part, _, line in _lines(held):
                sheet.write(self.line(held, part, line) + b"\n")
        new.replace(held.lines)
        files = tuple(self.file(held, file) for file in held.files)
        return msgspec.structs.replace(held, files=files)

    def line(self, held: Held, part: HeldPart, line: bytes) -> bytes:
        """Return a record without what is withheld; the very same bytes when nothing is."""
        changed: dict[str, str] = {}
        for text in values(line, held.section.columns):
            after = self.without(held.section.id, part.source, text)
            if after != text.text:
                changed[text.field] = after
            self.left = self.left or after != self.words.withheld_mark
        if not changed:
            return line
        record: dict[str, object] = dict(_decoder.decode(line))
        return msgspec.json.encode(record | changed)

    def file(self, held: Held, file: HeldFile) -> HeldFile:
        texts = {text.part: text for text in _texts_of(file, self.haul.folder)}
        name = self.without(held.section.id, file.source, texts["name"])
        whole = self.whole_file(held, file, texts)
        if whole:
            self.counts[held.section.id, whole]["files"] += 1
            return self.note(file, whole)
        self.left = True
        file = msgspec.structs.replace(file, name=name)
        if "file" not in texts or texts["file"].why_not:
            return file
        after = self.without(held.section.id, file.source, texts["file"])
        if after == texts["file"].text:
            return file
        return self.rewritten(file, bytes_of(after))

    def whole_file(self, held: Held, file: HeldFile, texts: dict[str, Text]) -> str:
        """Return the ground on which all of a file is withheld; nothing when it is not."""
        for text in texts.values():
            place = place_of(self.review.key, held.section.id, file.source, text, file.sha256)
            for one in self.decided.get(place, ()):
                if one.answer == "whole" or not text.cuttable:
                    return one.ground
        return ""

    def note(self, file: HeldFile, ground: str) -> HeldFile:
        """Put a note in a file's place; its name goes with it."""
        said = self.words.withheld_file.format(
            article=self.review.grounds[ground].article, ground=self.review.grounds[ground].text
        )  # fmt: skip
        name = self.words.withheld_mark
        if not file.path:
            return msgspec.structs.replace(file, name=name, withheld=True)
        (self.haul.folder / file.path).unlink()
        path = f"{file.path.rpartition('.')[0]}.txt"
        file = msgspec.structs.replace(file, path=path, name=name, media_type="text/plain", withheld=True)
        return self.rewritten(file, said.encode() + b"\n")

    def rewritten(self, file: HeldFile, content: bytes) -> HeldFile:
        place = self.haul.folder / file.path
        new = place.with_suffix(".withheld")
        with create(new) as sheet:
            sheet.write(content)
        new.replace(place)
        return msgspec.structs.replace(file, size_bytes=len(content), sha256=sha256_of(place))

    def without(self, section: str, source: str, text: Text) -> str:
        """Return a text without its withheld passages, and count them."""
        decisions = self.decided.get(place_of(self.review.key, section, source, text), ())
        whole = next((one for one in decisions if one.answer == "whole" or not text.cuttable), None)
        if whole and text.part == "record":
            self.counts[section, whole.ground]["values"] += 1
            return self.words.withheld_mark
        after, end = [], 0
        for start, stop, ground in _spans(decisions, self.review.key, text.text):
            after += [text.text[end:start], self.words.withheld_mark]
            end = stop
            self.counts[section, ground]["passages"] += 1
        return "".join((*after, text.text[end:]))


def _by_place(decisions: Iterator[Decision] | Sequence[Decision]) -> dict[str, list[Decision]]:
    places: dict[str, list[Decision]] = defaultdict(list)
    for one in decisions:
        places[one.place].append(one)
    return dict(places)


def _covers(decision: Decision, start: int, length: int) -> bool:
    """Tell whether a passage is decided by it: it is the same one, or inside what is withheld."""
    if decision.answer == "whole" or (decision.start, decision.length) == (start, length):
        return True
    end = decision.start + decision.length
    return decision.answer == "passage" and decision.start <= start and start + length <= end


def _spans(decisions: Sequence[Decision], key: bytes, text: str) -> Iterator[tuple[int, int, str]]:
    """Yield what is to be cut out, from left to right; passages that touch are one.

    Raises:
        ValueError: a passage is not the one that was decided on, which the fingerprint of its text rules out.
    """
    cuts = sorted((one.start, one.start + one.length, one.ground, one.digest) for one in decisions
                  if one.answer == "passage")  # fmt: skip
    merged: list[tuple[int, int, str]] = []
    for start, stop, ground, digest in cuts:
        if fingerprint(key, "passage", text[start:stop]) != digest:
            raise ValueError("a passage is not what was decided on")
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]), merged[-1][2])
        else:
            merged.append((start, stop, ground))
    yield from merged


def _lines(held: Held) -> Iterator[tuple[HeldPart, int, bytes]]:
    """Yield each record with the part it comes from and its number there, from 1."""
    lines = (line for piece in pieces(held.lines) for line in piece.split(b"\n")[:-1])
    for part in held.parts:
        for number in range(1, part.count + 1):
            yield part, number, next(lines)


def _numbered(files: Sequence[HeldFile]) -> Iterator[tuple[int, HeldFile]]:
    """Yield each file with its number among those of its source, from 1."""
    count: Counter[str] = Counter()
    for file in files:
        count[file.source] += 1
        yield count[file.source], file


def _texts_of(file: HeldFile, folder: Path) -> Iterator[Text]:
    yield Text("name", "", file.name)
    inside = read_file_text(folder / file.path, file.media_type) if file.path else None
    if inside and (inside.text or inside.why_not):
        yield inside
