"""Canaries: traces of one person, each planted in one place of one store, each to be found there and taken away again.

Always true here: a canary knows the store and the place it is in, and what must be said of it when it is found.
"""

import asyncio
import base64
import gzip
import hashlib
import html
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid4, uuid5

from portal.database import engine
from portal.evidence.log import append
from portal.jobs import enqueue
from portal.rights.scan_places import FILES, LOGS, PARCELS
from tests.faults.stores import ACCOUNT, CUSTOMER, EMAIL, SECOND, SUBJECT, TOKEN, World

type Done = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Canary:
    """One trace. `take` removes it; `key` is what a finding calls it, empty where places have no keys."""

    store: str
    place: str
    key: str
    take: Done


# --- In which words a person stands somewhere ----------------------------------------------------------------------

FORMS: Mapping[str, Callable[[str], str]] = {
    "plain": str,
    "capitals": str.upper,
    "header": lambda text: f'To: "Ana" <{text}>',
    "sentence": lambda text: f"Please write to {text}. Thanks",
    "list": lambda text: f"ben@person.example;{text};eva@person.example",
    "url": lambda text: f"GET /find?q={quote(text, safe='')}&page=1",
    "url-plain-at": lambda text: f"GET /find?q={quote(text, safe='@')}",
    "url-twice": lambda text: f"next={quote('/find?q=' + quote(text, safe=''), safe='')}",
    "html": lambda text: f"<p>{html.escape(text).replace('@', '&#64;')}</p>",
    "json": lambda text: json.dumps({"who": {"name": [text]}}),
    "json-twice": lambda text: json.dumps({"body": json.dumps({"to": text})}),
    "json-lines": lambda text: json.dumps(f"first\n{text}\tlast"),
    "json-dotnet": lambda text: json.dumps(text).replace("@", "\\u0040"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-inside": lambda text: base64.b64encode(f"user:{text}:x".encode()).decode(),
    "base64-basic": lambda text: "Basic " + base64.b64encode(f"{text}:secret".encode()).decode(),
    "base64url": lambda text: "eyJ." + base64.urlsafe_b64encode(f"id={text}".encode()).decode().rstrip("="),
    "hex": lambda text: text.encode().hex(),
    "md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    "gravatar": lambda text: hashlib.md5(text.lower().encode(), usedforsecurity=False).hexdigest(),
    "sha1": lambda text: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
    "sha256": lambda text: hashlib.sha256(text.lower().encode()).hexdigest(),
    "sha256-capitals": lambda text: hashlib.sha256(text.encode()).hexdigest().upper(),
    "sha256-base64": lambda text: base64.b64encode(hashlib.sha256(text.lower().encode()).digest()).decode(),
    "sha512": lambda text: hashlib.sha512(text.encode()).hexdigest(),
}


# --- Planting ------------------------------------------------------------------------------------------------------


async def plant(here: World) -> list[Canary]:
    """Plant all of them."""
    return [
        *[canary async for canary in _on_the_platform(here)],
        *[canary async for canary in _with_us(here)],
        *_in_the_bucket(here),
        *_at_stripe(here),
        *_in_files(here),
    ]


async def _on_the_platform(here: World) -> AsyncIterator[Canary]:
    async def row(table: str, column: str, value: object, cast_: str = "") -> Canary:
        id = await here.platform.fetchval(f"INSERT INTO {table} ({column}) VALUES ($1{cast_}) RETURNING id", value)
        place = table.replace('"', "")

        async def take() -> None:
            await here.platform.execute(f"DELETE FROM {table} WHERE id = $1", id)

        return Canary("platform", place, str(id), take)

    for form in FORMS.values():
        yield await row("audit.event", "line", form(EMAIL))
        yield await row("audit.event", "line", form(ACCOUNT))
        yield await row('audit."Old Lines"', "line", form(CUSTOMER))
        yield await row("page", "body", json.dumps({"deep": [{"er": form(SECOND)}]}), "::jsonb")
    for text in (EMAIL, SECOND, ACCOUNT):
        yield await row("page", "plain", json.dumps({text: 1}), "::json")
        yield await row("chunk", "raw", b"\x00\x0aA" + text.encode() + b"\xff")
        yield await row("chunk", "tags", ["x", text])
        yield await row("chunk", "tree", f"<a b='{text}'/>", "::xml")
        yield await row("big", "story", "Once upon a time. " * 2_000 + text + " The end." * 2_000)
        yield await row("odd", "short", text)
        yield await row("odd", "fixed", text)
    yield await row("chunk", "words", f"'{EMAIL.lower()}':1", "::tsvector")
    yield await row("person_of", "account", ACCOUNT, "::text::uuid")
    yield await row("person_of", "others", [UUID(int=1), UUID(ACCOUNT)])
    yield await row("big", "story", f"our own id {SUBJECT}")


async def _with_us(here: World) -> AsyncIterator[Canary]:
    async def taken(table: str, key: str, id: object) -> None:
        async with here.own.transaction():
            await here.own.execute("SET LOCAL session_replication_role = replica")
            await here.own.execute(f"DELETE FROM {table} WHERE {key} = $1", id)

    async def row(table: str, key: str = "id", /, *, named: bool = True, **values: object) -> Canary:
        names = ", ".join(f'"{name}"' for name in values)
        places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        query = f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING {key}"
        id = await here.own.fetchval(query, *values.values())
        return Canary("portal", table, str(id) if named else "", lambda: taken(table, key, id))

    at, request = here.shop.clock(), here.request
    mail = {"language": "en", "created_at": at, "kind": "received"}
    yield await row("mail", id=uuid4(), to_address=EMAIL.lower(), **mail)
    waiting = await here.own.fetchval(
        "INSERT INTO mail (id, to_address, language, created_at, kind) VALUES ($1, '', 'en', $2, 'x') RETURNING id",
        uuid4(), at,
    )  # fmt: skip
    yield await row("mail_body", "mail", mail=waiting, subject="", text=f"For {EMAIL}", html=FORMS["html"](EMAIL))
    yield await row("sign_in_attempt", id=uuid4(), email=EMAIL.lower(), purpose="sign-in", language="en", browser="",
                    token_hash="t", code_hash="", created_at=at, expires_at=at)  # fmt: skip
    yield await row("request_message", id=uuid4(), request=request, at=at, author="person", text=f"I am {SECOND}")
    yield await row("timeline_entry", id=uuid4(), request=request, at=at, event=CUSTOMER)
    yield await row("task", id=uuid4(), request=request, kind="tell", opened_at=at, due_day=at.date(), reason=ACCOUNT)
    yield await row("known_identifier", id=uuid4(), subject=SUBJECT, kind="account_id", value=ACCOUNT)
    yield await row("person_session", id=uuid4(), subject=SUBJECT, token_hash="h", browser_label=EMAIL, way="code",
                    created_at=at, expires_at=at, confirmed_at=at)  # fmt: skip
    yield await row("outside_identity", id=uuid4(), subject=SUBJECT, issuer="x", identifier=SECOND, created_at=at)
    yield await row("subject", id=uuid4(), display_name=f"Ana ({EMAIL})", created_at=at)
    yield await row("outside_attempt", id=uuid4(), provider="x", browser="", state_hash="s", language="en",
                    next_path=FORMS["url"](EMAIL), created_at=at, expires_at=at)  # fmt: skip
    for number, details in enumerate((EMAIL, FORMS["sha256"](EMAIL), FORMS["json"](SECOND), CUSTOMER)):
        async with engine().transaction():
            await append(
                "test:canary:planted", at=at, actor="worker", reference=str(number), details={"note": details}
            )  # fmt: skip
        seq = await here.own.fetchval("SELECT max(seq) FROM evidence")
        yield Canary("portal", "evidence", str(seq), lambda seq=seq: taken("evidence", "seq", seq))  # type: ignore[misc]
    for text in (EMAIL, FORMS["base64"](ACCOUNT), FORMS["url"](SECOND)):
        async with engine().transaction():
            assert await enqueue("test", {"about": text}, key=f"canary:{uuid4()}")
        id = await here.own.fetchval("SELECT max(id) FROM pgqueuer")
        yield Canary("portal", "pgqueuer", str(id), lambda id=id: taken("pgqueuer", "id", id))  # type: ignore[misc]


def _in_the_bucket(here: World) -> Iterator[Canary]:
    root, files = f"canaries-{TOKEN}", here.files

    def stored(key: str, *, hidden: bool = False, place: str = "versions") -> Canary:
        version = files.put_object(Bucket="uploads", Key=key, Body=b"x")["VersionId"]
        marker = files.delete_object(Bucket="uploads", Key=key)["VersionId"] if hidden else ""

        async def take() -> None:
            for one in filter(None, (version, marker)):
                files.delete_object(Bucket="uploads", Key=key, VersionId=one)

        return Canary("uploads", f"uploads {place}", hashlib.sha256(key.encode()).hexdigest()[:16], take)

    def unfinished(key: str) -> Canary:
        id = files.create_multipart_upload(Bucket="uploads", Key=key)["UploadId"]

        async def take() -> None:
            files.abort_multipart_upload(Bucket="uploads", Key=key, UploadId=id)

        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        return Canary("uploads", "uploads unfinished uploads", digest, take)

    yield stored(f"{root}/{ACCOUNT}/drawing.png")
    yield stored(f"{root}/{ACCOUNT}/old.png", hidden=True)
    yield stored(f"{root}/{ACCOUNT}/marked.png", hidden=True, place="delete markers")
    yield unfinished(f"{root}/{ACCOUNT}/big.bin")
    for number, form in enumerate(("plain", "capitals", "url", "md5", "sha256", "base64url", "hex")):
        yield stored(f"{root}-exports/{number}/{FORMS[form](EMAIL).replace('/', '')}.csv", hidden=number % 2 == 1)
    yield stored(f"{root}-exports/{UUID(ACCOUNT).hex}.json")
    yield stored(f"{root}-exports/{SECOND}.json", hidden=True)
    yield unfinished(f"{root}-exports/{CUSTOMER}.bin")


def _at_stripe(here: World) -> Iterator[Canary]:
    store = here.stripe.store

    def added(kind: str, place: str, **item: object) -> Canary:
        id = f"{kind[:2]}_{uuid4().hex[:12]}"
        store.add(kind, {"id": id, "created": 1_760_000_000, **item})

        async def take() -> None:
            store.objects[kind].pop(id)

        return Canary("stripe", place, id, take)

    yield added("customer", "customer.email", email=EMAIL)
    yield added("customer", "customer.email", email=EMAIL.lower())
    theirs = {"customer": CUSTOMER}
    mine = {**theirs, "currency": "eur"}
    store.objects["customer"][CUSTOMER] = {"id": CUSTOMER, "object": "customer", "deleted": True}
    yield added("charge", "charge.billing_details.email", amount=1, billing_details={"email": EMAIL}, **mine)
    yield added("charge", "charge.description", amount=1, description=FORMS["sha256"](EMAIL), **mine)
    yield added("charge", "charge.metadata", amount=1, metadata={"account": ACCOUNT}, **mine)
    yield added("invoice", "invoice.customer_email", total=1, status="paid", customer_email=EMAIL, **mine)
    yield added("subscription", "subscription.metadata", status="canceled", metadata={"u": SECOND}, **theirs)
    yield added("payment_method", "payment_method.billing_details.email", type="card",
                billing_details={"email": EMAIL}, **theirs)  # fmt: skip


def _in_files(here: World) -> Iterator[Canary]:
    def file(store: str, place: str, path: Path, content: bytes) -> Canary:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

        async def take() -> None:
            await asyncio.to_thread(path.unlink)

        return Canary(store, place, "", take)

    filler = b'{"event": "request"}\n' * 20_000
    for form, make in FORMS.items():
        line = filler + make(EMAIL).encode() + b"\n" + filler
        yield file(LOGS, f"{form}.log", here.logs / f"{form}.log", line)
    for number, text in enumerate((EMAIL, SECOND, ACCOUNT, CUSTOMER), 1):
        packed = gzip.compress(filler + text.encode() + filler)
        yield file(LOGS, f"habeas.log.{number}.gz", here.logs / f"habeas.log.{number}.gz", packed)
    work = here.data / "work"
    yield file(FILES, "working files", work / str(here.request) / "report.html", b"packed or not")
    yield file(FILES, "stray.json", work / "killed" / "stray.json", FORMS["json"](SECOND).encode())
    yield file(FILES, "spool.bin", here.data / "spool" / "spool.bin", b"\x00\x00A" + EMAIL.encode())
    copy = uuid5(here.request, "0")
    yield file(PARCELS, "copies", here.data / "parcels" / f"{copy}.zip", b"PK")
    yield file(PARCELS, "copies", here.data / "parcels" / f".{copy}.pdf.draft", b"%PDF")
