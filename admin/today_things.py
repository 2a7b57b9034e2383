"""The plan of the day as it is read: each thing with its next step, why it is there, and one button.

Always true here: what the plan counts and what it shows come from the same look; other rooms add their things to
`MORE`, and each says what it costs.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime

import msgspec

from admin.approvals import PATH as APPROVALS
from admin.roles import Permission
from admin.today_words import MINUTES, next_of, why_of
from admin.who import Staff
from portal.policy.model import Policy
from portal.rights import failures, four_eyes, queue_plan
from portal.words import Words


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do today, or several that are alike."""

    title: str
    """What to do."""
    path: str
    """Where, without the language."""
    reference: str = ""
    why: str = ""
    minutes: int
    count: int = 1
    late: bool = False


class Today(msgspec.Struct, frozen=True):
    """Everything to do today."""

    things: tuple[Thing, ...]
    """Those that are spelt out."""
    count: int
    """How many there are in all."""
    minutes: int


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """For whom, and when."""

    staff: Staff
    policy: Policy
    words: Words
    at: datetime
    today: date


type Source = Callable[[Asked], Awaitable[Sequence[Thing]]]


async def things_of_today(asked: Asked, names: Mapping[int, str], *, alone: bool) -> Today:
    """Return the plan: what belongs to requests, then what other rooms add.

    `names` are of staff, by number; `alone` as `approvals.alone` tells it: then what they asked for is theirs to decide
    a day later.
    """
    own_before = asked.at - four_eyes.SLEEP_ON_IT if alone else queue_plan.NEVER
    plan = await queue_plan.plan(
        asked.today, actor=asked.staff.actor, own_before=own_before, approves=asked.staff.may(Permission.APPROVE)
    )
    things = [
        Thing(
            title=next_of(asked.words, asked.policy, row, asked.staff, asked.today), reference=row.reference,
            path=f"/staff/desk/{row.reference}", why=why_of(asked.words, row, asked.today, names),
            minutes=MINUTES[row.action], late=row.closed_at is None and row.due_day < asked.today,
        )
        for row in plan.rows
    ]  # fmt: skip
    more = [*_free(asked.words, plan), *[thing for source in MORE for thing in await source(asked)]]
    return Today(
        things=(*things, *more),
        count=sum(plan.counts.values()) + sum(thing.count for thing in more),
        minutes=sum(MINUTES[kind] * number for kind, number in plan.counts.items())
        + sum(thing.minutes for thing in more),
    )


async def what_failed(asked: Asked) -> Sequence[Thing]:
    """Return what failed and waits for somebody who may mend it."""
    if not asked.staff.may(Permission.SYSTEM):
        return ()
    count = await failures.count_open(asked.policy, at=asked.at)
    if not count:
        return ()
    title = asked.words.plural("Mend what has failed: one thing", "Mend what has failed: {count} things", count)
    return (Thing(title=title, path="/staff/failures", minutes=MINUTES["failure"] * count, count=count),)


MORE: list[Source] = [what_failed]
"""What adds things to the plan beside the requests themselves. A room appends its own."""


def _free(words: Words, plan: queue_plan.Plan) -> list[Thing]:
    """Return what waits for a second person and belongs to no request."""
    if not plan.free:
        return []
    count = plan.free[0]
    title = words.plural("Decide as the second person: one thing", "Decide as the second person: {count} things", count)
    return [Thing(title=title, path=APPROVALS, minutes=MINUTES["approve"] * count, count=count)]
