"""What we write to whoever wrote to us for somebody, or from another mailbox: that we have it, that there is news.

Always true here: it goes to the mailbox they gave, says nothing of what we hold, and leads to a page that shows how far
it is, once the mailbox is confirmed.
"""

from datetime import datetime

from portal.mail.letter import Message
from portal.mail.messages import answered, message_waiting, request_received
from portal.mail.outbox import post
from portal.mail.wording import asked_in_words
from portal.policy.model import Policy
from portal.rights.intake_forms import FormView
from portal.rights.requests import find_by_id
from portal.settings import Settings
from portal.words import Words

AFTER = "/ask/mine"
"""Where a confirmed mailbox leads: everything that was sent in its name."""


async def acknowledge_sender(form: FormView, policy: Policy, settings: Settings, *, at: datetime) -> None:
    """Say that we have it, with its date, inside the caller's transaction."""
    request = await find_by_id(form.request)
    words = Words(form.language, policy.controller.zone)
    message = request_received(
        words, policy, reference=form.reference, due_day=request.due_day, signed_in=False,
        what=asked_in_words(words, form.right), link=status_link(form, settings),
    )  # fmt: skip
    await _post(form, message, at=at)


async def tell_sender(form: FormView, policy: Policy, settings: Settings, *, at: datetime) -> None:
    """Say that it is decided, inside the caller's transaction. Without an address nothing is sent."""
    words = Words(form.language, policy.controller.zone)
    await _post(
        form, answered(words, policy, reference=form.reference, link=status_link(form, settings)), at=at
    )  # fmt: skip


async def ask_sender(form: FormView, policy: Policy, settings: Settings, *, at: datetime) -> None:
    """Say that a person of ours wrote on the page, inside the caller's transaction."""
    words = Words(form.language, policy.controller.zone)
    message = message_waiting(words, policy, reference=form.reference, link=status_link(form, settings))
    await _post(form, message, at=at)


def status_link(form: FormView, settings: Settings) -> str:
    """Return the address of the page that shows how far everything of one mailbox is."""
    return f"{settings.public_url}/{form.language}{AFTER}"


async def _post(form: FormView, message: Message, *, at: datetime) -> None:
    if form.email:
        await post(message, to=form.email, language=form.language, reference=form.reference, at=at)
