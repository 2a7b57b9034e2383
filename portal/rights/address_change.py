"""A new address to sign in with: a code to the new one, a warning to the old one, 72 hours to cancel.

Always true here: nothing changes before the new address has shown the code in the browser that asked; the present one
is warned before. Source: law CT-04, S-01, S-02.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from portal.database import engine
from portal.errors import Invalid, NotFound, Refused
from portal.evidence import seal as seals
from portal.evidence.log import append
from portal.identity.address import normalise
from portal.identity.links import Attempt, Purpose, Wrong, token_hash, use_code
from portal.identity.sessions import SignedIn
from portal.mail.messages import address_changing
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights import corrections
from portal.rights.address_fanout import HOLD
from portal.rights.address_rows import ChangeView, digest_of, living, mark, places, settle, token_of
from portal.rights.corrections import Values
from portal.rights.fields import own_column
from portal.rights.intake import Asked, take_in
from portal.rights.lifecycle import move
from portal.rights.out_of_use import need_in_use
from portal.rights.person import address_of
from portal.rights.rectification import lay_plan
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables_rectification import AddressChange
from portal.settings import Settings
from portal.words import Words

CANCEL = timedelta(hours=72)
"""Source: design/ux.md, section 5."""


class ChangedLately(Refused):
    """The address changed a moment ago, and the one before it can still cancel."""

    status = 409
    sentence = "Your address changed less than 3 days ago. It can change again when the old one can no longer cancel."


def address_field(policy: Policy) -> tuple[str, str] | None:
    """Return the (category, field) of the address to sign in with; None when the policy lets nobody change it."""
    return next(
        (
            (category.id, field.id)
            for category in policy.categories
            for field in category.fields
            if field.correct.how == "new-address" and own_column(policy, category.id, field.id) == "email"
        ),
        None,
    )


def another(typed: str, present: str) -> str:
    """Return a typed address in its one spelling. Raises: Invalid, when it is none, or the present one."""
    email = normalise(typed)
    if email == present:
        raise Invalid("This is your address already.", field="email")
    return email


async def begin(
    session: SignedIn, email: str, *, language: str, policy: Policy, settings: Settings, at: datetime
) -> None:  # fmt: skip
    """Note that a person wants this normalised address, and warn the present one. For the same address, once.

    The code is sent by `identity.asking`, to any address alike.

    Raises:
        NotFound: the policy lets nobody change it here.
        Invalid: it is the present address.
        ChangedLately: the last change can still be cancelled.
        OutOfUse: the account is paused.
    """
    subject = session.subject_id
    async with engine().transaction():
        await corrections.lock(subject)
        present = await need_change(subject, policy, at=at)
        another(email, present)
        new = digest_of(settings, subject, email)
        asked = await living(subject)
        if asked is not None and asked.new_digest == new:
            await AddressChange.update({AddressChange.session: session.id}).where(AddressChange.id == asked.id)
            return
        until = at + CANCEL + timedelta(minutes=policy.sign_in.link_minutes)
        values = Values(old=present, new=email)
        await note(
            subject, session.id, values, until=until, language=language, policy=policy, settings=settings, at=at,
            actor="person",
        )  # fmt: skip


async def note(
    subject: UUID,
    session: UUID,
    values: Values,
    *,
    until: datetime,
    language: str,
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
) -> UUID:
    """Note a change in place of any other, and warn the old address, inside the caller's transaction.

    Returns its number. `session` goes on when it is done; all others end.
    """
    asked = await living(subject)
    if asked is not None and asked.state == "asked":
        await mark(asked.id, "replaced")
    elif asked is not None:
        await settle(asked, settings)
    id, new = uuid4(), digest_of(settings, subject, values.new)
    sealed = await seals.seal(subject, msgspec.json.encode(values), reference=str(id), settings=settings, at=at)
    token = token_of(settings, id)
    await AddressChange(
        id=id, subject=subject, session=session, state="asked", sealed=sealed.body, new_digest=new,
        token_hash=token_hash(settings, token), asked_at=at, cancel_until=until,
    ).save()  # fmt: skip
    await append("rights:address:asked", at=at, actor=actor, details={"subject": str(subject), "new": new})
    words, link = Words(language, policy.controller.zone), f"{settings.public_url}/{language}/address/old/{token}"
    message = address_changing(words, policy, until=until, link=link, lost=actor != "person")
    await post(message, to=values.old or "", language=language, at=at)
    return id


async def need_change(subject: UUID, policy: Policy, *, at: datetime) -> str:
    """Return the present address, when it can be changed now.

    Raises:
        NotFound, ChangedLately, OutOfUse: as `begin`.
    """
    field = address_field(policy)
    if field is None:
        raise NotFound
    await need_in_use(subject, field[0], but={"accuracy"})
    found = await living(subject)
    if found is not None and found.state != "asked" and at < found.cancel_until:
        raise ChangedLately
    return await address_of(subject)


async def prove(
    code: str, session: SignedIn, *, browser: str, language: str, policy: Policy, settings: Settings, at: datetime
) -> RequestView | Wrong | None:
    """Take the code that went to the new address, and begin to change it everywhere; one transaction.

    None: there is nothing left to try, or nothing was asked for. A wrong code is counted.
    """
    shown: RequestView | None = None
    async with engine().transaction():
        found = await use_code(
            code, browser=browser, purpose=Purpose.ADDRESS, tries=policy.sign_in.code_tries, settings=settings, at=at
        )
        if isinstance(found, Attempt):
            shown = await _shown(found, session, language, policy, settings, at)
    return shown if isinstance(found, Attempt) else found


async def _shown(
    found: Attempt, session: SignedIn, language: str, policy: Policy, settings: Settings, at: datetime
) -> RequestView | None:
    await corrections.lock(session.subject_id)
    change = await living(session.subject_id)
    said = digest_of(settings, session.subject_id, found.email)
    if change is None or change.state != "asked" or change.new_digest != said:
        return None
    return await proven(change, found.email, language, policy, settings, at)


async def proven(
    change: ChangeView, email: str, language: str, policy: Policy, settings: Settings, at: datetime
) -> RequestView:
    """Begin to change the address everywhere, now that the new one was shown, inside the caller's transaction."""
    category, field = address_field(policy) or ("", "")
    asked = Asked(
        right="rectification", subject=change.subject, language=language, categories=(category,), received_at=at
    )
    request = await take_in(asked, policy=policy, public_url=settings.public_url, at=at, receipt=False)
    values = Values(old=await address_of(change.subject), new=email)
    id = await corrections.make(
        request, category, field, "new-address", "working", values, settings=settings, at=at, actor="person"
    )
    await move(request.id, request.reference, "working", event="address-proven", at=at, actor="person")
    await lay_plan(request, id, places(policy, category), policy, at=at, actor="person")
    await AddressChange.update({
        AddressChange.state: "proven", AddressChange.request: request.id, AddressChange.hold_until: at + HOLD,
    }).where(AddressChange.id == change.id)  # fmt: skip
    return await find_by_id(request.id)
