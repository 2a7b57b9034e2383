"""Which requests there is one of at a time, and what the plans need besides their columns."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T12:10:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "One open copy, file to take along and erasure per person; one living plan of a kind per request."

FORWARDS = """
DROP INDEX subject_request_one_open;
CREATE UNIQUE INDEX subject_request_one_open ON subject_request (subject, "right")
    WHERE closed_at IS NULL AND "right" IN ('access', 'portability', 'erasure');
CREATE INDEX subject_request_open_due ON subject_request (due_day) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX plan_one_living ON plan (request, kind) WHERE state <> 'cancelled';
CREATE UNIQUE INDEX plan_item_one ON plan_item (plan, source, category, action);
CREATE UNIQUE INDEX held_item_one ON held_item (plan, source, category, pseudonym);
CREATE INDEX restriction_living ON restriction (subject) WHERE lifted_at IS NULL;
CREATE UNIQUE INDEX task_one ON task (item, kind) WHERE item IS NOT NULL;
"""

BACKWARDS = """
DROP INDEX task_one, restriction_living, held_item_one, plan_item_one, plan_one_living, subject_request_open_due;
DROP INDEX subject_request_one_open;
CREATE UNIQUE INDEX subject_request_one_open ON subject_request (subject, "right") WHERE closed_at IS NULL;
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
