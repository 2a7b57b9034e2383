"""Ask one person, agree as another: what tests of the rights room need of two members of staff."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from portal.rights import approvals
from portal.rights.approvals_rows import find
from portal.rights.four_eyes import Consent, Verb
from portal.rights.requests import RequestView
from tests.rights.conftest import House

FIRST, SECOND = "staff:1", "staff:2"


async def asked(
    house: House,
    verb: Verb,
    request: RequestView | None,
    values: Mapping[str, Sequence[str]] | None = None,
    actor: str = FIRST,
) -> UUID:
    """Ask a second person. Returns the number of what waits."""
    return await approvals.ask(
        verb, request, values or {}, "It is right.", settings=house.settings, at=house.clock(), actor=actor
    )  # fmt: skip


async def agreed(house: House, id: UUID, actor: str = SECOND, *, alone: bool = False, seen: str = "") -> Consent:
    """Agree to what waits, having seen it. Returns the yes that its verb uses up."""
    approval = await find(id)
    _, consent = await approvals.agree(
        approval, seen or approval.digest, "I looked.", alone=alone, settings=house.settings, at=house.clock(),
        actor=actor,
    )  # fmt: skip
    return consent
