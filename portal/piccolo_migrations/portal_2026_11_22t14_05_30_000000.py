"""What failures and the daily mail to staff are found by, among any number of mails that arrived."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T14:05:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "Mails that came back, and the daily mail to staff."

FORWARDS = """
CREATE INDEX mail_troubled ON mail (created_at) WHERE state IN ('bounced', 'complained', 'failed');
CREATE INDEX mail_daily ON mail (accepted_at) WHERE kind = 'staff-daily';
CREATE INDEX export_part_failed ON export_part (request) WHERE state = 'failed';
"""
BACKWARDS = "DROP INDEX export_part_failed, mail_daily, mail_troubled;"


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
