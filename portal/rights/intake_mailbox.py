"""Confirm a mailbox: who shows the code that was sent there is let in as that mailbox, and their forms go on.

Always true here: a code confirms what the browser that asked for it has sent, and nothing that somebody else sent in
the same name; what others sent is shown to the mailbox's owner, who says whether it was them.
Source: law S-01, S-04, S-05.
"""

from datetime import datetime, timedelta
from uuid import UUID

from portal.database import engine
from portal.errors import NotFound
from portal.evidence.log import append
from portal.identity.links import Attempt, Purpose, Wrong, ask_with, use_code, use_link
from portal.identity.sessions import begin_session, subject_for
from portal.identity.sign_in import Entry
from portal.policy.model import Policy
from portal.rights import intake_agent, intake_lost, uploads
from portal.rights.answer import end
from portal.rights.intake_forms import (
    FormView,
    Sent,
    form_of,
    forms_of_mailbox,
    lock_form,
    mark_confirmed,
    sent_by,
    take_form,
)
from portal.rights.intake_sender import AFTER, acknowledge_sender
from portal.rights.intake_settle import settle
from portal.rights.requests import find_by_id
from portal.rights.second_click import form_before
from portal.rights.tables_intake import IntakeForm
from portal.settings import Settings


async def send_form(
    sent: Sent, *, policy: Policy, settings: Settings, at: datetime, with_code: bool, upload: UUID | None = None
) -> FormView:
    """Take a form in, with a file that was stored for it, and have the code sent, in one transaction. Twice is once.

    `with_code` is False when too many codes were asked for: the request counts all the same.
    """
    async with engine().transaction():
        before = await form_before(sent, at=at)
        form = await form_of(before) if before else (await take_form(sent, policy=policy, settings=settings, at=at))[0]
        if upload is not None and not before:
            await uploads.claim(upload, form.request)
        if sent.email and with_code:
            await ask_again(sent.email, sent.browser, sent.language, policy=policy, settings=settings, at=at)
    return form


async def ask_again(
    email: str, browser: str, language: str, *, policy: Policy, settings: Settings, at: datetime
) -> None:
    """Have a code sent that shows that the mailbox is theirs, inside the caller's transaction."""
    await ask_with(
        email, browser=browser, purpose=Purpose.MAILBOX, language=language, next_path=AFTER,
        life=timedelta(minutes=policy.sign_in.link_minutes), settings=settings, at=at,
    )  # fmt: skip


async def confirm_by_code(code: str, entry: Entry, policy: Policy) -> Attempt | Wrong | None:
    """Confirm with the code, in the browser that asked for it. None when there is nothing left to try."""
    async with engine().transaction():
        found = await use_code(
            code, browser=entry.browser, purpose=Purpose.MAILBOX, tries=entry.tries, settings=entry.settings,
            at=entry.at,
        )  # fmt: skip
        if isinstance(found, Attempt):
            await _let_in(found, entry, policy)
    return found


async def confirm_by_link(token: str, code: str, entry: Entry, policy: Policy) -> Attempt | Wrong | None:
    """Confirm with the link, and in a browser that did not ask for it with the code as well."""
    async with engine().transaction():
        found = await use_link(
            token, code, browser=entry.browser, tries=entry.tries, settings=entry.settings, at=entry.at,
            purpose=Purpose.MAILBOX,
        )  # fmt: skip
        if isinstance(found, Attempt):
            await _let_in(found, entry, policy)
    return found


async def own_up(
    reference: str, email: str, subject: UUID, *, mine: bool, policy: Policy, settings: Settings, at: datetime
) -> None:
    """Say of a form that carries one's mailbox whether one sent it. Idempotent.

    A report about a child is looked at whoever made it: not being one's own takes the mailbox out of it, no more.

    Raises:
        NotFound: no such form carries this mailbox.
    """
    named = [form for form in await forms_of_mailbox(email) if form.reference == reference]
    if not named:
        raise NotFound
    async with engine().transaction():
        form = await lock_form(named[0].id)
        if not form.is_open or form.confirmed_at is not None:
            return
        if mine:
            await _confirmed(form, subject, policy=policy, settings=settings, at=at)
        elif form.kind == "child":
            await IntakeForm.update({IntakeForm.email: ""}).where(IntakeForm.id == form.id)
            await append("rights:reporter:denied", at=at, actor="person", reference=form.reference)
        else:
            request = await find_by_id(form.request)
            await end(
                request, "withdrawn", event="not-theirs", policy=policy, settings=settings, at=at, actor="person"
            )  # fmt: skip


async def _let_in(attempt: Attempt, entry: Entry, policy: Policy) -> None:
    """Begin a session as the mailbox, and let go on what the asking browser has sent in its name."""
    subject = await subject_for(attempt.email, language=attempt.language, at=entry.at)
    await begin_session(subject, entry.cookie_id, way="code", label=entry.label, life=entry.life, at=entry.at)
    for form in await sent_by(attempt.browser, attempt.email):
        await _confirmed(form, subject, policy=policy, settings=entry.settings, at=entry.at)


async def _confirmed(form: FormView, subject: UUID, *, policy: Policy, settings: Settings, at: datetime) -> None:
    if not await mark_confirmed(form, at=at):
        return
    request = await find_by_id(form.request)
    if form.kind == "mailbox":
        await settle(request, subject, event="confirmed", policy=policy, settings=settings, at=at, actor="person")
        return
    if form.kind == "lost":
        await intake_lost.begin(request, at=at)
    if form.kind == "agent":
        await intake_agent.begin(form, request, policy=policy, settings=settings, at=at)
    await acknowledge_sender(form, policy, settings, at=at)
