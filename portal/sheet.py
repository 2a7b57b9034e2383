"""Rows for spreadsheets: RFC 4180, safe from formulas.

Always true here: no cell can be run by a spreadsheet. Source: law S-12; OWASP, CSV Injection.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

from exports.text import cell

MARK = "\ufeff".encode()
"""What lets a spreadsheet see that it is UTF-8; the first bytes of a file."""

type Value = str | int | float | date | None


def rows(values: Iterable[Sequence[Value]]) -> bytes:
    """Return rows as they stand in the file. None is empty, days are ISO 8601, yes and no are true and false."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([_cell(value) for value in row] for row in values)
    return text.getvalue().encode()


def _cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case date():
            return value.isoformat()
        case str():
            return cell(value)
        case int():
            return str(value)
    return f"{value:g}"
