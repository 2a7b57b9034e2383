"""A bench for erasures: one person whose data lies in every source, and the workshop that erases it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from exports.press import Press
from exports.storage import FolderStorage
from portal.policy.model import PortalSource
from portal.rights import plans
from portal.rights.erasure import Approval, approve, draw_now
from portal.rights.erasure_plan import Drawn, account_categories
from portal.rights.person import find_person
from portal.rights.requests import RequestView, find
from portal.rights.tables import Plan
from portal.rights.walk import walk
from portal.rights.works import CRAFTS
from portal.rights.workshop import Workshop
from portal.sources.portal import OwnTables
from portal.sources.registry import Sources
from tests.rights.conftest import House, MemorySource

EMAIL = "ana@person.example"
SOME = [{"kind": "row", "id": str(number)} for number in range(3)]


@dataclass
class Bench:
    """One person whose data lies in every source, and the workshop that erases it."""

    house: House
    shop: Workshop
    subject: UUID

    @property
    def sources(self) -> dict[str, MemorySource]:
        return self.house.sources

    async def drawn(self, *chosen: str) -> Drawn:
        person = await find_person(self.shop.sources, self.subject)
        return await draw_now(self.shop.sources, self.house.policy, person, self._ids(chosen), at=self.house.clock())

    def _ids(self, chosen: tuple[str, ...]) -> tuple[str, ...]:
        return chosen or tuple(account_categories(self.house.policy))

    async def approve(self, *chosen: str, digest: str = "") -> str:
        """Confirm what is drawn now. Returns the reference."""
        approval = Approval(
            subject=self.subject, chosen=self._ids(chosen), language="en",
            digest=digest or (await self.drawn(*chosen)).digest,
        )  # fmt: skip
        opened = await approve(
            approval, sources=self.shop.sources, policy=self.house.policy,
            public_url=self.house.settings.public_url, at=self.house.clock(),
        )  # fmt: skip
        return opened.request.reference

    async def plan(self, reference: str, kind: plans.Kind = "erase") -> plans.PlanView:
        row = await Plan.raw(
            "SELECT p.id FROM plan p JOIN subject_request r ON r.id = p.request"
            " WHERE r.reference = {} AND p.kind = {} ORDER BY p.approved_at DESC",
            reference, kind,
        )  # fmt: skip
        plan = await plans.find_plan(row[0]["id"])
        assert plan is not None
        return plan

    async def work(self, reference: str, kind: plans.Kind = "erase") -> plans.PlanView:
        """Let the worker look at the plan once."""
        plan = await self.plan(reference, kind)
        await walk(self.shop, CRAFTS, {"plan": str(plan.id)})
        return await self.plan(reference, kind)

    async def erased(self, *chosen: str) -> str:
        """Confirm, let the three days pass, and let the worker do it. Returns the reference."""
        reference = await self.approve(*chosen)
        self.later(days=3)
        await self.work(reference)
        return reference

    def later(self, **by: float) -> None:
        self.house.clock.advance(timedelta(**by))

    async def request(self, reference: str) -> RequestView:
        return await find(reference, self.subject)

    def left(self) -> dict[str, list[str]]:
        """What the sources still hold of the person: source -> categories."""
        found = {id: sorted(key[1] for key in source.rows if key[0] == EMAIL) for id, source in self.sources.items()}
        return {id: categories for id, categories in found.items() if categories}


@pytest.fixture
async def bench(house: House, tmp_path: Path) -> AsyncIterator[Bench]:
    """Ana has three records of every category in every source; our own tables are the real ones."""
    spec = next(spec for spec in house.policy.sources if isinstance(spec, PortalSource))
    del house.sources[spec.id]
    ours = OwnTables(spec, house.settings.database_dsn)
    for source in house.sources.values():
        for category in source.categories:
            source.put(EMAIL, category, SOME)
    browser = await house.person(EMAIL)
    settings = replace(house.settings, data_folder=tmp_path)
    storage = FolderStorage(tmp_path / "parcels")
    shop = Workshop(house.policy, settings, house.clock, Sources([*house.sources.values(), ours]), storage, Press())
    yield Bench(house, shop, browser.subject_id)
    await ours.close()
