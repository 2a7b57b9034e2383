"""A decision is not reviewed by whoever made it, while somebody else is there to do it.

Always true here: where nobody else may decide, the complaint is answered all the same, and its letter says that the
same person looked. Source: law S-17; design/ux.md, section 10.
"""

from uuid import UUID

from piccolo.querystring import QueryString

from admin.colleagues import others_who_may
from admin.desk_act import Act
from admin.roles import Permission
from portal.database import engine
from portal.errors import Refused


class OwnDecision(Refused):
    """They made the decision that the complaint is about, and somebody else could look at it."""

    status = 409
    sentence = (
        "You made the decision that this complaint is about. Somebody else has to look at it: give the request to a "
        "colleague who may decide."
    )


async def made_by(about: UUID | None, actor: str) -> bool:
    """Tell whether somebody wrote a letter of a request, or was one of the two who decided it."""
    rows = await engine().run_querystring(
        QueryString(
            "SELECT EXISTS (SELECT FROM evidence e JOIN subject_request r ON r.reference = e.reference WHERE r.id = {}"
            " AND (e.event IN ('rights:letter:written', 'rights:approval:approved') AND e.actor = {}"
            " OR e.event = 'rights:approval:approved' AND e.details->>'asked_by' = {})) AS same",
            about, actor, actor,
        )
    )  # fmt: skip
    return bool(rows[0]["same"])


async def need_nobody_else(act: Act) -> None:
    """Refuse to let somebody answer a complaint about their own decision. Raises: OwnDecision."""
    if act.request.right != "complaint" or not await made_by(act.request.about, act.actor):
        return
    if await others_who_may(Permission.DECIDE, but=act.staff.id):
        raise OwnDecision
