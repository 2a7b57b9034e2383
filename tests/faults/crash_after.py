"""What is there when everything is over, in every place, as plain values: two worlds that ended alike are equal.

Always true here: looking changes nothing; what a store or the chance dates and names by itself is left out, and only
that.
"""

import contextlib
import hashlib
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from portal.evidence.ledger import proven
from portal.evidence.tombstones import Tombstone
from portal.evidence.verify import verify
from portal.rights.needles import of
from portal.rights.receipt_file import Body
from portal.settings import read_settings
from portal.sources.base import Identifiers
from tests.faults.crash_world import World

STAND_IN = re.compile(r"^\((\d+),[^,]*@erased\.invalid")
"""A row that took the place of an account, with a number: one that was rolled back has used its number up."""

type Rows = Sequence[tuple[object, ...]]

TOLD: Mapping[str, str] = {
    "plans": "SELECT p.kind, p.state, p.rounds, p.known IS NULL FROM plan p ORDER BY 1, 2",
    "items": "SELECT p.kind, i.source, i.category, i.action, i.state, i.means, i.expected, i.error"
    " FROM plan_item i JOIN plan p ON p.id = i.plan ORDER BY 1, 2, 3, 4",
    "requests": 'SELECT r.subject, r."right", r.state, r.outcome FROM subject_request r ORDER BY 1, 2',
    "timeline": "SELECT r.reference, t.event, count(*) FROM timeline_entry t JOIN subject_request r ON r.id = t.request"
    " GROUP BY 1, 2 ORDER BY 1, 2",
    "tasks": "SELECT kind, about, state FROM task ORDER BY 1, 2",
    "held": 'SELECT source, category, until, "left" FROM held_item ORDER BY 1, 2',
    "mails": "SELECT kind, state, to_address, count(*) FROM mail GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "parts": "SELECT source, category, state, expected, done, error FROM export_part ORDER BY 1, 2",
    "parcels": "SELECT r.subject, p.deleted_at IS NULL, p.records, p.files, p.complete, count(*) FROM parcel p"
    " JOIN subject_request r ON r.id = p.request GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2",
    "restrictions": "SELECT reason, lifted_at IS NULL FROM restriction ORDER BY 1",
    "tombstones": "SELECT id FROM known_tombstone",
    "searched": "SELECT store, verdict, round FROM scan_report ORDER BY 1, 3",
    "keys": "SELECT subject FROM seal_key ORDER BY 1",
    "jobs": "SELECT entrypoint, status FROM pgqueuer",
}
"""What our own tables say, without what the clock and the chance have put there."""
GROWING = frozenset({"evidence", "pgqueuer_log", "pgqueuer_statistics"})
"""Tables that rightly have more rows after a death: the queue's own diary, and the log, which is compared by events."""
REPEATABLE = frozenset({"evidence:tombstone:announced"})
"""Told again by a worker that comes after a killed one, and harmless: it announces the same tombstone."""
ANOTHER = "gone-before"
"""How a worker says that an earlier one, which was killed, had it deleted: the means, and no difference else."""
SAID_ANEW = re.compile(rb'"(stored_at|version)":"[^"]*"|[0-9TZ:.-]{20,}|[0-9a-f]{32}')
"""What the S3 server says differently of the same file in each world: when it was stored, and its version."""
ON_ITS_WAY = re.compile(rb"\b(waiting|accepted|delivered)\b")
"""How far a mail of ours is when the copy is collected: another job sends it, sooner or later than that."""


class After(msgspec.Struct, frozen=True, kw_only=True):
    """Everything, after everything is over."""

    told: Mapping[str, Rows]
    rows: Mapping[str, int]
    """Every table of ours but those of `GROWING` -> how many rows it has: nothing is left over, and nothing twice."""
    evidence: Mapping[str, int]
    """Event and details -> how often."""
    chain: str
    """What is wrong with the log; empty."""
    receipts: Rows
    platform: Mapping[str, Rows]
    stripe: object
    redactions: Rows
    """Stripe's redaction jobs: what of, and how far."""
    heard: Rows
    """What the platform was told by webhook, each piece of news once however often it was sent."""
    buried: Rows
    """What the tombstones in the ledger say, each with a code that is right."""
    files: Rows
    places: Sequence[str]
    """Files and objects of ours: parcels, tombstones, work folders."""
    copies: Rows
    """Members of the living copies, each with the digest of what it holds."""
    mails: Rows
    traces: Mapping[str, int]
    """Table of ours -> rows in which the person still stands."""


async def look(here: World) -> After:
    """Look everywhere."""
    own, platform = await asyncpg.connect(here.own_dsn), await asyncpg.connect(here.platform_dsn)
    try:
        return After(
            told={name: await _rows(own, query) for name, query in TOLD.items()},
            rows=await _numbers(own),
            evidence=await _evidence(own),
            chain=await _chain(own),
            receipts=await _receipts(own),
            platform=await _platform(platform),
            stripe=json.loads(json.dumps(here.lane.stripe.store.objects)),
            redactions=[(str(one["objects"]), str(one["status"])) for one in here.lane.stripe.redaction.jobs.values()],
            heard=sorted((one.event, one.reference, one.accounts) for one in here.lane.hook.heard),
            **_stores(here),
            mails=_mails(here),
            traces=await _traces(own, here),
        )  # fmt: skip
    finally:
        await own.close()
        await platform.close()


def differences(one: After, other: After) -> list[str]:
    """Return what is not the same, in words."""
    found = []
    for name in After.__struct_fields__:
        left, right = getattr(one, name), getattr(other, name)
        if isinstance(left, dict):
            found += [f"{name}.{key}: {left.get(key)} / {right.get(key)}"
                      for key in {*left, *right} if left.get(key) != right.get(key)]  # fmt: skip
        elif left != right:
            found.append(f"{name}: {left} / {right}")
    return found


async def _rows(connection: asyncpg.Connection, query: str) -> Rows:
    rows = await connection.fetch(query)
    return [tuple("deleted" if value == ANOTHER else value for value in row) for row in rows]


async def _platform(connection: asyncpg.Connection) -> Mapping[str, Rows]:
    """Return every row of every table; the number of an account that stands in for the person's is left out."""
    found = {
        table: [str(row[0]) for row in await _rows(connection, f'SELECT t::text FROM "{table}" t ORDER BY 1')]
        for table in await _tables(connection)
    }
    numbers = [stood[1] for rows in found.values() for row in rows if (stood := STAND_IN.match(row))]
    named = re.compile(rf"(?<=[(,])({'|'.join(numbers)})(?=[,)])") if numbers else None
    return {
        table: sorted((named.sub("stand-in", row) if named else row,) for row in rows) for table, rows in found.items()
    }


async def _tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch("SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public' ORDER BY 1")
    return [row[0] for row in rows]


async def _numbers(own: asyncpg.Connection) -> Mapping[str, int]:
    tables = [table for table in await _tables(own) if table not in GROWING]
    counted = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM \"{table}\"" for table in tables)
    return dict(await own.fetch(counted))


async def _evidence(own: asyncpg.Connection) -> Mapping[str, int]:
    """Count the events. Digests and instants in the details are each world's own."""
    rows = await own.fetch("SELECT event, details::text FROM evidence")
    told = Counter(f"{row['event']} {_plain(row['details'])}" for row in rows if row["event"] not in REPEATABLE)
    return dict(told)


def _plain(details: str) -> str:
    details = details.replace(f'"{ANOTHER}"', '"deleted"')
    kept = {
        name: value
        for name, value in json.loads(details).items()
        if name not in {"sha256", "runs_at", "sealed", "mail", "digest"}
    }
    return json.dumps(kept, sort_keys=True)


async def _chain(own: asyncpg.Connection) -> str:
    broken = (await verify(own, {})).broken
    return broken.text if broken else ""


async def _receipts(own: asyncpg.Connection) -> Rows:
    rows = await own.fetch("SELECT body FROM receipt ORDER BY number")
    bodies = [msgspec.json.decode(row["body"], type=Body) for row in rows]
    return [(b.right, b.reference, b.outcome, b.supplement, b.done, b.recipients, b.backups_gone_by) for b in bodies]


def _stores(here: World) -> dict[str, Any]:
    """Look into the buckets and the folder. What is half-written is seen too: its name begins with a dot."""
    lane = here.lane
    with contextlib.closing(lane.seaweed.client()) as client:
        files, parcels = _listed(client, lane.files), _listed(client, lane.parcels)
        archives = {key: client.get_object(Bucket=lane.parcels, Key=key)["Body"].read()
                    for key, _ in parcels if key.endswith(".zip") or _is_stone(key)}  # fmt: skip
    own = [path for part in ("parcels", "work", "tombstones") for path in (here.folder / part).rglob("*")]
    archives |= {str(path): path.read_bytes() for path in own if path.suffix == ".zip"}
    archives |= {str(path): path.read_bytes() for path in own if _is_stone(path) and path.is_file()}
    stones = [archives.pop(name) for name in sorted(archives) if _is_stone(name)]
    places = sorted([*(str(path.relative_to(here.folder)) for path in own), *(key for key, _ in parcels)])
    copies = [member for name in sorted(archives) for member in _members(archives[name])]
    return {"files": files, "places": places, "copies": copies, "buried": _stones(here, stones)}


def _is_stone(place: str | Path) -> bool:
    return Path(place).parent.name == "tombstones"


def _stones(here: World, kept: Sequence[bytes]) -> Rows:
    """Read tombstones: whom, by hashes, and what stays until when. When each was written is left out."""
    settings = read_settings(here.environment)
    read = [proven(one, Tombstone, settings) for one in kept]
    return sorted(
        (str(one.subject), sorted(one.hashes), one.categories, one.sources, one.forget_after,
         sorted((each.source, each.category, str(each.pseudonym), each.ground, each.until) for each in one.held))
        for one in read
    )  # fmt: skip


def _listed(client: Any, bucket: str) -> list[tuple[str, str]]:
    """Every version, marker and unfinished upload of a bucket."""
    pages = list(client.get_paginator("list_object_versions").paginate(Bucket=bucket))
    return sorted([
        *((one["Key"], f"{one['Size']} {one['IsLatest']}") for page in pages for one in page.get("Versions", ())),
        *((one["Key"], "marker") for page in pages for one in page.get("DeleteMarkers", ())),
        *((one["Key"], "upload") for one in client.list_multipart_uploads(Bucket=bucket).get("Uploads", ())),
    ])  # fmt: skip


def _members(archive: bytes) -> list[tuple[str, str]]:
    """Name and digest of each member; of a PDF, whose engine dates it, the name alone, and of lists of members too."""
    with zipfile.ZipFile(io.BytesIO(archive)) as copy:
        assert copy.testzip() is None
        return [(name, _digest(name, copy.read(name))) for name in sorted(copy.namelist())]


def _digest(name: str, content: bytes) -> str:
    """Sum a member up. Records of one moment stand in the order of their random ids, so lines are sorted."""
    if name.endswith(".pdf") or name == "manifest.json":
        return ""
    if name == "data.json" or name.startswith("data/requests."):
        content = ON_ITS_WAY.sub(b"", content)
    if not name.startswith("files/") or name == "files/index.csv":
        content = b"\n".join(sorted(line.strip(b",\r") for line in SAID_ANEW.sub(b"", content).split(b"\n")))
    return hashlib.sha256(content).hexdigest()[:12]


def _mails(here: World) -> Rows:
    """Return what the provider has accepted since the scene, and assert that no key was accepted twice."""
    accepted = here.lane.mail.messages()
    keys = [mail.key for mail in accepted]
    assert len(keys) == len(set(keys)), "one key, two mails"
    return sorted((mail.to[0], str(mail.params["subject"])) for mail in accepted)


async def _traces(own: asyncpg.Connection, here: World) -> Mapping[str, int]:
    """Search every table of ours for everything the person is known by elsewhere, in every form."""
    person = here.scene.person
    subject = Identifiers(
        emails=frozenset(person.emails), account_ids=frozenset(one for one in person.account_ids if len(one) > 9),
        stripe_customers=frozenset({person.stripe_customer}),
    )  # fmt: skip
    texts = sorted({text.lower() for text in of(subject).texts.values() if len(text) > 9})
    found = {}
    for table in await _tables(own):
        holds = "EXISTS (SELECT FROM unnest($1::text[]) n WHERE strpos(lower(t::text), n) > 0)"
        query = f'SELECT count(*) FROM "{table}" t WHERE {holds}'
        if number := await own.fetchval(query, texts):
            found[table] = number
    return found
