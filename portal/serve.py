"""Puts the parts together and runs them: database, sources, storage, portal, worker, metrics.

Always true here: whoever is told to stop finishes the requests and jobs at hand, for half a minute at most; a job that
is cut off all the same is taken over by another worker or after the next start.
"""

import asyncio
import contextlib
import gc
import io
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import asyncpg
import structlog
import uvicorn
from litestar.types import ASGIApp

from admin import reminders as staff
from admin import sign_in_send as staff_sign_in
from exports.press import Press
from exports.storage import FolderStorage, S3Storage, Storage
from portal import health, replay
from portal.app import create_app
from portal.clock import Clock
from portal.database import engine, migrate
from portal.embedded import embedded_postgres
from portal.errors import SettingsError, SourceUnavailable
from portal.gate import Gate
from portal.identity import send as identity
from portal.jobs import Worker
from portal.mail import sender as mail
from portal.mail.pace import Pace
from portal.mail.resend import Resend
from portal.policy.model import Policy
from portal.rights import works as rights
from portal.rights.erase_again import erase_again
from portal.rights.works import CRAFTS
from portal.rights.workshop import Workshop
from portal.settings import Settings
from portal.sources.base import Identifiers
from portal.sources.registry import Sources, open_sources

log = structlog.get_logger()

GRACE = timedelta(seconds=30)
BACK_AFTER = timedelta(seconds=2)
"""How long a worker whose database went away waits before it tries again."""
AWAY = (
    OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError,
)  # fmt: skip
UNUSABLE = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)


@contextmanager
def database(settings: Settings) -> Iterator[None]:
    """Have a database: yours, or the embedded one for as long as this lasts."""
    if settings.database_url is not None:
        yield
        return
    # A SIGTERM must not leave PostgreSQL behind while nobody listens for it yet.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with embedded_postgres(settings.data_folder):
        yield


async def prepare(settings: Settings) -> None:
    """Bring the database to the newest schema.

    Raises:
        SettingsError: when it cannot be reached or migrated.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            await migrate(settings.database_dsn)
    except UNUSABLE as error:
        raise _unusable(settings, error) from error
    except RuntimeError as error:
        raise SettingsError(f"{error}\n{said.getvalue()[-600:]}") from error


async def has_tables(settings: Settings) -> bool:
    """Tell whether the database has our tables, and change nothing in it.

    Raises:
        SettingsError: when it cannot be reached.
    """
    try:
        connection = await asyncpg.connect(settings.database_dsn)
    except UNUSABLE as error:
        raise _unusable(settings, error) from error
    try:
        return bool(await connection.fetchval("SELECT to_regclass('public.evidence') IS NOT NULL"))
    finally:
        await connection.close()


def _unusable(settings: Settings, error: Exception) -> SettingsError:
    where = ""
    with contextlib.suppress(ValueError):
        where = f" at {urlsplit(settings.database_dsn).hostname or 'its socket'}"
    return SettingsError(f"the database{where} cannot be used ({type(error).__name__}). Check DATABASE_URL.")


async def serve(settings: Settings, policy: Policy, clock: Clock) -> None:
    """Run portal, worker and metrics until a signal.

    Raises:
        SettingsError: when something it needs is missing, before anybody is served.
    """
    door = _listen(settings.host, settings.port, "HABEAS_PORT")
    back_door = _listen(settings.host, settings.metrics_port, "HABEAS_METRICS_PORT") if settings.metrics_port else None
    await prepare(settings)
    async with workshop(settings, policy, clock) as shop:
        gate = Gate()
        await replay.close_when_behind(gate, settings)
        app = create_app(policy, settings, clock, sources=shop.sources, storage=shop.storage, gate=gate)
        servers = [(_server(app, settings), door)]
        if back_door:
            servers.append((_server(health.metrics_app(app.state.metrics), settings), back_door))
        worker = make_worker(shop)

        def stop() -> None:
            worker.stop()
            for server, _ in servers:
                server.should_exit = True

        settle()
        log.info("serving", address=settings.public_url, policy=policy.id, gate="closed" if gate.closed else "open")
        await _until_told([_in_order(worker, shop, gate), *(server.serve([at]) for server, at in servers)], stop)


async def work(settings: Settings, policy: Policy, clock: Clock) -> None:
    """Run a worker until a signal."""
    await prepare(settings)
    async with workshop(settings, policy, clock) as shop:
        gate = Gate()
        await replay.close_when_behind(gate, settings)
        worker = make_worker(shop)
        settle()
        log.info("working", policy=policy.id)
        await _until_told([_in_order(worker, shop, gate)], worker.stop)


def settle() -> None:
    """Take what is loaded now, and stays, out of the collector's sight: walking over it stops every page for 0.1 s."""
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def workshop(settings: Settings, policy: Policy, clock: Clock) -> AsyncIterator[Workshop]:
    """Open what pages and jobs need, and close it again."""
    storage, sources = open_storage(settings), open_sources(policy, settings)
    try:
        async with engine().pooled(), Press() as press:
            yield Workshop(policy, settings, clock, sources, storage, press)
    finally:
        await sources.close()
        await storage.close()


def open_storage(settings: Settings) -> Storage:
    """Return where parcels are kept: a bucket, or a folder beside the database."""
    if settings.parcel_bucket:
        # The bucket's own rule only clears what we forgot, so it must not be quicker than we are.
        days = max(30, settings.parcel_days + 1)
        return S3Storage(settings.parcel_bucket, endpoint=settings.parcel_s3_endpoint, days=days)
    return FolderStorage(settings.data_folder / "parcels")


def make_worker(shop: Workshop) -> Worker:
    """Return a worker that knows every kind of job. It has more patience with sources than a page has."""
    shop = replace(shop, sources=shop.sources.patient())
    settings, policy, clock = shop.settings, shop.policy, shop.clock
    key = settings.variable("RESEND_API_KEY", needed_by="Sending mail")
    works = [
        *mail.works(policy, settings, clock, Resend(key, settings.resend_api_url, Pace())),
        *identity.works(policy, settings, clock, lambda address: knows(shop.sources, address)),
        *rights.works(shop),
        *staff_sign_in.works(policy, settings, clock),
        *staff.works(shop),
    ]
    schedules = [
        *identity.schedules(clock), *staff_sign_in.schedules(clock), *rights.schedules(shop), *staff.schedules(shop),
        *health.schedules(), *replay.schedules(settings, clock),
    ]  # fmt: skip
    return Worker(settings.database_dsn, works, schedules)


async def knows(sources: Sources, address: str) -> bool:
    """True when some system knows a person by this address.

    Raises:
        SourceUnavailable: when none does so far, and one could not be asked.
    """
    found = await sources.identify(Identifiers(emails=frozenset({address})))
    if not found.identifiers.known() and found.unreachable:
        raise SourceUnavailable(found.unreachable[0], "could not be asked who this is")
    return found.identifiers.known()


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to us: the worker must hear them too."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _server(app: ASGIApp, settings: Settings) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            ws="none",
            timeout_graceful_shutdown=int(GRACE.total_seconds()),
        )
    )


def _listen(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise SettingsError(f"cannot listen on {host}, port {port}: {error.strerror}. Change {setting}.") from error


async def _in_order(worker: Worker, shop: Workshop, gate: Gate) -> None:
    """Run the worker, once a restored database is in order: its jobs may be about people we have erased since."""
    await replay.open_when_in_order(gate, shop.settings, shop.clock, erase_again(shop, CRAFTS), worker.stopping)
    await _working(worker)


async def _working(worker: Worker) -> None:
    """Run the worker; when its database goes away, try again until it is back or we are told to stop."""
    while not worker.stopping.is_set():
        try:
            await worker.run()
        except AWAY as error:
            log.warning("the worker lost its database", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(worker.stopping.wait(), BACK_AFTER.total_seconds())


async def _until_told(parts: list[Coroutine[None, None, None]], stop: Callable[[], None]) -> None:
    """Run the parts until a signal, or until one of them ends; then stop all, and wait no longer than the grace."""
    told = asyncio.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(kind, told.set)
    waiting = asyncio.create_task(told.wait())
    tasks = [asyncio.create_task(part) for part in parts]
    await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    stop()
    _, late = await asyncio.wait(tasks, timeout=GRACE.total_seconds())
    for task in [waiting, *late]:
        task.cancel()
    await asyncio.gather(waiting, *late, return_exceptions=True)
    for task in set(tasks) - late:
        task.result()
    log.info("stopped", unfinished=len(late))
