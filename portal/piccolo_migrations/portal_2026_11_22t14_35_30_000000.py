"""When the answers of many requests left: figures and the register ask for the mails of each."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T14:35:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "The mails of a request, without a look at all others."

FORWARDS = "CREATE INDEX mail_reference ON mail (reference)"
BACKWARDS = "DROP INDEX mail_reference"


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
