"""Background work on PgQueuer: enqueued with the rows that cause it, run by whichever worker is free.

Always true here: a payload holds references only; a job that is rolled back never existed; what a failing job says
is reduced to the name of its error before anything is stored, because a message might hold personal data.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import asyncpg
import msgspec
import structlog
from pgqueuer import PgQueuer
from pgqueuer.core.executors import EntrypointExecutor
from pgqueuer.errors import FailingListenerError, RetryRequested
from pgqueuer.models import Context, Job
from pgqueuer.queries import Queries
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import HabeasError, SourceRefused, SourceUnsupported

log = structlog.get_logger()

type Payload = Mapping[str, str]
type Handler = Callable[[Payload], Awaitable[None]]

HEARTBEAT = timedelta(seconds=30)
"""A job whose worker has been silent for this long is taken over by another."""


class Later(Exception):
    """A handler raises this to be called again after `delay`; it does not count as a failure."""

    def __init__(self, delay: timedelta, why: str) -> None:
        super().__init__(why)
        self.delay = delay


@dataclass(frozen=True)
class Work:
    """One kind of job: its name, what runs it, how often it is tried, and how many at once (0 = any number)."""

    name: str
    handler: Handler
    tries: int = 8
    first_delay: timedelta = timedelta(seconds=2)
    longest_delay: timedelta = timedelta(minutes=10)
    at_once: int = 0


@dataclass(frozen=True)
class Schedule:
    """Something done by the clock: a cron expression (UTC) and what runs."""

    name: str
    cron: str
    run: Callable[[], Awaitable[None]]
    at_start: bool = False
    """True when it is also done as soon as a worker starts: whatever came due while nobody worked does not wait."""


async def enqueue(name: str, payload: Payload, *, key: str, after: timedelta = timedelta()) -> bool:
    """Add a job inside the caller's transaction. Returns False when one with `key` is waiting or running already.

    Raises:
        RuntimeError: outside a transaction.
    """
    queue = Queries.from_asyncpg_connection(engine().connection)
    ids = await queue.enqueue(
        [name], [msgspec.json.encode(payload)], [0], [after], [key], on_conflict="skip",
    )  # fmt: skip
    return ids[0] is not None


@dataclass(frozen=True)
class Parked:
    """A job that failed for good and waits for a person. `error` is the name of what went wrong last."""

    id: int
    name: str
    payload: Payload
    since: datetime
    attempts: int
    error: str


async def parked(*, limit: int = 200) -> list[Parked]:
    """Return the jobs that wait for a person, those that wait longest first."""
    rows = await engine().run_querystring(
        QueryString(
            "SELECT j.id, j.entrypoint AS name, j.payload, j.updated AS since, j.attempts, coalesce((SELECT"
            " l.traceback->>'exception_message' FROM pgqueuer_log l WHERE l.job_id = j.id AND l.traceback IS NOT NULL"
            " ORDER BY l.created DESC LIMIT 1), '') AS error"
            " FROM pgqueuer j WHERE j.status = 'failed' ORDER BY j.updated, j.id LIMIT {}",
            limit,
        )
    )  # fmt: skip
    return [Parked(**{**row, "payload": _decoded(row["payload"])}) for row in rows]


async def requeue(id: int) -> bool:
    """Let a parked job run again from its first try, inside the caller's transaction. False: it is not parked.

    When the same work was enqueued again meanwhile, that one does it, and the parked one is dropped.
    """
    return await _resolve(
        "UPDATE pgqueuer j SET status = 'queued', execute_after = now(), updated = now(), attempts = 0,"
        " queue_manager_id = NULL WHERE j.id = $1 AND j.status = 'failed' AND NOT EXISTS (SELECT FROM pgqueuer o"
        " WHERE o.dedupe_key = j.dedupe_key AND o.status IN ('queued', 'picked')) RETURNING id, entrypoint, priority",
        "queued", id,
    ) or await drop(id)  # fmt: skip


async def drop(id: int) -> bool:
    """Forget a parked job inside the caller's transaction, so that it never runs. False: it is not parked."""
    return await _resolve(
        "DELETE FROM pgqueuer WHERE id = $1 AND status = 'failed' RETURNING id, entrypoint, priority", "canceled", id
    )


async def _resolve(change: str, status: str, id: int) -> bool:
    done = await engine().connection.fetch(
        f"WITH changed AS ({change}) INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)"  # noqa: S608  ours
        f" SELECT id, '{status}', entrypoint, priority FROM changed RETURNING job_id",
        id,
    )
    return bool(done)


class Worker:
    """Runs jobs until told to stop. Finishes what it is doing; a killed worker's jobs are taken over."""

    def __init__(
        self, dsn: str, works: list[Work], schedules: list[Schedule], *, heartbeat: timedelta = HEARTBEAT
    ) -> None:
        self.dsn = dsn
        self.works = works
        self.schedules = schedules
        self.heartbeat = heartbeat
        self.stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask the worker to finish what it is doing and return."""
        self.stopping.set()

    async def run(self) -> None:
        """Work until `stop`.

        Raises:
            ConnectionError: when the database no longer tells us of new jobs; run again for a new connection.
        """
        async with asyncpg.create_pool(self.dsn, min_size=2, max_size=6) as pool:
            queue = self._queue(pool)
            stopping = asyncio.create_task(self._forward_stop(queue))
            try:
                await self._catch_up()
                await queue.run(
                    batch_size=5, dequeue_timeout=timedelta(seconds=5), heartbeat_timeout=self.heartbeat,
                    shutdown_on_listener_failure=True,
                )  # fmt: skip
            except FailingListenerError as error:
                raise ConnectionError("the database no longer tells of new jobs") from error
            finally:
                stopping.cancel()

    def _queue(self, pool: asyncpg.Pool) -> PgQueuer:
        queue = PgQueuer.from_asyncpg_pool(pool)
        for work in self.works:
            queue.entrypoint(
                work.name, concurrency_limit=work.at_once, accepts_context=False, on_failure="hold",
                executor_factory=partial(_Executor, work=work),
            )(_entry(work.handler))  # fmt: skip
        for schedule in self.schedules:
            queue.schedule(schedule.name, schedule.cron, accepts_context=False)(_cron(schedule))
        return queue

    async def _catch_up(self) -> None:
        for schedule in self.schedules:
            if schedule.at_start:
                try:
                    await schedule.run()
                except Exception as error:  # the worker's edge: its own time comes again, and jobs must not wait for it
                    log.warning("schedule failed", schedule=schedule.name, error=type(error).__name__)

    async def _forward_stop(self, queue: PgQueuer) -> None:
        """Stop the queue when we are told to. The queue's own event is not ours: it also sets it when it fails."""
        await self.stopping.wait()
        queue.shutdown.set()


def _entry(handler: Handler) -> Callable[[Job], Awaitable[None]]:
    async def entry(job: Job) -> None:
        await handler(_decoded(job.payload))

    return entry


def _decoded(payload: bytes | None) -> Payload:
    return msgspec.json.decode(payload or b"{}", type=dict[str, str])


def _cron(schedule: Schedule) -> Callable[[object], Awaitable[None]]:
    async def entry(_: object) -> None:
        await schedule.run()

    return entry


class Failed(HabeasError):
    """What is left of an error that ended a job: its kind, never its words."""


class _Executor(EntrypointExecutor):
    """Retries with growing delays, then parks the job for a person (`on_failure="hold"`)."""

    def __init__(self, parameters: object, work: Work) -> None:
        super().__init__(parameters)  # type: ignore[arg-type]
        self.work = work

    async def execute(self, job: Job, context: Context) -> None:
        try:
            await super().execute(job, context)
        except Later as later:
            raise RetryRequested(delay=later.delay, reason="later") from None
        except asyncio.CancelledError:
            # We are told to stop and the grace is over. PgQueuer 1 would count the job as cancelled and forget it.
            raise RetryRequested(delay=timedelta(), reason="cut off") from None
        except Exception as error:  # the worker's edge: whatever it was, the job is retried or parked
            kind = type(error).__name__
            log.warning("job failed", job=self.work.name, job_id=int(job.id), error=kind, attempt=job.attempts)
            if isinstance(error, SourceRefused | SourceUnsupported) or job.attempts >= self.work.tries:
                raise Failed(kind) from None
            delay = min(self.work.first_delay * 2 ** min(job.attempts, 20), self.work.longest_delay)
            raise RetryRequested(delay=delay, reason=kind) from None
