"""One member of staff for each identity of the single sign-on."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T14:40:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "One member of staff for each identity of the single sign-on."

FORWARDS = "CREATE UNIQUE INDEX staff_identity_one ON staff_identity (issuer, identifier);"
BACKWARDS = "DROP INDEX staff_identity_one;"


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
