"""Is it alive, can it serve, and how is it doing: for the machines that watch over an installation.

Always true here: numbers only, labelled by route pattern, state and kind; nothing about a person. The numbers stand
on a port of their own, so that a proxy that publishes the portal does not publish them.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

import asyncpg
from litestar import Litestar, Response, get
from litestar.types import ASGIApp
from piccolo.querystring import QueryString
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from portal.database import engine
from portal.jobs import Schedule

SILENT = timedelta(minutes=3)
"""A worker that has not moved its schedules for so long is not there: they move every minute."""
LONGEST_DAY = timedelta(hours=26)
"""Between two daily mails to staff: a day has 25 hours once a year, and a mail takes its time."""
ANSWER_SECONDS = 3
MIGRATIONS: Final = {"portal": "portal.piccolo_migrations", "admin": "admin.piccolo_migrations"}
UNREACHABLE: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

HOW_THINGS_ARE = """
    SELECT (SELECT count(*) FROM pgqueuer WHERE status = 'queued') AS jobs_waiting,
           (SELECT count(*) FROM pgqueuer WHERE status = 'picked') AS jobs_running,
           (SELECT count(*) FROM pgqueuer WHERE status = 'failed') AS jobs_parked,
           (SELECT coalesce(extract(epoch FROM now() - min(created)), 0)::float8
              FROM pgqueuer WHERE status = 'queued' AND execute_after <= now()) AS oldest_job_seconds,
           (SELECT count(*) FROM mail WHERE state = 'waiting') AS mails_waiting,
           (SELECT count(*) FROM mail WHERE state = 'failed') AS mails_failed,
           (SELECT count(*) FROM subject_request WHERE state IN ('received', 'working')) AS exports_open,
           (SELECT coalesce(extract(epoch FROM now() - max(greatest(heartbeat, last_run))), 'infinity')::float8
              FROM pgqueuer_schedules) AS worker_silent_seconds,
           (SELECT coalesce(extract(epoch FROM now() - max(at)), 'infinity')::float8
              FROM heartbeat WHERE name = 'rights.clock') AS clocks_silent_seconds,
           (SELECT coalesce(extract(epoch FROM now() - max(at)), 'infinity')::float8
              FROM heartbeat WHERE name = 'staff.daily') AS daily_mail_silent_seconds,
           (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
              FROM mail WHERE state = 'waiting') AS oldest_mail_seconds
"""
MEANINGS = {
    "jobs_waiting": "Jobs that wait for a worker.",
    "jobs_running": "Jobs that a worker has taken.",
    "jobs_parked": "Jobs that failed for good and wait for a person.",
    "oldest_job_seconds": "For how long the oldest job that could run has waited.",
    "mails_waiting": "Mails that have not left yet.",
    "mails_failed": "Mails that the provider refused for good.",
    "exports_open": "Requests for a copy that are not answered yet.",
    "worker_silent_seconds": "Seconds since a worker last moved its schedules; +Inf when there never was one.",
    "clocks_silent_seconds": "Seconds since the clocks of all requests were last looked at; +Inf when they never were.",
    "daily_mail_silent_seconds": "Seconds since the daily mail to staff last left; +Inf while no worker ever ran.",
    "oldest_mail_seconds": "For how long the oldest mail that has not left yet has waited.",
}


@get("/healthz", sync_to_thread=False)
def alive() -> Response[str]:
    """Answer while the process can answer at all."""
    return Response("ok\n", media_type="text/plain")


@get("/readyz")
async def ready() -> Response[dict[str, str]]:
    """Answer 200 when pages can be served: the database is there and its schema is ours.

    A silent worker, or a day without its mail to staff, is named but does not make us unready: pages go on working,
    and taking them away helps nobody.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            missing = await missing_migrations()
            things = {} if missing else await how_things_are()
    except UNREACHABLE:
        return Response({"database": "unreachable"}, status_code=503)
    if missing:
        return Response({"database": "reachable", "schema": "behind"}, status_code=503)
    worker = "silent" if things["worker_silent_seconds"] > SILENT.total_seconds() else "working"
    mail = "missing" if things["daily_mail_silent_seconds"] > LONGEST_DAY.total_seconds() else "sent"
    return Response({"database": "reachable", "schema": "current", "worker": worker, "daily_mail": mail})


routes = [alive, ready]


async def missing_migrations() -> set[str]:
    """Return the migrations of this version that the database has not seen."""
    rows = await engine().run_querystring(QueryString("SELECT app_name, name FROM migration"))
    seen = {(row["app_name"], row["name"]) for row in rows}
    return {name for app, name in _migrations() if (app, name) not in seen}


async def how_things_are() -> Mapping[str, float]:
    """Return the numbers of `MEANINGS`, in one query."""
    rows = await engine().run_querystring(QueryString(HOW_THINGS_ARE))
    return {name: float(rows[0][name]) for name in MEANINGS}


def schedules() -> list[Schedule]:
    """Return the beat by which a worker shows that it is there; running it is all it does."""

    async def beat() -> None:
        return None

    return [Schedule("health.beat", "* * * * *", beat)]


class Metrics:
    """What has been counted in this process, and how the installation is when somebody asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ["method", "route", "status"]
        self.requests = Counter("habeas_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram("habeas_request_seconds", "Time to answer.", ["route"], registry=self.registry)
        self.database = Gauge("habeas_database_up", "1 when the database answered just now.", registry=self.registry)
        self.state = {
            name: Gauge(f"habeas_{name}", meaning, registry=self.registry) for name, meaning in MEANINGS.items()
        }

    def seen(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request. `route` is its pattern, never its path."""
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    async def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                numbers = await how_things_are()
        except UNREACHABLE:
            self.database.set(0)
            numbers = {name: float("nan") for name in MEANINGS}
        else:
            self.database.set(1)
        for name, number in numbers.items():
            self.state[name].set(number)
        return generate_latest(self.registry)


def metrics_app(metrics: Metrics) -> ASGIApp:
    """Return the app of the metrics port: one page, `/metrics`."""

    @get("/metrics")
    async def show() -> Response[bytes]:
        return Response(await metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Litestar([show], openapi_config=None, logging_config=None)


@cache
def _migrations() -> frozenset[tuple[str, str]]:
    """Return the app and the id of every migration that this version brings."""
    packages = {app: import_module(name) for app, name in MIGRATIONS.items()}
    return frozenset(
        (app, import_module(f"{MIGRATIONS[app]}.{module.name}").ID)
        for app, package in packages.items()
        for module in iter_modules(package.__path__)
    )
