"""A worker that can be started a hundred times a minute: a process with everything loaded forks one for each order.

Always true here: the fork server opens nothing and starts no thread, so that a forked worker is as good as a fresh
one; what the worker runs is the product's own worker, its clock and its minutes apart.

`python -m tests.faults.crash_worker` reads one order a line and answers one line with how its worker ended.
"""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import boto3
import botocore.loaders
import botocore.session
import msgspec
import uvloop
from botocore.retries.standard import ExponentialBackoff
from pgqueuer.core.buffers import JobStatusLogBuffer

from demo.stack import ROOT
from portal.clock import SetClock
from portal.database import engine
from portal.jobs import Schedule, Worker
from portal.mail.resend import Resend
from portal.policy.load import load
from portal.policy.model import Policy, S3Source, SourceSpec, StripeSource
from portal.rights.workshop import Workshop
from portal.serve import _working, make_worker, workshop
from portal.settings import read_settings
from portal.sources import s3_calls, stripe_calls
from tests.faults import crash_press
from tests.faults.crash_points import Point, Tape, install

MINUTES = ("rights.plans", "rights.forget")
"""The schedules that an erasure needs. They are run by hand, minute after minute, and not by the real clock."""
POLICIES: dict[Path, Policy] = {}
MOST_MINUTES, PATIENCE_SECONDS = 60, 120.0
HEARTBEAT = timedelta(seconds=4)

QUIET = """
SELECT NOT EXISTS (SELECT FROM pgqueuer) AND NOT EXISTS (SELECT FROM mail WHERE state = 'waiting')
"""
PUT_OFF = "SELECT EXISTS (SELECT FROM pgqueuer WHERE execute_after > now())"
OVER = """
SELECT NOT EXISTS (SELECT FROM plan p JOIN subject_request r ON r.id = p.request WHERE p.kind = 'erase'
                   AND (p.state NOT IN ('done', 'cancelled') OR (p.whole AND p.known IS NOT NULL)))
       AND NOT EXISTS (SELECT FROM subject_request WHERE "right" = 'access' AND closed_at IS NULL)
"""
LEFT = """
SELECT r.reference, r."right", r.state, r.closed_at, s.email IS NULL AS forgotten, p.kind, p.state AS plan, p.whole,
       p.known IS NOT NULL AS known, i.source, i.action, i.state AS item, i.error
FROM subject_request r JOIN subject s ON s.id = r.subject LEFT JOIN plan p ON p.request = r.id
     LEFT JOIN plan_item i ON i.plan = p.id AND i.state <> 'done'
WHERE r."right" = 'access' AND r.closed_at IS NULL OR p.kind = 'erase'
      AND (p.state NOT IN ('done', 'cancelled') OR (p.whole AND p.known IS NOT NULL))
"""
"""What is not over, for whoever has to find out why."""


NOT_OVER = 3
"""How a worker ends that was to give up, and had something left to do."""
SHORT_SECONDS = 0.3


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One worker: with which environment, from when on, and where it dies, if it does."""

    environment: Mapping[str, str]
    at: datetime
    bucket: str
    """Where the organisation's files are, instead of the policy's."""
    press: bool = False
    """True: a copy is made, so that a press had better be warm."""
    minutes: bool = True
    """False: do the jobs there are, and look at no schedule."""
    for_ever: bool = False
    """True: work until killed, a minute every third of a second."""
    impatient: float = 0
    """Seconds for the jobs of a minute. Above 0: wait for far ends a third of a second, and after a few minutes end
    with `NOT_OVER`."""
    redact: bool = False
    """True: Stripe's redaction jobs are used."""
    fatal: Point | None = None
    record: str
    """The file that gets a line for each point; beside it, what the worker says."""
    databases: Mapping[str, str] = {}
    hosts: Mapping[str, str] = {}
    buckets: Mapping[str, str] = {}
    """What databases, host:port and buckets are called in the points; without any there are none."""


class Stuck(Exception):
    """The work did not come to its end."""


async def obey(order: Order) -> None:
    """Work until everything is over. Raises: Stuck."""
    settings = read_settings(dict(order.environment))
    engine().config = {"dsn": settings.database_dsn}
    if order.impatient:
        _lose_patience()
    if order.databases:
        install(Tape(order.record, order.fatal), order.databases, order.hosts, order.buckets)
    clock = SetClock(order.at)
    async with workshop(settings, policy_of(settings.policy_file, order.bucket, redact=order.redact), clock) as shop:
        await _work(shop, clock, order)
        # Everything is over and said so in the database: there is no need to take leave of anybody.
        await shop.press.close()
        os._exit(0)


def policy_of(file: Path, bucket: str, *, redact: bool = False) -> Policy:
    """Return a policy whose files are in another bucket, and which may have Stripe redact."""
    policy = POLICIES.get(file) or load(file)

    def changed(one: SourceSpec) -> SourceSpec:
        match one:
            case S3Source():
                return msgspec.structs.replace(one, bucket=bucket)
            case StripeSource():
                return msgspec.structs.replace(one, redact=redact)
        return one

    return msgspec.structs.replace(policy, sources=tuple(map(changed, policy.sources)))


async def _work(shop: Workshop, clock: SetClock, order: Order) -> None:
    made = make_worker(shop)
    worker = Worker(shop.settings.database_dsn, made.works, [], heartbeat=HEARTBEAT)
    working = asyncio.create_task(_working(worker))
    schedules = [one for one in made.schedules if one.name in MINUTES] if order.minutes else []
    if order.for_ever:
        await _for_ever(clock, schedules)
    most, patience = (4, order.impatient) if order.impatient else (MOST_MINUTES, PATIENCE_SECONDS)
    try:
        await _minutes(shop, clock, schedules, working, most, patience)
    except Stuck:
        if not order.impatient:
            raise
        os._exit(NOT_OVER)


async def _for_ever(clock: SetClock, schedules: list[Schedule]) -> None:
    """Let minute after minute pass until somebody kills us."""
    while True:
        for schedule in schedules:
            await schedule.run()
        clock.advance(timedelta(minutes=1))
        await asyncio.sleep(0.3)


async def _minutes(
    shop: Workshop, clock: SetClock, schedules: list[Schedule], working: asyncio.Task[None], most: int, patience: float
) -> None:
    """Let minute after minute pass, each as soon as the jobs of the one before are done."""
    eye = await asyncpg.connect(shop.settings.database_dsn)
    # A killed worker's jobs are taken over as if its heartbeat had run out.
    await eye.execute("UPDATE pgqueuer SET heartbeat = now() - interval '1 hour' WHERE status = 'picked'")
    for _ in range(most):
        await _quiet(eye, working, patience)
        if not schedules or await eye.fetchval(OVER):
            await eye.close()
            return
        for schedule in schedules:
            await schedule.run()
        clock.advance(timedelta(minutes=1))
    left = [tuple(row) for row in await eye.fetch(LEFT)]
    raise Stuck(f"the work is not over after {most} minutes: {left}")


async def _quiet(eye: asyncpg.Connection, working: asyncio.Task[None], patience: float) -> None:
    """Wait until there is no job and no mail left; what waits for its next try has it now."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if await eye.fetchval(QUIET):
            return
        if working.done():
            await working
        if await eye.fetchval(PUT_OFF):
            await eye.execute("UPDATE pgqueuer SET execute_after = now() WHERE execute_after > now()")
        await asyncio.sleep(0.01)
    raise Stuck(f"jobs or mails are left after {patience:.0f} seconds")


def _lose_patience() -> None:
    """Wait for far ends as a worker does, in a thirtieth of the time."""
    stripe_calls.REQUEST_SECONDS, stripe_calls.PAUSES_SECONDS = SHORT_SECONDS, (0.01, 0.01, 0.01)
    s3_calls.READ_SECONDS = SHORT_SECONDS
    ExponentialBackoff.delay_amount = lambda *_: 0.01  # type: ignore[method-assign]
    Resend.__init__.__kwdefaults__["limit_seconds"] = SHORT_SECONDS


def serve() -> None:
    """Fork a worker for each line, and say how it ended: 0, or minus the signal."""
    _load()
    _one_by_one()
    gc.collect()
    gc.freeze()
    for line in sys.stdin.buffer:
        worker = os.fork()
        if worker == 0:
            _be_worker(line)
        _, status = os.waitpid(worker, 0)
        os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _one_by_one() -> None:
    """Have the queue say of each job by itself that it has ended, and not of some together after a while."""
    begin = JobStatusLogBuffer.__init__

    def by_one(self: JobStatusLogBuffer, max_size: int, **more: Any) -> None:
        begin(self, max_size=min(1, max_size), **more)

    JobStatusLogBuffer.__init__ = by_one  # type: ignore[method-assign]


def _load() -> None:
    """Read once what each worker would read for itself: the vendor's descriptions of S3, and the policies."""
    loader = botocore.loaders.create_loader()
    botocore.session.create_loader = lambda *_: loader  # type: ignore[attr-defined]
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-3"}
    boto3.session.Session().client("s3", **keys).close()  # type: ignore[call-overload]
    for file in (ROOT / "policies").glob("*.toml"):
        POLICIES[file] = load(file)


def _be_worker(line: bytes) -> None:
    order = msgspec.json.decode(line, type=Order)
    os.environ.update(order.environment)  # boto3 reads its keys there.
    log = os.open(order.record + ".log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if order.press:
        crash_press.prepare(2)
    try:
        asyncio.run(obey(order), loop_factory=uvloop.new_event_loop)
    except BaseException:  # noqa: BLE001  The edge of a process: it says what it was, and ends.
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    serve()
