"""Receipts as they were signed, and the public keys that check them.

Always true here: a receipt is never changed (a trigger refuses UPDATE), and nothing in it is personal.
"""

from piccolo.columns import UUID, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class Receipt(Table, tablename="receipt"):
    """One signed receipt. A later change of the same request is a supplement with a number of its own."""

    id = UUID(primary_key=True)
    number = Text(unique=True)
    """Twenty digits without spaces: who has the number may ask what became of the request."""
    request = UUID(index=True)
    """No foreign key: a receipt may outlive the record of its request."""
    supplement = Integer(default=0)
    """0 is the receipt itself; 1, 2, … follow it."""
    issued_at = Timestamptz()
    key = Text()
    """Which key signed it: `ReceiptKey.id`."""
    content = Text()
    """SHA-256 (hex) of what it says without number and date, to tell a repetition from a change."""
    body = Bytea()
    """The exact bytes that are signed."""
    signature = Bytea()


class ReceiptKey(Table, tablename="receipt_key"):
    """A public key that signs or once signed receipts; it stays published for ever."""

    id = Text(primary_key=True)
    """The first 16 hexadecimal digits of the SHA-256 of its DER form."""
    public_key = Text()
    """PEM"""
    since = Timestamptz()
