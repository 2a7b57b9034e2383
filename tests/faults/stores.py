"""Every store that a search after an erasure looks through, real, with one person who is known to have been there.

Always true here: nothing of that person is in any of them but their own id and their request, as an erasure leaves it.
"""

import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

import asyncpg

from demo.seaweed import Seaweed
from demo.stripe import StandIn
from exports.press import Press
from exports.storage import FolderStorage
from portal.clock import SetClock
from portal.policy.load import load
from portal.policy.model import PortalSource, Prefix, S3Source, SourceSpec
from portal.rights.scan_places import LOG_FILES
from portal.rights.workshop import Workshop
from portal.settings import read_settings
from portal.sources.base import Identifiers, Source
from portal.sources.portal import OwnTables
from portal.sources.postgres import Postgres
from portal.sources.registry import Sources
from portal.sources.s3 import Bucket
from portal.sources.stripe import Stripe
from tests.rights.conftest import POLICIES
from tests.sources import platform, stripe_people

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

TOKEN = os.urandom(5).hex()
"""What tells this run's person from what other tests have left in the bucket."""
EMAIL, SECOND = f"Canary.{TOKEN}@person.example", f"caña.{TOKEN}@müller.example"
ACCOUNT, CUSTOMER = str(UUID(bytes=hashlib.sha256(TOKEN.encode()).digest()[:16], version=4)), f"cus_{TOKEN}Nff"
SUBJECT = UUID(int=147)
PERSON = Identifiers(
    emails=frozenset({EMAIL, EMAIL.lower(), SECOND}), account_ids=frozenset({ACCOUNT}),
    stripe_customers=frozenset({CUSTOMER}), subject_id=str(SUBJECT), display_name="Ana Canary",
)  # fmt: skip


@dataclass
class World:
    """Every store, real, with clients that may do anything to it."""

    shop: Workshop
    platform: asyncpg.Connection
    own: asyncpg.Connection
    files: "S3Client"
    stripe: StandIn
    logs: Path
    data: Path
    request: UUID


@asynccontextmanager
async def world(
    own_dsn: str, platform_dsn: str, seaweed: Seaweed, stripe: StandIn, folder: Path, clock: SetClock
) -> AsyncIterator[World]:
    """Build every store with somebody else in it."""
    reader = await platform.build(platform_dsn)
    stripe.store.fill([stripe_people.customer("ben", "ben@example.example")])
    logs, settings = folder / "logs", read_settings({
        "HABEAS_SECRET_KEY": "a key that is long enough for a test", "DATABASE_URL": own_dsn,
        "HABEAS_DATA": str(folder), LOG_FILES: f"{folder}/logs/*",
    })  # fmt: skip
    for name in ("logs", "parcels", "work"):
        (folder / name).mkdir()
    (logs / "habeas.log").write_text('{"event": "request", "route": "/{language}", "status": 200}\n' * 100)
    async with AsyncExitStack() as stack:
        own, there = await asyncpg.connect(own_dsn), await asyncpg.connect(platform_dsn)
        stack.push_async_callback(own.close)
        stack.push_async_callback(there.close)
        await there.execute(SCHEMA)
        request = await _own_rows(own, clock())
        specs, sources = _sources(own_dsn, reader, platform_dsn, seaweed, stripe)
        stack.push_async_callback(sources.close)
        policy = load(POLICIES / "casagbic.toml")
        shop = Workshop(
            policy=type(policy)(**{**{name: getattr(policy, name) for name in policy.__struct_fields__},
                                   "sources": specs}),
            settings=settings, clock=clock, sources=sources, storage=FolderStorage(folder / "parcels"),
            press=cast("Press", None),
        )  # fmt: skip
        files = stack.enter_context(contextlib.closing(seaweed.client()))
        stack.callback(_emptied, files)
        yield World(shop, there, own, files, stripe, logs, folder, request)


def _sources(
    own_dsn: str, reader: str, scanner: str, seaweed: Seaweed, stripe: StandIn
) -> tuple[tuple[SourceSpec, ...], Sources]:
    files = S3Source(
        id="uploads", title=platform.TITLE, bucket="uploads", access_key_variable="A", secret_key_variable="B",
        region=seaweed.region,
        prefixes=(Prefix(category="uploads", prefix=f"canaries-{TOKEN}/{{account_id}}/", kind="upload"),),
    )  # fmt: skip
    ours = PortalSource(id="portal", title=platform.TITLE, category="requests")
    categories = (stripe_people.PAYMENTS, stripe_people.PLANS)
    sources: list[Source] = [
        Postgres(platform.SPEC, reader, scan_dsn=scanner),
        Stripe(stripe_people.SPEC, categories, stripe.key, address=stripe.url, pause=_at_once),
        Bucket(files, endpoint=seaweed.endpoint, access_key=seaweed.access_key, secret_key=seaweed.secret_key),
        OwnTables(ours, own_dsn),
    ]
    return (platform.SPEC, stripe_people.SPEC, files, ours), Sources(sources)


def _emptied(files: "S3Client") -> None:
    """Take out of the bucket what a test has put there: it is the whole run's."""
    for prefix in (f"canaries-{TOKEN}", "others/"):
        for page in files.get_paginator("list_object_versions").paginate(Bucket="uploads", Prefix=prefix):
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                files.delete_object(Bucket="uploads", Key=one["Key"], VersionId=one["VersionId"])
        for upload in files.list_multipart_uploads(Bucket="uploads", Prefix=prefix).get("Uploads", ()):
            files.abort_multipart_upload(Bucket="uploads", Key=upload["Key"], UploadId=upload["UploadId"])


async def _at_once(_: float) -> None:
    """Pause for nothing."""


SCHEMA = """
CREATE SCHEMA audit;
CREATE TABLE audit.event (id bigserial PRIMARY KEY, line text) ;
CREATE TABLE audit."Old Lines" (id bigserial, line text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE audit.old_1 PARTITION OF audit."Old Lines" DEFAULT;
CREATE TABLE page (id serial PRIMARY KEY, plain json, body jsonb);
CREATE TABLE chunk (id serial PRIMARY KEY, raw bytea, tags text[], tree xml, words tsvector);
CREATE TABLE big (id serial PRIMARY KEY, story text);
CREATE TABLE person_of (id serial PRIMARY KEY, account uuid, others uuid[]);
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TABLE odd (id serial PRIMARY KEY, short citext, fixed char(400));
"""


async def _own_rows(own: asyncpg.Connection, at: datetime) -> UUID:
    """Store the person as an erasure leaves them: an id, and a request."""
    await own.execute("INSERT INTO subject (id, created_at, display_name) VALUES ($1, $2, '')", SUBJECT, at)
    request = uuid4()
    await own.execute(
        'INSERT INTO subject_request (id, reference, subject, "right", categories, language, state, received_at,'
        " law_day, due_day) VALUES ($1, 'DR-2026-0147', $2, 'erasure', '{}', 'en', 'working', $3, $4, $4)",
        request, SUBJECT, at, at.date(),
    )  # fmt: skip
    return request
