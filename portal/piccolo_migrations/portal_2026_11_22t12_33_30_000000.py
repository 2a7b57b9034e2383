"""What stopped uses need besides their columns: one living stop of a use for each person."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T12:33:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "A use stands still once at a time; an address is kept off a use once."

FORWARDS = """
CREATE UNIQUE INDEX stopped_use_living ON stopped_use (subject, purpose) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX suppression_one ON suppression (purpose, address_hash);
"""

BACKWARDS = "DROP INDEX suppression_one, stopped_use_living;"


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
