"""`data.json`: the whole copy as one document for machines, as `schema/habeas-export-1.schema.json` describes it.

Always true here: records go in byte for byte as the source gave them, so every value is exact. It is the Art. 20 file.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from exports.lines import PIECE
from exports.spool import Haul, Held, HeldPart

FORMAT, VERSION = "habeas-export", 1
SCHEMA = Path(__file__).parent / "schema" / f"habeas-export-{VERSION}.schema.json"

type Write = Callable[[bytes], object]


def write_data(haul: Haul, write: Write) -> None:
    """Write the document, in constant memory."""
    order = haul.order
    head: dict[str, object] = {
        "format": FORMAT,
        "version": VERSION,
        "schema": order.schema_url,
        "reference": order.reference,
        "organisation": order.organisation,
        "language": order.language,
        "snapshot_at": order.snapshot_at,
        "person": {"name": order.name, "email": order.email},
        "contact": order.contact,
        "records": haul.records,
        "complete": not haul.missing,
        "missing": haul.missing,
        "withheld": haul.withheld,
        "uses": order.uses,
        "notices": order.notices,
        "not_in_here": order.not_in_here,
    }
    write(_encode(head)[:-1] + b',"categories":[')
    for number, held in enumerate(haul.held):
        write(b"," if number else b"")
        _write_category(held, write)
    write(b"]}\n")


def _write_category(held: Held, write: Write) -> None:
    section = held.section
    head: dict[str, object] = {
        "id": section.id,
        "title": section.title,
        "explanation": section.explanation,
        "why": section.why,
        "until": section.until,
        "recipients": section.recipients,
        "origin": section.origin,
        "portable": section.portable,
        "columns": section.columns,
        "sources": [source_facts(part) for part in held.parts],
        "files": [msgspec.structs.asdict(file) for file in held.files],
        "count": held.count,
    }
    write(_encode(head)[:-1] + b',"records":[')
    _write_records(held.lines, write)
    write(b"]}")


def source_facts(part: HeldPart) -> dict[str, object]:
    """Say what a source was asked for and gave; records follow each other in the order of the sources."""
    return {
        "id": part.source,
        "title": part.title,
        "expected": part.expected,
        "count": part.count,
        "complete": part.complete,
    }


def _write_records(lines: Path, write: Write) -> None:
    """Copy the lines with commas between them. A line break never stands inside a JSON text."""
    left = lines.stat().st_size - 1
    with lines.open("rb") as sheet:
        while left > 0:
            piece = sheet.read(min(PIECE, left))
            write(piece.replace(b"\n", b",\n"))
            left -= len(piece)


def _encode(value: object) -> bytes:
    return msgspec.json.encode(value)
