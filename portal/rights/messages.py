"""What is written about a request, by the person and by us: read on its page, never sent by mail.

Always true here: a text is stored with the request and nowhere else; evidence knows that something was written, by
whom and when, and not what. A mail only says that there is something to read.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import Invalid
from portal.mail.messages import message_waiting
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights.lifecycle import NotPossible
from portal.rights.person import address_of
from portal.rights.requests import RequestView
from portal.rights.tables import RequestMessage, SubjectRequest
from portal.rights.timeline import record
from portal.settings import Settings
from portal.words import Words

LONGEST = 5_000
"""Characters of one message."""

type Author = Literal["person", "agent", "reporter", "staff"]


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """One message, as the request's page shows it."""

    at: datetime
    author: Author
    kind: str
    """message, question, answer (to a question) or letter"""
    text: str


async def messages_of(request: UUID) -> list[MessageView]:
    """Return what was written about a request, oldest first."""
    rows = await RequestMessage.select().where(RequestMessage.request == request).order_by(RequestMessage.at)
    return msgspec.convert(rows, list[MessageView])


async def write(
    request: RequestView,
    *,
    author: Author,
    text: str,
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
) -> None:
    """Add a message to an open request; the person is told by mail that staff wrote.

    Raises:
        Invalid: it is empty or too long.
        NotPossible: the request has ended.
    """
    words = checked(text)
    async with engine().transaction():
        await store(request, author, "message", words, at=at)
        await record(request.id, request.reference, f"message-{author}", at=at, actor=actor)
        if author == "staff" and request.subject is not None:
            await _tell(request, policy, settings, at)


async def store(request: RequestView, author: Author, kind: str, text: str, *, at: datetime) -> None:
    """Store a text inside the caller's transaction. Raises: NotPossible, when the request has ended."""
    if not await SubjectRequest.exists().where((SubjectRequest.id == request.id) & SubjectRequest.closed_at.is_null()):
        raise NotPossible
    await RequestMessage(request=request.id, at=at, author=author, kind=kind, text=text).save()


def checked(text: str) -> str:
    """Return a text that can be stored. Raises: Invalid, naming what to mend."""
    plain = text.replace("\r\n", "\n").strip()
    if not plain:
        raise Invalid("Write something first.", field="text")
    if len(plain) > LONGEST:
        raise Invalid("This is too long. Shorten it to 5,000 characters.", field="text")
    return plain


async def _tell(request: RequestView, policy: Policy, settings: Settings, at: datetime) -> None:
    words = Words(request.language, policy.controller.zone)
    link = f"{settings.public_url}/{request.language}/requests/{request.reference}"
    message = message_waiting(words, policy, reference=request.reference, link=link)
    to = await address_of(request.owner)
    await post(message, to=to, language=request.language, reference=request.reference, at=at)
