"""The pages: what one asks of the database, and how many a second there are beside the least that Litestar can do.

Always true here: PostgreSQL itself counts, so that nothing is missed; the worker's own questions are left out by name.
"""

import asyncio
from collections.abc import Iterator

import asyncpg

from benchmarks import bare
from benchmarks.bench import Bench
from benchmarks.guest import Guest
from benchmarks.load import load
from benchmarks.measure import Figure, at_most, medians

AREA = "Pages"
QUERIES = 4
PUBLIC = "/how-we-handle-data"
COUNT = """
    SELECT coalesce(sum(calls), 0)::int FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
    WHERE d.datname = current_database() AND query NOT LIKE '%pgqueuer%' AND query NOT LIKE '%pg_stat_%'
      AND query NOT LIKE '%pg_advisory_unlock_all%'
"""
"""The last is what the pool does between two uses of a connection."""


def figures(bench: Bench) -> Iterator[Figure]:
    """Count questions and connections over all pages, then compare two pages with a bare one."""
    guest = bench.guest("ordinary")
    bench.say("counting queries")
    yield from asyncio.run(_questions(bench, guest))
    bench.say("asking for pages")
    yield from _speed(bench, guest)


async def _questions(bench: Bench, guest: Guest) -> list[Figure]:
    copy = await asyncio.to_thread(guest.take_copy)
    pages = [
        "", "/data/prompts", "/data/requests", "/export", "/requests", f"/requests/{copy.reference}",
        f"/requests/{copy.reference}/copy", "/account", "/ask/erase", PUBLIC, "/accessibility",
    ]  # fmt: skip
    connection = await asyncpg.connect(bench.stack_dsn)
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        for page in pages:
            await asyncio.to_thread(guest.open, page)
        before = await _connections(connection)
        asked = {page: await _asked_by(connection, guest, page) for page in pages}
        opened = len(await _connections(connection) - before)
    finally:
        await connection.close()
    dearest = max(asked, key=lambda page: asked[page])
    return [
        Figure(
            what=f"queries of the dearest of {len(pages)} pages, against {QUERIES}", ratio=asked[dearest] / QUERIES,
            goal=at_most(1), note=f"{asked[dearest]} for {dearest or 'the home page'}, our own tables included",
        ),
        Figure(
            what="connections opened for a page", ratio=opened / len(pages), goal=at_most(0),
            note="those of the pool served all",
        ),
    ]  # fmt: skip


async def _asked_by(connection: asyncpg.Connection, guest: Guest, page: str) -> int:
    """Return how many queries a page takes: the least of three looks, in case the worker asked something meanwhile."""
    counts: list[int] = []
    for _ in range(3):
        await connection.execute("SELECT pg_stat_statements_reset()")
        await asyncio.to_thread(guest.open, page)
        counts.append(await connection.fetchval(COUNT))
    return min(counts)


async def _connections(connection: asyncpg.Connection) -> set[object]:
    """Return every connection there is, and how many there have been."""
    rows = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    ended = await connection.fetchval("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
    return {row["pid"] for row in rows} | {f"{ended} so far"}


def _speed(bench: Bench, guest: Guest) -> Iterator[Figure]:
    seconds, portal = bench.scale.load_seconds, bench.stack.portal_url
    with bare.running() as url:
        rounds = [
            (
                load(url, seconds=seconds).a_second,
                load(f"{portal}/en{PUBLIC}", seconds=seconds).a_second,
                load(f"{portal}/en", seconds=seconds, cookie=guest.cookie).a_second,
                load(f"{portal}/en/requests", seconds=seconds, cookie=guest.cookie).a_second,
            )
            for _ in range(bench.scale.rounds)
        ]  # fmt: skip
    least, public, home, requests = medians(rounds)
    yield Figure(
        what="a public page, answers a second against a bare Litestar route", ratio=public / least,
        note=f"{public:,.0f} and {least:,.0f} a second, one process each",
    )  # fmt: skip
    yield Figure(
        what="a page of the person’s own that asks no source, answers a second against a bare Litestar route",
        ratio=requests / least, note=f"{requests:,.0f} a second: session and list of requests from the database",
    )  # fmt: skip
    yield Figure(
        what="the home page, answers a second against a bare Litestar route", ratio=home / least,
        note=f"{home:,.0f} a second; each asks every source anew, Stripe and S3 among them",
    )  # fmt: skip
