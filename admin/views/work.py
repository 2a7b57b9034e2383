"""The machinery: jobs without what they are about, schedules, heartbeats, what was told once.

Always true here: nothing in these rows is about a person, so that whoever runs the server may look.
"""

from piccolo.columns import BigInt, Integer, Text, Timestamp, Timestamptz

from admin.roles import Permission
from admin.views.view import view

TABLES = Permission.TABLES

VIEWS = (
    view(
        "job", "pgqueuer", TABLES, "-id",
        {
            "id": BigInt(primary_key=True), "name": Text(), "status": Text(), "attempts": Integer(),
            "created": Timestamptz(), "updated": Timestamptz(), "runs_after": Timestamptz(),
        },
    ),
    view(
        "job_statistic", "pgqueuer_statistics", TABLES, "-id",
        {
            "id": BigInt(primary_key=True), "name": Text(), "status": Text(), "jobs": BigInt(),
            "created": Timestamptz(),
        },
    ),
    view(
        "schedule", "pgqueuer_schedules", TABLES, "name",
        {
            "id": BigInt(primary_key=True), "name": Text(), "expression": Text(), "status": Text(),
            "last_run": Timestamptz(null=True), "next_run": Timestamptz(null=True),
        },
    ),
    view(
        "heartbeat", "heartbeat", TABLES, "name",
        {"name": Text(primary_key=True), "at": Timestamptz()},
    ),
    view(
        "reminder_sent", "reminder", Permission.RECORDS, "-at",
        {"key": Text(primary_key=True), "at": Timestamptz()},
    ),
    view(
        "failure_mended", "failure_end", Permission.RECORDS, "-at",
        {"key": Text(primary_key=True), "how": Text(), "at": Timestamptz(), "by": Text()},
    ),
    view(
        "migration", "migration", TABLES, "-id",
        {"id": Integer(primary_key=True), "name": Text(), "app_name": Text(), "ran_on": Timestamp()},
    ),
)  # fmt: skip
