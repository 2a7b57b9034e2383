"""What searches need besides their columns: one report for each plan, round and store."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T12:36:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "One report for each plan, round and store."

FORWARDS = "CREATE UNIQUE INDEX scan_report_one ON scan_report (plan, round, store);"
BACKWARDS = "DROP INDEX scan_report_one;"


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
