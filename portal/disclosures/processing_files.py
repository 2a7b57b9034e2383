"""The record of processing as a file: JSON for programs, CSV for spreadsheets.

Always true here: gaps are in it as gaps, under the same names as everything else.
"""

import hashlib

import msgspec

from portal import sheet
from portal.disclosures.processing import Processing, facts_of

FORMAT = "habeas-processing-1"
COLUMNS = ("section", "article", "item", "item_title", "fact", "fact_title", "value", "standing")


def as_json(found: Processing) -> bytes:
    """Return the record as one JSON object."""
    body = {"format": FORMAT, **msgspec.to_builtins(found), "gaps": [list(gap) for gap in found.gaps]}
    return msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"


def as_csv(found: Processing) -> bytes:
    """Return one row for each value; a gap is one row without a value. The first rows say which policy it is of."""
    heading = [
        ("format", FORMAT), ("organisation", found.organisation), ("made_at", found.made_at.isoformat()),
        ("policy_version", found.policy_version), ("policy_sha256", found.policy_sha256), (),
    ]  # fmt: skip
    rows = [
        (section.id, section.article, item.id, item.title, fact.id, fact.title, value, fact.standing)
        for section, item, fact in facts_of(found) for value in fact.values or ("",)
    ]  # fmt: skip
    return sheet.MARK + sheet.rows([*heading, COLUMNS, *rows])


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
