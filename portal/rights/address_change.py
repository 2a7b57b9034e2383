"""A new address to sign in with: a code to the new one, a warning to the old one, 72 hours to cancel.

Always true here: nothing changes before the new address has shown the code in the browser that asked; the old address
needs no sign-in to cancel, and whatever was changed by then is put back. Source: law CT-04, S-01, S-02.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from portal.database import engine
from portal.errors import Invalid, NotFound, Refused
from portal.evidence import seal as seals
from portal.evidence.log import append
from portal.identity.links import Attempt, Purpose, Wrong, token_hash, use_code
from portal.identity.sessions import SignedIn
from portal.mail.messages import address_changing
from portal.mail.outbox import post
from portal.policy.model import Policy, PortalSource
from portal.rights import corrections
from portal.rights.address_fanout import HOLD, forget_known, know
from portal.rights.corrections import Values
from portal.rights.fields import address_fields, own_column
from portal.rights.intake import Asked, take_in
from portal.rights.lifecycle import move
from portal.rights.out_of_use import need_in_use
from portal.rights.person import address_of
from portal.rights.rectification import cancel_plan, lay_plan
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import Task
from portal.rights.tables_rectification import AddressChange
from portal.rights.tasks import open_task
from portal.rights.timeline import record
from portal.rights.workshop import Workshop
from portal.settings import Settings
from portal.words import Words

CANCEL = timedelta(hours=72)
"""Source: design/ux.md, section 5."""
LIVING = ("asked", "proven", "changed")


class ChangedLately(Refused):
    """The address changed a moment ago, and the one before it can still cancel."""

    status = 409
    sentence = "Your address changed less than 3 days ago. It can change again when the old one can no longer cancel."


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """One change of address."""

    id: UUID
    subject: UUID
    request: UUID | None
    session: UUID
    state: str
    sealed: bytes | None
    new_digest: str
    asked_at: datetime
    cancel_until: datetime
    changed_at: datetime | None
    hold_until: datetime | None
    confirmed_at: datetime | None

    def can_cancel(self, at: datetime) -> bool:
        """True while the old address can still stop it."""
        return self.state in LIVING and at < self.cancel_until

    def can_confirm(self, at: datetime) -> bool:
        """True while the old address can let downloads go on."""
        return self.confirmed_at is None and self.hold_until is not None and at < self.hold_until


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
        if email == present:
            raise Invalid("This is your address already.", field="email")
        new = _digest(settings, subject, email)
        asked = await _living(subject)
        if asked is not None and asked.new_digest == new:
            await AddressChange.update({AddressChange.session: session.id}).where(AddressChange.id == asked.id)
            return
        if asked is not None and asked.state == "asked":
            await _mark(asked.id, "replaced")
        elif asked is not None:
            await _settle(asked, settings)
        id, until = uuid4(), at + CANCEL + timedelta(minutes=policy.sign_in.link_minutes)
        plain = msgspec.json.encode(Values(old=present, new=email))
        sealed = await seals.seal(subject, plain, reference=str(id), settings=settings, at=at)
        token = token_of(settings, id)
        await AddressChange(
            id=id, subject=subject, session=session.id, state="asked", sealed=sealed.body, new_digest=new,
            token_hash=token_hash(settings, token), asked_at=at, cancel_until=until,
        ).save()  # fmt: skip
        await append("rights:address:asked", at=at, actor="person", details={"subject": str(subject), "new": new})
        link = f"{settings.public_url}/{language}/address/old/{token}"
        message = address_changing(Words(language, policy.controller.zone), policy, until=until, link=link)
        await post(message, to=present, language=language, at=at)


async def need_change(subject: UUID, policy: Policy, *, at: datetime) -> str:
    """Return the present address, when it can be changed now.

    Raises:
        NotFound, ChangedLately, OutOfUse: as `begin`.
    """
    field = address_field(policy)
    if field is None:
        raise NotFound
    await need_in_use(subject, field[0], but={"accuracy"})
    living = await _living(subject)
    if living is not None and living.state != "asked" and at < living.cancel_until:
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


async def by_token(token: str, settings: Settings) -> ChangeView:
    """Return the change that a link to the old address names. Raises: NotFound."""
    rows = await AddressChange.select().where(AddressChange.token_hash == token_hash(settings, token))
    if not rows:
        raise NotFound
    return msgspec.convert(rows[0], ChangeView)


async def keep_old(token: str, *, policy: Policy, settings: Settings, at: datetime) -> bool:
    """Stop a change for whoever reads the old address, and put everything back. Idempotent; False: it is too late.

    Every session ends, for one of them may be a stranger's; a person of ours looks at it.

    Raises:
        NotFound: no such link.
    """
    named = await by_token(token, settings)
    async with engine().transaction():
        await corrections.lock(named.subject)
        change = await by_token(token, settings)
        if change.state == "kept":
            return True
        if not change.can_cancel(at):
            return False
        await _mark(change.id, "kept")
        await engine().connection.execute(
            "UPDATE person_session SET ended_at = $1 WHERE subject = $2 AND ended_at IS NULL", at, change.subject
        )
        details = {"subject": str(change.subject), "was": change.state}
        await append("rights:address:kept", at=at, actor="person", details=details)
        if change.request is not None:
            await _put_back(change, await find_by_id(change.request), policy, settings, at)
    return True


async def confirm_old(token: str, *, settings: Settings, at: datetime) -> bool:
    """Let copies be downloaded again, because the old address says that the change is right. False: too late.

    Raises:
        NotFound: no such link.
    """
    change = await by_token(token, settings)
    if change.confirmed_at is not None:
        return True
    if not change.can_confirm(at) or change.request is None:
        return False
    async with engine().transaction():
        await AddressChange.update({AddressChange.confirmed_at: at}).where(AddressChange.id == change.id)
        request = await find_by_id(change.request)
        await record(request.id, request.reference, "address-confirmed", at=at, actor="person")
    return True


async def settle_due(shop: Workshop) -> int:
    """Forget the old address when it can no longer cancel, and changes that came to nothing. Returns how many."""
    at = shop.clock()
    rows = await AddressChange.raw(
        "SELECT c.* FROM address_change c WHERE c.sealed IS NOT NULL AND c.cancel_until <= {} AND NOT EXISTS (SELECT"
        " FROM plan p WHERE p.request = c.request AND p.kind = 'rectify' AND p.state NOT IN ('done', 'cancelled'))",
        at,
    )
    for change in msgspec.convert(rows, list[ChangeView]):
        async with engine().transaction():
            await corrections.lock(change.subject)
            await _settle(change, shop.settings)
    return len(rows)


async def _shown(
    found: Attempt, session: SignedIn, language: str, policy: Policy, settings: Settings, at: datetime
) -> RequestView | None:
    await corrections.lock(session.subject_id)
    change = await _living(session.subject_id)
    said = _digest(settings, session.subject_id, found.email)
    if change is None or change.state != "asked" or change.new_digest != said:
        return None
    return await _proven(change, found.email, language, policy, settings, at)


async def _proven(
    change: ChangeView, email: str, language: str, policy: Policy, settings: Settings, at: datetime
) -> RequestView:
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
    await lay_plan(request, id, _places(policy, category), policy, at=at, actor="person")
    await AddressChange.update({
        AddressChange.state: "proven", AddressChange.request: request.id, AddressChange.hold_until: at + HOLD,
    }).where(AddressChange.id == change.id)  # fmt: skip
    return await find_by_id(request.id)


async def _put_back(
    change: ChangeView, request: RequestView, policy: Policy, settings: Settings, at: datetime
) -> None:  # fmt: skip
    """Have every place hold the old address again; our own row does at once."""
    values, correction = await _values(change, settings), await corrections.of_request(request.id)
    if values is None or correction is None or values.old is None:
        return
    told = await Task.exists().where(
        (Task.request == request.id) & (Task.kind == "tell") & Task.state.is_in(["asked", "done"])
    )
    await corrections.end(correction, "replaced", at=at, actor="person")
    await cancel_plan(request.id, at=at, actor="person")
    await _make_room(change.subject, values.old, change.changed_at or at)
    await engine().connection.execute("UPDATE subject SET email = $1 WHERE id = $2", values.old, change.subject)
    await know(change.subject, values.new)
    back = Values(old=values.new, new=values.old)
    id = await corrections.make(
        request, correction.category, correction.field, "kept", "working", back, settings=settings, at=at,
        actor="person",
    )  # fmt: skip
    await record(request.id, request.reference, "address-kept", at=at, actor="person")
    places = _places(policy, correction.category)
    await lay_plan(request, id, places, policy, at=at, actor="person", tell=told)
    due = request.act_by_day or request.due_day
    await open_task(request.id, request.reference, "identify", "address", due=due, at=at)


async def _make_room(subject: UUID, email: str, since: datetime) -> None:
    """Whoever signed in with the old address meanwhile was the same mailbox: what they asked is this person's."""
    run = engine().connection
    other = await run.fetchval(
        "SELECT id FROM subject WHERE email = $1 AND id <> $2 AND created_at >= $3 FOR UPDATE", email, subject, since
    )
    if other is None:
        return
    await run.execute(
        "UPDATE subject_request r SET subject = $1 WHERE subject = $2 AND (closed_at IS NOT NULL OR NOT EXISTS (SELECT"
        ' FROM subject_request o WHERE o.subject = $1 AND o."right" = r."right" AND o.closed_at IS NULL))',
        subject, other,
    )  # fmt: skip
    await run.execute("DELETE FROM person_session WHERE subject = $1", other)
    await run.execute("DELETE FROM known_identifier WHERE subject = $1", other)
    await run.execute("UPDATE subject SET email = NULL, display_name = '' WHERE id = $1", other)


async def _settle(change: ChangeView, settings: Settings) -> None:
    """Forget the values of a change that nobody can cancel any more, inside the caller's transaction."""
    values = await _values(change, settings)
    if change.state == "changed" and change.changed_at is not None and values is not None and values.old:
        await _forget_old(change.subject, values.old, change.changed_at)
    state = {"changed": "settled", "asked": "replaced"}.get(change.state, change.state)
    await AddressChange.update({AddressChange.state: state, AddressChange.sealed: None}).where(
        AddressChange.id == change.id
    )


async def _forget_old(subject: UUID, email: str, changed_at: datetime) -> None:
    """Forget the old address in our own tables; another person may have it one day."""
    await forget_known(subject, email)
    run = engine().connection.execute
    await run(
        "DELETE FROM mail_body WHERE mail IN (SELECT id FROM mail WHERE to_address = $1 AND created_at <= $2)",
        email, changed_at,
    )  # fmt: skip
    await run(
        "UPDATE mail SET to_address = '', error = CASE state WHEN 'waiting' THEN 'erased' ELSE error END,"
        " state = CASE state WHEN 'waiting' THEN 'failed' ELSE state END WHERE to_address = $1 AND created_at <= $2",
        email, changed_at,
    )  # fmt: skip
    await run("DELETE FROM sign_in_attempt WHERE email = $1 AND created_at <= $2", email, changed_at)


async def _living(subject: UUID) -> ChangeView | None:
    rows = await AddressChange.select().where(
        (AddressChange.subject == subject) & AddressChange.state.is_in(list(LIVING))
    )  # fmt: skip
    return msgspec.convert(rows[0], ChangeView) if rows else None


async def _mark(id: UUID, state: str) -> None:
    await AddressChange.update({AddressChange.state: state, AddressChange.hold_until: None}).where(
        AddressChange.id == id
    )


async def _values(change: ChangeView, settings: Settings) -> Values | None:
    try:
        plain = await seals.unseal(
            change.subject, change.sealed or b"", reference=str(change.id), settings=settings
        )  # fmt: skip
    except seals.Unreadable:
        return None
    return msgspec.json.decode(plain, type=Values)


def _places(policy: Policy, category: str) -> tuple[tuple[str, str], ...]:
    own = [(spec.id, category) for spec in policy.sources if isinstance(spec, PortalSource)]
    return (*((source, where) for source, where, _ in address_fields(policy)), *own)


def _digest(settings: Settings, subject: UUID, email: str) -> str:
    return corrections.digest(settings, subject, "address", email)


def token_of(settings: Settings, id: UUID) -> str:
    """Return the 256-bit token of the link to the old address."""
    signed = hmac.digest(settings.key("token"), f"address-old:{id}".encode(), "sha256")
    return urlsafe_b64encode(signed).decode().rstrip("=")
