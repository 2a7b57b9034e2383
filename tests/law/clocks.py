"""The words in which the vectors are told: a policy, a day of receipt, and the moves."""

from datetime import datetime
from pathlib import Path

import msgspec

from portal.policy.load import load
from portal.policy.model import Answer, Jurisdiction, Policy
from portal.rights.deadlines import Inputs, inputs_for, pause

POLICIES = Path(__file__).parents[2] / "policies"
PROMISED = load(POLICIES / "casagbic.toml")
LAW_ONLY = load(POLICIES / "caaartoons.toml")


def at(day: str) -> datetime:
    """An instant as it is, or ten in the morning in Paris in winter."""
    return datetime.fromisoformat(day if "T" in day else f"{day}T10:00+01:00")


def with_answer(policy: Policy, **changes: object) -> Policy:
    """The same policy with another `[answer]`."""
    answer: Answer = msgspec.structs.replace(policy.answer, **changes)
    return msgspec.structs.replace(policy, answer=answer)


def received(day: str, policy: Policy = LAW_ONLY, *profiles: Jurisdiction, **changes: object) -> Inputs:
    """A clock that has only just begun."""
    return inputs_for(at(day), with_answer(policy, **changes), profiles=profiles or None)


def identified(inputs: Inputs, asked: str, answered: str | None) -> Inputs:
    """Proof of identity was asked for and, perhaps, given."""
    return pause(inputs, kind="identity", asked_at=at(asked), answered_at=at(answered) if answered else None)
