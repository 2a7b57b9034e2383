"""One CSV per category, for spreadsheets: RFC 4180 with a byte order mark, safe from formulas.

Always true here: a cell can never be run. Where that changes a value (`'=1+1`), the JSON has the exact one.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from types import NoneType

import msgspec

from exports.lines import Record, pieces, records
from exports.order import Column
from exports.spool import HeldFile
from exports.text import FORMULA_STARTS, cell

type Write = Callable[[bytes], object]

_encoder = msgspec.json.Encoder(decimal_format="number")

FILE_HEADINGS = ("path", "category", "source", "name", "media_type", "size_bytes", "sha256")


def write_csv(columns: Sequence[Column], lines: Path, write: Write) -> None:
    """Write `kind` and the columns of all records, in constant memory."""
    ids = ("kind", *(column.id for column in columns))
    write("\ufeff".encode() + _rows([ids]))
    for piece in pieces(lines):
        write(_rows(_lay_out(records(piece), ids)))


def write_file_list(files: Sequence[tuple[str, HeldFile]], write: Write) -> None:
    """Write which file of the person's is where in the ZIP. `files` are (category, file)."""
    write("\ufeff".encode() + _rows([FILE_HEADINGS]))
    for category, file in files:
        row = (file.path, category, file.source, file.name, file.media_type, str(file.size_bytes), file.sha256)
        write(_rows([[cell(value) for value in row]]))


def _lay_out(found: Sequence[Record], ids: Sequence[str]) -> Iterable[Sequence[object]]:
    """Turn records into rows by way of columns: most columns need no look at each value, which halves the time."""
    return zip(*(_column([record.get(id) for record in found]) for id in ids), strict=True)


def _column(values: Sequence[object]) -> Sequence[object]:
    kinds = set(map(type, values)) - {NoneType}
    if kinds <= {int, Decimal} or (kinds == {str} and _harmless(_texts(values))):
        return values
    return [_cell(value) for value in values]


def _texts(values: Sequence[object]) -> list[str]:
    return [value for value in values if value and isinstance(value, str)]


def _harmless(texts: Sequence[str]) -> bool:
    """True when no text needs a change: none begins like a formula, none holds a control or a semicolon."""
    joined = "".join(texts)
    return joined.isprintable() and ";" not in joined and FORMULA_STARTS.isdisjoint(text[0] for text in texts)


def _cell(value: object) -> str:
    match value:
        case str():
            return cell(value)
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case _:
            return cell(_encoder.encode(value).decode())


def _rows(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
