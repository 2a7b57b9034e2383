"""What the policy keeps after an erasure, explained on a real PostgreSQL, record by record."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from uuid import uuid4

import asyncpg
import pytest

from portal.rights import needles
from portal.rights.plans import ItemView, PlanView
from portal.rights.scan_verdicts import explain
from tests.sources.conftest import empty_database
from tests.sources.hard_platform import EVERYTHING, SPEC, Hard, build

__all__ = ["empty_database"]

EMAIL = "ana@example.example"


@pytest.fixture(params=[False, True], ids=["uuid", "numbers"])
async def hard(request: pytest.FixtureRequest, empty_database: str) -> AsyncIterator[Hard]:
    """A platform where Ana has an invoice, a line of which names her. Accounts are UUIDs, or numbers."""
    owner = await asyncpg.connect(empty_database)
    built = await build(owner, empty_database, numbers=request.param)
    built.source.scan_dsn = empty_database
    for account, line in ((built.ana, f"Licence for {EMAIL}"), (built.ben, "Licence for ben")):
        id = await owner.fetchval(
            "INSERT INTO invoice (account_id, number, amount, made_at, agent, secret)"
            " VALUES ($1, 'F1', 1, now(), 'x', 'y') RETURNING id",
            account,
        )
        await owner.execute("INSERT INTO invoice_line (invoice_id, what) VALUES ($1, $2)", id, line)
    yield built
    await built.source.close()
    await owner.close()


async def left(hard: Hard, plan: PlanView) -> list[tuple[str, str, str]]:
    """Search, and return place, needle and article of everything found."""
    wanted = needles.of(hard.subject)
    found = await hard.source.search(wanted)
    items = [
        ItemView(
            id=uuid4(), position=0, source="shop", category=one.category, action=one.action,
            ground="Art. 17(3)(b)" if one.action == "keep" else "", until=None, expected=1, state="done",
            means="deleted", handle="", error="", tries=0, failed_at=None, done_at=None,
        )
        for one in EVERYTHING
    ]  # fmt: skip
    explained = await explain(plan, SPEC, hard.source, items, wanted, found.findings)
    return [(one.finding.place, one.finding.needle, one.ground) for one in explained]


async def test_a_kept_line_that_names_its_buyer_is_explained_and_a_second_one_is_not(hard: Hard) -> None:
    """The minimum may hold an address, under the pseudonym; the same address anywhere else was forgotten."""
    at = datetime(2026, 10, 14, tzinfo=UTC)
    plan = PlanView(
        id=uuid4(), request=uuid4(), reference="DR-2026-0147", subject=uuid4(), language="en", received_at=at,
        due_day=date(2026, 11, 13), kind="erase", digest="", whole=True, state="scanning", pseudonym=uuid4(),
        known=None, rounds=0, approved_at=at, runs_at=at, begun_at=at, done_at=None,
    )  # fmt: skip
    assert ("account", "email-2", "") in await left(hard, plan)
    await hard.source.erase(hard.subject, EVERYTHING, pseudonym=plan.pseudonym)
    assert {(place, ground) for place, _, ground in await left(hard, plan)} == {("invoice_line", "Art. 17(3)(b)")}
    await hard.owner.execute("UPDATE invoice_line SET what = $1 WHERE what = 'Licence for ben'", f"Gift of {EMAIL}")
    assert {(place, ground) for place, _, ground in await left(hard, plan)} == {("invoice_line", "")}
