"""Hear from the provider what became of a mail.

Always true here: only a signed, fresh body counts; an event is kept once; nothing of it is kept but the mail's id,
the kind and the time.
"""

from uuid import UUID

import structlog
from litestar import MediaType, Response, post

from portal.database import engine
from portal.mail.outcome import RANKS, accept, note
from portal.mail.resend import Event, verified
from portal.web import Req, now, settings_of

log = structlog.get_logger()

LARGEST_BODY = 256 * 1024


@post(
    "/webhooks/resend",
    status_code=200,
    media_type=MediaType.TEXT,
    request_max_body_size=LARGEST_BODY,
    include_in_schema=False,
)
async def receive(request: Req) -> Response[bytes]:
    """Take one event. Whoever cannot sign gets a bare 400, whatever was wrong."""
    event = verified(await request.body(), request.headers, settings_of(request).resend_webhook_secret)
    if event is None:
        log.warning("webhook refused")
        return Response(b"", status_code=400)
    if event.data.email_id:
        await _take(event, request.headers["svix-id"], request)
    return Response(b"")


async def _take(event: Event, svix_id: str, request: Req) -> None:
    """Any event of a mail proves that the provider has it; some also say what became of it."""
    at = now(request)
    async with engine().transaction():
        if mail_id := _uuid(event.data.mail_id):
            await accept(mail_id, event.data.email_id, at=at)
        if event.type in RANKS:
            await note(svix_id, event.data.email_id, event.type, occurred_at=event.created_at, at=at)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


routes = [receive]
