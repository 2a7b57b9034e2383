"""Today with ten thousand open requests: does what was closed cost anything?

Always true here: the same requests are open in both databases, and as much happened in the last week; only what was
closed before differs. The bare query reads the first page from its partial index, and nothing else.
"""

import asyncio
import io
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import redirect_stdout
from datetime import UTC, date, datetime

import asyncpg

from benchmarks.bench import Bench
from benchmarks.measure import Figure, at_most, medians
from portal.database import engine, migrate
from portal.rights import failures_found, queue, queue_plan, queue_pulse
from portal.rights.queue import Chosen

AREA = "Today"
OPEN, LATELY = 10_000, 2_000
"""Requests that are open, and that were closed in the last week."""
ROUNDS = 15
AT = datetime(2026, 10, 14, 9, tzinfo=UTC)
TODAY = date(2026, 10, 14)
BARE = f"""SELECT r.id, r.reference, r.due_day FROM subject_request r WHERE r.closed_at IS NULL
    ORDER BY r.due_day, {queue.HELD}, r.reference LIMIT {queue.PAGE}"""

type Way = Callable[[], Awaitable[object]]


def figures(bench: Bench) -> Iterator[Figure]:
    """Compare everything the page reads, beside many closed requests and beside few, and with the bare query."""
    many, few = bench.scale.rows, bench.scale.few_rows
    places = {closed: bench.database(f"queue-{closed}") for closed in (few, many)}
    open_ones = min(OPEN, few)
    for closed, dsn in places.items():
        bench.say(f"making {open_ones:,} open and {closed:,} closed requests")
        asyncio.run(on(dsn, lambda closed=closed: _fill(open_ones, closed)))  # type: ignore[misc]
    rounds = [
        [number for closed in (few, many) for number in asyncio.run(on(places[closed], _look))]
        for _ in range(bench.scale.rounds)
    ]
    first_few, _, _, first_many, whole_many, bare_many = medians(rounds)
    yield Figure(
        what=f"the first page of {open_ones:,} open requests, {many:,} closed against {few:,}",
        ratio=first_many / first_few, goal=at_most(1.5),
        note=f"{first_many * 1000:.1f} ms and {first_few * 1000:.1f} ms: five groups with what is next for each",
    )  # fmt: skip
    whole_few = medians(rounds)[1]
    yield Figure(
        what=f"everything Today reads, {many:,} closed against {few:,}", ratio=whole_many / whole_few,
        goal=at_most(1.5),
        note=f"{whole_many * 1000:.0f} ms and {whole_few * 1000:.0f} ms: plan, counts, days, beats, failures, rows",
    )  # fmt: skip
    yield Figure(
        what="the first page against the bare query of its partial index", ratio=first_many / bare_many,
        note=f"{bare_many * 1000:.2f} ms for {queue.PAGE} bare rows; the page has {5 * queue.PAGE} in five groups",
    )  # fmt: skip


async def _look() -> list[float]:
    """Return the medians in seconds of the first page, of everything, and of the bare query."""

    async def first() -> object:
        return await queue.pages(Chosen(), TODAY)

    async def everything() -> object:
        return [
            await first(), await queue_plan.plan(TODAY, actor="staff:1"), await queue_plan.ahead(Chosen(), TODAY),
            await queue_pulse.pulse(AT), await failures_found.count((), at=AT),
        ]  # fmt: skip

    async def bare() -> None:
        async with engine().transaction():
            await engine().connection.fetch(BARE)

    ways = (first, everything, bare)
    for way in ways:
        await way()
    return medians([[await seconds(way) for way in ways] for _ in range(ROUNDS)])


async def seconds(way: Way) -> float:
    """Return how long something takes."""
    start = time.perf_counter()
    await way()
    return time.perf_counter() - start


async def on[T](dsn: str, work: Callable[[], Awaitable[T]]) -> T:
    """Do something with our own engine on a database of its own."""
    with warnings.catch_warnings(action="ignore"):  # piccolo warns when its first address does not answer
        ours = engine()
    before, ours.config = ours.config, {"dsn": dsn}
    try:
        async with ours.pooled():
            return await work()
    finally:
        ours.config = before


async def _fill(open_ones: int, closed: int) -> None:
    dsn = str(engine().config["dsn"])
    with redirect_stdout(io.StringIO()):
        await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_FILL.format(open=open_ones, closed=closed, lately=min(LATELY, closed)))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


_FILL = """
INSERT INTO subject (id, email, display_name, language, created_at)
SELECT md5('s' || n)::uuid, 'person' || n || '@example.fr', '', 'fr', '2020-01-01' FROM generate_series(1, {open}) n;
INSERT INTO subject_request (id, reference, subject, "right", channel, categories, format, language, state, outcome,
    assignee, waits, received_at, promise_day, law_day, due_day, act_by_day, clock, closed_at)
SELECT md5('c' || n)::uuid, 'DR-2020-' || lpad(n::text, 7, '0'), md5('s' || n % {open} + 1)::uuid, 'inquiry', 'portal',
    '{{}}', 'all', 'fr', 'closed', 'fulfilled', NULL, false, at - interval '20 days', at::date, at::date, at::date,
    at::date, '', at
FROM (SELECT n, CASE WHEN n <= {lately} THEN '2026-10-14 08:00Z'::timestamptz - n * interval '5 minutes'
      ELSE '2026-10-01 00:00Z'::timestamptz - n * interval '3 minutes' END AS at FROM generate_series(1, {closed}) n) c;
INSERT INTO subject_request (id, reference, subject, "right", channel, categories, format, language, state, outcome,
    assignee, waits, received_at, promise_day, law_day, due_day, act_by_day, clock, closed_at)
SELECT md5('o' || n)::uuid, 'DR-2026-' || lpad(n::text, 7, '0'), md5('s' || n)::uuid, 'inquiry', 'portal', '{{}}',
    'all', 'fr', CASE n % 4 WHEN 0 THEN 'working' ELSE 'deciding' END, '', CASE n % 3 WHEN 0 THEN 7 END, n % 50 = 0,
    day::timestamptz - interval '30 days', day, day + 1, day, day - 1, '', NULL
FROM (SELECT n, '2026-10-11'::date + n % 33 AS day FROM generate_series(1, {open}) n) o;
INSERT INTO request_message (id, request, at, author, kind, text)
SELECT gen_random_uuid(), id, received_at, 'person', 'message', 'Please.' FROM subject_request;
INSERT INTO request_message (id, request, at, author, kind, text)
SELECT gen_random_uuid(), id, closed_at, 'staff', 'letter', 'Here.' FROM subject_request WHERE closed_at IS NOT NULL;
INSERT INTO mail (id, kind, to_address, language, reference, state, tries, provider_id, error, created_at, accepted_at)
SELECT gen_random_uuid(), 'answered', 'person@example.fr', 'fr', reference, 'delivered', 1, '', '', closed_at, closed_at
FROM subject_request WHERE closed_at IS NOT NULL;
INSERT INTO evidence (seq, at, event, actor, reference, details, previous, digest)
SELECT row_number() OVER (ORDER BY at), at, event, actor, reference, '{{}}', '', '' FROM (
    SELECT received_at AS at, 'rights:request:received' AS event, 'person' AS actor, reference FROM subject_request
    UNION ALL SELECT closed_at, 'rights:request:answered', CASE right(reference, 1) WHEN '7' THEN 'worker'
        ELSE 'staff:7' END, reference FROM subject_request WHERE closed_at IS NOT NULL) e;
INSERT INTO plan (id, request, kind, state, pseudonym, approved_at, runs_at, done_at)
SELECT id, id, 'erase', CASE WHEN closed_at IS NULL THEN 'approved' ELSE 'done' END, id, received_at, received_at,
    closed_at
FROM subject_request WHERE right(reference, 1) = '0';
INSERT INTO plan_item (id, plan, position, source, action, state)
SELECT gen_random_uuid(), id, 1, source, 'erase', CASE state WHEN 'done' THEN state ELSE 'waiting' END
FROM plan CROSS JOIN unnest('{{platform,stripe,files}}'::text[]) source;
"""
