"""What changes of address need besides their columns: one living change for each person."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T13:02:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "One living change of address for each person."

FORWARDS = """
CREATE UNIQUE INDEX address_change_one_living ON address_change (subject)
    WHERE state IN ('asked', 'proven', 'changed');
CREATE INDEX correction_sealed ON correction (kept_until) WHERE sealed IS NOT NULL;
"""
BACKWARDS = "DROP INDEX correction_sealed, address_change_one_living;"


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
