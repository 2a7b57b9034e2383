"""One thing at most waits for a second person, for each request."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T14:10:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "One approval waits at most for a request."

FORWARDS = "CREATE UNIQUE INDEX approval_waits ON approval (request) WHERE state = 'waiting';"
BACKWARDS = "DROP INDEX approval_waits;"


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
