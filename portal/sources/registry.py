"""All sources of one policy, asked together: one that is down never takes the others, or the page, with it.

Always true here: what could not be counted is None and never 0, and no answer is waited for longer than whoever asks
may take.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from portal.database import engine
from portal.errors import SourceError
from portal.policy.model import Category, Policy, PortalSource, PostgresSource, S3Source, SourceSpec, StripeSource
from portal.settings import Settings
from portal.sources.base import Erasing, Fault, Identifiers, Source
from portal.sources.portal import OwnTables
from portal.sources.postgres import Postgres
from portal.sources.s3 import Bucket
from portal.sources.stripe import Stripe
from portal.web import Req

PATIENCE_SECONDS = 3.0
"""How long a page waits for a source before it says that it did not answer."""
WORK_PATIENCE_SECONDS = 60.0
"""How long a job waits: for all the tries that an adapter makes, each with its own time-out and pause."""

type Counts = Mapping[str, Mapping[str, int] | None]
"""Source id -> category id -> number of records; None for a source that did not answer."""


class Identified(msgspec.Struct, frozen=True, kw_only=True):
    """What the sources know a person by, and the ids of those that did not answer."""

    identifiers: Identifiers
    unreachable: tuple[str, ...]


class Sources:
    """The open sources of one policy, in the file's order."""

    def __init__(self, sources: Sequence[Source], *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.all = tuple(sources)
        self.patience_seconds = patience_seconds
        self._by_id = {source.id: source for source in self.all}

    def get(self, id: str) -> Source:
        """Return a source by its id. Raises: KeyError."""
        return self._by_id[id]

    def patient(self) -> "Sources":
        """Return the same sources for work at whose end no page waits."""
        return Sources(self.all, patience_seconds=WORK_PATIENCE_SECONDS)

    async def identify(self, known: Identifiers) -> Identified:
        """Ask every source who this is, and again with what the others added, until nothing new is learnt.

        In the file's order, so that the platform's answer reaches Stripe in the same round and no one is asked twice
        in the usual case.
        """
        said: dict[str, Identifiers] = {}
        silent: list[str] = []
        while waiting := [s for s in self.all if s.id not in silent and said.get(s.id) != known]:
            source = waiting[0]
            try:
                async with asyncio.timeout(self.patience_seconds):
                    known = said[source.id] = await source.identify(known)
            except (SourceError, TimeoutError):
                silent.append(source.id)
        return Identified(identifiers=known, unreachable=tuple(silent))

    async def count(self, subject: Identifiers) -> Counts:
        """Count in every source at once."""
        counts = await asyncio.gather(*(self._count(source, subject) for source in self.all))
        return dict(zip(self._by_id, counts, strict=True))

    async def _count(self, source: Source, subject: Identifiers) -> Mapping[str, int] | None:
        try:
            async with asyncio.timeout(self.patience_seconds):
                return await source.count(subject)
        except (SourceError, TimeoutError):
            return None

    async def check(self) -> list[Fault]:
        """Return what is wrong with any of them."""
        return [fault for faults in await asyncio.gather(*(source.check() for source in self.all)) for fault in faults]

    async def close(self) -> None:
        """Give back every connection. Idempotent."""
        for source in self.all:
            await source.close()


def open_sources(policy: Policy, settings: Settings) -> Sources:
    """Make the adapter of every source of the policy. Connects to nothing yet.

    Raises:
        SettingsError: when a variable that the policy names is not set.
    """
    return Sources([_open(spec, policy.categories, settings) for spec in policy.sources])


def sources_of(request: Req) -> Sources:
    """Return the sources of this instance."""
    return cast(Sources, request.app.state.sources)


def _open(spec: SourceSpec, categories: Sequence[Category], settings: Settings) -> Source:
    def variable(name: str) -> str:
        return settings.variable(name, needed_by=f"The source {spec.id}")

    match spec:
        case PostgresSource():
            return Postgres(
                spec, variable(spec.url_variable),
                # Both may be missing: erasing is then a task for a person, and `habeas check` says so.
                write_dsn=settings.environment.get(spec.write_url_variable, ""),
                scan_dsn=settings.environment.get(spec.scan_url_variable, ""),
                erasures=_erasures(categories),
            )  # fmt: skip
        case StripeSource():
            return Stripe(
                spec, categories, variable(spec.key_variable), address=settings.stripe_api_url,
                write_key=variable(spec.write_key_variable) if spec.write_key_variable else "",
            )  # fmt: skip
        case S3Source():
            endpoint = variable(spec.endpoint_variable) if spec.endpoint_variable else ""
            names = (
                (spec.access_key_variable, spec.secret_key_variable),
                (spec.write_access_key_variable, spec.write_secret_key_variable),
                (spec.scan_access_key_variable, spec.scan_secret_key_variable),
            )
            reading, writing, scanning = ([variable(name) if name else "" for name in pair] for pair in names)
            return Bucket(
                spec, endpoint=endpoint, access_key=reading[0], secret_key=reading[1],
                write_access_key=writing[0], write_secret_key=writing[1],
                scan_access_key=scanning[0], scan_secret_key=scanning[1],
            )  # fmt: skip
        case PortalSource():
            return OwnTables(spec, str(engine().config["dsn"]))


def _erasures(categories: Sequence[Category]) -> list[Erasing]:
    """Return what erasing a whole person asks for."""
    return [
        Erasing(category=category.id, action=category.erasure.action, minimum=category.erasure.minimum)
        for category in categories
        if category.erasure.action != "nothing"
    ]
