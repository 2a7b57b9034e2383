"""Where failures are found: one query for each kind, and one that counts them all.

Always true here: what somebody has ended is not found again; addresses are masked by the database, so that whole ones
never leave it; the count and the lists ask the same. Rows have the names of `failures.Failure`.
"""
# ruff: noqa: S608  what is put into these queries are constants of this file and of `beats`

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from piccolo.querystring import QueryString

from portal.database import engine
from portal.jobs import Parked, parked
from portal.rights.beats import BEATS, WORKER, Beat, beats, told

type Row = Mapping[str, object]

MOST = 200
"""Of each kind; a list that is longer is no list."""
PATIENCE = timedelta(minutes=15)
"""How long a place may be silent before that is said: shorter silences mend themselves."""
SKIPPABLE = ("identity.", "staff.")
"""Jobs by whose absence nobody misses a right: a code that is out of date, news for a chat room."""
AGAIN = (
    "received", "question", "question-again", "message", "joined", "extended", "answered", "partly", "refused", "late",
    "recipients-told", "copy-ready", "copy-expires", "erasure-planned", "paused", "pause-ending",
)  # fmt: skip
"""The mails that can be written again, because what they tell is on the request's page."""
TO_STAFF = ("staff-daily", "staff-alarm", "staff-invitation")
"""The mails to staff whose loss matters; a code that did not arrive is asked for again."""

_OPEN_DAY = "CASE WHEN r.closed_at IS NULL THEN coalesce(r.act_by_day, r.due_day) END AS by"
_MASKED = "left(m.to_address, 1) || '•••@' || split_part(m.to_address, '@', 2)"
_ENDED = "SELECT FROM failure_end e WHERE split_part(e.key, '#', 1) = {} AND e.how IN ('skipped', 'by-hand')"


_JOBS = f"SELECT FROM pgqueuer WHERE status = 'failed' LIMIT {MOST}"
"""As `jobs.parked` finds them."""
_MAILS = (
    f"SELECT 'mail:' || m.id AS id, m.kind AS what, {_MASKED} AS about, m.state AS error, m.tries AS attempts,"
    f" m.reference, coalesce(m.accepted_at, m.created_at) AS since, {_OPEN_DAY}, r.subject IS NOT NULL AS known"
    " FROM mail m LEFT JOIN subject_request r ON r.reference = m.reference"
    " WHERE m.state IN ('bounced', 'complained', 'failed') AND (m.reference <> '' OR m.kind = ANY({}))"
    " AND NOT EXISTS (SELECT FROM failure_end e WHERE e.key = 'mail:' || m.id || '#0')"
    f" ORDER BY m.created_at DESC LIMIT {MOST}"
)
_PLACES = (
    "SELECT 'place:' || p.id || ':' || i.source AS id, max(i.error) AS what, max(i.error) AS error,"
    f" i.source AS about, max(i.tries) AS attempts, r.reference, min(i.failed_at) AS since, {_OPEN_DAY},"
    " EXISTS (SELECT FROM task t JOIN plan_item ti ON ti.id = t.item WHERE ti.plan = p.id"
    " AND ti.source = i.source AND t.ended_at IS NULL AND t.kind IN ('silent', 'refused', 'by-hand')) AS task"
    " FROM plan_item i JOIN plan p ON p.id = i.plan JOIN subject_request r ON r.id = p.request"
    " WHERE i.state = 'failed' AND p.state IN ('approved', 'running', 'scanning') AND i.action <> 'tell'"
    " AND (i.error IN ('refused', 'left') OR (i.error = 'unavailable' AND i.failed_at <= {}))"
    f" GROUP BY p.id, i.source, r.id LIMIT {MOST}"
)
_RECIPIENTS = (
    "SELECT 'task:' || t.id AS id, CASE WHEN t.about = ANY({}) THEN 'no-contact' ELSE 'unknown' END AS what,"
    " t.about, r.reference, t.opened_at AS since, t.due_day AS by FROM task t"
    " JOIN subject_request r ON r.id = t.request LEFT JOIN recipient_contact c ON c.recipient = t.about"
    " WHERE t.kind = 'tell' AND t.state = 'open' AND NOT (t.about = ANY({}) AND c.id IS NOT NULL)"
    f" ORDER BY t.due_day LIMIT {MOST}"
)
_COPIES = (
    "SELECT 'copy:' || r.id || ':' || x.source AS id, max(x.error) AS what, max(x.error) AS error,"
    f" x.source AS about, r.reference, min(x.failed_at) AS since, {_OPEN_DAY}, r.closed_at IS NULL AS open"
    " FROM export_part x JOIN subject_request r ON r.id = x.request"
    " WHERE x.state = 'failed' AND (r.closed_at IS NULL OR r.outcome = 'partly')"
    " AND (x.error <> 'unavailable' OR x.failed_at <= {})"
    f" AND NOT EXISTS ({_ENDED.format("'copy:' || r.id || ':' || x.source")})"
    f" GROUP BY r.id, x.source LIMIT {MOST}"
)


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did about a failure."""

    failure: str
    """Its id."""
    how: str
    """retried, skipped or by-hand"""
    at: datetime
    by: str
    """As evidence names them."""
    reason: str


async def jobs() -> list[Row]:
    """Find the jobs that were parked, with the request that each is for."""
    found = await parked(limit=MOST)
    whose = await _requests_of(found)
    return [_job(one, whose.get(_subject_of(one), {})) for one in found]


async def mails() -> list[Row]:
    """Find mails about a request, or to staff, that came back, were called unwanted, or were refused for good."""
    return [_mail(row) for row in await _run(_MAILS, list(TO_STAFF))]


async def places(*, at: datetime) -> list[Row]:
    """Find the places that do not do their part of a plan: they are silent, say no, or still have what was to go."""
    rows = await _run(_PLACES, at - PATIENCE)
    return [{**row, "kind": "place", "actions": ["retry", "by-hand"] if row["task"] else ["retry"]} for row in rows]


async def recipients(known: Collection[str]) -> list[Row]:
    """Find who must be told of something and cannot be: none of the policy's recipients any more, or no contact."""
    rows = await _run(_RECIPIENTS, sorted(known), sorted(known))
    return [{**row, "kind": "recipient", "actions": ["by-hand"]} for row in rows]


async def copies(*, at: datetime) -> list[Row]:
    """Find the copies that lack what a place did not give."""
    rows = await _run(_COPIES, at - PATIENCE)
    return [{**row, "kind": "copy", "actions": ["retry", "by-hand"] if row["open"] else ["by-hand"]} for row in rows]


async def stopped(*, at: datetime) -> list[Row]:
    """Find what must not stop and has: it ends by itself as soon as that goes on. Without a worker, all of it stops."""
    silent = _causes(await beats(at=at))
    return [{"id": f"beat:{one.name}", "kind": "beat", "what": one.name, "since": one.at} for one in silent]


async def count(known: Collection[str], *, at: datetime) -> int:
    """Return how many all of these find, in one query. `known` are the ids of the policy's recipients."""
    names, before = sorted(known), at - PATIENCE
    finders: Mapping[str, Sequence[object]] = {
        _JOBS: (), _MAILS: (list(TO_STAFF),), _PLACES: (before,), _RECIPIENTS: (names, names), _COPIES: (before,),
    }  # fmt: skip
    numbers = " + ".join(f"(SELECT count(*) FROM ({query}) x)" for query in finders)
    values = [value for each in finders.values() for value in each]
    rows = await _run(f"SELECT b.name, b.at, {numbers} AS number FROM ({BEATS}) b", *values)
    return int(str(rows[0]["number"])) + len(_causes(told(rows, at)))


async def ended(*, most: int = 20) -> list[Ended]:
    """Return what staff have seen to, the newest first."""
    rows = await _run(
        "SELECT split_part(key, '#', 1) AS failure, how, at, by, reason FROM failure_end ORDER BY at DESC LIMIT {}",
        most,
    )
    return msgspec.convert(rows, list[Ended])


async def turns(ids: Sequence[object]) -> dict[str, int]:
    """Return how often each of these was tried again by a person."""
    rows = await _run(
        "SELECT split_part(key, '#', 1) AS id, count(*) AS turn FROM failure_end"
        " WHERE split_part(key, '#', 1) = ANY({}) GROUP BY 1",
        list(ids),
    )
    return {str(row["id"]): int(str(row["turn"])) for row in rows}


def _causes(found: Sequence[Beat]) -> list[Beat]:
    silent = [one for one in found if one.silent]
    return [one for one in silent if one.name == WORKER] or silent


def _job(one: Parked, request: Row) -> Row:
    skippable = one.name.startswith(SKIPPABLE)
    return {
        "id": f"job:{one.id}", "kind": "job", "what": one.name, "error": one.error, "attempts": one.attempts,
        "since": one.since, "reference": request.get("reference") or one.payload.get("reference", ""),
        "by": request.get("by"), "actions": ["retry", "skip" if skippable else "by-hand"],
    }  # fmt: skip


def _mail(row: Row) -> Row:
    if row["what"] in TO_STAFF:
        actions = ["skip"]
    else:
        actions = ["retry", "by-hand"] if row["known"] and row["what"] in AGAIN else ["by-hand"]
    return {**row, "kind": "mail", "actions": actions}


def _subject_of(job: Parked) -> str:
    return job.payload.get("request") or job.payload.get("plan") or ""


async def _requests_of(found: Sequence[Parked]) -> dict[str, Row]:
    """Return the requests of jobs, by the request's or the plan's id, whichever the job names."""
    ids = [id for one in found if (id := _subject_of(one))]
    rows = await _run(
        f"SELECT r.id::text AS key, r.reference, {_OPEN_DAY} FROM subject_request r WHERE r.id = ANY({{}}::uuid[])"
        f" UNION ALL SELECT p.id::text, r.reference, {_OPEN_DAY} FROM plan p JOIN subject_request r ON r.id = p.request"
        " WHERE p.id = ANY({}::uuid[])",
        ids, ids,
    )  # fmt: skip
    return {str(row["key"]): row for row in rows}


async def _run(query: str, *values: object) -> list[Row]:
    rows: list[Row] = await engine().run_querystring(QueryString(query, *values))
    return rows
