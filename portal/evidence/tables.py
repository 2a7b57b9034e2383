"""The append-only log. A trigger refuses UPDATE, DELETE and TRUNCATE (made in the migration)."""

from piccolo.columns import JSONB, BigInt, Text, Timestamptz, Varchar
from piccolo.table import Table


class Evidence(Table, tablename="evidence"):
    """One thing that happened: references and digests only, never names or values."""

    seq = BigInt(primary_key=True)
    at = Timestamptz()
    event = Varchar(length=80, index=True)
    """Past tense, `domain:subject:action`, e.g. `rights:request:received`."""
    actor = Varchar(length=80)
    """`person`, `worker`, or `staff:<id>`."""
    reference = Text(default="", index=True)
    """What it is about: a request's reference, a mail's id."""
    details = JSONB(default="{}")
    previous = Text()
    digest = Text()
    """SHA-256 over the previous digest and this entry's canonical JSON."""
