"""Fulfilling a request: one parcel and one mail, whatever fails or dies on the way."""

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from exports.order import Batch
from exports.press import Press
from exports.storage import FolderStorage
from portal.errors import SourceUnavailable
from portal.evidence.tables import Evidence
from portal.identity.tables import KnownIdentifier, Subject
from portal.jobs import Later
from portal.mail.tables import Mail
from portal.policy.model import PostgresSource
from portal.rights import access, intake, outcome
from portal.rights.holdings import holdings
from portal.rights.person import find_person
from portal.rights.requests import find, parcel_of, parts_of, timeline_of
from portal.rights.tables import Parcel
from portal.rights.workshop import Workshop
from portal.settings import Settings
from portal.sources.base import Identifiers
from portal.sources.registry import Sources
from tests.rights.conftest import House, MemorySource

EMAIL = "ana@person.example"
PROMPTS = [{"kind": "job", "id": str(number), "prompt": f"<b>prompt {number}</b>"} for number in range(120)]


class FullSource(MemorySource):
    """A source that can be collected from, can break half way, and can pause while it is read."""

    breaks_after: int | None = None
    pause: asyncio.Event | None = None
    reading: asyncio.Event | None = None

    async def identify(self, known: Identifiers) -> Identifiers:
        """Know the person by an account."""
        self._answer()
        return known if self.id != "platform" else replace_ids(known)

    async def collect(self, subject: Identifiers, category: str) -> AsyncIterator[Batch]:
        """Give twenty-five rows at a time."""
        self._answer()
        rows = self._of(subject, category)
        for start in range(0, len(rows), 25):
            if self.breaks_after is not None and start >= self.breaks_after:
                raise SourceUnavailable(self.id, "broke")
            if self.pause and self.reading:
                self.reading.set()
                await self.pause.wait()
            some: Sequence[Mapping[str, object]] = rows[start : start + 25]
            yield Batch("".join(json.dumps(row) + "\n" for row in some).encode(), len(some))


def replace_ids(known: Identifiers) -> Identifiers:
    return Identifiers(
        emails=known.emails, account_ids=known.account_ids | {"a-1"}, stripe_customers=known.stripe_customers,
        subject_id=known.subject_id, display_name="Ana Sample", language="en",
    )  # fmt: skip


@dataclass
class Bench:
    """One person with a request, and the workshop that fulfils it."""

    house: House
    shop: Workshop
    subject: UUID
    sources: dict[str, FullSource]
    storage: FolderStorage
    folder: Path

    async def ask(self) -> tuple[str, dict[str, str]]:
        opened = await intake.open_access(
            subject_id=self.subject, categories=["account", "prompts", "payments"], format="all", language="en",
            policy=self.house.policy, public_url="http://127.0.0.1:8000", at=self.house.clock(),
        )  # fmt: skip
        return opened.request.reference, {"request": str(opened.request.id)}

    def stored(self) -> list[str]:
        return sorted(file.name for file in (self.folder / "parcels").rglob("*") if file.is_file())


@pytest.fixture(scope="module")
async def press() -> AsyncIterator[Press]:
    """Worker processes, warm for the module."""
    async with Press(workers=1) as press:
        yield press


@pytest.fixture
async def bench(house: House, press: Press, tmp_path: Path) -> Bench:
    """Ana has an account, 120 prompts and sixty payments at Stripe."""
    sources = {spec.id: FullSource(spec) for spec in house.policy.sources}
    platform = next(spec.id for spec in house.policy.sources if isinstance(spec, PostgresSource))
    sources[platform].put(EMAIL, "account", [{"kind": "account", "email": EMAIL}])
    sources[platform].put(EMAIL, "prompts", PROMPTS)
    sources["stripe"].put(EMAIL, "payments", [{"kind": "charge", "amount": 100 + n} for n in range(60)])
    browser = await house.person(EMAIL)
    settings: Settings = settings_in(house.settings, tmp_path)
    storage = FolderStorage(tmp_path / "parcels")
    shop = Workshop(house.policy, settings, house.clock, Sources(list(sources.values())), storage, press)
    return Bench(house, shop, browser.subject_id, sources, storage, tmp_path)


def settings_in(settings: Settings, folder: Path) -> Settings:
    return msgspec.structs.replace(settings, data_folder=folder)


async def waiting_attempts() -> int:
    rows = await Parcel.raw("SELECT count(*) AS n FROM pgqueuer WHERE entrypoint = 'rights.export'")
    return int(rows[0]["n"])


async def mails(kind: str) -> int:
    return await Mail.count().where(Mail.kind == kind)


async def test_a_request_ends_in_one_parcel_one_mail_and_evidence(bench: Bench) -> None:
    """Every record is in the ZIP, the request is closed as fulfilled, and the person is told once."""
    reference, job = await bench.ask()
    await access.fulfil(bench.shop, job)
    await access.fulfil(bench.shop, job)
    request = await find(reference, bench.subject)
    parcel = await parcel_of(request.id)
    assert parcel is not None and (parcel.complete, parcel.records) == (True, 181)
    assert (request.state, request.outcome, request.is_open) == ("closed", "fulfilled", False)
    assert await mails("copy-ready") == 1 and await mails("received") == 1
    assert [entry.event for entry in await timeline_of(request.id)] == ["received", "started", "ready"]
    assert await Evidence.count().where(Evidence.reference == reference) >= 3
    with zipfile.ZipFile(bench.folder / "parcels" / parcel.place) as archive:
        lines = archive.read("data/prompts.jsonl").splitlines()
    assert [json.loads(line) for line in lines] == PROMPTS
    assert not list((bench.folder / "work").iterdir())


async def test_a_crash_between_storing_and_recording_leaves_one_parcel_and_no_orphan(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second attempt stores under the same name; the first attempt's bytes are replaced, not left."""
    reference, job = await bench.ask()
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):

        async def die(*_: object, **__: object) -> bool:
            raise ZeroDivisionError

        patch.setattr(outcome, "ready", die)
        await access.fulfil(bench.shop, job)
    assert len(bench.stored()) == 2 and await Parcel.count() == 0
    await access.fulfil(bench.shop, job)
    parcel = await parcel_of((await find(reference, bench.subject)).id)
    assert parcel is not None
    assert bench.stored() == sorted([parcel.place, parcel.pdf_place])
    assert await mails("copy-ready") == 1


@pytest.mark.parametrize("breaks_after", [0, 50])
async def test_a_source_that_breaks_is_named_and_fetched_again(bench: Bench, breaks_after: int) -> None:
    """The rest is delivered at once; when the source is back, the complete copy replaces the first."""
    bench.sources["stripe"].breaks_after = breaks_after
    reference, job = await bench.ask()
    await access.fulfil(bench.shop, job)
    request = await find(reference, bench.subject)
    first = await parcel_of(request.id)
    assert first is not None and not first.complete and first.records == 121
    assert request.is_open and request.state == "ready"
    assert {part.source: part.error for part in await parts_of(request.id) if part.state == "failed"} == {
        "stripe": "unavailable"
    }
    bench.sources["stripe"].breaks_after = None
    bench.house.clock.advance(timedelta(minutes=10))
    await access.fulfil(bench.shop, job)
    second = await parcel_of(request.id)
    assert second is not None and second.complete and second.records == 181 and second.id != first.id
    assert bench.stored() == sorted([second.place, second.pdf_place])
    assert not (await find(reference, bench.subject)).is_open


async def test_a_retry_that_is_cut_off_is_taken_up_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second attempt dies after it has forgotten what had failed; the third still completes the copy."""
    bench.sources["stripe"].down = True
    reference, job = await bench.ask()
    await access.fulfil(bench.shop, job)
    bench.sources["stripe"].down = False
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):

        async def die(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        patch.setattr(access, "_store", die)
        await access.fulfil(bench.shop, job)
    await access.fulfil(bench.shop, job)
    assert (await find(reference, bench.subject)).outcome == "fulfilled"


async def test_a_source_that_stays_down_is_asked_again_without_making_everything_again(bench: Bench) -> None:
    """A retry that would bring nothing new makes no second parcel and no second mail."""
    bench.sources["stripe"].down = True
    _, job = await bench.ask()
    for attempt in range(1, 4):
        await access.fulfil(bench.shop, job)
        assert await waiting_attempts() == 1 + attempt
        bench.house.clock.advance(timedelta(minutes=10))
    assert await Parcel.count() == 1 and await mails("copy-ready") == 1


async def test_asking_at_once_starts_no_second_row_of_retries(bench: Bench) -> None:
    """However often the button is pressed, one attempt waits for its turn."""
    bench.sources["stripe"].down = True
    reference, job = await bench.ask()
    await access.fulfil(bench.shop, job)
    before = await waiting_attempts()
    for _ in range(3):
        await outcome.try_now(await find(reference, bench.subject))
        await access.fulfil(bench.shop, {**job, "once": "yes"})
    assert await waiting_attempts() == before + 1
    bench.sources["stripe"].down = False
    await access.fulfil(bench.shop, {**job, "once": "yes"})
    assert (await find(reference, bench.subject)).outcome == "fulfilled"


async def test_after_three_days_the_missing_part_is_left_to_a_person(bench: Bench) -> None:
    """The request closes as partly fulfilled, in evidence, and the copy stays until its day."""
    bench.sources["stripe"].down = True
    reference, job = await bench.ask()
    await access.fulfil(bench.shop, job)
    bench.house.clock.advance(timedelta(days=3, minutes=1))
    await access.fulfil(bench.shop, job)
    request = await find(reference, bench.subject)
    assert (request.outcome, request.is_open) == ("partly", False)


async def test_who_the_person_is_cannot_be_asked_so_nothing_is_said_to_be_empty(bench: Bench) -> None:
    """With the platform down and no account remembered, Stripe's and S3's "nothing" would be a lie."""
    bench.sources["platform"].down = True
    reference, job = await bench.ask()
    await access.fulfil(bench.shop, job)
    failed = {part.source for part in await parts_of((await find(reference, bench.subject)).id) if part.error}
    assert failed == {"platform", "stripe"}


async def test_counts_that_nobody_can_vouch_for_are_unknown_not_zero(bench: Bench) -> None:
    """The home page says it could not count, for the platform and for what only the platform could point at."""
    bench.sources["platform"].down = True
    person = await find_person(bench.shop.sources, bench.subject)
    held = await holdings(bench.shop.sources, person, bench.house.policy)
    assert held.counts["payments"] is None and held.counts["uploads"] is None and not held.nothing_held
    assert {"platform", "stripe"} <= set(held.unreachable)


async def test_a_remembered_account_is_found_while_the_platform_is_down(bench: Bench) -> None:
    """Once known, always findable: Stripe's part is delivered although the platform does not answer."""
    await KnownIdentifier(subject=bench.subject, kind="account_id", value="a-1").save()
    bench.sources["platform"].down = True
    reference, job = await bench.ask()
    await access.fulfil(bench.shop, job)
    failed = {part.source for part in await parts_of((await find(reference, bench.subject)).id) if part.error}
    assert failed == {"platform"}


async def test_two_workers_never_make_the_same_copy_at_once(bench: Bench) -> None:
    """The second steps back and comes again; the first finishes undisturbed."""
    platform = bench.sources["platform"]
    platform.pause, platform.reading = asyncio.Event(), asyncio.Event()
    _, job = await bench.ask()
    first = asyncio.create_task(access.fulfil(bench.shop, job))
    await platform.reading.wait()
    with pytest.raises(Later):
        await access.fulfil(bench.shop, job)
    platform.pause.set()
    await first
    assert await Parcel.count() == 1


async def test_a_request_withdrawn_while_it_is_read_leaves_nothing(bench: Bench) -> None:
    """The work stops at its next step: no parcel, no bytes, no mail."""
    platform = bench.sources["platform"]
    platform.pause, platform.reading = asyncio.Event(), asyncio.Event()
    reference, job = await bench.ask()
    work = asyncio.create_task(access.fulfil(bench.shop, job))
    await platform.reading.wait()
    await intake.withdraw(
        reference, bench.subject, policy=bench.house.policy, settings=bench.shop.settings, at=bench.house.clock()
    )
    platform.pause.set()
    await work
    assert await Parcel.count() == 0 and bench.stored() == [] and await mails("copy-ready") == 0


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_who_is_being_erased_gets_no_copy_and_the_job_does_not_fail(bench: Bench, when: str) -> None:
    """Their address is forgotten before the erasure closes what else is open: that is nobody's failure."""
    platform = bench.sources["platform"]
    platform.pause, platform.reading = asyncio.Event(), asyncio.Event()
    _, job = await bench.ask()
    if when == "before":
        await _forget(bench.subject)
        await access.fulfil(bench.shop, job)
    else:
        work = asyncio.create_task(access.fulfil(bench.shop, job))
        await platform.reading.wait()
        await _forget(bench.subject)
        platform.pause.set()
        await work
    assert await Parcel.count() == 0 and bench.stored() == [] and await mails("copy-ready") == 0


async def _forget(subject: UUID) -> None:
    await Subject.update({Subject.email: None}).where(Subject.id == subject)


async def test_a_parcel_is_deleted_when_its_time_is_over(bench: Bench) -> None:
    """Bytes first, then the mark; running again finds nothing to do."""
    _, job = await bench.ask()
    await access.fulfil(bench.shop, job)
    await outcome.delete_expired(bench.storage, at=bench.house.clock())
    assert len(bench.stored()) == 2
    bench.house.clock.advance(timedelta(days=7))
    for _ in range(2):
        await outcome.delete_expired(bench.storage, at=bench.house.clock())
    assert bench.stored() == []


async def test_an_unopened_copy_is_reminded_of_once(bench: Bench) -> None:
    """Forty-eight hours before it goes, and only if nobody has downloaded it."""
    _, job = await bench.ask()
    await access.fulfil(bench.shop, job)
    bench.house.clock.advance(timedelta(days=5, minutes=1))
    for _ in range(2):
        await outcome.remind_unopened(bench.house.policy, "http://127.0.0.1:8000", at=bench.house.clock())
    assert await mails("copy-expires") == 1
