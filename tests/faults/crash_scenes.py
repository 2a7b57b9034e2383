"""The moments at which workers are killed: a copy that was asked for, and an account whose three days are over.

Always true here: each scene is made by the product itself, through its own verbs and its own worker, in a lane; then
it is frozen and nobody touches it again.
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import asyncpg

from demo.platforms import PLATFORMS, Person, Platform
from demo.stack import READER, ROOT, SCANNER, WRITER
from portal.identity.tables import Session, Subject
from portal.policy.load import load
from portal.policy.model import Policy
from portal.rights.erasure import GRACE, Approval, approve, draw_now
from portal.rights.erasure_plan import account_categories
from portal.rights.intake import open_access
from portal.rights.person import find_person
from portal.settings import read_settings
from portal.sources.registry import Sources, open_sources
from tests.faults.crash_worker import policy_of
from tests.faults.crash_world import Lane, Scene, World, connected_as, fill, on_server

ASKED = datetime(2026, 10, 14, 9, 0, tzinfo=UTC)
CROWD = 24
PERSON, OTHER = UUID(int=71), UUID(int=72)
"""Our own ids of the two."""


async def copy_asked_for(organisation: str, server: str, template: str, folder: Path) -> Scene:
    """Freeze the moment after a copy of everything was asked for: one job, and the mail that says so."""
    scene = await _scene(organisation, server, template, folder, "copy")
    async with connected_as(scene.database(f"{scene.name}_own")):
        await _people(scene)
        await _ask(scene, PERSON)
    return replace(scene, minutes=False)


async def erasure_due(
    organisation: str, server: str, template: str, folder: Path, lane: Lane, *, redact: bool = False
) -> Scene:
    """Freeze the moment at which the three days are over: both people have a copy, one of them goes."""
    scene = await _scene(organisation, server, template, folder, "erasure")
    here = World(scene, lane, scene.name, scene.folder)
    fill(here)
    lane.clock.now = scene.at
    async with connected_as(here.own_dsn):
        await _people(scene)
        await _ask(scene, PERSON)
        await _ask(scene, OTHER)
    await here.work(minutes=False)
    async with connected_as(here.own_dsn):
        await _approve(here)
    await here.work(minutes=False)
    with contextlib.closing(lane.seaweed.client()) as client:
        keys = sorted(lane.seaweed.keys(lane.parcels))
        parcels = {key: client.get_object(Bucket=lane.parcels, Key=key)["Body"].read() for key in keys}
    return replace(scene, at=scene.at + GRACE + timedelta(minutes=1), parcels=parcels, redact=redact)


async def crowd(organisation: str, server: str, template: str, folder: Path, number: int) -> Scene:
    """Freeze a moment at which nobody has asked for anything: ordinary people, who can all sign in."""
    scene = await _scene(organisation, server, template, folder, "crowd", number)
    async with connected_as(scene.database(f"{scene.name}_own")):
        await _people(scene)
    return scene


async def _scene(organisation: str, server: str, template: str, folder: Path, what: str, number: int = 2) -> Scene:
    """Make the databases: the platform with some people, and ours with nobody."""
    name, platform = f"scene_{organisation}_{what}_{os.urandom(3).hex()}", PLATFORMS[organisation]
    place = folder / name
    place.mkdir()
    await on_server(server, f'CREATE DATABASE "{name}_own" TEMPLATE "{template}" STRATEGY file_copy')
    await on_server(server, f'CREATE DATABASE "{name}_platform"')
    connection = await asyncpg.connect(server.replace("/habeas?", f"/{name}_platform?"))
    try:
        people = _chosen(await platform.fill(connection, people=CROWD + number), number)
        await platform.prepare(connection, READER, writer=WRITER, scanner=SCANNER)
        await _only(connection, platform, people)
    finally:
        await connection.close()
    return Scene(organisation, server, name, place, people[0], people[1], ASKED, _at_stripe(platform, people), people)


def _chosen(people: list[Person], number: int) -> list[Person]:
    """Return ordinary people; the first two have bought, were paid back and have files: one goes, one stays."""
    ordinary = [one for one in people if one.role == "ordinary"]
    full = [one for one in ordinary if one.files and any(p.refunded for p in one.purchases)][:2]
    return [*full, *(one for one in ordinary if one not in full)][:number]


async def _only(connection: asyncpg.Connection, platform: Platform, people: list[Person]) -> None:
    """Remove everybody else from the platform. The other one came because of the person, where it notes that."""
    emails, ids = [one.email for one in people], [id for one in people for id in one.account_ids]
    if platform.id == "casagbic":
        await connection.execute("UPDATE accounts SET referred_by = NULL")
        await connection.execute("UPDATE accounts SET referred_by = $1::text::uuid WHERE id::text = $2", ids[0], ids[1])
        await connection.execute("DELETE FROM purchases WHERE NOT account_id::text = ANY($1)", ids)
        await connection.execute("DELETE FROM accounts WHERE NOT id::text = ANY($1)", ids)
    else:
        await connection.execute("DELETE FROM purchases WHERE NOT email = ANY($1)", emails)
        await connection.execute("DELETE FROM users WHERE NOT id::text = ANY($1)", ids)
    await connection.execute("VACUUM FULL")


def _at_stripe(platform: Platform, people: list[Person]) -> list[Mapping[str, object]]:
    """Return what Stripe holds. The first person also has a subscription and a tax number, to be ended and deleted."""
    found, person = platform.stripe_people(people), people[0]
    mine = cast("dict[str, list[object]]", found[0])
    mine["subscriptions"] = [
        {"id": "sub_killed", "customer": person.stripe_customer, "created": 1, "currency": "eur", "status": "active"}
    ]
    mine["tax_ids"] = [
        {"id": "txi_killed", "customer": person.stripe_customer, "created": 1, "country": "FR", "type": "eu_vat",
         "value": "FR00000000000"}
    ]  # fmt: skip
    return list(found)


async def _people(scene: Scene) -> None:
    for number, person in enumerate(scene.people):
        id = subject_of(number)
        await Subject(id=id, email=person.email.lower(), created_at=scene.at, language="en").save()
        await Session(
            id=uuid4(), subject=id, token_hash=f"session of {id}", way="code", created_at=scene.at,
            expires_at=scene.at + timedelta(days=30), confirmed_at=scene.at,
        ).save()  # fmt: skip


def subject_of(number: int) -> UUID:
    """Return our own id of a person of the scene."""
    return UUID(int=PERSON.int + number)


async def _ask(scene: Scene, subject: UUID) -> None:
    policy = _policy(scene)
    categories = tuple(one.id for one in policy.categories if policy.sources_of(one.id))
    await open_access(
        subject_id=subject, categories=categories, format="all", language="en", policy=policy,
        public_url="http://127.0.0.1:8000", at=scene.at,
    )  # fmt: skip


async def _approve(here: World) -> None:
    """Confirm the erasure of the account as the page does, from what is drawn now."""
    settings = read_settings(here.environment)
    policy = policy_of(settings.policy_file, here.lane.files)
    sources: Sources = open_sources(policy, settings)
    try:
        chosen = tuple(account_categories(policy))
        person = await find_person(sources, PERSON)
        assert not person.unreachable, person.unreachable
        drawn = await draw_now(sources, policy, person, chosen, at=here.scene.at)
        await approve(
            Approval(subject=PERSON, chosen=chosen, digest=drawn.digest, language="en"), sources=sources,
            policy=policy, public_url=settings.public_url, at=here.scene.at,
        )  # fmt: skip
    finally:
        await sources.close()


def _policy(scene: Scene) -> Policy:
    return load(ROOT / "policies" / f"{scene.organisation}.toml")
