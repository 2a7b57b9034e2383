"""What was looked for after an erasure, store by store and round by round.

Always true here: names of places, ids of needles and numbers; never a value, and never the key of anybody's row.
"""

from piccolo.columns import JSONB, UUID, ForeignKey, Integer, OnDelete, Text, Timestamptz, Varchar
from piccolo.table import Table

from portal.rights.tables import Plan


class ScanReport(Table, tablename="scan_report"):
    """What one store was found to hold in one round. One row for each plan, round and store (unique index)."""

    id = UUID(primary_key=True)
    plan = ForeignKey(Plan, on_delete=OnDelete.cascade, null=False, index=True)
    round = Integer(default=0)
    """How often the plan had been opened again before."""
    store = Text()
    """A source's id, or `habeas:` and one of our own stores."""
    verdict = Varchar(length=20)
    """One of `scan_report.VERDICTS`."""
    ground = Text(default="")
    """The article by which something is kept, from the policy file."""
    places = Integer(default=0)
    findings = Integer(default=0)
    """How many rows, objects or lines hold something, what is kept among them."""
    details = JSONB(default="{}")
    """places, found (place, needle, number, kept) and blind, as JSON."""
    tries = Integer(default=0)
    """How often in a row the store did not answer."""
    since = Timestamptz()
    """When the store first got this verdict in this round."""
    at = Timestamptz()
