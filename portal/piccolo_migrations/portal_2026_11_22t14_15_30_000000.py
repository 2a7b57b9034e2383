"""What the page Today reads again and again: open requests in their order, what was closed and what left lately."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T14:15:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "The open requests in the order of the queue, and what happened lately, without a look at the rest."

FORWARDS = """
CREATE INDEX subject_request_queue ON subject_request
    (due_day, (assignee IS NOT NULL OR state IN (\x27working\x27, \x27ready\x27)), reference) WHERE closed_at IS NULL;
CREATE INDEX subject_request_act_by ON subject_request (coalesce(act_by_day, due_day)) WHERE closed_at IS NULL;
CREATE INDEX subject_request_waiting ON subject_request (due_day, reference) WHERE closed_at IS NULL AND waits;
CREATE INDEX subject_request_closed ON subject_request (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX task_open ON task (due_day, opened_at) WHERE ended_at IS NULL;
CREATE INDEX approval_waiting ON approval (asked_at) WHERE state = \x27waiting\x27;
CREATE INDEX mail_accepted ON mail (accepted_at) WHERE accepted_at IS NOT NULL;
CREATE INDEX mail_waiting ON mail (created_at) WHERE state = \x27waiting\x27;
"""

BACKWARDS = """
DROP INDEX mail_waiting, mail_accepted, approval_waiting, task_open, subject_request_closed, subject_request_waiting,
    subject_request_act_by, subject_request_queue;
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
