"""What a signed-in person asks in their own words: a question, a complaint, any right that no page does for them.

Always true here: it has the same clock as everything else, a person of ours decides it, and no words are lost: what is
one at a time gets them added to the open request.
"""

from datetime import datetime
from uuid import UUID

from portal.policy.model import Policy
from portal.rights.intake import Asked, Opened, open_request
from portal.rights.intake_settle import ask_for_decision
from portal.rights.lifecycle import Right, move
from portal.rights.messages import write
from portal.rights.requests import RequestView, find, find_by_id
from portal.rights.second_click import request_before
from portal.settings import Settings


class _Twice(Exception):
    """The same was asked a moment ago; what this one has begun is undone."""

    def __init__(self, request: UUID) -> None:
        super().__init__("sent twice")
        self.request = request


async def ask_in_writing(
    right: Right,
    subject: UUID,
    text: str,
    *,
    language: str,
    about: str = "",
    policy: Policy,
    settings: Settings,
    at: datetime,
) -> Opened:
    """Open a request that a person of ours decides; sent twice, it is one. `about`: the request that it is about.

    Raises:
        NotFound: `about` is not theirs.
    """
    other = (await find(about, subject)).id if about else None

    async def leave_to_staff(request: RequestView) -> None:
        if text and (before := await request_before(subject, right, text, about=other, at=at, but=request.id)):
            raise _Twice(before)
        await move(request.id, request.reference, "deciding", event="passed-on", at=at, actor="person")
        await ask_for_decision(request, at=at)

    asked = Asked(right=right, subject=subject, language=language, text=text, about=other, received_at=at)
    try:
        opened = await open_request(
            asked, policy=policy, public_url=settings.public_url, at=at, then=leave_to_staff
        )  # fmt: skip
    except _Twice as same:
        return Opened(await find_by_id(same.request), existing=True)
    if opened.existing:
        await write(
            opened.request, author="person", text=text, policy=policy, settings=settings, at=at, actor="person"
        )  # fmt: skip
    return opened
