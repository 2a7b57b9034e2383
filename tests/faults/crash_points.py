"""Every point at which a worker can die and it matters: each commit and each call that leaves the process.

Always true here: the points are put around the real objects (the driver, the transports, the file system) by the
process that is to die; the product knows nothing of them. Dying is SIGKILL: nothing is tidied up.
"""

import functools
import os
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any, Literal

import asyncpg
import botocore.client
import httpx
import msgspec

from exports.press import Press

type Side = Literal["before", "after"]

WRITES = re.compile(r"\b(INSERT\s+INTO|(?<!FOR\s)UPDATE|DELETE\s+FROM)\b", re.IGNORECASE)
TAKEN, ENDED = "queue: a job is taken", "queue: a job has ended"
QUEUE = {"next_queued": TAKEN, "WITH job_status AS": ENDED, "WITH retry AS": "queue: a job is put off"}
"""What the queue commits for a job, by a part of its statement. Its timers (heartbeats, statistics) are left out."""
ID = re.compile(r"(?<=/)[a-z]{2,4}_[^/]+|(?<=/)[0-9a-f-]{20,}")


class Point(msgspec.Struct, frozen=True, order=True):
    """One point: where, what is done there, for the how-manieth time in this run, and on which side of it."""

    place: str
    """ours, platform, stripe, mail, hook, files, parcels, ledger, disk or press"""
    what: str
    turn: int
    side: Side

    def __str__(self) -> str:
        return f"{self.side} {self.what} ({self.place}), no. {self.turn}"


def harmless(point: Point) -> bool:
    """Return whether nothing changes anywhere by what is done there: it only asks."""
    asks = point.place in {"stripe", "files", "parcels"} and point.what.startswith(("GET ", "Get", "Head", "List"))
    return asks or point.place == "press"


def deaths(points: Sequence[Point]) -> list[Point]:
    """Return where to die so that every point is covered: at each that changes something, on both sides of it.

    Between two changes the world stands still: to die at one of several questions in a row is to die at any of them,
    and the middle one stands for them all; to die before a file of this machine is removed is to die after the one
    before it was.
    """
    chosen: list[Point] = []
    for asking, some in groupby(points, key=harmless):
        stretch = list(some)
        chosen += [stretch[len(stretch) // 2]] if asking else stretch
    return [
        point
        for before, point in pairwise([None, *chosen])
        if point is not None and not (_on_disk(before, "after") and _on_disk(point, "before"))
    ]


def first_and_last(points: Sequence[Point]) -> list[Point]:
    """Return, of the points at which the same is done again and again, the first and the last."""
    turns: dict[tuple[str, str, str], list[Point]] = {}
    for point in points:
        turns.setdefault((point.place, point.what, point.side), []).append(point)
    kept = {point for same in turns.values() for point in (same[0], same[-1])}
    return [point for point in points if point in kept]


def _on_disk(point: Point | None, side: Side) -> bool:
    return point is not None and point.place == "disk" and point.side == side


class Tape:
    """Writes each point to `record`, and kills this process at `fatal`."""

    def __init__(self, record: str, fatal: Point | None) -> None:
        self._record = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._fatal = fatal
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def reach(self, place: str, what: str, side: Side) -> None:
        """Pass a point, or die there."""
        with self._lock:
            self._seen[place, what, side] += 1
            point = Point(place, what, self._seen[place, what, side], side)
            os.write(self._record, msgspec.json.encode(point) + b"\n")
        if point == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def install(tape: Tape, databases: Mapping[str, str], hosts: Mapping[str, str], buckets: Mapping[str, str]) -> None:
    """Put the points around everything. The mappings say what a database, a host:port and a bucket are called."""
    _around_statements(tape, databases)
    _around_http(tape, hosts)
    _around_buckets(tape, buckets)
    _around_files(tape)
    _around_press(tape)


# --- Databases -----------------------------------------------------------------------------------------------------


def _around_statements(tape: Tape, databases: Mapping[str, str]) -> None:
    connection: Any = asyncpg.Connection
    plain, prepared = connection.execute, connection._execute

    async def execute(self: Any, query: str, *args: object, **more: Any) -> Any:
        if args:
            return await plain(self, query, *args, **more)  # It goes on to the other one.
        return await around(self, query, functools.partial(plain, self, query, **more))

    async def _execute(self: Any, query: str, *args: Any, **more: Any) -> Any:
        return await around(self, query, functools.partial(prepared, self, query, *args, **more))

    async def around(self: Any, query: str, run: Callable[[], Awaitable[Any]]) -> Any:
        place, what = databases.get(self._params.database, ""), _commits(self, query)
        if not (place and what):
            return await run()
        if what != TAKEN:
            tape.reach(place, what, "before")
        result = await run()
        if what != TAKEN or result:
            tape.reach(place, what, "after")
        return result

    connection.execute, connection._execute = execute, _execute


def _commits(connection: Any, query: str) -> str:
    """Return what a statement commits, by the function of ours that has it done; empty when it commits nothing."""
    if connection.is_in_transaction():
        return _ours() if query.lstrip()[:6].upper() == "COMMIT" else ""
    if "pgqueuer" in query and not _ours():
        return next((what for part, what in QUEUE.items() if part in query), "")
    return _ours() if WRITES.search(query) else ""


def _ours() -> str:
    """Return the function of ours that waits for this, as `rights.plans.finished`; empty when none does."""
    frame = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(("portal.", "exports.")) and module not in {"portal.database", "portal.jobs"}:
            return f"{module.removeprefix('portal.')}.{frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


# --- Far ends ------------------------------------------------------------------------------------------------------


def _around_http(tape: Tape, hosts: Mapping[str, str]) -> None:
    transport: Any = httpx.AsyncHTTPTransport
    send = transport.handle_async_request

    async def handle_async_request(self: Any, request: httpx.Request) -> httpx.Response:
        place = hosts.get(request.url.netloc.decode(), "")
        what = f"{request.method} {ID.sub('{id}', request.url.path)}"
        if place:
            tape.reach(place, what, "before")
        response: httpx.Response = await send(self, request)
        if place:
            tape.reach(place, what, "after")
        return response

    transport.handle_async_request = handle_async_request


def _around_buckets(tape: Tape, buckets: Mapping[str, str]) -> None:
    client: Any = botocore.client.BaseClient
    call = client._make_api_call

    def _make_api_call(self: Any, operation: str, given: dict[str, Any]) -> Any:
        place = buckets.get(given.get("Bucket", ""), "")
        if place:
            tape.reach(place, operation, "before")
        answer = call(self, operation, given)
        if place:
            tape.reach(place, operation, "after")
        return answer

    client._make_api_call = _make_api_call


# --- This machine --------------------------------------------------------------------------------------------------


def _around_files(tape: Tape) -> None:
    for name in ("fsync", "link", "replace", "rename", "unlink"):
        setattr(os, name, _watched(tape, name, getattr(os, name)))


def _watched(tape: Tape, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def watched(*args: Any, **more: Any) -> Any:
        where = _ours()
        if where:
            tape.reach("disk", f"{where}: {name}", "before")
        result = act(*args, **more)
        if where:
            tape.reach("disk", f"{where}: {name}", "after")
        return result

    return watched


def _around_press(tape: Tape) -> None:
    press: Any = Press
    work = press.run

    async def run(self: Any, task: Any, *, seconds: float) -> Any:
        tape.reach("press", type(task).__name__, "before")
        result = await work(self, task, seconds=seconds)
        tape.reach("press", type(task).__name__, "after")
        return result

    press.run = run
