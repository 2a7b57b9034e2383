"""Forms of people who are not signed in: stored with the request they make, found again by browser, mailbox or link.

Always true here: the request counts from the moment the form was sent; nothing is looked up before the mailbox is
confirmed, so the page cannot tell a known address from an unknown one. Source: law D15, S-04.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import NotFound
from portal.identity.links import token_hash
from portal.policy.model import Policy
from portal.rights.intake import Asked, take_in
from portal.rights.lifecycle import Right
from portal.rights.requests import RequestView
from portal.rights.tables_intake import IntakeForm
from portal.rights.timeline import record
from portal.settings import Settings

KINDS = ("mailbox", "lost", "child", "agent")


class FormView(msgspec.Struct, frozen=True, kw_only=True):
    """One form, and how far its request is."""

    id: UUID
    request: UUID
    kind: str
    """mailbox, lost, child or agent"""
    email: str
    name: str
    about: str
    sent_at: datetime
    confirmed_at: datetime | None
    under: str
    mails: int
    mailed_at: datetime | None
    tries: int
    said: str
    said_at: datetime | None
    reference: str
    right: str
    state: str
    outcome: str
    waits: bool
    language: str
    received_at: datetime
    closed_at: datetime | None
    subject: UUID | None

    @property
    def is_open(self) -> bool:
        """True until its request has an outcome."""
        return self.closed_at is None


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A form as it was filled in. Addresses are normalised."""

    kind: str
    right: Right
    language: str
    email: str
    text: str
    categories: tuple[str, ...] = ()
    name: str = ""
    about: str = ""
    browser: str = ""
    under: str = ""
    channel: str = "mailbox"
    author: str = "person"


async def take_form(sent: Sent, *, policy: Policy, settings: Settings, at: datetime) -> tuple[FormView, RequestView]:
    """Store a form and the request it makes, inside the caller's transaction. Its receipt is now. Source: D15."""
    asked = Asked(
        right=sent.right, subject=None, language=sent.language, categories=sent.categories, channel=sent.channel,
        text=sent.text, author=sent.author, state="verifying", received_at=at,
    )  # fmt: skip
    request = await take_in(asked, policy=policy, public_url=settings.public_url, at=at, receipt=False)
    form = IntakeForm(
        request=request.id, kind=sent.kind, email=sent.email, name=sent.name, about=sent.about, browser=sent.browser,
        sent_at=at, under=sent.under,
    )  # fmt: skip
    await form.save()
    return await form_of(request.id), request


async def form_of(request: UUID) -> FormView:
    """Return the form of a request. Raises: NotFound, when it came in another way."""
    return _one(await _select("f.request = {}", request))


async def form_by_token(token: str, settings: Settings) -> FormView:
    """Return the form whose mail carries this link. Raises: NotFound."""
    return _one(await _select("f.token_hash = {}", token_hash(settings, token)))


async def sent_by(browser: str, email: str) -> list[FormView]:
    """Return what a browser sent in the name of a mailbox and is not confirmed yet, oldest first."""
    return await _select("f.browser = {} AND f.email = {} AND f.confirmed_at IS NULL AND r.closed_at IS NULL",
                         browser, email)  # fmt: skip


async def last_sent(browser: str) -> FormView | None:
    """Return the newest unconfirmed form of a browser."""
    found = await _select(
        "f.browser = {} AND f.email <> '' AND f.confirmed_at IS NULL AND r.closed_at IS NULL", browser
    )
    return found[-1] if found else None


async def forms_of_mailbox(email: str) -> list[FormView]:
    """Return every form sent in the name of a mailbox, whose owner asks; oldest first."""
    return await _select("f.email = {}", email)


async def not_mailed() -> list[FormView]:
    """Return the open forms of those whose person spoken of is known and was not written to yet, oldest first."""
    return await _select(
        "f.mails = 0 AND r.state = 'verifying' AND (f.kind = 'agent' AND f.confirmed_at IS NOT NULL"
        " OR f.kind = 'child' AND r.subject IS NOT NULL)"
    )


async def mark_confirmed(form: FormView, *, at: datetime) -> bool:
    """Note inside the caller's transaction that the mailbox is theirs. False when that was known already."""
    done = await (
        IntakeForm.update({IntakeForm.confirmed_at: at})
        .where((IntakeForm.id == form.id) & IntakeForm.confirmed_at.is_null())
        .returning(IntakeForm.id)
    )
    if done:
        await record(form.request, form.reference, "mailbox-confirmed", at=at, actor="person")
    return bool(done)


async def lock_form(id: UUID) -> FormView:
    """Return a form that nobody else changes until the caller's transaction ends. Raises: NotFound."""
    await engine().connection.execute("SELECT FROM intake_form WHERE id = $1 FOR UPDATE", id)
    return _one(await _select("f.id = {}", id))


def _one(found: list[FormView]) -> FormView:
    if not found:
        raise NotFound
    return found[0]


async def _select(condition: str, *values: object) -> list[FormView]:
    rows = await IntakeForm.raw(f"{FORMS} WHERE {condition} ORDER BY f.sent_at, r.reference", *values)
    return msgspec.convert(rows, list[FormView])


FORMS = (
    'SELECT f.*, r.reference, r."right", r.state, r.outcome, r.waits, r.language, r.received_at, r.closed_at,'
    " r.subject FROM intake_form f JOIN subject_request r ON r.id = f.request"
)
"""Rows of `FormView`, of forms `f` with their requests `r`."""
