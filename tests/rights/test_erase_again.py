"""A restored backup brings people back: they are erased again, and nobody else is."""

from uuid import uuid4

import pytest

from portal.evidence.ledger import opened, prove
from portal.evidence.log import Head
from portal.evidence.tombstones import Kept, Tombstone, hashed
from portal.identity.tables import Session, Subject
from portal.mail.tables import Mail
from portal.rights.erase_again import erase_again, narrow
from portal.rights.plans import plan_of
from portal.rights.tables import HeldItem, Plan, SubjectRequest
from portal.rights.works import CRAFTS
from portal.sources.base import Identifiers
from tests.rights.erasing import EMAIL, Bench, bench

__all__ = ["bench"]


def tombstone(bench: Bench, *kept: Kept, accounts: tuple[str, ...] = ()) -> Tombstone:
    """What the ledger knows of Ana, whom this database has back."""
    names = [("email", EMAIL), *(("account_id", account) for account in accounts)]
    at = bench.house.clock()
    return Tombstone(
        id=uuid4(), subject=bench.subject, hashes=frozenset(hashed(bench.shop.settings, one)[0] for one in names),
        held=kept, buried_at=at, forget_after=at.date(), after=Head(1, "0" * 64),
    )  # fmt: skip


async def test_a_person_who_is_back_is_erased_again_without_a_mail(bench: Bench) -> None:
    """Everything goes, at once; asked again it is one request; they were told the first time."""
    again, stone = erase_again(bench.shop, CRAFTS), tombstone(bench)
    done = [await again(bench.subject, stone) for _ in range(3)]
    assert done[-1] and bench.left() == {} and not await Session.exists()
    assert [row["email"] for row in await Subject.select(Subject.email)] == [None]
    assert await SubjectRequest.count() == 1 and await Mail.count() == 0


async def test_what_was_kept_the_first_time_is_held_again_under_its_own_pseudonym(bench: Bench) -> None:
    """Or nobody would erase it on its day."""
    pseudonym, until = uuid4(), bench.house.clock().date()
    kept = Kept(source="stripe", category="payments", pseudonym=pseudonym, ground="Art. 17(3)(b)", until=until)
    again, stone = erase_again(bench.shop, CRAFTS), tombstone(bench, kept)
    for _ in range(3):
        await again(bench.subject, stone)
    assert await HeldItem.count().where(HeldItem.pseudonym == pseudonym) == 1


async def test_an_erasure_of_the_backup_that_had_not_begun_is_carried_out_now(bench: Bench) -> None:
    """The backup is from the three days: the same request goes on, and waits no longer."""
    reference = await bench.approve()
    again, stone = erase_again(bench.shop, CRAFTS), tombstone(bench)
    done = [await again(bench.subject, stone) for _ in range(2)]
    request = await bench.request(reference)
    assert done[-1] and not request.is_open and await Plan.count().where(Plan.kind == "erase") == 1


async def test_while_a_place_is_down_nobody_is_let_in(bench: Bench) -> None:
    """False, and called again later it goes on with the same plan."""
    bench.sources["uploads"].down = True
    again, stone = erase_again(bench.shop, CRAFTS), tombstone(bench)
    assert not await again(bench.subject, stone)
    bench.sources["uploads"].down = False
    bench.later(minutes=1)
    assert [await again(bench.subject, stone) for _ in range(2)][-1]
    plan = await plan_of(stone.id, "erase")
    assert plan is not None and plan.state == "done"


@pytest.mark.parametrize("new", [False, True])
async def test_whoever_signed_up_again_since_is_left_alone(bench: Bench, *, new: bool) -> None:
    """An account that the first erasure did not know is a new beginning, and so is what lies under the address."""
    stone = tombstone(bench, accounts=("a-1",))
    async with opened(bench.shop.settings) as ledger:
        await ledger.write(f"tombstones/{stone.id}", prove(stone, bench.shop.settings))
    await erase_again(bench.shop, CRAFTS)(bench.subject, stone)
    plan = await plan_of(stone.id, "erase")
    assert plan is not None
    accounts = frozenset({"a-1", "a-2"} if new else {"a-1"})
    found = Identifiers(emails=frozenset({EMAIL}), account_ids=accounts, stripe_customers=frozenset({"cus_new"}))
    kept = await narrow(bench.shop, plan, found)
    assert kept.account_ids == {"a-1"} and kept.stripe_customers == frozenset()
    assert kept.emails == (frozenset() if new else {EMAIL})


async def test_an_erasure_for_the_first_time_is_not_narrowed(bench: Bench) -> None:
    """There is no tombstone yet, so everything found counts."""
    reference = await bench.approve()
    found = Identifiers(emails=frozenset({EMAIL}), account_ids=frozenset({"a-9"}))
    assert await narrow(bench.shop, await bench.plan(reference), found) == found
