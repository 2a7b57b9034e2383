"""One house for each kind of source: the same two people, Ana and Ben, in each; and a twin that nobody answers for.

Always true here: what is Ben's can be told from what is Ana's by a text that stands in each of his records.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from demo.seaweed import Seaweed
from demo.stripe import StandIn
from portal.policy.model import PORTAL_FIELDS, S3_FIELDS, PortalSource, Prefix, S3Source
from portal.sources.base import Correction, Erasing, Identifiers, Source
from portal.sources.portal import OwnTables
from portal.sources.postgres import Postgres
from portal.sources.s3 import Bucket
from portal.sources.stripe import Stripe
from tests.sources import platform, stripe_people
from tests.sources.platform import ANA, BEN

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
NAMES = {
    "quotes.txt": "\"quoted\" and 'quoted' \\ back",
    "up.txt": "../../etc/passwd",
    "sum.csv": "=1+1|'cmd'!A0.csv",
    "bidi.png": "\u202egnp.exe\ufeff",
    "emoji.jpg": "été \U0001f469\u200d\U0001f4bb 100% .jpg",
}


@dataclass(frozen=True)
class House:
    """A source, what is known of Ana, her categories with the fields their lines may have, and a dead twin."""

    source: Source
    dead: Source
    ana: Identifiers
    fields: Mapping[str, frozenset[str]]
    hers: str
    """A text that is in her records."""
    his: str
    """A text that is in every record of Ben's."""
    ben: Identifiers
    items: tuple[Erasing, ...]
    """What erasing a whole person asks for; empty where somebody else erases."""
    gone: frozenset[str]
    """The categories of which nothing is told any more once it is done."""
    needle: str
    """A text of Ana's that a search finds, and after erasing no longer."""
    correction: Correction | None = None
    """A field that may be written; None where nothing may."""


@dataclass(frozen=True)
class Servers:
    """What a house may be built on."""

    platform_dsn: str
    own_dsn: str
    seaweed: Seaweed
    stripe: StandIn


@asynccontextmanager
async def postgres(servers: Servers) -> AsyncIterator[House]:
    """Somebody else's PostgreSQL."""
    dsn = await platform.build(servers.platform_dsn)
    owner = await asyncpg.connect(servers.platform_dsn)
    await owner.execute("UPDATE job SET prompt = 'of ben' WHERE account_id = $1", BEN)
    await owner.close()
    fields: dict[str, set[str]] = {}
    for table in platform.SPEC.tables:
        fields.setdefault(table.category, set()).update(column.target for column in table.columns)
    items = tuple(Erasing(category=category, action="erase") for category in fields)
    yield House(
        source=Postgres(
            platform.SPEC,
            dsn,
            write_dsn=dsn.replace(platform.READER, platform.WRITER),
            scan_dsn=dsn.replace(platform.READER, platform.SCANNER),
            erasures=items,
        ),
        dead=Postgres(platform.SPEC, NOWHERE, write_dsn=NOWHERE, scan_dsn=NOWHERE),
        ana=Identifiers(emails=frozenset({"ana.lima@example.example"}), account_ids=frozenset({ANA})),
        fields={category: frozenset(names) for category, names in fields.items()},
        hers="prompt 2",
        his="of ben",
        ben=Identifiers(emails=frozenset({"ben@example.example"}), account_ids=frozenset({BEN})),
        items=items,
        gone=frozenset(fields),
        needle="ana.lima@example.example",
        correction=Correction(category="account", field="name", value="Ana María"),
    )


@asynccontextmanager
async def stripe(servers: Servers) -> AsyncIterator[House]:
    """Stripe."""
    servers.stripe.store.fill(
        [
            stripe_people.customer("ana", "ana.lima@example.example", charges=120),
            stripe_people.customer("ben", "ben@example.example"),
        ]
    )
    categories = (stripe_people.PAYMENTS, stripe_people.PLANS)

    def adapter(address: str) -> Stripe:
        return Stripe(stripe_people.SPEC, categories, servers.stripe.key, address=address, pause=_no_pause)

    yield House(
        source=adapter(servers.stripe.url),
        dead=adapter("http://127.0.0.1:1"),
        ana=Identifiers(emails=frozenset({"ana.lima@example.example"}), stripe_customers=frozenset({"cus_ana"})),
        fields={one.id: frozenset(field.id for field in one.fields) for one in categories},
        hers="ch_ana7",
        his="ben",
        ben=Identifiers(emails=frozenset({"ben@example.example"}), stripe_customers=frozenset({"cus_ben"})),
        items=tuple(Erasing(category=one.id, action="erase") for one in categories),
        gone=frozenset(),  # A deleted customer's charges and ended subscriptions stay, and are told.
        needle="ana.lima@example.example",
    )


@asynccontextmanager
async def s3(servers: Servers) -> AsyncIterator[House]:
    """A bucket with the files of account 1 and of account 10, in a folder of this house alone."""
    folder = f"contract-{os.urandom(5).hex()}"
    spec = S3Source(
        id="uploads", title=platform.TITLE, bucket="uploads", access_key_variable="A", secret_key_variable="B",
        region=servers.seaweed.region,
        prefixes=(Prefix(category="uploads", prefix=f"{folder}/{{account_id}}/", kind="upload"),),
    )  # fmt: skip
    for key, name in NAMES.items():
        servers.seaweed.put("uploads", f"{folder}/1/{key}", name.encode(), media_type="text/plain", name=name)
    servers.seaweed.put("uploads", f"{folder}/1/up.txt", b"second", media_type="text/plain", name="../../etc/passwd")
    servers.seaweed.put("uploads", f"{folder}/10/ben.txt", b"of ben", media_type="text/plain", name="ben.txt")
    access, secret = servers.seaweed.access_key, servers.seaweed.secret_key
    keys = {"access_key": access, "secret_key": secret, "write_access_key": access, "write_secret_key": secret}
    yield House(
        source=Bucket(spec, endpoint=servers.seaweed.endpoint, **keys),
        dead=Bucket(spec, endpoint="http://127.0.0.1:1", **keys),
        ana=Identifiers(emails=frozenset({"ana.lima@example.example"}), account_ids=frozenset({"1"})),
        fields={"uploads": frozenset(S3_FIELDS)},
        hers="quotes.txt",
        his="ben.txt",
        ben=Identifiers(emails=frozenset({"ben@example.example"}), account_ids=frozenset({"10"})),
        items=(Erasing(category="uploads", action="erase"),),
        gone=frozenset({"uploads"}),
        needle="contract/1/quotes.txt",
    )


@asynccontextmanager
async def portal(servers: Servers) -> AsyncIterator[House]:
    """Our own tables."""
    connection = await asyncpg.connect(servers.own_dsn)
    for number, (name, email) in enumerate((("ana", "ana.lima@example.example"), ("ben", "ben@example.example")), 1):
        await connection.execute(
            "INSERT INTO subject (id, email, display_name, created_at) VALUES ($1, $2, $3, now())",
            UUID(int=number), email, f"name of {name}",
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO person_session"
            " (id, subject, token_hash, browser_label, way, created_at, expires_at, confirmed_at)"
            " VALUES (gen_random_uuid(), $1, $2, $2, 'code', now(), now(), now())",
            UUID(int=number), f"browser of {name}",
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO mail (id, kind, to_address, language, state, created_at)"
            " VALUES (gen_random_uuid(), 'sign-in', $1, 'en', 'delivered', now())",
            email,
        )
    await connection.close()
    spec = PortalSource(id="portal", title=platform.TITLE, category="requests")
    yield House(
        source=OwnTables(spec, servers.own_dsn),
        dead=OwnTables(spec, NOWHERE),
        ana=Identifiers(emails=frozenset({"ana.lima@example.example"}), subject_id=str(UUID(int=1))),
        fields={"requests": frozenset(PORTAL_FIELDS)},
        hers="browser of ana",
        his="ben",
        ben=Identifiers(emails=frozenset({"ben@example.example"}), subject_id=str(UUID(int=2))),
        items=(),
        gone=frozenset(),
        needle="browser of ana",
    )


async def _no_pause(_: float) -> None:
    """Wait for nothing: the stand-in's faults pass at once."""


HOUSES: Mapping[str, Callable[[Servers], AbstractAsyncContextManager[House]]] = {
    "postgres": postgres,
    "stripe": stripe,
    "s3": s3,
    "portal": portal,
}
