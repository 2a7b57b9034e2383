"""What Piccolo's tables cannot say: the evidence trigger, partial and composite indexes, the reference sequence."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T12:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Append-only evidence; one open request per person and right; outside identities are unique."

FORWARDS = """
CREATE FUNCTION evidence_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'evidence is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER evidence_append_only BEFORE UPDATE OR DELETE ON evidence
    FOR EACH ROW EXECUTE FUNCTION evidence_is_append_only();
CREATE TRIGGER evidence_no_truncate BEFORE TRUNCATE ON evidence
    FOR EACH STATEMENT EXECUTE FUNCTION evidence_is_append_only();
CREATE UNIQUE INDEX subject_request_one_open ON subject_request (subject, "right") WHERE closed_at IS NULL;
CREATE UNIQUE INDEX outside_identity_one ON outside_identity (issuer, identifier);
CREATE UNIQUE INDEX known_identifier_one ON known_identifier (subject, kind, value);
CREATE UNIQUE INDEX export_part_one ON export_part (request, source, category);
CREATE UNIQUE INDEX parcel_one_live ON parcel (request) WHERE deleted_at IS NULL;
CREATE SEQUENCE request_reference START 101;
"""

BACKWARDS = """
DROP SEQUENCE request_reference;
DROP INDEX parcel_one_live, export_part_one, known_identifier_one, outside_identity_one, subject_request_one_open;
DROP TRIGGER evidence_no_truncate ON evidence;
DROP TRIGGER evidence_append_only ON evidence;
DROP FUNCTION evidence_is_append_only();
"""


async def forwards() -> MigrationManager:
    """Return the migration."""
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)

    async def run() -> None:
        await engine().connection.execute(FORWARDS)

    async def run_back() -> None:
        await engine().connection.execute(BACKWARDS)

    manager.add_raw(run)
    manager.add_raw_backwards(run_back)
    return manager
