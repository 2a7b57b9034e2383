"""The figures of two years: does it matter how many requests there were, and is it dearer than one bare aggregate?

Always true here: as much ended in the last days in both databases, so that only what is counted already differs; the
bare aggregate counts by month, right and outcome alone, and knows neither days nor grounds.
"""

import asyncio
import io
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, date, datetime

import asyncpg

from benchmarks.bench import Bench
from benchmarks.measure import Figure, at_most, medians
from benchmarks.queue import on, seconds
from portal.database import engine, migrate
from portal.rights import figures_files
from portal.rights.figures import Report
from portal.rights.figures_tally import fold, read

AREA = "Figures"
LATELY = 2_000
"""Requests that ended in the last three days: they are not counted yet, and read from the log for each page."""
ROUNDS = 5
ZONE = "Europe/Paris"
AT = datetime(2026, 10, 14, 9, tzinfo=UTC)
FIRST, LAST = date(2024, 11, 1), date(2026, 10, 1)
BARE = f"""SELECT date_trunc('month', received_at AT TIME ZONE '{ZONE}')::date, "right", outcome, count(*)
    FROM subject_request GROUP BY 1, 2, 3"""


def figures(bench: Bench) -> Iterator[Figure]:
    """Compare the page's reading and the CSV with the bare aggregate, and beside many requests with few."""
    many, few = bench.scale.rows, bench.scale.few_rows
    places, counted = {ended: bench.database(f"figures-{ended}") for ended in (few, many)}, dict[int, float]()
    for ended, dsn in places.items():
        bench.say(f"making {ended:,} ended requests, and counting them")
        counted[ended] = asyncio.run(on(dsn, lambda ended=ended: _fill(ended)))  # type: ignore[misc]
    rounds = [
        [number for ended in (few, many) for number in asyncio.run(on(places[ended], _look))]
        for _ in range(bench.scale.rounds)
    ]
    page_few, _, _, page_many, csv_many, bare_many = medians(rounds)
    yield Figure(
        what=f"what the page reads, {many:,} ended requests against one bare aggregate of them",
        ratio=page_many / bare_many, goal=at_most(1),
        note=f"{page_many * 1000:.0f} ms and {bare_many * 1000:.0f} ms; {min(LATELY, few):,} of them from the log",
    )  # fmt: skip
    yield Figure(
        what="the CSV of the same, against the bare aggregate", ratio=csv_many / bare_many, goal=at_most(1),
        note=f"{csv_many * 1000:.0f} ms",
    )  # fmt: skip
    yield Figure(
        what=f"what the page reads, {many:,} ended requests against {few:,}", ratio=page_many / page_few,
        goal=at_most(1.5), note=f"{page_many * 1000:.0f} ms and {page_few * 1000:.0f} ms",
    )  # fmt: skip
    yield Figure(
        what=f"counting {many:,} ended requests once, in the background, against the bare aggregate",
        ratio=counted[many] / bare_many, note=f"{counted[many]:.1f} s, {many / counted[many]:,.0f} requests a second",
    )  # fmt: skip


async def _look() -> list[float]:
    """Return the medians in seconds of the page's reading, of the CSV, and of the bare aggregate."""

    async def page() -> Report:
        return await read(ZONE, FIRST, LAST, "received", at=AT)

    async def csv() -> bytes:
        return figures_files.as_csv(await page())

    async def bare() -> None:
        async with engine().transaction():
            await engine().connection.fetch(BARE)

    ways = (page, csv, bare)
    assert not (await page()).behind
    return medians([[await seconds(way) for way in ways] for _ in range(ROUNDS)])


async def _fill(ended: int) -> float:
    """Make the requests and count them. Returns how many seconds the counting took."""
    dsn = str(engine().config["dsn"])
    with redirect_stdout(io.StringIO()):
        await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_FILL.format(ended=ended, lately=min(LATELY, ended)))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    start = time.perf_counter()
    assert await fold(ZONE, at=AT) == ended - min(LATELY, ended)
    return time.perf_counter() - start


_FILL = """
INSERT INTO subject_request (id, reference, "right", channel, categories, format, language, state, outcome, waits,
    received_at, promise_day, law_day, due_day, act_by_day, clock, closed_at)
SELECT md5('c' || n)::uuid, 'DR-2025-' || lpad(n::text, 7, '0'),
    ('{{access,erasure,rectification,inquiry,objection}}'::text[])[n % 5 + 1],
    ('{{portal,mailbox,letter}}'::text[])[n % 3 + 1], '{{}}', 'all', 'fr', 'closed',
    CASE n % 20 WHEN 0 THEN 'refused' WHEN 1 THEN 'withdrawn' ELSE 'fulfilled' END, false, at - days * interval '1 day',
    day, day + 1, day, day - 1, '', at
FROM (SELECT n, at, n % 33 AS days, (at - n % 33 * interval '1 day' + interval '30 days')::date AS day FROM (
    SELECT n, CASE WHEN n <= {lately} THEN '2026-10-14 08:00Z'::timestamptz - n * interval '2 minutes'
           ELSE '2026-10-11 00:00Z'::timestamptz - n * interval '650 days' / {ended} END AS at
    FROM generate_series(1, {ended}) n) c) c;
INSERT INTO mail (id, kind, to_address, language, reference, state, tries, provider_id, error, created_at, accepted_at)
SELECT gen_random_uuid(), 'answered', 'person@example.fr', 'fr', reference, 'delivered', 1, '', '', closed_at, closed_at
FROM subject_request WHERE outcome <> 'withdrawn';
INSERT INTO evidence (seq, at, event, actor, reference, details, previous, digest)
SELECT row_number() OVER (ORDER BY at), at, event, actor, reference, details, '', '' FROM (
    SELECT received_at AS at, 'rights:request:received' AS event, 'person' AS actor, reference,
        jsonb_build_object('right', "right", 'channel', channel, 'received_at', received_at, 'due', due_day) AS details
    FROM subject_request
    UNION ALL SELECT closed_at, 'rights:request:' || outcome, CASE outcome WHEN 'refused' THEN 'staff:7' ELSE 'worker'
        END, reference, jsonb_build_object('to', outcome, 'reasons', CASE outcome WHEN 'refused' THEN 'excessive'
        ELSE '' END)
    FROM subject_request) e;
"""
