"""The append-only log, sealed content and its keys, and which tombstones this database knows.

Always true here: triggers (made in the migrations) refuse UPDATE, DELETE and TRUNCATE of the log, and UPDATE of what
is sealed.
"""

from piccolo.columns import JSONB, UUID, BigInt, Bytea, Text, Timestamptz, Varchar
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


class SealKey(Table, tablename="seal_key"):
    """The key under which one person's content is sealed, itself sealed with a key that is not in the database."""

    subject = UUID(primary_key=True)
    """No foreign key: destroying the key must not depend on the order in which a person's rows go."""
    wrapped = Bytea()
    created_at = Timestamptz()


class Sealed(Table, tablename="sealed"):
    """Content that must be provable and may be forgotten. A trigger refuses UPDATE; the evidence holds the digest."""

    digest = Text(primary_key=True)
    """SHA-256 (hex) of `body`, so it says nothing about what is inside."""
    reference = Text(index=True)
    body = Bytea()
    at = Timestamptz()


class KnownTombstone(Table, tablename="known_tombstone"):
    """A tombstone that this database has heard of. What the ledger has and this has not, a restore took away."""

    id = UUID(primary_key=True)
    at = Timestamptz()
