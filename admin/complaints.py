"""A decision is not reviewed by whoever made it, while somebody else is there to do it.

Always true here: where nobody else may decide, the complaint is answered all the same, and its letter says that the
same person looked. Source: law S-17; design/ux.md, section 10.
"""

from admin.colleagues import others_who_may
from admin.desk_act import Act
from admin.desk_shapes import decided_by
from admin.roles import Permission
from portal.errors import Refused


class OwnDecision(Refused):
    """They made the decision that the complaint is about, and somebody else could look at it."""

    status = 409
    sentence = (
        "You made the decision that this complaint is about. Somebody else has to look at it: give the request to a "
        "colleague who may decide."
    )


async def need_nobody_else(act: Act) -> None:
    """Refuse to let somebody answer a complaint about their own decision. Raises: OwnDecision."""
    if act.request.right != "complaint" or not await decided_by(act.request.about, act.actor):
        return
    if await others_who_may(Permission.DECIDE, but=act.staff.id):
        raise OwnDecision
