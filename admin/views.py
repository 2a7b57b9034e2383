"""What staff may browse in Piccolo Admin: SQL views, because its `visible_columns` hides columns but serves them.

Always true here: no view holds a subject, a whole address, the words of a mail, a token or the place of a parcel.
"""

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Column, Date, Integer, Text, Timestamptz
from piccolo.table import Table
from piccolo_admin.endpoints import TableConfig
from piccolo_api.crud.endpoints import OrderBy


class Request(Table, tablename="request", schema="staff"):
    """`subject_request` without the person."""

    reference = Text(primary_key=True)
    right = Text()
    state = Text()
    outcome = Text()
    format = Text()
    language = Text()
    received_at = Timestamptz()
    due_day = Date()
    law_day = Date()
    closed_at = Timestamptz(null=True)


class ExportPart(Table, tablename="export_part", schema="staff"):
    """`export_part` with the request's reference."""

    id = UUID(primary_key=True)
    reference = Text()
    position = Integer()
    source = Text()
    category = Text()
    state = Text()
    expected = BigInt(null=True)
    done = BigInt()
    error = Text()
    failed_at = Timestamptz(null=True)


class Parcel(Table, tablename="parcel", schema="staff"):
    """`parcel` without its place and its fingerprint."""

    id = UUID(primary_key=True)
    reference = Text()
    size_bytes = BigInt()
    records = BigInt()
    files = Integer()
    complete = Boolean()
    snapshot_at = Timestamptz()
    ready_at = Timestamptz()
    expires_at = Timestamptz()
    downloads_left = Integer()
    deleted_at = Timestamptz(null=True)


class Mail(Table, tablename="mail", schema="staff"):
    """`mail` with a masked address: enough to recognise one that a person reads out, too little to collect."""

    id = UUID(primary_key=True)
    kind = Text()
    to_address = Text()
    language = Text()
    reference = Text()
    state = Text()
    tries = Integer()
    created_at = Timestamptz()
    accepted_at = Timestamptz(null=True)


class MailEvent(Table, tablename="mail_event", schema="staff"):
    """What the mail provider told us."""

    svix_id = Text(primary_key=True)
    provider_id = Text()
    kind = Text()
    occurred_at = Timestamptz()
    received_at = Timestamptz()


class Evidence(Table, tablename="evidence", schema="staff"):
    """The log, which holds references and digests only."""

    seq = BigInt(primary_key=True)
    at = Timestamptz()
    event = Text()
    actor = Text()
    reference = Text()
    details = JSONB()
    previous = Text()
    digest = Text()


def _newest_first(table: type[Table], column: Column, group: str) -> TableConfig:
    return TableConfig(table, order_by=[OrderBy(column, ascending=False)], menu_group=group)


VIEWS = [
    _newest_first(Request, Request.received_at, "Requests"),
    _newest_first(ExportPart, ExportPart.reference, "Requests"),
    _newest_first(Parcel, Parcel.ready_at, "Requests"),
    _newest_first(Mail, Mail.created_at, "Mail"),
    _newest_first(MailEvent, MailEvent.received_at, "Mail"),
    _newest_first(Evidence, Evidence.seq, "Evidence"),
]
