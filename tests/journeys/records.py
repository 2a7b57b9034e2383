"""What a journey does to our own database because nobody waits for days: time that passed, and nothing else.

Always true here: only moments are moved, as if the days had gone by, and a minute of the schedule comes early; what
follows from them, the worker does.
"""

import warnings

import asyncpg

from demo.stack import Stack
from portal.clock import system_clock
from portal.database import engine
from portal.rights import plans
from tests.faults.crash_world import connected_as


async def moved(stack: Stack, statement: str, *values: object, needed: bool = True) -> None:
    """Run one statement that moves moments in our database; with `needed` there is something to move."""
    connection = await asyncpg.connect(_ours(stack))
    try:
        done = await connection.execute(statement, *values)
    finally:
        await connection.close()
    assert not needed or not done.endswith(" 0"), statement


async def signed_in_a_while_ago(stack: Stack, email: str) -> None:
    """Make every session of a person twenty minutes old: more than the step-up allows."""
    await moved(
        stack,
        "UPDATE person_session SET confirmed_at = confirmed_at - interval '20 minutes' "
        "WHERE subject = (SELECT id FROM subject WHERE email = $1)",
        email,
    )


async def signed_out(stack: Stack, email: str) -> None:
    """Make the life of every session of a person be over."""
    await moved(
        stack,
        "UPDATE person_session SET expires_at = now() WHERE subject = (SELECT id FROM subject WHERE email = $1)",
        email,
    )


async def three_days_passed(stack: Stack, reference: str) -> None:
    """Make the time to change one's mind be over, and the minute come in which the worker sees it."""
    await moved(
        stack,
        "UPDATE plan SET runs_at = runs_at - interval '3 days' "
        "WHERE request = (SELECT id FROM subject_request WHERE reference = $1)",
        reference,
    )
    with warnings.catch_warnings(action="ignore"):  # piccolo warns when its first address does not answer
        engine()
    async with connected_as(_ours(stack)):
        await plans.enqueue_due(at=system_clock())


async def months_passed(stack: Stack, reference: str) -> None:
    """Make a request two months older, with every day that was promised or that the law sets."""
    await moved(
        stack,
        "UPDATE subject_request SET received_at = received_at - interval '60 days', due_day = due_day - 60, "
        "law_day = law_day - 60, promise_day = promise_day - 60, act_by_day = act_by_day - 60 WHERE reference = $1",
        reference,
    )


async def hours_without_a_worker(stack: Stack) -> None:
    """Make the last look at the clocks three hours old, if there was one already."""
    await moved(stack, "UPDATE heartbeat SET at = at - interval '3 hours'", needed=False)


def _ours(stack: Stack) -> str:
    return stack.platform_dsn.replace(f"/{stack.organisation}_platform?", "/habeas?")
