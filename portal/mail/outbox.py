"""Put a mail into the outbox, in the transaction of what it tells of.

Always true here: a mail that is rolled back is never sent; the job carries the mail's id and nothing else; one mail
goes to one plain address.
"""

from datetime import datetime
from uuid import UUID, uuid4

from portal.errors import Invalid
from portal.jobs import enqueue
from portal.mail.letter import Message
from portal.mail.tables import Mail, MailBody

JOB = "mail.send"
LONGEST_ADDRESS = 254
"""Source: RFC 5321, 4.5.3.1.3, less the angle brackets."""


async def post(
    message: Message,
    *,
    to: str,
    language: str,
    reference: str = "",
    at: datetime,
    expires_at: datetime | None = None,
) -> UUID:
    """Write a mail and its job inside the caller's transaction; after `expires_at` it is not sent any more.

    Raises:
        Invalid: when `to` is not one plain address.
        RuntimeError: outside a transaction.
    """
    id = uuid4()
    await Mail(
        id=id, kind=message.kind, to_address=plain_address(to), language=language, reference=reference,
        created_at=at, expires_at=expires_at,
    ).save()  # fmt: skip
    await MailBody(mail=id, subject=message.subject, text=message.text, html=message.html).save()
    await enqueue(JOB, {"mail": str(id)}, key=f"mail:{id}")
    return id


def plain_address(text: str) -> str:
    """Return `text` when it is one address and can be nothing else: no list, no name, no second header. Source: S-24.

    Raises:
        Invalid: with a sentence for the person.
    """
    local, at, domain = text.rpartition("@")
    plain = text.isprintable() and not set(text) & set(' "(),:;<>[]\\')
    if local and at and "." in domain and "@" not in local and plain and len(text.encode()) <= LONGEST_ADDRESS:
        return text
    raise Invalid("Write one e-mail address, like name@example.com.", field="email")
