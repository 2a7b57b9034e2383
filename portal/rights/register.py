"""The register of requests: one line for each, as the log knew it at a moment.

Always true here: a line is made from entries of the log up to one number, from instants up to one instant, and from
nothing that changed afterwards, so the same moment gives the same lines for ever; no line names a person.
Source: GDPR Art. 5(2); law rule "request record".
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from itertools import count
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from portal.evidence.log import FIRST, Head
from portal.rights.deadlines import deadline, from_json
from portal.rights.deadlines.inputs import Event, Extended, Inputs, Joined, Paused
from portal.rights.late import ANSWERS
from portal.rights.lifecycle import OUTCOMES, RIGHTS

PIECE = 2_000
"""How many requests are looked at at once."""
RECEIVED = "rights:request:received"
GIVEN = "staff:request:given"
"""Somebody got it, or nobody; that alone is nothing done for the person."""
TOLD = frozenset({"received", "joined", "extended"})
"""Events that are looked into, beside those that end a request."""
NO_ANSWER = frozenset({"withdrawn", "joined"})
"""Ends that are no answer of ours."""


class Moment(msgspec.Struct, frozen=True):
    """What was known when: the instant, and the last entry of the log at it."""

    at: datetime
    head: Head


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One request. Days are days in the controller's zone; None where there is none, or it is no longer known."""

    reference: str
    right: str
    article: str
    channel: str
    received: date
    promise: date | None
    law: date | None
    """None as well once the person's records were forgotten: then the day that counts is the one of receipt."""
    due: date
    extended: bool
    extended_for: str
    """complexity or number; empty without an extension."""
    closed: date | None
    answered: date | None
    """When the answer left: accepted by the mail provider, or given on the page. None for what is no answer."""
    outcome: str
    grounds: tuple[str, ...]
    """Ids of `letters.reasons`, or the article that lets something be kept."""
    days: int | None
    """From the day of receipt, the earliest if duplicates were joined, to the day of the answer."""
    in_time: bool | None
    """By the day that counts."""
    in_time_promise: bool | None
    in_time_law: bool | None
    by: str
    """staff when a person of ours did something for it before it ended; else program."""
    owner: str
    """The roles of who had it; empty for nobody."""


class _Known(msgspec.Struct):
    """What the log says about one request."""

    right: str = ""
    channel: str = ""
    received_at: datetime | None = None
    due: date | None = None
    outcome: str = ""
    closed_at: datetime | None = None
    grounds: tuple[str, ...] = ()
    extended_for: str = ""
    joined: tuple[datetime, ...] = ()
    owner: str | int | None = None
    """The number of a member of staff."""
    staff: bool = False


class _Detail(msgspec.Struct):
    """What of an entry's details is of use here."""

    right: str = ""
    channel: str = ""
    received_at: datetime | None = None
    due: date | None = None
    to: str | int | None = None
    reasons: str = ""
    ground: str = ""


async def moment(connection: asyncpg.Connection, at: datetime) -> Moment:
    """Return what the log ended with at an instant."""
    row = await connection.fetchrow(
        "SELECT seq, digest FROM evidence WHERE at <= $1 ORDER BY seq DESC LIMIT 1", at
    )  # fmt: skip
    return Moment(at, Head(row["seq"], row["digest"]) if row else Head(0, FIRST))


async def total(connection: asyncpg.Connection, known: Moment) -> int:
    """Return how many requests were known at a moment."""
    found: int = await connection.fetchval(
        "SELECT count(*) FROM evidence WHERE event = $1 AND seq <= $2", RECEIVED, known.head.seq
    )
    return found


async def walk(
    connection: asyncpg.Connection, known: Moment, zone: str, roles: Mapping[int, str]
) -> AsyncIterator[list[Line]]:
    """Yield every request that was known at a moment, in the order in which they were taken in.

    Inside the caller's transaction, in constant memory. `roles`: number of a member of staff -> their roles.
    """
    cursor = await connection.cursor(
        "SELECT reference FROM evidence WHERE event = $1 AND seq <= $2 ORDER BY seq", RECEIVED, known.head.seq
    )
    while rows := await cursor.fetch(PIECE):
        yield await lines(connection, [row["reference"] for row in rows], known, zone, roles)


async def lines(
    connection: asyncpg.Connection,
    references: Sequence[str],
    known: Moment,
    zone: str,
    roles: Mapping[int, str] | None = None,
) -> list[Line]:
    """Return the lines of some requests, in the order of `references`."""
    said = await _said(connection, references, known.head.seq)
    rows = await connection.fetch(
        "SELECT reference, promise_day, law_day, due_day, clock FROM subject_request WHERE reference = ANY($1)",
        references,
    )
    stored, left = {row["reference"]: row for row in rows}, await _left(connection, references, said, known.at)
    return [
        _line(reference, said[reference], stored.get(reference), left.get(reference), known, zone, roles or {})
        for reference in references
        if said[reference].received_at is not None
    ]


async def _said(connection: asyncpg.Connection, references: Sequence[str], last: int) -> Mapping[str, _Known]:
    """Return what the log says about each request, read in its order."""
    rows = await connection.fetch(
        "SELECT reference, at, event, actor, details::text FROM evidence WHERE reference = ANY($1) AND seq <= $2"
        " AND (event LIKE 'rights:request:%' OR event = $3 OR (event LIKE 'rights:%' AND actor LIKE 'staff:%'))"
        " ORDER BY seq",
        references, last, GIVEN,
    )  # fmt: skip
    said: dict[str, _Known] = defaultdict(_Known)
    decode = msgspec.json.Decoder(_Detail).decode
    for reference, at, event, actor, details in rows:
        one = said[reference]
        if event == GIVEN:
            one.owner = decode(details).to
            continue
        one.staff = one.staff or (not one.outcome and actor.startswith("staff:"))
        name = event.removeprefix("rights:request:")
        if name in TOLD or (name != event and '"to"' in details):
            _note(one, name, at, decode(details))
    return said


def _note(one: _Known, event: str, at: datetime, detail: _Detail) -> None:
    match event:
        case "received":
            one.right, one.channel, one.due = detail.right, detail.channel, detail.due
            one.received_at = detail.received_at
        case "joined" if detail.received_at is not None:
            one.joined, one.due = (*one.joined, detail.received_at), detail.due or one.due
        case "extended":
            one.extended_for = detail.ground
        case _ if detail.to in OUTCOMES:
            one.outcome, one.closed_at = str(detail.to), at
            one.grounds = tuple(filter(None, detail.reasons.split(",")))


async def _left(
    connection: asyncpg.Connection, references: Sequence[str], said: Mapping[str, _Known], until: datetime
) -> Mapping[str, datetime]:
    """Return when the answer of each request left by mail, for those that were answered so. Source: law D8."""
    rows = await connection.fetch(
        "SELECT reference, kind, created_at, accepted_at FROM mail WHERE reference = ANY($1) AND accepted_at <= $2"
        " AND kind = ANY($3)",
        references, until, [*ANSWERS, "copy-ready"],
    )  # fmt: skip
    left: dict[str, datetime] = {}
    for reference, kind, created_at, accepted_at in rows:
        closed = said[reference].closed_at
        if closed is not None and (kind != "copy-ready" or created_at >= closed):
            left[reference] = min(accepted_at, left.get(reference, accepted_at))
    return left


def _line(
    reference: str,
    said: _Known,
    stored: asyncpg.Record | None,
    left: datetime | None,
    known: Moment,
    zone: str,
    roles: Mapping[int, str],
) -> Line:
    assert said.received_at is not None
    local = ZoneInfo(zone)
    received = said.received_at.astimezone(local).date()
    first = min(said.received_at, *said.joined).astimezone(local).date() if said.joined else received
    promise, law, due = _days(stored, said, known) if stored else (None, None, said.due or received)
    is_answer = said.closed_at is not None and said.outcome not in NO_ANSWER
    answered = (left or said.closed_at).astimezone(local).date() if is_answer and said.closed_at else None
    return Line(
        reference=reference, right=said.right, article=RIGHTS.get(said.right, ""), channel=said.channel,
        received=received, promise=promise, law=law, due=due, extended=bool(said.extended_for),
        extended_for=said.extended_for, closed=said.closed_at.astimezone(local).date() if said.closed_at else None,
        answered=answered, outcome=said.outcome, grounds=said.grounds,
        days=max((answered - first).days, 0) if answered else None,
        in_time=answered <= due if answered else None,
        in_time_promise=answered <= promise if answered and promise else None,
        in_time_law=answered <= law if answered and law else None,
        by="staff" if said.staff else "program", owner=roles.get(said.owner, "") if isinstance(said.owner, int) else "",
    )  # fmt: skip


def _days(stored: asyncpg.Record, said: _Known, known: Moment) -> tuple[date | None, date | None, date]:
    """Return promise, law and the day that counts, as they were at a moment: later moves of the clock undone."""
    if '"events":[]' in stored["clock"] or not stored["clock"]:
        return stored["promise_day"], stored["law_day"], stored["due_day"]
    inputs = from_json(stored["clock"])
    then = _as_of(inputs, said, known.at)
    if then == inputs:
        return stored["promise_day"], stored["law_day"], stored["due_day"]
    found = deadline(then)
    return found.promise, found.law, found.due


def _as_of(inputs: Inputs, said: _Known, at: datetime) -> Inputs:
    """Take from a clock what had not happened yet. A joined form is known once the log says so."""
    joined, events = count(), list[Event]()
    for event in inputs.events:
        match event:
            case Joined() if next(joined) >= len(said.joined):
                continue
            case Extended() if event.noticed_at > at:
                continue
            case Paused() if event.asked_at > at:
                continue
            case Paused() if event.answered_at is not None and event.answered_at > at:
                events.append(msgspec.structs.replace(event, answered_at=None))
            case _:
                events.append(event)
    return msgspec.structs.replace(inputs, events=tuple(events))
