"""Where to write about a request: to the person, or to the confirmed mailbox of whoever sent the form.

Always true here: nobody is written to who has not shown that the mailbox is theirs, or whose account it is not.
"""

from datetime import datetime

import msgspec

from portal.errors import NotFound
from portal.mail.letter import Message
from portal.mail.outbox import post
from portal.rights.intake_forms import form_of
from portal.rights.intake_sender import status_link
from portal.rights.person import Forgotten, address_of
from portal.rights.replies import link_to
from portal.rights.requests import RequestView
from portal.settings import Settings


class Reach(msgspec.Struct, frozen=True):
    """An address, and the page that its owner can open."""

    to: str
    link: str


async def reach_of(request: RequestView, settings: Settings) -> Reach | None:
    """Return where to write about a request; None when nobody has shown a mailbox yet, or theirs is erased already."""
    if request.subject is not None:
        try:
            return Reach(await address_of(request.subject), link_to(request, settings))
        except Forgotten:
            return None
    try:
        form = await form_of(request.id)
    except NotFound:
        return None
    return Reach(form.email, status_link(form, settings)) if form.email and form.confirmed_at else None


async def write_to(reach: Reach, message: Message, request: RequestView, *, at: datetime) -> None:
    """Put a mail about a request into the outbox, inside the caller's transaction."""
    await post(message, to=reach.to, language=request.language, reference=request.reference, at=at)
