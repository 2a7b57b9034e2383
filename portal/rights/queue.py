"""The queue: the open requests by the day that counts, a page of each group at a time, with what is next for each.

Always true here: an address leaves the database masked; the time it takes depends on what is open and never on what was
closed; whoever waits for an answer of the person is shown with the late ones when they are late.
"""

# ruff: noqa: S608  Queries are put together from texts of these files; what differs is an argument.

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from portal.database import engine
from portal.rights.tasks import TaskView

SOON, WEEK = 3, 7
"""Days left that put a request into the second and the third group."""
GROUPS = ("late", "soon", "week", "later", "waiting")
PAGE = 50
"""Requests of one group on a page."""

HELD = "(r.assignee IS NOT NULL OR r.state IN ('working', 'ready'))"
"""Somebody has it, or the worker does. An index is built on this very expression: whoever nobody has comes first."""
MASKED = "left({0}, 1) || '•••@' || split_part({0}, '@', 2)"
"""An address to recognise and not to collect: m•••@example.fr."""
ACTION = """CASE
    WHEN x.approval IS NOT NULL THEN 'approve' WHEN x.written THEN 'reply' WHEN x.task IS NOT NULL THEN 'task'
    WHEN r.closed_at IS NOT NULL THEN 'watch' WHEN r.waits THEN 'wait'
    WHEN r.state = 'verifying' THEN 'identify'
    WHEN r.state = 'deciding' OR (r.state = 'received' AND r."right" IN ('inquiry', 'complaint')) THEN 'decide'
    ELSE 'watch' END"""
"""What is next for a request `r` of which `DOING` tells `x`: one word for one kind of work."""
DOING = """LATERAL (
    SELECT a.verb AS approval, a.asked_by, t.task::text AS task, coalesce(t.tasks, 0) AS tasks, m.asked_at,
           coalesce(m.person_at > coalesce(m.staff_at, '-infinity') AND r.closed_at IS NULL, false) AS written
      FROM (SELECT max(at) FILTER (WHERE author <> 'staff' AND at > r.received_at) AS person_at,
                   max(at) FILTER (WHERE author = 'staff') AS staff_at,
                   max(at) FILTER (WHERE kind = 'question') AS asked_at
              FROM request_message WHERE request = r.id) m
      LEFT JOIN LATERAL (SELECT to_json(t) AS task, count(*) OVER () AS tasks FROM task t WHERE t.request = r.id
             AND t.ended_at IS NULL AND t.kind <> 'decide' ORDER BY t.due_day, t.opened_at LIMIT 1) t ON true
      LEFT JOIN LATERAL (SELECT a.verb, a.asked_by FROM approval a WHERE a.request = r.id AND a.state = 'waiting'
             ORDER BY a.asked_at LIMIT 1) a ON true
) x"""
"""What is under way for a request `r`, as `x`: a waiting approval, the next task, whether the person wrote last."""
SHOWN = f"""r.id, r.reference, r."right", r.language, r.state, r.waits, r.received_at, r.promise_day, r.law_day,
    r.due_day, r.act_by_day, r.extended_on, r.closed_at, r.assignee, r.subject IS NOT NULL AS identified,
    c.reference AS about, coalesce({MASKED.format("s.email")}, {MASKED.format("nullif(f.email, '')")}, '') AS address,
    x.approval, x.asked_by, x.task, x.tasks, x.asked_at, x.written, {ACTION} AS action"""
JOINED = f"""LEFT JOIN subject s ON s.id = r.subject LEFT JOIN intake_form f ON f.request = r.id
    LEFT JOIN subject_request c ON c.id = r.about CROSS JOIN {DOING}"""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One request, as the queue shows it: no name, no whole address, no words of the person."""

    id: UUID
    reference: str
    right: str
    language: str
    state: str
    waits: bool
    received_at: datetime
    promise_day: date | None
    law_day: date
    due_day: date
    act_by_day: date | None
    extended_on: date | None
    closed_at: datetime | None
    assignee: int | None
    identified: bool
    about: str | None
    """The reference of the request that a complaint is about."""
    address: str
    """Masked; empty when there is none."""
    approval: str | None
    """What waits for a second person."""
    asked_by: str | None
    """Who asked for it, as evidence names them."""
    task: TaskView | None
    """The most urgent of its tasks; there are `tasks` of them."""
    tasks: int
    asked_at: datetime | None
    written: bool
    """The person wrote last."""
    action: str
    """approve, reply, task, wait, identify, decide or watch"""

    @property
    def act_by(self) -> date:
        """The last day on which to act: never later than the one that counts."""
        return self.act_by_day or self.due_day

    @property
    def automatic(self) -> bool:
        """True while the worker is at it and nobody needs to be."""
        return self.action == "watch" and self.assignee is None


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What of the queue is to be seen."""

    right: str = ""
    owner: str = ""
    """Empty: anybody's; `nobody`; or the number of a member of staff."""
    group: str = ""
    """Empty: all groups."""
    oldest_first: bool = False
    """By receipt, not by the day that counts."""
    after: tuple[str, ...] = ()
    """The place of the last row seen, as `place_of` gave it; only with a group."""


class Page(msgspec.Struct, frozen=True):
    """One group, or a part of it."""

    group: str
    rows: tuple[Row, ...]
    after: tuple[str, ...]
    """Where the next page begins; empty when there is none."""


async def pages(chosen: Chosen, today: date) -> list[Page]:
    """Return the first requests of each group that has any, in one query; or the next ones of one group."""
    names = [chosen.group] if chosen.group in GROUPS else list(GROUPS)
    parts, values = [], list[object]()
    for name in names:
        where, more = _where(chosen, name, today)
        parts.append(
            f"(SELECT '{name}' AS grp, r.id FROM subject_request r WHERE {where}"
            f" ORDER BY {_order(chosen)} LIMIT {PAGE + 1})"
        )
        values += more
    found = await _run(
        f"WITH page AS ({' UNION ALL '.join(parts)}) SELECT page.grp, {SHOWN} FROM page"
        f" JOIN subject_request r USING (id) {JOINED} ORDER BY {_order(chosen)}",
        *values,
    )
    grouped = {name: [row_of(row) for row in found if row["grp"] == name] for name in names}
    return [_page(name, rows, chosen) for name, rows in grouped.items() if rows]


async def rows_of(where: str, *values: object, most: int = PAGE) -> list[Row]:
    """Return requests by a condition on `r` of ours, newest first; at most so many."""
    found = await _run(
        f"SELECT {SHOWN} FROM subject_request r {JOINED} WHERE {where} ORDER BY r.received_at DESC LIMIT {most}",
        *values,
    )
    return [row_of(row) for row in found]


def row_of(row: Mapping[str, object]) -> Row:
    """Return a row of `SHOWN` as what it is."""
    task = msgspec.json.decode(str(row["task"]), type=TaskView) if row["task"] else None
    return msgspec.convert({**row, "task": task}, Row)


def group_of(due: date, today: date, *, waits: bool) -> str:
    """Return the group of a request. Waiting for the person never hides that its day is near."""
    days = (due - today).days
    if days <= SOON:
        return "late" if days < 0 else "soon"
    if waits:
        return "waiting"
    return "week" if days <= WEEK else "later"


def place_of(row: Row, chosen: Chosen) -> tuple[str, ...]:
    """Return where a row stands in its order: dates and a reference, nothing about a person."""
    if chosen.oldest_first:
        return (row.received_at.isoformat(), row.reference)
    held = row.assignee is not None or row.state in {"working", "ready"}
    return (row.due_day.isoformat(), str(int(held)), row.reference)


def picked(chosen: Chosen) -> tuple[str, list[object]]:
    """Return the condition of a filter on `r`, without its group, and the values in it."""
    parts, values = ["r.closed_at IS NULL"], list[object]()
    if chosen.right:
        parts.append('r."right" = {}')
        values.append(chosen.right)
    if chosen.owner == "nobody":
        parts.append(f"NOT {HELD}")
    elif chosen.owner:
        parts.append("r.assignee = {}")
        values.append(int(chosen.owner))
    return " AND ".join(parts), values


def _where(chosen: Chosen, name: str, today: date) -> tuple[str, list[object]]:
    where, values = picked(chosen)
    soon, week = today + timedelta(days=SOON), today + timedelta(days=WEEK)
    text, days = {
        "late": ("r.due_day < {}", [today]),
        "soon": ("r.due_day BETWEEN {} AND {}", [today, soon]),
        "week": ("NOT r.waits AND r.due_day > {} AND r.due_day <= {}", [soon, week]),
        "later": ("NOT r.waits AND r.due_day > {}", [week]),
        "waiting": ("r.waits AND r.due_day > {}", [soon]),
    }[name]
    where, values = f"{where} AND {text}", [*values, *days]
    if not chosen.after or chosen.group != name:
        return where, values
    if chosen.oldest_first:
        at, reference = chosen.after
        return f"{where} AND (r.received_at, r.reference) > ({{}}, {{}})", [
            *values, datetime.fromisoformat(at), reference,
        ]  # fmt: skip
    day, held, reference = chosen.after
    return f"{where} AND (r.due_day, {HELD}, r.reference) > ({{}}, {{}}, {{}})", [
        *values, date.fromisoformat(day), held == "1", reference,
    ]  # fmt: skip


def _order(chosen: Chosen) -> str:
    return "r.received_at, r.reference" if chosen.oldest_first else f"r.due_day, {HELD}, r.reference"


def _page(name: str, rows: Sequence[Row], chosen: Chosen) -> Page:
    shown = tuple(rows[:PAGE])
    return Page(name, shown, place_of(shown[-1], chosen) if len(rows) > PAGE else ())


async def _run(text: str, *values: object) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = await engine().run_querystring(QueryString(text, *values))
    return found
