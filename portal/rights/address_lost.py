"""Another address for somebody who lost the mailbox of their account, after two of our staff agreed on who it is.

Always true here: nothing changes before the new address has shown its code; the old one is warned and can stop it for
72 hours; every session ends, and no copy is handed over for 7 days. Source: law S-01, S-02, S-17; design/ux.md, 5.
"""

import hmac
from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from portal.database import engine
from portal.errors import NotFound
from portal.identity.links import code_of
from portal.identity.links import token_of as signed
from portal.mail.messages import address_offered
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights import corrections
from portal.rights.address_change import CANCEL, another, need_change, note, proven
from portal.rights.address_old import make_room
from portal.rights.address_rows import ChangeView, values_of
from portal.rights.approvals import use
from portal.rights.corrections import Values
from portal.rights.four_eyes import Consent, Verb
from portal.rights.requests import RequestView
from portal.rights.tables_rectification import AddressChange
from portal.settings import Settings
from portal.words import Words

PURPOSE = "address-new"


async def offer(
    request: RequestView,
    email: str,
    *,
    consent: Consent | None,
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
) -> None:
    """Send a link and a code to the new, normalised address, and warn the old one; one transaction.

    Raises:
        NeedsSecond: no second person has agreed.
        NotFound, Invalid, ChangedLately, OutOfUse: as `address_change.begin`.
    """
    subject, language = request.owner, request.language
    async with engine().transaction():
        await use(consent, Verb.NEW_ADDRESS, request, at=at, actor=actor)
        await corrections.lock(subject)
        present = await need_change(subject, policy, at=at)
        values, until = Values(old=present, new=another(email, present)), at + CANCEL
        # No session of theirs goes on: whoever has one may be reading the lost mailbox.
        id = await note(
            subject, uuid4(), values, until=until, language=language, policy=policy, settings=settings, at=at,
            actor=actor,
        )  # fmt: skip
        link = f"{settings.public_url}/{language}/address/new/{id}/{signed(settings, id, PURPOSE)}"
        message = address_offered(
            Words(language, policy.controller.zone), policy, code=code_of(settings, id, PURPOSE), until=until, link=link
        )
        await post(message, to=values.new, language=language, at=at, expires_at=until)


async def offered(id: UUID, token: str, settings: Settings, *, at: datetime) -> ChangeView:
    """Return what a link to the new address opens, while it can still be confirmed. Raises: NotFound."""
    row = await AddressChange.select().where(AddressChange.id == id).first()
    good = hmac.compare_digest(token.encode(), signed(settings, id, PURPOSE).encode())
    if row is None or not good or row["state"] != "asked" or at >= row["cancel_until"]:
        raise NotFound
    return msgspec.convert(row, ChangeView)


async def confirm(
    id: UUID, token: str, code: str, *, language: str, policy: Policy, settings: Settings, at: datetime
) -> RequestView | None:
    """Take the code from the new address, and begin to change it everywhere; None when it is another code.

    The link is needed to try one at all, so tries are not counted.

    Raises:
        NotFound: no such link, or it is over.
    """
    change = await offered(id, token, settings, at=at)
    if not hmac.compare_digest(code.encode(), code_of(settings, id, PURPOSE).encode()):
        return None
    async with engine().transaction():
        await corrections.lock(change.subject)
        change = await offered(id, token, settings, at=at)
        values = await values_of(change, settings)
        if values is None:
            raise NotFound
        await _take_over(change.subject, values.new)
        request = await proven(change, values.new, language, policy, settings, at)
    return request  # noqa: RET504  mypy believes that a transaction may swallow what is raised in it


async def _take_over(subject: UUID, email: str) -> None:
    """Let go of who signed in with this mailbox only since they wrote from it that theirs is lost: it is them."""
    since = await engine().connection.fetchval(
        "SELECT min(sent_at) FROM intake_form WHERE kind = 'lost' AND email = $1", email
    )
    if since is not None:
        await make_room(subject, email, since)
