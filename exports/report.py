"""What the report says and shows: the order's words and a readable choice of the records, as text for the templates.

Always true here: totals are true, every record left out is counted and its place named; work is bounded at any size.
"""

from collections.abc import Iterable, Sequence
from itertools import batched

import msgspec

from exports.lines import Place, Record, at, newest
from exports.order import Column, Missing, Withheld
from exports.show import EMPTY, Show
from exports.spool import Haul, Held, HeldFile
from exports.text import one_line


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is laid out on paper. Beyond it the data files have everything."""

    rows: int = 100
    """Records of a category in the report; a longer one shows its newest."""
    all_rows: int = 600
    """Records in the whole report: keeps its maker under 150 MiB."""
    articles: int = 40
    """Records with long text of a category in the report."""
    volume: int = 500
    """Records in one volume."""
    volumes: int = 40
    """Volumes in one export."""
    cell: int = 240
    """Characters in a table's cell."""
    text: int = 1500
    """Characters of a long text."""
    files: int = 100
    """Files listed for a category."""


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a long category as a document of its own."""

    held: Held
    number: int
    count: int
    first: int
    """The number of its first record, from 1."""
    places: tuple[Place, ...]
    """Where its records are in the section's lines."""

    @property
    def name(self) -> str:
        """Its name in the ZIP."""
        return f"report-{self.held.section.id}-{self.number:02d}.pdf"


class Article(msgspec.Struct, frozen=True):
    """A record with long text: when, what else matters, and the texts."""

    when: str
    about: str
    texts: tuple[tuple[str, bool], ...]
    """Each text, and whether it is code."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """The records of a section as they are laid out: exactly one of the three is filled."""

    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    """A row of one cell spans the table: a record that has none of the columns."""
    articles: tuple[Article, ...] = ()
    pairs: tuple[tuple[tuple[str, str], ...], ...] = ()


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """A section, ready to print."""

    id: str
    title: str
    count: str
    explanation: str
    faults: tuple[str, ...]
    withheld: tuple[str, ...]
    body: Body
    files: tuple[tuple[str, str, str, str], ...]
    """Name, kind, size, place in the ZIP."""
    facts: tuple[tuple[str, str], ...]
    """Why, until, who, where from."""
    notes: tuple[str, ...]


class Writer:
    """Writes chapters for one haul."""

    def __init__(self, haul: Haul, limits: Limits) -> None:
        self.haul, self.limits = haul, limits
        self.show = Show(haul.order.language, haul.order.zone)
        self.words = self.show.words
        self._fair = max(5, limits.all_rows // max(1, len(haul.held)))

    def chapter(self, held: Held, volumes: Sequence[str]) -> Chapter:
        """Write a section; `volumes` are the names of its volumes that were made."""
        section = held.section
        shown = self.shown(held)
        return Chapter(
            id=section.id,
            title=one_line(section.title),
            count=self.show.number(held.count),
            explanation=one_line(section.explanation),
            faults=tuple(self.fault(missing) for missing in self.haul.missing if missing.section == section.id),
            withheld=tuple(self.withheld(one) for one in self.haul.withheld if one.section == section.id),
            body=self.body(held, at(held.lines, newest(held.lines, moment_field(held), shown))),
            files=tuple(self._file(file) for file in held.files[: self.limits.files]),
            facts=self._facts(held),
            notes=tuple(self._notes(held, shown, volumes)),
        )

    def body(self, held: Held, records: Iterable[Record]) -> Body:
        """Lay records out as pairs, as articles or as a table: whichever reads best."""
        columns = held.section.columns
        if held.count <= 2 and not _texts(columns):
            return Body(pairs=tuple(self._pairs(held, record) for record in records))
        if _texts(columns):
            return Body(articles=tuple(self._article(held, record) for record in records))
        chosen = _main(columns)[:4]
        return Body(columns=chosen, rows=tuple(self._row(held, chosen, record) for record in records))

    def fault(self, missing: Missing) -> str:
        """Say what is missing from a section."""
        return self.words.section_missing.format(**self._missing(missing))

    def not_in_here(self) -> list[str]:
        """Say what is not in the copy, and why."""
        said = [one_line(sentence) for sentence in self.haul.order.not_in_here]
        said += [self.withheld(one) for one in self.haul.withheld]
        said += [self.words.withheld_complain] if self.haul.withheld else []
        return said + [self.missing(missing) for missing in self.haul.missing]

    def withheld(self, one: Withheld) -> str:
        """Say how much was withheld from a section, and on what ground."""
        words = self.words
        kinds = (
            (words.withheld_passages, one.passages),
            (words.withheld_values, one.values),
            (words.withheld_files, one.files),
        )
        counts = [forms[count > 1].format(count=self.show.number(count)) for forms, count in kinds if count]
        title = next(held.section.title for held in self.haul.held if held.section.id == one.section)
        return words.withheld.format(
            section=one_line(title), counts=", ".join(counts), article=one.article, ground=one_line(one.ground)
        )

    def missing(self, missing: Missing) -> str:
        """Say what is missing from the copy, by section and source."""
        sentence = self.words.missing_files if missing.what == "files" else self.words.missing
        return sentence.format(**self._missing(missing))

    def reason(self, missing: Missing) -> str:
        """Say why a system gave nothing."""
        return self.words.reasons.get(missing.reason, self.words.reasons["unavailable"])

    def _missing(self, missing: Missing) -> dict[str, str]:
        held = next(held for held in self.haul.held if held.section.id == missing.section)
        source = next(part.title for part in held.parts if part.source == missing.source)
        return {
            "section": one_line(held.section.title),
            "source": one_line(source),
            "reason": self.reason(missing),
            "moment": self.show.short_moment(missing.at),
        }

    def shown(self, held: Held) -> int:
        """Return how many of a section's records the report shows."""
        most = self.limits.articles if _texts(held.section.columns) else self.limits.rows
        return min(held.count, most, self._fair)

    def _facts(self, held: Held) -> tuple[tuple[str, str], ...]:
        words, section = self.words, held.section
        facts = (
            (words.why, section.why),
            (words.until, section.until),
            (words.recipients, section.recipients),
            (words.origin, section.origin),
        )
        return tuple((label, one_line(text)) for label, text in facts if text)

    def _notes(self, held: Held, shown: int, volumes: Sequence[str]) -> list[str]:
        words, data = self.words, f"data/{held.section.id}.csv"
        notes = []
        if shown < held.count:
            counted = words.newest if moment_field(held) else words.some
            notes.append(counted.format(shown=self.show.number(shown), total=self.show.number(held.count)))
            if len(volumes) > 1:
                notes.append(words.rest_in_volumes.format(first=volumes[0], last=volumes[-1]))
            else:
                notes.append(words.rest_in_data.format(path=volumes[0] if volumes else data))
        elif held.count > 3 and len(held.section.columns) > len(_main(held.section.columns)):
            notes.append(words.all_fields.format(path=data))
        if len(held.files) > self.limits.files:
            notes.append(words.more_files.format(count=self.show.number(len(held.files) - self.limits.files)))
        return notes

    def _row(self, held: Held, columns: Sequence[Column], record: Record) -> tuple[str, ...]:
        cells = tuple(self._cell(held, column, record) for column in columns)
        if any(cell != EMPTY for cell in cells):
            return cells
        return (" · ".join(f"{title}: {value}" for title, value in self._pairs(held, record)) or EMPTY,)

    def _pairs(self, held: Held, record: Record) -> tuple[tuple[str, str], ...]:
        pairs = ((one_line(column.title), self._cell(held, column, record)) for column in held.section.columns)
        return tuple((title, value) for title, value in pairs if value != EMPTY)

    def _article(self, held: Held, record: Record) -> Article:
        columns = held.section.columns
        texts = _texts(columns)
        when = next((column for column in columns if column.id == moment_field(held)), None)
        others = [column for column in _main(columns) if column not in texts and column != when]
        about = (self._cell(held, column, record) for column in others)
        return Article(
            self.show.value(when, record) if when else "",
            " · ".join(text for text in about if text != EMPTY),
            tuple(
                (self._trim(held, self.show.value(column, record), self.limits.text), column.kind == "code")
                for column in texts
                if record.get(column.id)
            ),
        )

    def _cell(self, held: Held, column: Column, record: Record) -> str:
        return self._trim(held, one_line(self.show.value(column, record)[: self.limits.cell * 50]), self.limits.cell)

    def _trim(self, held: Held, text: str, most: int) -> str:
        if len(text) <= most:
            return text
        rest = self.words.trimmed.format(count=self.show.number(len(text) - most), path=f"data/{held.section.id}.jsonl")
        return f"{text[:most]}… {rest}"

    def _file(self, file: HeldFile) -> tuple[str, str, str, str]:
        name, kind = one_line(file.name)[: self.limits.cell], one_line(file.media_type)[:80]
        return name, kind, self.show.size(file.size_bytes), file.path or self.words.file_lost


def draw_volumes(haul: Haul, limits: Limits) -> list[Volume]:
    """Divide every section that is longer than the report shows, newest first, up to the limits."""
    drawn: list[Volume] = []
    writer = Writer(haul, limits)
    for held in haul.held:
        needed = -(-held.count // limits.volume)
        if writer.shown(held) == held.count or len(drawn) + needed > limits.volumes:
            continue
        places = newest(held.lines, moment_field(held), held.count)
        bare = msgspec.structs.replace(held, files=())
        for number, some in enumerate(batched(places, limits.volume)):
            drawn.append(
                Volume(held=bare, number=number + 1, count=needed, first=number * limits.volume + 1, places=some)
            )
    return drawn


def moment_field(held: Held) -> str:
    """Return the field that says when a record came to be; empty when there is none."""
    moments = [column for column in held.section.columns if column.kind in {"moment", "day"}]
    return next((column.id for column in moments if column.main), moments[0].id if moments else "")


def _main(columns: Sequence[Column]) -> tuple[Column, ...]:
    return tuple(column for column in columns if column.main) or tuple(columns[:4])


def _texts(columns: Sequence[Column]) -> tuple[Column, ...]:
    return tuple(column for column in _main(columns) if column.kind in {"long-text", "code"})
