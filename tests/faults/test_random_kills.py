"""Three workers are killed again and again at random while forty people use every right; in the end all is well.

Always true here: the seed decides who dies how long after whom; only the moment within a worker is left to chance.
"""

import asyncio
import contextlib
import math
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import asyncpg
import pytest

from demo.seaweed import Seaweed
from portal.errors import HabeasError
from portal.evidence.verify import verify
from portal.policy.model import Policy
from portal.rights import pauses, rectification
from portal.rights.erasure import GRACE, Approval, Changed, approve, draw_now
from portal.rights.erasure_plan import account_categories
from portal.rights.intake import open_access
from portal.rights.person import find_person
from portal.settings import Settings, read_settings
from portal.sources.registry import Sources, open_sources
from tests.faults.crash_scenes import crowd, subject_of
from tests.faults.crash_worker import Order, policy_of
from tests.faults.crash_world import World, connected_as, fork_server, lane, work, world
from tests.faults.processes import kill, offspring

SECONDS, PEOPLE, BYSTANDERS, WORKERS, SEED = 30.0, 40, 2, 3, 20261122
NEW_NAME = "Somebody Else"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter, too."""
    place = Path(tempfile.mkdtemp(prefix="habeas-random-"))
    yield place
    shutil.rmtree(place)


@dataclass
class Crowd:
    """Everybody at once, before the pages' own verbs."""

    here: World
    settings: Settings
    policy: Policy
    sources: Sources
    random: Random
    erased: set[int] = field(default_factory=set)
    corrected: set[int] = field(default_factory=set)
    copied: set[int] = field(default_factory=set)

    async def live(self) -> None:
        """Let everybody do what they do, in their own time."""
        await asyncio.gather(*(self._person(number, Random(f"{SEED}:{number}")) for number in range(PEOPLE)))

    async def _person(self, number: int, random: Random) -> None:
        verbs = {0: "erase", 1: "copy erase", 2: "correct copy", 3: "pause correct end", 4: "erase erase"}[number % 5]
        for verb in verbs.split():
            await asyncio.sleep(random.uniform(0, SECONDS / 3))
            # What is paused or about to be erased is not corrected: that is an answer, and not what is tried here.
            with contextlib.suppress(HabeasError):
                await getattr(self, f"_{verb}")(number)

    async def _erase(self, number: int) -> None:
        """Confirm what is drawn now, three days ago."""
        subject, chosen, at = subject_of(number), tuple(account_categories(self.policy)), self.here.scene.at - GRACE
        while True:
            person = await find_person(self.sources, subject)
            drawn = await draw_now(self.sources, self.policy, person, chosen, at=at)
            with contextlib.suppress(Changed):
                await approve(
                    Approval(subject=subject, chosen=chosen, digest=drawn.digest, language="en"), at=at,
                    sources=self.sources, policy=self.policy, public_url=self.settings.public_url,
                )  # fmt: skip
                self.erased.add(number)
                return

    async def _copy(self, number: int) -> None:
        await open_access(
            subject_id=subject_of(number), categories=("account", "prompts", "uploads", "payments"), format="all",
            language="en", policy=self.policy, public_url=self.settings.public_url, at=self.here.scene.at,
        )  # fmt: skip
        self.copied.add(number)

    async def _correct(self, number: int) -> None:
        wish = rectification.Wish(
            subject=subject_of(number), category="account", field="display_name", value=NEW_NAME, language="en"
        )
        await rectification.correct(
            wish, sources=self.sources, policy=self.policy, settings=self.settings, at=self.here.scene.at
        )
        self.corrected.add(number)

    async def _pause(self, number: int) -> None:
        wish = pauses.Wish(subject=subject_of(number), categories=("account",), reason="accuracy", language="en")
        await pauses.pause(wish, policy=self.policy, settings=self.settings, at=self.here.scene.at)

    async def _end(self, number: int) -> None:
        rows = await self.rows(
            "SELECT reference FROM subject_request WHERE subject = $1 AND \"right\" = 'restriction'", subject_of(number)
        )
        for row in rows:
            await pauses.end_own(
                row["reference"], subject_of(number), policy=self.policy, settings=self.settings, at=self.here.scene.at
            )

    async def rows(self, query: str, *values: object) -> Sequence[asyncpg.Record]:
        """Ask our own database."""
        connection = await asyncpg.connect(self.here.own_dsn)
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()


@pytest.mark.timeout(400)
async def test_killed_at_random_everything_is_consistent_in_the_end(
    postgres: str, template: str, seaweed: Seaweed, folder: Path
) -> None:
    """Whoever was to be erased is, once and with one mail; whoever was not has everything; nothing lies about."""
    scene = await crowd("casagbic", postgres, template, folder, PEOPLE + BYSTANDERS)
    with ExitStack() as stack:
        one = stack.enter_context(lane(9, seaweed))
        # Each worker has a time of its own, hours from the platform's: none of their calls is an old one sent again.
        one.hook.fresh_seconds = math.inf
        servers = [stack.enter_context(fork_server()) for _ in range(WORKERS)]
        for server in servers:
            stack.callback(server.kill)
        async with world(scene, one) as here:
            before = await of_bystanders(here)
            people = await killing(here, servers)
            await here.work()
            await assert_consistent(here, people)
            assert await of_bystanders(here) == before


async def killing(here: World, servers: Sequence["subprocess.Popen[bytes]"]) -> Crowd:
    """Let people live and workers die for half a minute."""
    settings, random = read_settings(here.environment), Random(SEED)
    policy = policy_of(settings.policy_file, here.lane.files)
    sources = open_sources(policy, settings)
    until = time.monotonic() + SECONDS
    try:
        async with connected_as(here.own_dsn):
            people = Crowd(here, settings, policy, sources.patient(), random)
            workers = [asyncio.to_thread(_again_and_again, here, server, number, until)
                       for number, server in enumerate(servers)]  # fmt: skip
            *ended, _, _ = await asyncio.gather(*workers, people.live(), _reap(servers, random, until))
        assert sum(ended) > WORKERS * 3, "hardly anybody died"
    finally:
        await sources.close()
    return people


def _again_and_again(here: World, server: "subprocess.Popen[bytes]", number: int, until: float) -> int:
    """Start a worker, and another when it was killed. Returns how many there were."""
    lives, began = 0, time.monotonic()
    while time.monotonic() < until:
        order = Order(
            environment=here.environment, at=here.scene.at + timedelta(minutes=3 * (time.monotonic() - began)),
            bucket=here.lane.files, for_ever=True, record=str(here.folder.with_name(f"{here.name}-{number}")),
        )  # fmt: skip
        status = work(server, order)
        said = here.folder.with_name(f"{here.name}-{number}.log").read_text()
        assert status == -9, said[-3000:]
        lives += 1
    return lives


async def _reap(servers: Sequence["subprocess.Popen[bytes]"], random: Random, until: float) -> None:
    """Kill one of the workers every moment; at last all of them, until none is left."""
    while time.monotonic() < until:
        await asyncio.sleep(random.uniform(0.1, 1.2))
        for worker in offspring(random.choice(servers).pid):
            kill(worker)
    for _ in range(50):
        for server in servers:
            for worker in offspring(server.pid):
                kill(worker)
        await asyncio.sleep(0.05)


# --- Afterwards ----------------------------------------------------------------------------------------------------


async def of_bystanders(here: World) -> Sequence[str]:
    """Return every row of the platform that names those who did nothing."""
    ids = [id for person in here.scene.people[PEOPLE:] for id in person.account_ids]
    return [line for line in await platform_rows(here) if any(id in line for id in ids)]


async def platform_rows(here: World) -> list[str]:
    """Return every row of every table of the platform."""
    connection = await asyncpg.connect(here.platform_dsn)
    try:
        tables = await connection.fetch("SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public'")
        found = [await connection.fetch(f'SELECT t::text FROM "{table[0]}" t') for table in tables]
    finally:
        await connection.close()
    return sorted(row[0] for rows in found for row in rows)


async def assert_consistent(here: World, people: Crowd) -> None:
    """Look everywhere."""
    assert len(people.erased) == 24 and people.corrected and people.copied
    await _assert_requests(people)
    await _assert_mails(here, people)
    await _assert_far_ends(here, people)
    await _assert_places(here, people)
    connection = await asyncpg.connect(here.own_dsn)
    try:
        assert (await verify(connection, {})).broken is None
    finally:
        await connection.close()


async def _assert_requests(people: Crowd) -> None:
    """Every erasure is closed with one receipt, each item done once; nothing but pauses is open; no job is left."""
    assert await people.rows("SELECT entrypoint, status FROM pgqueuer") == []
    erasures = await people.rows("SELECT subject, state FROM subject_request WHERE \"right\" = 'erasure'")
    assert sorted(row["subject"] for row in erasures) == sorted(subject_of(number) for number in people.erased)
    assert {row["state"] for row in erasures} == {"closed"}
    left_open = await people.rows('SELECT DISTINCT "right" FROM subject_request WHERE closed_at IS NULL')
    assert {row["right"] for row in left_open} <= {"restriction", "rectification"}
    twice = await people.rows(
        "SELECT reference, details, count(*) FROM evidence WHERE event = 'rights:item:done' GROUP BY 1, 2"
        " HAVING count(*) > 1"
    )
    assert twice == []
    without = await people.rows(
        "SELECT reference FROM subject_request r WHERE closed_at IS NOT NULL AND (outcome = '' OR"
        " (SELECT count(*) FROM receipt WHERE request = r.id) <> 1)"
    )
    assert without == []


async def _assert_mails(here: World, people: Crowd) -> None:
    """What was accepted is what we think was, each once; everybody who was erased has one last mail."""
    accepted = here.lane.mail.messages()
    keys = Counter(mail.key for mail in accepted)
    assert not [key for key, number in keys.items() if number > 1]
    sent = await people.rows("SELECT id::text FROM mail WHERE state NOT IN ('waiting', 'failed')")
    assert {row[0] for row in sent} == keys.keys()
    last = Counter(mail.to[0] for mail in accepted if "Last message" in mail.params["subject"])
    emails = [here.scene.people[number].email.lower() for number in sorted(people.erased)]
    assert last == Counter(emails), last
    many = await people.rows(
        "SELECT reference, kind, count(*) FROM mail WHERE kind IN ('erasure-done', 'copy-ready') GROUP BY 1, 2"
        " HAVING count(*) > 1"
    )
    assert many == []


async def _assert_far_ends(here: World, people: Crowd) -> None:
    """Nothing of who was erased is at the platform, in the bucket or a customer at Stripe; of all others everything."""
    everything, keys = "\n".join(await platform_rows(here)), here.lane.seaweed.keys(here.lane.files)
    customers = here.lane.stripe.store.objects["customer"]
    for number, person in enumerate(here.scene.people):
        stays = number not in people.erased
        assert (person.email in everything) == stays, person.email
        assert (person.account_ids[0] in everything) == stays, person.email
        assert {file.key for file in person.files} & keys == ({file.key for file in person.files} if stays else set())
        if person.stripe_customer:
            assert bool(customers[person.stripe_customer].get("deleted")) != stays
        assert number not in people.corrected or not stays or NEW_NAME in everything


async def _assert_places(here: World, people: Crowd) -> None:
    """Living copies have their files, no file is without a copy; a tombstone for each, and nothing half-written."""
    rows = await people.rows("SELECT place, pdf_place FROM parcel WHERE deleted_at IS NULL")
    named = {place for row in rows for place in row}
    assert {path.name for path in (here.folder / "parcels").iterdir()} == named
    assert len(rows) >= len(people.copied - people.erased)
    assert not list((here.folder / "work").glob("*"))
    known = await people.rows("SELECT id::text FROM known_tombstone")
    buried = {path.name for path in (here.folder / "tombstones" / "tombstones").iterdir()}
    assert {row[0] for row in known} == buried and len(buried) == len(people.erased)
