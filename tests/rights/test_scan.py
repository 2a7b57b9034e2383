"""The search after an erasure, on a real database, with stores that a test can fill and break."""

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4, uuid5

import msgspec
import pytest

from exports.order import Batch
from exports.press import Press
from exports.storage import FolderStorage, StorageError
from portal.clock import SetClock
from portal.database import engine
from portal.errors import SourceError, SourceRefused, SourceUnavailable, SourceUnsupported
from portal.identity.tables import Subject
from portal.mail.tables import Mail
from portal.policy.load import load
from portal.policy.model import SourceSpec, categories_of
from portal.rights import known, plans, scan
from portal.rights.plans import Line, PlanView
from portal.rights.scan_places import BACKUPS, FILES, LOG_FILES, LOGS, MAIL, PARCELS
from portal.rights.scan_report import StoreView, views_of
from portal.rights.scan_words import reason, title, verdict
from portal.rights.tables import Parcel, PlanItem, SubjectRequest
from portal.rights.tables_intake import Upload
from portal.rights.tasks import end_task, tasks_of
from portal.rights.workshop import Workshop
from portal.settings import read_settings
from portal.sources.base import Finding, Identifiers, Needles, Searched, Source
from portal.sources.matching import found
from portal.sources.postgres_erase import held_under
from portal.sources.registry import Sources
from portal.words import Words
from tests.rights.conftest import POLICIES

EMAIL, ACCOUNT, CUSTOMER = "ana@person.example", "3f2c8a10-77aa-4f00-9b1e-0c5d6e7f8a9b", "cus_NffrFeUfNV2Hib"


class Cellar:
    """A store with places that hold texts. It answers, refuses, or has blind corners, as a test says."""

    def __init__(self, spec: SourceSpec) -> None:
        self.id = spec.id
        self.categories = categories_of(spec)
        self.texts: dict[str, list[str]] = {"everything": []}
        self.held: dict[str, list[str]] = {}
        self.counts: dict[str, int] = {}
        self.blind: tuple[str, ...] = ()
        self.error: SourceError | None = None
        self.asked: list[Needles] = []

    async def search(self, needles: Needles) -> Searched:
        """Compare every text with every needle."""
        self.asked.append(needles)
        if self.error:
            raise self.error
        hits = [
            Finding(place=place, needle=id, number=number)
            for place, texts in self.texts.items()
            for id, text in needles.texts.items()
            if (number := sum(found(one.lower(), text.lower(), whole=id in needles.whole) for one in texts))
        ]
        return Searched(findings=tuple(hits), places=tuple(self.texts), blind=self.blind)

    async def count(self, subject: Identifiers) -> Mapping[str, int]:
        """Say how much there is."""
        assert subject.emails
        return self.counts

    async def identify(self, given: Identifiers) -> Identifiers:
        """Learn nothing."""
        return given

    async def collect(self, subject: Identifiers, category: str) -> AsyncIterator[Batch]:
        """Tell what is kept under a pseudonym."""
        assert EMAIL not in subject.emails
        lines = b"".join(msgspec.json.encode({"text": text}) + b"\n" for text in self.held.get(category, []))
        yield Batch(lines, lines.count(b"\n"))


@dataclass
class Yard:
    """A whole erasure that has done its rows and is to be looked at."""

    shop: Workshop
    plan: PlanView
    cellars: dict[str, Cellar]
    clock: SetClock
    parcels: Path
    data: Path
    requests: list[UUID] = field(default_factory=list)

    async def settle(self) -> bool:
        """Search once, as the worker does."""
        plan = await plans.find_plan(self.plan.id)
        assert plan is not None
        return await scan.settle(self.shop, plan)

    async def view(self, store: str) -> StoreView:
        """Return what the newest round says of a store."""
        return next(view for view in await scan.report_of(self.plan.id) if view.store == store)

    async def do_again(self) -> list[str]:
        """Do the rows that were opened again, as the worker would. Returns their sources."""
        again = [item for item in await plans.items_of(self.plan.id) if not item.over]
        if again:
            await plans.finished(self.plan, again, "deleted", at=self.clock())
        return sorted({item.source for item in again})

    async def evidence(self) -> int:
        """Return how many entries the log has."""
        rows = await Subject.raw("SELECT count(*) AS number FROM evidence")
        return int(rows[0]["number"])


def items(shop: Workshop) -> list[Line]:
    """One row for each source and category, with the policy's action."""
    return [
        Line(
            source=spec.id, category=id, action=shop.policy.category(id).erasure.action,
            ground=shop.policy.category(id).erasure.ground,
        )
        for spec in shop.policy.sources
        for id in sorted(categories_of(spec))
    ]  # fmt: skip


type Build = Callable[..., Awaitable[Yard]]


@pytest.fixture
async def build(database: str, clock: SetClock, tmp_path: Path) -> Build:
    """Make a yard; `environment` adds settings, `whole` says whether the account went."""

    async def build(
        *, whole: bool = True, customer: str = CUSTOMER, account: str = ACCOUNT, **environment: str
    ) -> Yard:
        policy = load(POLICIES / "casagbic.toml")
        settings = read_settings({
            "HABEAS_SECRET_KEY": "a key that is long enough for a test", "DATABASE_URL": database,
            "HABEAS_DATA": str(tmp_path), **environment,
        })  # fmt: skip
        cellars = {spec.id: Cellar(spec) for spec in policy.sources}
        shop = Workshop(
            policy=policy, settings=settings, clock=clock, storage=FolderStorage(tmp_path / "parcels"),
            sources=Sources(cast("Sequence[Source]", list(cellars.values()))), press=cast("Press", None),
        )  # fmt: skip
        subject, at = Subject(id=uuid4(), email=None, created_at=clock()), clock()
        await subject.save()
        request = await open_request(subject.id, "DR-2026-0147", at.date())
        async with engine().transaction():
            id = await plans.lay(
                request, "DR-2026-0147", "erase", items(shop), at=at, runs_at=at, actor="person", whole=whole
            )  # fmt: skip
        plan = await plans.find_plan(id)
        assert plan is not None
        identifiers = Identifiers(
            emails=frozenset({EMAIL}), account_ids=frozenset({account}), stripe_customers=frozenset({customer}),
            subject_id=str(subject.id),
        )  # fmt: skip
        async with engine().transaction():
            await plans.begin(plan, await known.seal(plan, identifiers, settings, at=at), [], at=at)
        await plans.finished(plan, await plans.items_of(id), "deleted", at=at)
        clock.advance(timedelta(minutes=1))
        return Yard(shop, plan, cellars, clock, tmp_path / "parcels", tmp_path, [request])

    return build


async def open_request(subject: UUID, reference: str, due: date) -> UUID:
    """Store a request."""
    id = uuid4()
    await SubjectRequest(
        id=id, reference=reference, subject=subject, right="erasure", categories=[], language="en", state="working",
        received_at=datetime(2026, 10, 10, 9, tzinfo=UTC), law_day=due, due_day=due,
    ).save()  # fmt: skip
    return id


async def test_what_is_empty_is_gone_and_what_cannot_be_seen_is_said(build: Build) -> None:
    """Every store gets a verdict, and one that was not looked through is never called gone."""
    yard = await build()
    yard.cellars["uploads"].blind = ("uploads: contents (not read)",)
    yard.cellars["stripe"].error = SourceUnsupported("stripe", "no right")
    assert await yard.settle()
    assert {view.store: view.verdict for view in await scan.report_of(yard.plan.id)} == {
        "platform": "gone", "stripe": "blind", "uploads": "gone-where-looked", "portal": "gone", PARCELS: "gone",
        FILES: "gone", LOGS: "blind", MAIL: "blind", BACKUPS: "blind",
    }  # fmt: skip
    assert (await yard.view(LOGS)).blind == ("logs-elsewhere",)
    assert (await yard.view(BACKUPS)).blind == ("backups 30",)


async def test_a_finding_opens_the_plan_again_until_it_is_gone(build: Build) -> None:
    """The source that holds something does its rows again, it alone, and then everything is looked at anew."""
    yard = await build()
    yard.cellars["platform"].texts["audit"] = [f"signed in: {EMAIL.upper()}"]
    assert not await yard.settle()
    assert (await yard.view("platform")).verdict == "left"
    assert await yard.do_again() == ["platform"]
    assert not await yard.settle()
    assert await yard.do_again() == ["platform"]
    yard.cellars["platform"].texts["audit"] = []
    assert await yard.settle()
    assert (await yard.view("platform")).verdict == "gone"
    assert [len(await views_of(yard.plan.id, number)) for number in range(4)] == [9, 9, 9, 0]


async def test_after_three_rounds_a_person_is_asked_and_the_plan_stays_open(build: Build) -> None:
    """A machine that does the same thing a fourth time hopes; a person looks."""
    yard = await build()
    yard.cellars["platform"].texts["audit"] = [EMAIL]
    for _ in range(scan.ROUNDS):
        assert not await yard.settle()
        await yard.do_again()
    for _ in range(3):
        assert not await yard.settle()
    assert await yard.do_again() == []
    (task,) = await tasks_of(yard.plan.request)
    assert (task.kind, task.about, task.state) == ("left", "platform", "open")
    assert len(yard.cellars["platform"].asked) == scan.ROUNDS + 1


async def test_a_person_who_removed_it_is_believed_after_a_look(build: Build) -> None:
    """Done means: look again. Still there means: a new task."""
    yard = await asked_a_person(build)
    task = (await tasks_of(yard.plan.request))[-1]
    await end_task(task.id, "done", at=yard.clock(), actor="staff:1")
    assert not await yard.settle()
    assert [one.state for one in await tasks_of(yard.plan.request)] == ["done", "open"]
    yard.cellars["platform"].texts["audit"] = []
    task = (await tasks_of(yard.plan.request))[-1]
    yard.clock.advance(timedelta(hours=1))
    await end_task(task.id, "done", at=yard.clock(), actor="staff:1")
    assert await yard.settle()
    assert (await yard.view("platform")).verdict == "gone"


async def test_a_person_may_find_that_it_is_somebody_else(build: Build) -> None:
    """What another person wrote is not erased; the report says who decided, and what is left."""
    yard = await asked_a_person(build)
    task = (await tasks_of(yard.plan.request))[-1]
    await end_task(task.id, "not-needed", at=yard.clock(), actor="staff:1", reason="Another customer of that name.")
    assert await yard.settle()
    view = await yard.view("platform")
    assert view.verdict == "judged"
    assert [one.place for one in view.left] == ["audit"]
    assert await yard.settle()


async def asked_a_person(build: Build) -> Yard:
    """A yard that three rounds could not clean."""
    yard = await build()
    yard.cellars["platform"].texts["audit"] = [EMAIL]
    for _ in range(scan.ROUNDS):
        await yard.settle()
        await yard.do_again()
    await yard.settle()
    yard.clock.advance(timedelta(hours=1))
    return yard


async def test_what_a_person_did_by_hand_is_not_done_again_by_the_machine(build: Build) -> None:
    """A source with no means would only say so again, and its task has ended."""
    yard = await build()
    await PlanItem.update({PlanItem.means: "by-hand"}).where(PlanItem.source == "uploads")
    yard.cellars["uploads"].texts["files"] = [f"{ACCOUNT}/a.png"]
    assert not await yard.settle()
    assert await yard.do_again() == []
    assert [(task.kind, task.about) for task in await tasks_of(yard.plan.request)] == [("left", "uploads")]


async def test_a_silent_source_is_asked_again_and_after_three_days_a_person_hears_of_it(build: Build) -> None:
    """It is never skipped, it is not asked every minute, and the others are not searched again for it."""
    yard = await build()
    yard.cellars["stripe"].error = SourceUnavailable("stripe", "down")
    for _ in range(5):
        assert not await yard.settle()
    assert len(yard.cellars["stripe"].asked) == 1
    for _ in range(30):
        assert not await yard.settle()
        yard.clock.advance(timedelta(hours=6))
    assert [(task.kind, task.about) for task in await tasks_of(yard.plan.request)] == [("left", "stripe")]
    assert len(yard.cellars["stripe"].asked) > 10
    assert len(yard.cellars["platform"].asked) == 1
    yard.cellars["stripe"].error = None
    assert await yard.settle()
    assert (await yard.view("stripe")).verdict == "gone"
    assert [task.state for task in await tasks_of(yard.plan.request)] == ["not-needed"]


async def test_a_source_that_refuses_is_a_task_at_once(build: Build) -> None:
    """Only somebody can change a wrong password; whoever decides to go without is written down as blind."""
    yard = await build()
    yard.cellars["uploads"].error = SourceRefused("uploads", "wrong key")
    assert not await yard.settle()
    (task,) = await tasks_of(yard.plan.request)
    assert task.about == "uploads"
    yard.clock.advance(timedelta(minutes=1))
    await end_task(task.id, "not-needed", at=yard.clock(), actor="staff:1", reason="The bucket is closed.")
    assert await yard.settle()
    assert (await yard.view("uploads")).blind == ("not-answering",)


async def test_payments_at_stripe_stay_by_the_articles_of_the_policy(build: Build) -> None:
    """What Stripe keeps of a sale is kept; a customer that is still there is not."""
    yard = await build()
    yard.cellars["stripe"].texts = {"charge.billing_details.email": [EMAIL], "customer": []}
    assert await yard.settle()
    view = await yard.view("stripe")
    assert (view.verdict, view.ground) == ("kept", "Art. 17(3)(b)")
    other = msgspec.structs.replace(yard.plan)
    yard.cellars["stripe"].texts["customer.email"] = [EMAIL]
    report = await scan.look(yard.shop, other, Identifiers(emails=frozenset({EMAIL})))
    left = {store.store: [one.place for one in store.left] for store in report.stores}
    assert left["stripe"] == ["customer.email"]
    assert not report.clean


async def test_kept_records_explain_what_they_hold_and_no_row_more(build: Build) -> None:
    """An invoice under the pseudonym may name its buyer; one under their own name was forgotten."""
    yard = await build()
    platform = yard.cellars["platform"]
    platform.texts["purchases"] = [f"pi_1 {CUSTOMER}"]
    platform.held["payments"] = [f"pi_1 {CUSTOMER}"]
    assert await yard.settle()
    assert (await yard.view("platform")).verdict == "kept"
    platform.texts["purchases"].append(CUSTOMER)
    report = await scan.look(yard.shop, yard.plan, Identifiers(stripe_customers=frozenset({CUSTOMER})))
    assert next(store for store in report.stores if store.store == "platform").verdict == "left"


async def test_what_is_kept_is_asked_for_under_the_pseudonym(build: Build) -> None:
    """Nobody else's records explain a finding."""
    yard = await build()
    asked: list[Identifiers] = []

    async def identify(given: Identifiers) -> Identifiers:
        asked.append(given)
        return given

    yard.cellars["platform"].identify = identify  # type: ignore[method-assign]
    yard.cellars["platform"].texts["purchases"] = [CUSTOMER]
    assert not await yard.settle()
    assert asked == [held_under(yard.plan.pseudonym)]


async def test_only_the_last_mail_may_still_hold_the_address(build: Build) -> None:
    """Any other mail of ours with it is left over."""
    yard = await build()
    yard.cellars["portal"].texts["mail"] = [EMAIL]
    identifiers = Identifiers(emails=frozenset({EMAIL}))
    report = await scan.look(yard.shop, yard.plan, identifiers)
    assert not report.clean
    await Mail(
        id=uuid4(), kind="erasure-done", to_address=EMAIL, language="en", reference=yard.plan.reference,
        created_at=yard.clock(),
    ).save()  # fmt: skip
    report = await scan.look(yard.shop, yard.plan, identifiers)
    assert report.clean
    yard.cellars["portal"].texts["mail"].append(EMAIL)
    assert not (await scan.look(yard.shop, yard.plan, identifiers)).clean


async def test_our_own_random_id_is_looked_for_everywhere_but_here(build: Build) -> None:
    """It stays on the requests that we keep, and nobody else has a use for it."""
    yard = await build()
    id = str(yard.plan.subject)
    for name in ("platform", "portal"):
        yard.cellars[name].texts["notes"] = [f"by {id}"]
    await yard.settle()
    assert (await yard.view("portal")).verdict == "gone"
    assert [one.needle for one in (await yard.view("platform")).left] == ["subject-1"]


async def test_a_short_account_number_is_said_to_be_looked_for_nowhere(build: Build) -> None:
    """42 is in everything, so a store is only gone where it could be looked."""
    yard = await build(account="42")
    assert await yard.settle()
    view = await yard.view("platform")
    assert (view.verdict, view.blind) == ("gone-where-looked", ("number account-1",))


async def test_an_erasure_in_part_is_counted_again_and_not_searched(build: Build) -> None:
    """The account stays, so its address is everywhere; but what was to go must be gone."""
    yard = await build(whole=False)
    yard.cellars["platform"].texts["account"] = [EMAIL]
    yard.cellars["uploads"].counts = {"uploads": 2}
    assert not await yard.settle()
    assert (await yard.view("platform")).verdict == "gone-where-looked"
    assert [(one.place, one.number) for one in (await yard.view("uploads")).left] == [("uploads", 2)]
    assert await yard.do_again() == ["uploads"]


# --- Our own stores ------------------------------------------------------------------------------------------------


async def test_a_copy_that_is_still_stored_is_found_by_its_request(build: Build) -> None:
    """Recorded, made and not recorded, or half put: a copy of theirs is never overlooked."""
    yard = await build()
    yard.parcels.mkdir()
    number = uuid4()
    await Parcel(
        id=number, request=yard.requests[0], place=f"{number}.zip", pdf_place=f"{number}.pdf", size_bytes=1, sha256="",
        records=1, files=0, complete=True, snapshot_at=yard.clock(), ready_at=yard.clock(), expires_at=yard.clock(),
    ).save()  # fmt: skip
    unrecorded = uuid5(yard.requests[0], "1")
    upload = Upload(id=uuid4(), request=yard.requests[0], media_type="image/png", size_bytes=1, came_at=yard.clock())
    await upload.save()
    for name in (f"{number}.zip", f"{number}.pdf", f".{unrecorded}.zip.draft", f"upload-{upload.id}.bin"):
        (yard.parcels / name).write_bytes(b"PK")
    assert not await yard.settle()
    view = await yard.view(PARCELS)
    assert [(one.place, one.number) for one in view.left] == [("copies", 4)]
    assert await yard.do_again() == ["portal"]


async def test_somebody_elses_copy_is_nobodys_concern_and_a_stray_one_is_said(build: Build) -> None:
    """A copy that no request names may be anybody's."""
    yard = await build()
    yard.parcels.mkdir()
    other = Subject(id=uuid4(), email="ben@person.example", created_at=yard.clock())
    await other.save()
    request = await open_request(other.id, "DR-2026-0148", yard.clock().date())
    (yard.parcels / f"{uuid5(request, '0')}.zip").write_bytes(b"PK")
    report = await scan.look(yard.shop, yard.plan, Identifiers(emails=frozenset({EMAIL})))
    assert {store.store: store.verdict for store in report.stores}[PARCELS] == "gone"
    (yard.parcels / "0197.zip").write_bytes(b"PK")
    report = await scan.look(yard.shop, yard.plan, Identifiers(emails=frozenset({EMAIL})))
    assert {store.store: store.verdict for store in report.stores}[PARCELS] == "gone-where-looked"


async def test_storage_that_does_not_answer_is_asked_again(build: Build) -> None:
    """Not reaching the copies is no proof that there are none."""
    yard = await build()

    class Down(FolderStorage):
        async def names(self) -> AsyncIterator[str]:
            raise StorageError
            yield ""

    yard.shop = Workshop(**{**vars(yard.shop), "storage": Down(yard.parcels)})
    assert not await yard.settle()
    assert (await yard.view(PARCELS)).verdict == "unavailable"


async def test_working_files_are_told_by_their_request_or_looked_into(build: Build) -> None:
    """What a killed worker left is found; what belongs to somebody else's open request is not read."""
    yard = await build()
    other = Subject(id=uuid4(), email="ben@person.example", created_at=yard.clock())
    await other.save()
    request = await open_request(other.id, "DR-2026-0148", yard.clock().date())
    for folder, text in ((str(yard.requests[0]), "anything"), (str(request), EMAIL), ("stray", f"to {EMAIL}")):
        (yard.data / "work" / folder).mkdir(parents=True)
        (yard.data / "work" / folder / "data.json").write_text(text)
    assert not await yard.settle()
    left = {(one.place, one.needle, one.number) for one in (await yard.view(FILES)).left}
    assert left == {("working files", "request", 1), ("data.json", "email-1", 1)}


async def test_logs_are_looked_through_where_they_are_named(build: Build, tmp_path: Path) -> None:
    """Rotated and packed ones too; a pattern that matches nothing is said."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "app.log").write_text("nothing\n" * 1000)
    (logs / "app.log.1.gz").write_bytes(gzip.compress(f"GET /?q={EMAIL.replace('@', '%40')}\n".encode()))
    yard = await build(**{LOG_FILES: f"{logs}/*.log* {logs}/none/*"})
    assert not await yard.settle()
    view = await yard.view(LOGS)
    assert [(one.place, one.needle) for one in view.left] == [("app.log.1.gz", "email-1:url")]
    assert (view.places, view.blind) == (("app.log", "app.log.1.gz"), ("logs-none",))
    assert await yard.do_again() == []
    assert [task.about for task in await tasks_of(yard.plan.request)] == [LOGS]


# --- What is written down ------------------------------------------------------------------------------------------


async def test_nothing_that_is_kept_of_a_search_names_the_person(build: Build) -> None:
    """Reports, evidence and tasks hold places, needle ids and numbers."""
    yard = await build()
    yard.cellars["platform"].texts["audit"] = [EMAIL, ACCOUNT, CUSTOMER]
    await yard.settle()
    rows = await Subject.raw(
        "SELECT s::text AS row FROM scan_report s UNION ALL SELECT e::text FROM evidence e"
        " UNION ALL SELECT t::text FROM task t UNION ALL SELECT i::text FROM plan_item i"
    )
    written = " ".join(row["row"] for row in rows)
    assert "email-1" in written
    assert all(secret not in written for secret in (EMAIL, "ana@", ACCOUNT, CUSTOMER))


async def test_a_worker_killed_after_any_store_goes_on_with_the_next(build: Build) -> None:
    """Each store is written as soon as it was looked through, and looked through once."""
    yard = await build()
    for killed in list(yard.cellars):
        yard.cellars[killed].error = cast("SourceError", KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            await yard.settle()
        yard.cellars[killed].error = None
    assert await yard.settle()
    assert [len(cellar.asked) for cellar in yard.cellars.values()] == [2, 2, 2, 2]
    entries = await yard.evidence()
    assert await yard.settle()
    assert await yard.evidence() == entries


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_verdict_and_reason_has_words(build: Build, language: str) -> None:
    """A page never shows a code of ours."""
    yard = await build(account="42")
    yard.cellars["stripe"].error = SourceUnsupported("stripe", "no right")
    await yard.settle()
    words = Words(language, "Europe/Paris")
    for view in await scan.report_of(yard.plan.id):
        assert title(words, yard.shop.policy, view.store) != view.store
        assert verdict(words, view)
        assert all(" " in reason(words, blind) and reason(words, blind) != blind for blind in view.blind)
