"""What the worker's minutes and the desk look for among any number of plans that are over."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T15:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Plans that are not over, and what failed of them."

FORWARDS = """
CREATE INDEX plan_living ON plan (runs_at) WHERE state IN ('approved', 'running', 'scanning');
CREATE INDEX plan_known ON plan (done_at) WHERE kind = 'erase' AND known IS NOT NULL;
CREATE INDEX plan_item_failed ON plan_item (plan) WHERE state = 'failed';
"""
BACKWARDS = "DROP INDEX plan_item_failed, plan_known, plan_living;"


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
