"""What is written about a request, by the person and by us: read on its page, never sent by mail.

Always true here: a text is stored with the request and nowhere else; evidence knows that something was written, by
whom and when, and not what. A mail only says that there is something to read.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import Invalid
from portal.mail.messages import message_waiting
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights.intake import Opened
from portal.rights.lifecycle import NotPossible
from portal.rights.person import address_of
from portal.rights.requests import RequestView
from portal.rights.tables import RequestMessage, SubjectRequest
from portal.rights.timeline import record
from portal.settings import Settings
from portal.words import Words

LONGEST = 5_000
"""Characters of one message."""

SAME_WITHIN = timedelta(minutes=10)
"""The same words again within this time are a second click; whoever says them later means it."""

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
    """Add a message to an open request; the person is told by mail that staff wrote. Sent twice, it is one message.

    Raises:
        Invalid: it is empty or too long.
        NotPossible: the request has ended.
    """
    words = checked(text)
    async with engine().transaction():
        if await said_already(request.id, author, words, at=at):
            return
        await store(request, author, "message", words, at=at)
        await record(request.id, request.reference, f"message-{author}", at=at, actor=actor)
        if author == "staff" and request.subject is not None:
            await _tell(request, policy, settings, at)


async def add(opened: Opened, text: str, *, policy: Policy, settings: Settings, at: datetime) -> None:
    """Add what a person wrote when they asked for what is open already, so that no words are lost. Idempotent."""
    if opened.existing and text.strip() and opened.request.is_open:
        with suppress(NotPossible):
            await write(
                opened.request, author="person", text=text, policy=policy, settings=settings, at=at, actor="person"
            )  # fmt: skip


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


async def said_already(request: UUID, author: str, text: str, *, at: datetime) -> bool:
    """Tell whether the author said so a moment ago and nobody answered since, in the caller's transaction.

    Of two at once one waits here.
    """
    await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", request)
    rows = await RequestMessage.raw(
        "SELECT FROM request_message m WHERE request = {} AND author = {} AND text = {} AND at > {}"
        " AND NOT EXISTS (SELECT FROM request_message o WHERE o.request = m.request AND o.author <> m.author"
        " AND o.at > m.at) LIMIT 1",
        request, author, text, at - SAME_WITHIN,
    )  # fmt: skip
    return bool(rows)


async def _tell(request: RequestView, policy: Policy, settings: Settings, at: datetime) -> None:
    words = Words(request.language, policy.controller.zone)
    link = f"{settings.public_url}/{request.language}/requests/{request.reference}"
    message = message_waiting(words, policy, reference=request.reference, link=link)
    to = await address_of(request.owner)
    await post(message, to=to, language=request.language, reference=request.reference, at=at)
