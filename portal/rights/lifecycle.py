"""The life of a request: which rights there are, which moves are allowed, and the one way to make them.

Always true here: a move names the states it may start from and happens once, whoever else tries at the same moment;
it is written to the timeline and to the evidence in the same transaction, and ends what waited for a second person
about the request as it was; none of them touches `received_at`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from portal.errors import Refused
from portal.evidence.log import Details
from portal.rights.approvals_rows import overtake
from portal.rights.deadlines import RULES_VERSION
from portal.rights.tables import SubjectRequest
from portal.rights.timeline import record

type Right = Literal[
    "access", "portability", "rectification", "erasure", "restriction", "objection", "consent", "automated",
    "inquiry", "complaint", "child",
]  # fmt: skip
RIGHTS: Mapping[str, str] = {
    "access": "Art. 15", "portability": "Art. 20", "rectification": "Art. 16", "erasure": "Art. 17",
    "restriction": "Art. 18", "objection": "Art. 21", "consent": "Art. 7(3)", "automated": "Art. 22",
    "inquiry": "Art. 12", "complaint": "Art. 12", "child": "Art. 17(1)(f)",
}  # fmt: skip
"""Every right and the article of the GDPR it rests on."""

SELF_SERVICE = frozenset({"access", "portability"})
"""Asked for while one is open, the open one is given back: the answer would be the same."""

type State = Literal["received", "verifying", "deciding", "working", "ready", "closed"]
MOVES: Mapping[State, frozenset[State]] = {
    "received": frozenset({"verifying", "deciding", "working", "closed"}),
    "verifying": frozenset({"deciding", "working", "closed"}),
    "deciding": frozenset({"verifying", "working", "closed"}),
    "working": frozenset({"deciding", "ready", "closed"}),
    "ready": frozenset({"ready", "working", "closed"}),
    "closed": frozenset(),
}
"""State -> the states that may follow. `ready` is a copy that can be had while a part of it is still missing."""

type Outcome = Literal["fulfilled", "partly", "refused", "no-data", "unidentified", "withdrawn", "joined"]
OUTCOMES: frozenset[Outcome] = frozenset(
    {"fulfilled", "partly", "refused", "no-data", "unidentified", "withdrawn", "joined"}
)
"""How a request ends. A closed request without one of them is a bug. Source: GDPR Art. 12(3)-(4), 11(2).

`joined` is the end of a form that asks for what an open request of the same person asks for: that one, which `about`
names, is answered from then on. To call it withdrawn or fulfilled would be untrue. Source: law rule D16."""

ENDS_FROM: Mapping[Outcome, frozenset[State]] = {
    "fulfilled": frozenset({"received", "deciding", "working", "ready"}),
    "partly": frozenset({"deciding", "working", "ready"}),
    "refused": frozenset({"received", "deciding", "working"}),
    "no-data": frozenset({"received", "deciding", "working"}),
    "unidentified": frozenset({"verifying"}),
    "withdrawn": frozenset({"received", "verifying", "deciding", "working", "ready"}),
    "joined": frozenset({"verifying"}),
}
"""Outcome -> the states it may be reached from: nobody is 'unidentified' whose identity was never in question."""


class NotPossible(Refused):
    """The request has moved on, or this move is not one of those allowed from where it is."""

    status = 409
    sentence = "This request has moved on in the meantime. Look at it again before you decide."


async def move(
    request: UUID,
    reference: str,
    to: State,
    *,
    event: str,
    at: datetime,
    actor: str,
    start: Collection[State] | None = None,
    details: Details | None = None,
) -> None:
    """Move an open request inside the caller's transaction, from any state of `start` that allows it.

    Raises:
        NotPossible: when it is somewhere else by now; nothing is changed then.
    """
    allowed = [state for state, next_states in MOVES.items() if to in next_states and (start is None or state in start)]
    if to == "closed":
        raise ValueError("a request is closed by close(), with an outcome")
    moved = await SubjectRequest.raw(
        "UPDATE subject_request SET state = {} WHERE id = {} AND closed_at IS NULL AND state = ANY({}) RETURNING id",
        to, request, allowed,
    )  # fmt: skip
    if not moved:
        raise NotPossible
    await _write_down(request, reference, event, to, at, actor, details)


async def close(
    request: UUID,
    reference: str,
    outcome: Outcome,
    *,
    event: str,
    at: datetime,
    actor: str,
    details: Details | None = None,
) -> None:
    """End an open request inside the caller's transaction.

    Raises:
        NotPossible: when it has ended already, or cannot end so from where it is.
    """
    ended = await SubjectRequest.raw(
        "UPDATE subject_request SET state = 'closed', outcome = {}, closed_at = {}, waits = false"
        " WHERE id = {} AND closed_at IS NULL AND state = ANY({}) RETURNING id",
        outcome, at, request, sorted(ENDS_FROM[outcome]),
    )  # fmt: skip
    if not ended:
        raise NotPossible
    await _write_down(request, reference, event, outcome, at, actor, details)


async def _write_down(
    request: UUID, reference: str, event: str, to: str, at: datetime, actor: str, details: Details | None
) -> None:
    more: Details = {"to": to, "rules": RULES_VERSION, **(details or {})}
    await overtake(request, reference, at=at, actor=actor)
    await record(request, reference, event, at=at, actor=actor, details=more)
