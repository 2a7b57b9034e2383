"""What a search after an erasure found, as it is kept and as pages and receipts read it.

Always true here: a store that was not wholly looked through is never `gone`; writing the same again adds no evidence.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from portal.database import engine
from portal.evidence.log import append
from portal.rights.plans import PlanView
from portal.rights.tables_scan import ScanReport

type Verdict = Literal["gone", "gone-where-looked", "kept", "left", "blind", "unavailable", "refused", "judged"]
"""`gone` looked through and nothing there · `gone-where-looked` the same, with places that could not be ·
`kept` only what stays on purpose · `left` something nobody explained · `blind` cannot be looked through at all ·
`unavailable` did not answer · `refused` says no until somebody changes something · `judged` a person of ours looked
at what is left and it is not about this person."""
SETTLED: frozenset[Verdict] = frozenset({"gone", "gone-where-looked", "kept", "blind", "judged"})


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What is left in one place: which needle, in how many rows, and whether it stays on purpose."""

    place: str
    needle: str
    number: int
    kept: bool = False


class StoreView(msgspec.Struct, frozen=True, kw_only=True):
    """One store. `blind` names what could not be looked through, in the words of `scan_words.reason`."""

    store: str
    verdict: Verdict
    ground: str = ""
    places: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    blind: tuple[str, ...] = ()
    tries: int = 0
    since: datetime
    at: datetime

    @property
    def settled(self) -> bool:
        """True when nothing more is to be done about it."""
        return self.verdict in SETTLED

    @property
    def left(self) -> tuple[Found, ...]:
        """What nobody explained."""
        return tuple(found for found in self.found if not found.kept)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All stores, in the order in which they were looked through."""

    stores: tuple[StoreView, ...]

    @property
    def clean(self) -> bool:
        """True when nothing is left anywhere that could be looked through, and every store answered."""
        return all(store.settled for store in self.stores)


class _Details(msgspec.Struct, frozen=True):
    places: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    blind: tuple[str, ...] = ()


async def report_of(plan: UUID) -> list[StoreView]:
    """Return what the newest round found, for pages and the receipt; empty before the first look."""
    newest = "s.round = (SELECT max(round) FROM scan_report WHERE plan = s.plan)"
    rows = await ScanReport.raw(f"{_SELECT} AND {newest} ORDER BY s.at, s.store", plan)
    return [_view(row) for row in rows]


async def views_of(plan: UUID, number: int) -> dict[str, StoreView]:
    """Return what one round has found so far, by store."""
    rows = await ScanReport.raw(f"{_SELECT} AND s.round = {{}} ORDER BY s.at, s.store", plan, number)
    return {row["store"]: _view(row) for row in rows}


async def write(plan: PlanView, view: StoreView) -> None:
    """Keep what a store was found to hold, in one transaction with its evidence. Idempotent."""
    details = msgspec.json.encode(_Details(view.places, view.found, view.blind), order="deterministic").decode()
    async with engine().transaction():
        before = (await views_of(plan.id, plan.rounds)).get(view.store)
        await engine().connection.execute(
            "INSERT INTO scan_report"
            " (id, plan, round, store, verdict, ground, places, findings, details, tries, since, at)"
            " VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
            " ON CONFLICT (plan, round, store) DO UPDATE SET verdict = EXCLUDED.verdict, ground = EXCLUDED.ground,"
            " places = EXCLUDED.places, findings = EXCLUDED.findings, details = EXCLUDED.details,"
            " tries = EXCLUDED.tries, since = EXCLUDED.since, at = EXCLUDED.at",
            plan.id, plan.rounds, view.store, view.verdict, view.ground, len(view.places),
            sum(found.number for found in view.found), details, view.tries, view.since, view.at,
        )  # fmt: skip
        if before is None or _said(before) != _said(view):
            await append(
                "rights:store:searched", at=view.at, actor="worker", reference=plan.reference,
                details={
                    "store": view.store, "verdict": view.verdict, "round": plan.rounds, "places": len(view.places),
                    "left": sum(found.number for found in view.left), "blind": len(view.blind),
                    "digest": hashlib.sha256(details.encode()).hexdigest(),
                },
            )  # fmt: skip


def _said(view: StoreView) -> Sequence[object]:
    return view.verdict, view.ground, view.places, view.found, view.blind


def _view(row: dict[str, object]) -> StoreView:
    details = msgspec.json.decode(str(row["details"]), type=_Details)
    return StoreView(
        places=details.places, found=details.found, blind=details.blind,
        **{name: row[name] for name in ("store", "verdict", "ground", "tries", "since", "at")},  # type: ignore[arg-type]
    )  # fmt: skip


_SELECT = (
    "SELECT s.store, s.verdict, s.ground, s.details::text, s.tries, s.since, s.at FROM scan_report s WHERE s.plan = {}"
)
