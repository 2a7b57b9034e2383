"""What sealed content and receipts need besides their columns: what may not be changed, and one of each."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T12:20:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "Sealed content, receipts and their keys are never changed; each supplement of a request exists once."

FORWARDS = """
CREATE FUNCTION is_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER sealed_never_changed BEFORE UPDATE ON sealed FOR EACH ROW EXECUTE FUNCTION is_never_changed();
CREATE TRIGGER receipt_never_changed BEFORE UPDATE ON receipt FOR EACH ROW EXECUTE FUNCTION is_never_changed();
CREATE TRIGGER receipt_key_never_changed BEFORE UPDATE OR DELETE ON receipt_key
    FOR EACH ROW EXECUTE FUNCTION is_never_changed();
CREATE UNIQUE INDEX receipt_one ON receipt (request, supplement);
"""

BACKWARDS = """
DROP INDEX receipt_one;
DROP TRIGGER receipt_key_never_changed ON receipt_key;
DROP TRIGGER receipt_never_changed ON receipt;
DROP TRIGGER sealed_never_changed ON sealed;
DROP FUNCTION is_never_changed();
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
