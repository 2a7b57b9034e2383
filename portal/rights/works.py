"""What the worker does for rights: copies, plans, and what is due by the clock.

Always true here: a plan's job is never parked: the plan itself knows what failed, since when, and who must look.
"""

from datetime import timedelta
from functools import partial

from portal.jobs import Schedule, Work
from portal.rights import (
    access,
    address_old,
    correcting,
    corrections,
    erase_again,
    erasure,
    erasure_end,
    figures_tally,
    held,
    outcome,
    pause_decisions,
    pauses,
    plans,
    restriction,
)
from portal.rights.clock_round import NAME as CLOCK
from portal.rights.clock_round import make_round
from portal.rights.intake_begin import begin_proven
from portal.rights.intake_child import ERASE, FREEZE, erase, freeze
from portal.rights.intake_clock import tend
from portal.rights.intake_settle import BEGIN
from portal.rights.objection import resume_due
from portal.rights.walk import Craft, Crafts, walk
from portal.rights.workshop import Workshop

CRAFTS: Crafts = {
    "erase": Craft(act=erasure.act, finish=erasure_end.finish, narrow=erase_again.narrow),
    "restrict": Craft(act=restriction.act, finish=pauses.finish, settled=pauses.settled),
    "lift": Craft(act=restriction.act, finish=pauses.finish),
    "rectify": Craft(act=correcting.act, finish=correcting.finish, settled=correcting.settled),
}
"""How each kind of plan is carried out."""


def works(shop: Workshop) -> list[Work]:
    """Return the jobs of this room."""
    return [
        Work(name="rights.export", handler=partial(access.fulfil, shop), tries=6, at_once=2),
        Work(name=BEGIN, handler=partial(begin_proven, shop), tries=1_000),
        Work(name=FREEZE, handler=partial(freeze, shop), tries=1_000, longest_delay=timedelta(minutes=5)),
        Work(name=ERASE, handler=partial(erase, shop), tries=1_000),
        Work(name=plans.JOB, handler=partial(walk, shop, CRAFTS), tries=1_000_000, at_once=4),
    ]


def schedules(shop: Workshop) -> list[Schedule]:
    """Return what is done by the clock. Everything here looks at what is due, and does it once."""

    async def expire() -> None:
        await outcome.delete_expired(shop.storage, at=shop.clock())

    async def remind() -> None:
        await outcome.remind_unopened(shop.policy, shop.settings.public_url, at=shop.clock())

    async def go_on() -> None:
        await plans.enqueue_due(at=shop.clock())

    async def forget() -> None:
        await erasure_end.forget_addresses(shop)

    async def release() -> None:
        await held.release_due(shop)

    async def settle() -> None:
        await address_old.settle_due(shop)
        await corrections.forget_values(at=shop.clock())
        await correcting.tell_due(shop)

    async def let_go() -> None:
        await pause_decisions.lift_due(shop)
        await resume_due(shop)

    async def look_at_clocks() -> None:
        await make_round(shop)

    async def tend_forms() -> None:
        await tend(shop)

    return [
        Schedule(CLOCK, "*/5 * * * *", look_at_clocks, at_start=True),
        Schedule("rights.forms", "11,41 * * * *", tend_forms),
        Schedule("rights.settle", "*/10 * * * *", settle),
        Schedule("rights.lift", "*/10 * * * *", let_go),
        Schedule("rights.expire", "*/10 * * * *", expire),
        Schedule("rights.remind", "5 * * * *", remind),
        Schedule("rights.plans", "* * * * *", go_on),
        Schedule("rights.forget", "*/5 * * * *", forget),
        Schedule("rights.held", "23 3 * * *", release),
        *figures_tally.schedules(shop),
    ]
