"""A portal in memory: the real pages on a real database, with sources and a store that a test can break."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from litestar import Litestar, Router
from litestar.datastructures import State

from exports.bundle import Parcel as Bundle
from exports.order import Batch, Missing, StoredFile
from exports.storage import NotStored
from portal import error_pages
from portal.assets import Assets
from portal.clock import SetClock
from portal.errors import SourceRefused, SourceUnavailable, SourceUnsupported
from portal.identity import visitor
from portal.identity.cookie import Cookie, new_id
from portal.identity.limits import Limits
from portal.identity.sessions import find_session, hashed
from portal.identity.tables import Session, Subject
from portal.policy.load import load
from portal.policy.model import Policy, SourceSpec, categories_of
from portal.rights import outcome
from portal.rights.pages import routes
from portal.rights.requests import find
from portal.rights.tables import ExportPart
from portal.settings import Settings, read_settings
from portal.sources.base import (
    Correction,
    Erased,
    Erasing,
    Fault,
    Finding,
    Held,
    Identifiers,
    Needles,
    Page,
    Restricted,
    Searched,
)
from portal.sources.registry import Sources
from portal.web import templates

POLICIES = Path(__file__).parent.parent.parent / "policies"
HTML = {"accept": "text/html"}


class MemorySource:
    """A source that holds what a test put into it, under the person's address."""

    def __init__(self, spec: SourceSpec) -> None:
        self.id = spec.id
        self.categories = categories_of(spec)
        self.rows: dict[tuple[str, str], list[Mapping[str, object]]] = {}
        self.down = False
        self.hands = True
        """False: it has no means to change anything, and a person must."""
        self.refuses = False
        self.out_of_use = False
        self.forgetful = 0
        """How many times it says that it erased, and did not."""
        self.kept: dict[UUID, list[str]] = {}
        self.calls: list[str] = []

    def put(self, email: str, category: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Hold `rows`, newest first."""
        self.rows[email, category] = list(rows)

    async def check(self) -> list[Fault]:
        """Find nothing wrong."""
        return []

    async def identify(self, known: Identifiers) -> Identifiers:
        """Learn nothing."""
        self._answer()
        return known

    async def count(self, subject: Identifiers) -> Mapping[str, int]:
        """Count per category."""
        self._answer()
        return {category: len(self._of(subject, category)) for category in self.categories}

    async def page(self, subject: Identifiers, category: str, *, offset: int, limit: int) -> Page:
        """Return a slice."""
        self._answer()
        rows = self._of(subject, category)
        return Page(rows=tuple(rows[offset : offset + limit]), total=len(rows))

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["MemorySource"]:
        """Memory does not move while it is read."""
        yield self

    async def collect(self, subject: Identifiers, category: str) -> AsyncIterator[Batch]:
        """Pages collect nothing."""
        for _ in ():
            yield Batch(b"", 0)

    async def files(self, subject: Identifiers, category: str) -> AsyncIterator[StoredFile]:
        """Pages open no files."""
        for file in list[StoredFile]():
            yield file

    async def erase(
        self, subject: Identifiers, items: Sequence[Erasing], *, pseudonym: UUID, handle: str = ""
    ) -> Erased:
        """Forget the rows of what is to be erased; file what is kept under the pseudonym."""
        self._change("erase")
        if self.forgetful:
            self.forgetful -= 1
            return Erased(done=True, means="deleted")
        for item in items:
            held = [key for key in self.rows if key[0] in subject.emails and key[1] == item.category]
            for key in held:
                del self.rows[key]
            if held and item.action == "keep":
                self.kept.setdefault(pseudonym, []).append(item.category)
        return Erased(done=True, means="deleted")

    async def erase_held(self, pseudonym: UUID, items: Sequence[Held]) -> int:
        """Forget what was kept, all of it from this autumn, once that is before the period."""
        self._change("erase-held")
        over = {item.category for item in items if item.before > date(2026, 10, 14)}
        self.kept[pseudonym] = [category for category in self.kept.get(pseudonym, []) if category not in over]
        return len(self.kept[pseudonym])

    async def rectify(self, subject: Identifiers, correction: Correction) -> int:
        """Write the value into every row of the category."""
        self._change("rectify")
        rows = [(key, rows) for key, rows in self.rows.items() if key[1] == correction.category]
        for key, found in rows:
            self.rows[key] = [{**row, correction.field: correction.value} for row in found]
        return sum(len(found) for _, found in rows)

    async def restrict(self, subject: Identifiers, *, on: bool) -> Restricted:
        """Set a flag."""
        self._change("restrict")
        self.out_of_use = on
        return Restricted(means="flag")

    async def search(self, needles: Needles) -> Searched:
        """Look through the rows for the person's own addresses."""
        self._answer()
        found = [key for key in self.rows if key[0] in needles.subject.emails]
        return Searched(
            findings=tuple(Finding(place=category, needle="email-1", number=1) for _, category in found),
            places=tuple(sorted(self.categories)),
        )

    async def close(self) -> None:
        """Close nothing."""

    def _change(self, what: str) -> None:
        self._answer()
        self.calls.append(what)
        if not self.hands:
            raise SourceUnsupported(self.id, "has no means")
        if self.refuses:
            raise SourceRefused(self.id, "refuses")

    def _of(self, subject: Identifiers, category: str) -> list[Mapping[str, object]]:
        return [row for email in subject.emails for row in self.rows.get((email, category), [])]

    def _answer(self) -> None:
        if self.down:
            raise SourceUnavailable(self.id, "is down")


@dataclass
class MemoryStorage:
    """A store of parcels."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def size(self, place: str) -> int:
        """Return a file's size."""
        if place not in self.files:
            raise NotStored
        return len(self.files[place])

    async def open(self, place: str) -> AsyncIterator[bytes]:
        """Stream a file in small pieces."""
        content = self.files[place]
        for start in range(0, len(content), 4):
            yield content[start : start + 4]

    async def put(self, place: str, path: Path) -> None:
        """Keep a file."""
        self.files[place] = path.read_bytes()  # noqa: ASYNC240  a test's few bytes

    async def delete(self, place: str) -> None:
        """Forget a file."""
        self.files.pop(place, None)


class Browser:
    """One signed-in browser. `post` sends the form token as our pages would."""

    def __init__(self, client: httpx.AsyncClient, subject_id: UUID, email: str, csrf: str) -> None:
        self.client = client
        self.subject_id = subject_id
        self.email = email
        self.csrf = csrf

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return await self.client.get(path, headers={**HTML, **headers})

    async def post(self, path: str, fields: Mapping[str, str | list[str]] | None = None) -> httpx.Response:
        """Send a form of ours."""
        return await self.client.post(path, data={"csrf": self.csrf, **(fields or {})}, headers=HTML)


@dataclass
class House:
    """The running pages and what stands behind them."""

    app: Litestar
    policy: Policy
    settings: Settings
    clock: SetClock
    sources: dict[str, MemorySource]
    storage: MemoryStorage
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def anybody(self) -> httpx.AsyncClient:
        """Return a browser that is not signed in."""
        client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=self.settings.public_url)
        self.clients.append(client)
        return client

    async def person(self, email: str = "ana@person.example") -> Browser:
        """Return a browser that has just signed in."""
        at, id = self.clock(), new_id()
        subject = Subject(id=uuid4(), email=email, created_at=at)
        await subject.save()
        life = self.policy.sign_in.session_days * 86_400
        await Session(
            subject=subject.id, token_hash=hashed(id), way="code", created_at=at,
            expires_at=at.replace(year=at.year + 1), confirmed_at=at,
        ).save()  # fmt: skip
        cookie = Cookie(self.settings, None, seconds=life)
        cookie.become(id)
        client = self.anybody()
        name, value = (cookie.header() or b"").decode().split(";")[0].split("=", 1)
        client.cookies.set(name, value)
        token = visitor.Visitor(cookie=cookie, session=await find_session(id), settings=self.settings).csrf
        return Browser(client, subject.id, email, token)


@pytest.fixture(params=["casagbic"])
async def house(request: pytest.FixtureRequest, database: str, clock: SetClock) -> AsyncIterator[House]:
    """The rights pages of one organisation, on a fresh database."""
    policy = load(POLICIES / f"{request.param}.toml")
    settings = read_settings({"HABEAS_SECRET_KEY": "a key that is long enough for a test", "DATABASE_URL": database})
    sources, storage = {spec.id: MemorySource(spec) for spec in policy.sources}, MemoryStorage()
    state = {"policy": policy, "settings": settings, "clock": clock, "sources": Sources(list(sources.values()))}
    state |= {"limits": Limits(clock)}
    app = Litestar(
        [Router("/{language:str}", route_handlers=[*routes])],
        middleware=[visitor.VisitorMiddleware()],
        exception_handlers={**error_pages.handlers, **visitor.handlers},
        template_config=templates(Assets(policy.colour).url),
        state=State({**state, "storage": storage}),
        openapi_config=None,
    )
    house = House(app, policy, settings, clock, sources, storage)
    try:
        yield house
    finally:
        for client in house.clients:
            await client.aclose()


async def ask(browser: Browser, **fields: str | list[str]) -> str:
    """Ask for a copy through the form. Returns the reference."""
    answer = await browser.post("/en/export", {"c": ["account", "prompts"], "f": "all", **fields})
    return answer.headers["location"].split("/")[3]


async def finish(house: House, browser: Browser, *, missing: Sequence[str] = (), **fields: str | list[str]) -> str:
    """Ask for a copy and let it be ready, without what is `missing`, as the worker would. Returns the reference."""
    reference = await ask(browser, **fields)
    request = await find(reference, browser.subject_id)
    at = house.clock()
    await outcome.start(request, at=at)
    parts = [(category, house.policy.sources_of(category)[0].id) for category in request.categories]
    await ExportPart.insert(*(
        ExportPart(request=request.id, source=source, category=category, position=n, expected=1, done=1)
        for n, (category, source) in enumerate(parts)
    ))  # fmt: skip
    bundle = Bundle(
        zip_path=Path("copy.zip"), pdf_path=Path("report.pdf"), size_bytes=11, pdf_size_bytes=9, sha256="ab" * 32,
        records=248, files=9, report="full", snapshot_at=at,
        missing=tuple(
            Missing(section=category, source=source, reason="unavailable", at=at)
            for category, source in parts
            if category in missing
        ),
    )  # fmt: skip
    id = uuid4()
    house.storage.files |= {f"{id}.zip": b"PK zip bytes"[:11], f"{id}.pdf": b"%PDF-1.7!"}
    await outcome.ready(
        request, id, bundle, policy=house.policy, settings=house.settings, days=7, at=at
    )  # fmt: skip
    return reference
