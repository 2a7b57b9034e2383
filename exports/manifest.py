"""`manifest.json`: what is in the ZIP, where it came from, what is missing, and a fingerprint of every file.

Always true here: every member but the manifest itself is listed, and every source that was searched is named.
"""

from collections.abc import Sequence

import msgspec

from exports.archive import Member
from exports.json import FORMAT, VERSION, source_facts
from exports.spool import Haul


def manifest(haul: Haul, members: Sequence[Member], *, report: str) -> bytes:
    """Build the manifest. `report` is full, short or failed: how the PDF came out."""
    order = haul.order
    sources = {part.source: part.title for held in haul.held for part in held.parts}
    facts = {
        "format": f"{FORMAT}-manifest",
        "version": VERSION,
        "schema": order.schema_url,
        "reference": order.reference,
        "answers": f"GDPR {order.article}",
        "organisation": order.organisation,
        "snapshot_at": order.snapshot_at,
        "complete": not haul.missing,
        "records": haul.records,
        "files": haul.files,
        "report": report,
        "sources_searched": [{"id": id, "title": title} for id, title in sources.items()],
        "missing": haul.missing,
        "withheld": haul.withheld,
        "categories": [
            {
                "id": held.section.id,
                "title": held.section.title,
                "records": held.count,
                "files": held.files_here,
                "sources": [source_facts(part) for part in held.parts],
            }
            for held in haul.held
        ],
        "files_index": "files/index.csv" if any(held.files for held in haul.held) else None,
        "members": members,
    }
    return msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n"
