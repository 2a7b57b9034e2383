"""What words added to letters need besides their columns: one row for each kind and language."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T14:20:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "One addition for each kind of letter and language."

FORWARDS = "CREATE UNIQUE INDEX letter_addition_one_each ON letter_addition (kind, language)"
BACKWARDS = "DROP INDEX letter_addition_one_each"


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
