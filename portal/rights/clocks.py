"""The clock of a request as it is stored: read it, or change it by one lawful move.

Always true here: the dates are computed from the stored inputs alone and stored again with them; a move that the law
forbids raises the engine's own error and leaves everything as it was; an ended request has no clock to change.
"""

from collections.abc import Callable
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import NotFound
from portal.rights.deadlines import Deadline, Inputs, deadline, from_json, to_json
from portal.rights.lifecycle import NotPossible
from portal.rights.tables import SubjectRequest

type Move = Callable[[Inputs], Inputs]
"""One of the moves of `deadlines`: from inputs to inputs, or an error that names the rule."""


class Moved(msgspec.Struct, frozen=True):
    """The dates before and after a move."""

    before: Deadline
    after: Deadline


async def inputs_of(request: UUID) -> Inputs:
    """Return what a request's dates are computed from. Raises: NotFound; Refused, when it cannot be read."""
    row = await SubjectRequest.select(SubjectRequest.clock).where(SubjectRequest.id == request).first()
    if row is None:
        raise NotFound
    return from_json(row["clock"])


async def deadline_of(request: UUID) -> Deadline:
    """Return the dates of a request with the rules they rest on. Raises: as `inputs_of`."""
    return deadline(await inputs_of(request))


async def change(request: UUID, move: Move) -> Moved:
    """Change an open request's clock inside the caller's transaction, and store its dates anew.

    Nobody else changes the request before the caller commits.

    Raises:
        NotPossible: the request has ended.
        Invalid: the move is not lawful; the sentence names the rule.
    """
    stored = await engine().connection.fetchval(
        "SELECT clock FROM subject_request WHERE id = $1 AND closed_at IS NULL FOR UPDATE", request
    )
    if stored is None:
        raise NotPossible
    before = from_json(stored)
    inputs = move(before)
    due = deadline(inputs)
    await SubjectRequest.update({
        SubjectRequest.clock: to_json(inputs), SubjectRequest.promise_day: due.promise,
        SubjectRequest.law_day: due.law, SubjectRequest.due_day: due.due, SubjectRequest.act_by_day: due.act_by,
    }).where(SubjectRequest.id == request)  # fmt: skip
    return Moved(deadline(before), due)
