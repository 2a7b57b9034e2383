"""When an answer is due: one pure function over what happened, the promise, and every law that applies.

Always true here: legal days are counted in the controller's zone, and no day given is later than any rule allows.
`Inputs` in, `Deadline` out: no clock, no library and no file is asked in between.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime

import msgspec

from portal.errors import Refused
from portal.policy.model import Policy
from portal.rights.deadlines import version_1
from portal.rights.deadlines.days import add_months, end_of, local_day
from portal.rights.deadlines.inputs import (
    RULES_VERSION,
    Deadline,
    Extended,
    Inputs,
    Joined,
    Paused,
    ProfileAdded,
    from_json,
    inputs_for,
    to_json,
)
from portal.rights.deadlines.moves import add_profile, answer, extend, join, may_extend, may_pause, pause
from portal.rights.deadlines.rules import Rule

__all__ = [
    "RULES_VERSION", "Dates", "Deadline", "Extended", "Inputs", "Joined", "Paused", "ProfileAdded", "Rule",
    "add_months", "add_profile", "answer", "dates", "deadline", "end_of", "extend", "from_json", "inputs_for", "join",
    "local_day", "may_extend", "may_pause", "pause", "to_json",
]  # fmt: skip

VERSIONS: Mapping[int, Callable[[Inputs], Deadline]] = {1: version_1.count}
"""How each version of the rules counts. A version is never changed, only followed by another."""


class Dates(msgspec.Struct, frozen=True, kw_only=True):
    """The days of a request that has only just arrived."""

    received: date
    promise: date | None
    """None when the policy promises no number of days."""
    law: date
    """The law's last day, moved on from a weekend or holiday."""
    law_unrolled: date
    """The same before it is moved: the safe day."""
    due: date
    """The earlier of promise and law: at its end, in the controller's zone, the answer is late."""
    act_by: date
    """The last working day on or before `due`."""


def deadline(inputs: Inputs) -> Deadline:
    """Compute the dates by the version of the rules that the inputs name. Pure.

    Raises:
        Refused: when no such version is known.
        Invalid: when the events contradict the rules or each other; the sentence names the rule.
    """
    count = VERSIONS.get(inputs.rules_version)
    if count is None:
        known = ", ".join(map(str, VERSIONS))
        raise Refused(f"version {inputs.rules_version} of the deadline rules is not known; known: {known}")
    return count(inputs)


def dates(received_at: datetime, policy: Policy, *, inquiry: bool = False) -> Dates:
    """Return the dates for what was received at `received_at` (aware). `inquiry`: no right is exercised."""
    found = deadline(inputs_for(received_at, policy, inquiry=inquiry))
    return Dates(
        received=found.received, promise=found.promise, law=found.law, law_unrolled=found.law_unrolled,
        due=found.due, act_by=found.act_by,
    )  # fmt: skip
