"""What must be done today, what can wait, and until when nothing can become late.

Always true here: a request stands in the plan once, however many reasons there are; what is not in the plan has its
last day for acting after tomorrow, so the day that is given for it is never too late.
"""

# ruff: noqa: S608  Queries are put together from texts of these files; what differs is an argument.

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec
from piccolo.querystring import QueryString

from portal.database import engine
from portal.rights.queue import ACTION, DOING, JOINED, SHOWN, Chosen, Row, group_of, picked, row_of

SHOWN_THINGS = 12
"""Of a longer plan, so many are spelt out."""
NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Plan(msgspec.Struct, frozen=True):
    """What must be done today, the most urgent first."""

    rows: tuple[Row, ...]
    """At most `SHOWN_THINGS`."""
    counts: Mapping[str, int]
    """How many of each kind of work there are in all."""
    free: tuple[int, ...] = ()
    """Approvals that belong to no request: how many wait. Empty or one number."""


class Day(msgspec.Struct, frozen=True):
    """What is due on one day."""

    day: date
    count: int


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """How much is open, and when what is not in the plan can become late at the earliest."""

    groups: Mapping[str, int]
    """Requests of each group, as they are filtered."""
    days: tuple[Day, ...]
    """All open requests by the day that counts, unfiltered."""
    tasks: int
    next_late: date | None
    """The day after the first on which something outside the plan must be acted on; None: nothing else is open."""

    @property
    def open(self) -> int:
        """How many requests are open."""
        return sum(day.count for day in self.days)

    @property
    def late(self) -> int:
        """How many of those that are shown are late."""
        return self.groups.get("late", 0)


async def plan(today: date, *, actor: str, own_before: datetime = NEVER, approves: bool = True) -> Plan:
    """Return what must be done today.

    That is: requests to act on by tomorrow, tasks to do by then, what waits for a second person, and people who wrote
    and were not answered. What `actor` asked for waits for somebody else, but for what they asked before `own_before`;
    whoever never `approves` has nothing to do with what waits for a second person.
    """
    tomorrow, seconds = today + timedelta(days=1), (approves, actor, own_before)
    rows = await engine().run_querystring(QueryString(_PLAN, tomorrow, tomorrow, *seconds, *seconds))
    if not rows:
        return Plan((), {})
    counts = msgspec.json.decode(rows[0]["counts"] or "{}", type=dict[str, int])
    free = (rows[0]["free"],) if rows[0]["free"] else ()
    return Plan(tuple(row_of(row) for row in rows if row["id"]), counts, free)


async def ahead(chosen: Chosen, today: date) -> Ahead:
    """Return what is open by day, what of it is chosen by group, and how long nothing else can become late."""
    tomorrow, (where, values) = today + timedelta(days=1), picked(chosen)
    rows = await engine().run_querystring(
        QueryString(
            f"SELECT r.due_day, r.waits, count(*) AS n, count(*) FILTER (WHERE {where}) AS chosen,"
            " min(coalesce(r.act_by_day, r.due_day)) FILTER (WHERE coalesce(r.act_by_day, r.due_day) > {}) AS act_by,"
            " NULL::bigint AS tasks FROM subject_request r WHERE r.closed_at IS NULL GROUP BY 1, 2"
            " UNION ALL SELECT NULL, NULL, 0, 0, min(due_day) FILTER (WHERE due_day > {}), count(*)"
            " FROM task WHERE ended_at IS NULL AND kind <> 'decide'",
            *values, tomorrow, tomorrow,
        )
    )  # fmt: skip
    groups, days = dict[str, int](), dict[date, int]()
    for row in rows:
        if row["due_day"]:
            name = group_of(row["due_day"], today, waits=row["waits"])
            groups[name] = groups.get(name, 0) + row["chosen"]
            days[row["due_day"]] = days.get(row["due_day"], 0) + row["n"]
    first = min((row["act_by"] for row in rows if row["act_by"]), default=None)
    return Ahead(
        groups=groups, days=tuple(Day(day, days[day]) for day in sorted(days)),
        tasks=sum(row["tasks"] or 0 for row in rows),
        next_late=first + timedelta(days=1) if first else None,
    )  # fmt: skip


_HOT = """
    SELECT r.id FROM subject_request r WHERE r.closed_at IS NULL AND coalesce(r.act_by_day, r.due_day) <= {}
    UNION SELECT t.request FROM task t WHERE t.ended_at IS NULL AND t.kind <> 'decide' AND t.due_day <= {}
    UNION SELECT a.request FROM approval a WHERE a.state = 'waiting' AND a.request IS NOT NULL AND {}
        AND (a.asked_by <> {} OR a.asked_at < {})
    UNION SELECT r.id FROM subject_request r CROSS JOIN LATERAL (
        SELECT max(at) FILTER (WHERE author <> 'staff' AND at > r.received_at) AS person_at,
               max(at) FILTER (WHERE author = 'staff') AS staff_at FROM request_message WHERE request = r.id
    ) m WHERE r.closed_at IS NULL AND m.person_at > coalesce(m.staff_at, '-infinity')"""
# OFFSET 0: each by its key. PostgreSQL expects more of them than there are, and would read every closed request.
_PLAN = f"""
WITH hot AS ({_HOT}), thing AS MATERIALIZED (
    SELECT r.id, {ACTION} AS kind,
           CASE WHEN r.closed_at IS NULL THEN coalesce(r.act_by_day, r.due_day)
                ELSE (x.task::json->>'due_day')::date END AS act_by,
           r.assignee IS NOT NULL AS held, r.reference
      FROM hot CROSS JOIN LATERAL (SELECT * FROM subject_request WHERE id = hot.id OFFSET 0) r CROSS JOIN {DOING}
), first AS (SELECT id, act_by, held FROM thing ORDER BY act_by, held, reference LIMIT {SHOWN_THINGS}),
said AS (
    SELECT (SELECT json_object_agg(kind, n)::text FROM (SELECT kind, count(*) AS n FROM thing GROUP BY kind) k)
               AS counts,
           (SELECT count(*) FROM approval WHERE state = 'waiting' AND request IS NULL AND {{}}
               AND (asked_by <> {{}} OR asked_at < {{}})) AS free
)
SELECT said.counts, said.free, row.* FROM said LEFT JOIN (
    SELECT {SHOWN}, first.act_by AS sort_day, first.held FROM first JOIN subject_request r USING (id) {JOINED}
) row ON true ORDER BY row.sort_day, row.held, row.reference"""
