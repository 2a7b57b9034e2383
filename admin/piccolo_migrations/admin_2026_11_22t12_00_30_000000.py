"""The views that Piccolo Admin shows: what is not in them cannot leave through its API."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T12:00:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "Views for staff, without subjects, places of parcels, bodies of mails or whole addresses."

FORWARDS = """
CREATE SCHEMA staff;
CREATE VIEW staff.request AS
    SELECT reference, "right", state, outcome, format, language, received_at, due_day, law_day, closed_at
    FROM subject_request;
CREATE VIEW staff.export_part AS
    SELECT part.id, request.reference, part.position, part.source, part.category, part.state,
           part.expected, part.done, part.error, part.failed_at
    FROM export_part AS part JOIN subject_request AS request ON request.id = part.request;
CREATE VIEW staff.parcel AS
    SELECT parcel.id, request.reference, parcel.size_bytes, parcel.records, parcel.files, parcel.complete,
           parcel.snapshot_at, parcel.ready_at, parcel.expires_at, parcel.downloads_left, parcel.deleted_at
    FROM parcel JOIN subject_request AS request ON request.id = parcel.request;
CREATE VIEW staff.mail AS
    SELECT id, kind, left(to_address, 1) || '…@' || split_part(to_address, '@', 2) AS to_address,
           language, reference, state, tries, created_at, accepted_at
    FROM mail;
CREATE VIEW staff.mail_event AS
    SELECT svix_id, provider_id, kind, occurred_at, received_at FROM mail_event;
CREATE VIEW staff.evidence AS
    SELECT seq, at, event, actor, reference, details, previous, digest FROM evidence;
"""

BACKWARDS = "DROP SCHEMA staff CASCADE"


async def forwards() -> MigrationManager:
    """Return the migration."""
    manager = MigrationManager(migration_id=ID, app_name="admin", description=DESCRIPTION)

    async def run() -> None:
        await engine().connection.execute(FORWARDS)

    async def run_back() -> None:
        await engine().connection.execute(BACKWARDS)

    manager.add_raw(run)
    manager.add_raw_backwards(run_back)
    return manager
