"""Some refusals take two people: one proposes, another one decides. Where there is only one, a day lies between.

Always true here: the proposal is evidence, so who proposed and when cannot be changed afterwards; a single person's
decision is marked as one for good. Source: GDPR Art. 12(5); law S-17.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import Refused
from portal.evidence.log import Details, append
from portal.policy.model import Policy
from portal.rights.letters.reasons import reason
from portal.rights.requests import RequestView

PROPOSED = "rights:refusal:proposed"
SLEEP_ON_IT = timedelta(hours=24)


class NeedsSecond(Refused):
    """A second person has to look at it first."""

    status = 409
    sentence = "This ground takes a second person. Propose it, and let somebody else of your staff decide."


class NeedsTime(NeedsSecond):
    """There is no second person: a day must pass."""

    sentence = "This ground takes a day where one person decides alone. Propose it now, and decide after 24 hours."


class Proposal(msgspec.Struct, frozen=True):
    """Who proposed to refuse, and when."""

    actor: str
    at: datetime
    reasons: str
    """The ids of the grounds, sorted, with commas between."""


def takes_two(reasons: Sequence[str]) -> bool:
    """Tell whether one of these grounds takes a second person."""
    return any(reason(id).second_person for id in reasons)


async def propose(request: RequestView, reasons: Sequence[str], *, at: datetime, actor: str) -> None:
    """Propose to refuse on these grounds; somebody else decides. Nothing else changes."""
    async with engine().transaction():
        await append(PROPOSED, at=at, actor=actor, reference=request.reference, details=_details(reasons))


async def proposals(request: RequestView) -> list[Proposal]:
    """Return who proposed to refuse a request, and on which grounds; oldest first."""
    rows = await engine().run_querystring(
        QueryString(
            "SELECT actor, at, details->>'reasons' AS reasons FROM evidence WHERE reference = {} AND event = {}"
            " ORDER BY seq",
            request.reference, PROPOSED,
        )
    )  # fmt: skip
    return msgspec.convert(rows, list[Proposal])


async def need_second(
    request: RequestView, reasons: Sequence[str], policy: Policy, *, at: datetime, actor: str
) -> None:  # fmt: skip
    """Refuse to decide alone what takes two, inside the caller's transaction; note who approved it.

    Raises:
        NeedsSecond: nobody else has proposed it.
        NeedsTime: there is only one person, and they have not slept on it.
    """
    if not takes_two(reasons):
        return
    same = _details(reasons)["reasons"]
    found = [one for one in await proposals(request) if one.reasons == same]
    other = next((one for one in found if one.actor != actor), None)
    alone = policy.controller.single_operator
    if other is None and not (alone and any(one.at + SLEEP_ON_IT <= at for one in found)):
        raise NeedsTime if alone else NeedsSecond
    details: Details = {
        **_details(reasons), "proposed_by": other.actor if other else actor, "one_person": other is None,
    }  # fmt: skip
    await append("rights:refusal:approved", at=at, actor=actor, reference=request.reference, details=details)


def _details(reasons: Sequence[str]) -> dict[str, str]:
    return {"reasons": ",".join(sorted(reasons))}
