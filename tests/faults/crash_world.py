"""Worlds to die in: everything around one organisation, frozen at a moment, and copied for each death.

Always true here: each run gets databases, files and far ends of its own that are the same to the last byte but for
what a store itself dates; nobody else works in its lane.
"""

import asyncio
import contextlib
import copy
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import msgspec

from demo import resend, stripe
from demo.platforms import Person
from demo.platforms.hook import Hook, listening
from demo.seaweed import Seaweed, Upload
from demo.stack import READER, ROOT, SCANNER, WRITER
from demo.stripe.redaction import STAGE, Redaction
from portal.clock import Clock, SetClock
from portal.database import engine
from tests.faults.crash_points import ENDED, Point
from tests.faults.crash_worker import Order

SECRET = "a key that is long enough for a worker that dies often"


def later() -> Clock:
    """Return a clock that goes on by a stage of a redaction whenever somebody looks at it."""
    looks = count(1)
    return lambda: datetime(2026, 10, 14, tzinfo=UTC) + next(looks) * STAGE


@dataclass
class Lane:
    """Far ends and a fork server for one world at a time."""

    number: int
    seaweed: Seaweed
    stripe: stripe.StandIn
    mail: resend.StandIn
    hook: Hook
    server: "subprocess.Popen[bytes]"
    clock: SetClock
    """The platform's, which hears nothing that is older than some minutes."""

    @property
    def files(self) -> str:
        """The bucket of the organisation's files."""
        return f"kills-files-{self.number}"

    @property
    def parcels(self) -> str:
        """The bucket of parcels and tombstones, where an organisation keeps them in one."""
        return f"kills-parcels-{self.number}"

    def work(self, order: Order) -> int:
        """Let one worker do it. Returns how it ended."""
        return work(self.server, order)


def work(server: "subprocess.Popen[bytes]", order: Order) -> int:
    """Let a fork server's worker do it. Returns how it ended: 0, or minus the signal."""
    assert server.stdin is not None and server.stdout is not None
    server.stdin.write(msgspec.json.encode(order) + b"\n")
    server.stdin.flush()
    return int(server.stdout.readline())


@contextmanager
def fork_server() -> Iterator["subprocess.Popen[bytes]"]:
    """Start what forks workers; it ends with its orders."""
    command = [sys.executable, "-m", "tests.faults.crash_worker"]
    environment = {**os.environ, "HABEAS_DATA": "/tmp/nothing", "TZ": "UTC"}
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as server:  # fmt: skip
        yield server


@contextmanager
def lane(number: int, seaweed: Seaweed) -> Iterator[Lane]:
    """Open a lane."""
    clock = SetClock(datetime.now(UTC))
    with ExitStack() as stack:
        server = stack.enter_context(fork_server())
        one = Lane(
            number, seaweed, stack.enter_context(stripe.serving()), stack.enter_context(resend.serving(limit=1_000)),
            stack.enter_context(listening(clock=clock)), server, clock,
        )  # fmt: skip
        with contextlib.closing(seaweed.client()) as client:
            for bucket in (one.files, one.parcels):
                client.create_bucket(Bucket=bucket)
                client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        yield one


@dataclass
class Scene:
    """An organisation at the moment before the work that is to be killed."""

    organisation: str
    dsn: str
    """Of our own database on the server; its name is replaced."""
    name: str
    """What its databases begin with."""
    folder: Path
    person: Person
    other: Person
    at: datetime
    stripe: list[Mapping[str, object]]
    people: list[Person] = field(default_factory=list)
    """Everybody, the two among them."""
    parcels: dict[str, bytes] = field(default_factory=dict)
    """What the bucket of parcels holds."""
    minutes: bool = True
    redact: bool = False
    """True: Stripe is asked for redaction jobs, which this account has."""

    def database(self, name: str) -> str:
        """Return the DSN of a database of the same server."""
        return self.dsn.replace("/habeas?", f"/{name}?")


@dataclass
class World:
    """One copy of a scene, in a lane."""

    scene: Scene
    lane: Lane
    name: str
    folder: Path
    detours: dict[str, str] = field(default_factory=dict)
    """Variables that lead through a proxy."""

    @property
    def own_dsn(self) -> str:
        """Our own database."""
        return self.scene.database(f"{self.name}_own")

    @property
    def platform_dsn(self) -> str:
        """The platform's, as its owner."""
        return self.scene.database(f"{self.name}_platform")

    @property
    def environment(self) -> dict[str, str]:
        """What Habeas is started with. One organisation keeps parcels and tombstones in a folder, one in a bucket."""
        upper, lane, s3 = self.scene.organisation.upper(), self.lane, self.lane.seaweed
        keys = (s3.access_key, s3.secret_key)
        names = ("ACCESS_KEY", "SECRET_KEY")
        roles = zip(("DATABASE", "WRITE", "SCAN"), (READER, WRITER, SCANNER), strict=True)
        bucket = {
            "HABEAS_PARCEL_BUCKET": lane.parcels, "HABEAS_PARCEL_S3_ENDPOINT": s3.endpoint,
            "HABEAS_TOMBSTONES": f"s3://{lane.parcels}/ledger", "HABEAS_TOMBSTONES_S3_ENDPOINT": s3.endpoint,
        }  # fmt: skip
        return {
            "HABEAS_POLICY": str(ROOT / "policies" / f"{self.scene.organisation}.toml"), "HABEAS_SECRET_KEY": SECRET,
            "HABEAS_DATA": str(self.folder), "DATABASE_URL": self.own_dsn, "TZ": "UTC",
            "RESEND_API_KEY": lane.mail.api_key, "RESEND_API_URL": lane.mail.url, "STRIPE_API_KEY": lane.stripe.key,
            "STRIPE_API_URL": lane.stripe.url, f"{upper}_HOOK_URL": lane.hook.url,
            f"{upper}_HOOK_SECRET": lane.hook.secret, f"{upper}_S3_ENDPOINT": s3.endpoint,
            **{f"{upper}_S3_{kind}{name}": key
               for kind in ("", "WRITE_", "SCAN_") for name, key in zip(names, keys, strict=True)},
            **{f"{upper}_{kind}_URL": self.platform_dsn.replace("habeas@", f"{role}@") for kind, role in roles},
            "AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1], "AWS_DEFAULT_REGION": s3.region,
            **(bucket if self.scene.organisation == "caaartoons" else {}), **self.detours,
        }  # fmt: skip

    def order(self, fatal: Point | None = None, *, minutes: bool | None = None) -> Order:
        """Return the order for a worker here, which writes down the points that it passes."""
        lane = self.lane
        netlocs = {urlsplit(lane.stripe.url).netloc: "stripe", urlsplit(lane.mail.url).netloc: "mail",
                   urlsplit(lane.hook.url).netloc: "hook"}  # fmt: skip
        return Order(
            environment=self.environment, at=self.scene.at, bucket=lane.files, fatal=fatal,
            minutes=self.scene.minutes if minutes is None else minutes, press=not self.scene.minutes,
            redact=self.scene.redact,
            record=str(self.record(fatal)),
            databases={f"{self.name}_own": "ours", f"{self.name}_platform": "platform"}, hosts=netlocs,
            buckets={lane.files: "files", lane.parcels: "parcels"},
        )  # fmt: skip

    def record(self, fatal: Point | None) -> Path:
        """Where the points of a worker are written."""
        return self.folder.with_name(f"{self.folder.name}-{'killed' if fatal else 'whole'}.points")

    def points(self) -> list[Point]:
        """Return the points that the last worker which was not killed has passed."""
        lines = self.record(None).read_text().splitlines()
        return [msgspec.json.decode(line, type=Point) for line in lines]

    async def work(self, fatal: Point | None = None, *, minutes: bool | None = None) -> None:
        """Let a worker do everything, or die. What it wrote is in the message when it ends otherwise."""
        self.record(fatal).unlink(missing_ok=True)
        status = await asyncio.to_thread(self.lane.work, self.order(fatal, minutes=minutes))
        said = self.record(fatal).with_suffix(".points.log")
        # Two jobs that end at the same instant end in one commit: then the second's own was not there to die at.
        together = fatal is not None and fatal.place == "ours" and fatal.what == ENDED and fatal.turn > 1
        expected = {-9, 0} if together else {-9} if fatal else {0}
        assert status in expected, f"{fatal}: ended with {status}\n{end_of(said)}"


def end_of(log: Path) -> str:
    """Return the last that a worker has said."""
    return log.read_text()[-6000:]


@asynccontextmanager
async def world(scene: Scene, lane: Lane) -> AsyncIterator[World]:
    """Copy a scene into a lane, and remove the copy afterwards."""
    name = f"k_{os.urandom(5).hex()}"
    here = World(scene, lane, name, scene.folder.with_name(name))
    shutil.copytree(scene.folder, here.folder)
    for part in ("own", "platform"):
        await on_server(scene.dsn, f'CREATE DATABASE "{name}_{part}" TEMPLATE "{scene.name}_{part}" STRATEGY file_copy')
    await asyncio.to_thread(fill, here)
    lane.clock.now = scene.at
    try:
        yield here
    finally:
        for part in ("own", "platform"):
            await on_server(scene.dsn, f'DROP DATABASE "{name}_{part}" WITH (FORCE)')
        shutil.rmtree(here.folder)
        for left in here.folder.parent.glob(f"{name}-*"):
            left.unlink()


def fill(here: World) -> None:
    """Put into Stripe and the buckets what is there at the moment of the scene; let nobody remember another world."""
    scene, lane = here.scene, here.lane
    # What waits in the scene (a mail, news, a redaction) has one id in all worlds.
    for seen in (lane.mail._keys, lane.mail._sent, lane.hook._ids, lane.hook.heard, lane.stripe._answered):
        seen.clear()
    for objects in (*lane.stripe.store.objects.values(), lane.stripe.store.redacted):
        objects.clear()
    lane.stripe.redaction = Redaction(lane.stripe.store, later())
    lane.stripe.store.fill(copy.deepcopy(scene.stripe))
    with contextlib.closing(lane.seaweed.client()) as client:
        for bucket in (lane.files, lane.parcels):
            empty(client, bucket)
        lane.seaweed.put_all(lane.files, _uploads(scene))
        lane.seaweed.put_all(lane.parcels, [Upload(key, body, "", "") for key, body in scene.parcels.items()])
        prefix = f"{scene.person.account_ids[0]}/"
        client.put_object(Bucket=lane.files, Key=f"{prefix}hidden", Body=b"behind a delete marker")
        client.delete_object(Bucket=lane.files, Key=f"{prefix}hidden")
        client.create_multipart_upload(Bucket=lane.files, Key=f"{prefix}unfinished")


def _uploads(scene: Scene) -> list[Upload]:
    """Everybody's files; one of the person's in two versions."""
    every = [Upload(one.key, one.body, one.media_type, one.name) for person in scene.people for one in person.files]
    return [*every[:1], *every]


def empty(client: object, bucket: str) -> None:
    """Delete every version of everything in a bucket, and every unfinished upload."""
    s3: object = client
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):  # type: ignore[attr-defined]
        versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if versions:
            named = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": named, "Quiet": True})  # type: ignore[attr-defined]
    for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ()):  # type: ignore[attr-defined]
        s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])  # type: ignore[attr-defined]


@asynccontextmanager
async def connected_as(dsn: str) -> AsyncIterator[None]:
    """Have the product's engine on a database while the block runs."""
    before, engine().config = engine().config, {"dsn": dsn}
    try:
        async with engine().pooled():
            yield
    finally:
        engine().config = before


async def on_server(dsn: str, statement: str) -> None:
    """Run a statement that belongs to no database."""
    connection = await asyncpg.connect(dsn.replace("/habeas?", "/postgres?"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
