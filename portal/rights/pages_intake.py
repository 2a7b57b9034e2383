"""After a form was sent: confirm the mailbox, see what was sent in its name, answer for oneself.

Always true here: a GET changes nothing; what is shown of a mailbox is shown to whoever has shown its code; a link alone
never decides. Source: law S-04, S-05; design/ux.md, 5.
"""

from datetime import datetime

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from portal.database import engine
from portal.errors import Invalid, NotFound
from portal.identity.address import normalise
from portal.identity.asking import entry_of, later, let_in, lives, may_guess
from portal.identity.links import Attempt, Purpose, by_token, latest
from portal.identity.pages_sign_in import six_digits
from portal.identity.visitor import form, visitor_of
from portal.rights import intake_agent, intake_child, intake_lost
from portal.rights.intake_answers import lives as answer_lives
from portal.rights.intake_answers import may_mail_again
from portal.rights.intake_forms import FormView, form_by_token, forms_of_mailbox, last_sent, lock_form
from portal.rights.intake_mailbox import ask_again, confirm_by_code, confirm_by_link, own_up
from portal.rights.intake_sender import AFTER
from portal.rights.lifecycle import NotPossible
from portal.rights.messages import messages_of
from portal.rights.pages_ask import may_mail
from portal.rights.requests import find_by_id
from portal.web import Req, go, language_of, now, page, policy_of, settings_of, storage_of

SENT = "/ask/sent"


@get(SENT)
async def show_sent(request: Req) -> Template | Redirect:
    """Say that it counts already, and ask for the code."""
    return await _sent(request)


@post(SENT, status_code=200)
async def confirm(request: Req) -> Template | Redirect:
    """Confirm the mailbox with the code, or have a new one sent."""
    fields = await form(request)
    email = await _asked_for(request)
    if not email:
        return go(request, AFTER)
    if "again" in fields:
        wait = await _mail(request, email)
        return await _sent(request, wait=wait) if wait else go(request, SENT)
    typed = fields.get("code", "")
    code = six_digits(typed)
    if not code:
        return await _sent(request, typed=typed, malformed=True)
    if wait := may_guess(request, email):
        return await _sent(request, typed=typed, guess_at=wait)
    entry = entry_of(request)
    found = await confirm_by_code(code, entry, policy_of(request))
    if isinstance(found, Attempt):
        await let_in(request, entry)
        return go(request, AFTER)
    return await _sent(request, typed=typed, tries_left=found.tries_left if found else 0)


@get("/ask/link/{token:str}")
async def show_link(request: Req, token: FromPath[str]) -> Template:
    """Show a button, or in another browser the field for the code. Nothing is used up by looking."""
    return _link(request, await by_token(token, settings_of(request), Purpose.MAILBOX))


@post("/ask/link/{token:str}", status_code=200)
async def press_link(request: Req, token: FromPath[str]) -> Template | Redirect:
    """Confirm the mailbox with the link, in another browser together with the code."""
    fields = await form(request)
    attempt = await by_token(token, settings_of(request), Purpose.MAILBOX)
    if attempt is None or not lives(request, attempt):
        return _link(request, attempt)
    typed = fields.get("code", "")
    code = six_digits(typed)
    if attempt.browser != visitor_of(request).browser:
        if not code:
            return _link(request, attempt, typed=typed, malformed=True)
        if wait := may_guess(request, attempt.email):
            return _link(request, attempt, typed=typed, guess_at=wait)
    entry = entry_of(request)
    found = await confirm_by_link(token, code, entry, policy_of(request))
    if isinstance(found, Attempt):
        await let_in(request, entry)
        return go(request, AFTER)
    return _link(request, attempt if found else None, typed=typed, tries_left=found.tries_left if found else 0)


@get(AFTER)
async def show_mine(request: Req) -> Template:
    """Show everything that was sent in the name of this mailbox, or ask for the mailbox."""
    return await _mine(request)


@post(AFTER, status_code=200)
async def ask_mine(request: Req) -> Template | Redirect:
    """Have a code sent to a mailbox, whoever it belongs to; or answer for a form that carries one's own."""
    fields = await form(request)
    visitor = visitor_of(request)
    if not visitor.signed_in:
        typed = fields.get("email", "")
        try:
            email = normalise(typed)
        except Invalid as mistake:
            return page(request, "rights/intake_mailbox.html", status=422, typed=typed, wrong=mistake, wait=None)
        wait = await _mail(request, email)
        if wait and await _asked_for(request) != email:
            answer = page(request, "rights/intake_mailbox.html", status=429, typed=typed, wrong=None, wait=wait)
            return later(answer, wait, request)
        return go(request, SENT)
    reference = fields.get("reference", "")
    if "text" in fields:
        return await _add(request, reference, fields.get("text", ""))
    await own_up(
        reference, visitor.email, visitor.subject_id, mine="mine" in fields, policy=policy_of(request),
        settings=settings_of(request), at=now(request),
    )  # fmt: skip
    return go(request, AFTER)


@get("/ask/answer/{token:str}")
async def show_answer(request: Req, token: FromPath[str]) -> Template:
    """Show who says what, and the buttons. Nothing is decided by looking."""
    return await _answer(request, await _named(request, token), token)


@post("/ask/answer/{token:str}", status_code=200)
async def give_answer(request: Req, token: FromPath[str]) -> Template:
    """Take the answer of the person spoken of, with the code of their mail; or have a new mail sent."""
    fields = await form(request)
    found = await _named(request, token)
    if found is None or not found.is_open or found.said:
        return page(request, "rights/intake_answered.html", status=410, said="", kind="")
    if "again" in fields:
        return await _mail_again(request, found)
    typed, said, code = fields.get("code", ""), fields.get("said", ""), six_digits(fields.get("code", ""))
    under = fields.get("under", "") if fields.get("under") in {"yes", "no"} else ""
    chosen = said in ({"yes", "no", "unknown"} if found.kind == "agent" else {"yes", "no"})
    if not code or not chosen:
        return await _answer(
            request, found, token, typed=typed, malformed=not code, said=said, under=under, unchosen=not chosen
        )
    if wait := may_guess(request, str(found.id)):
        return await _answer(request, found, token, typed=typed, said=said, under=under, guess_at=wait)
    left = await _take_answer(request, found, said, code, under)
    if left is None:
        waits = (under or found.under) != "yes"
        return page(request, "rights/intake_answered.html", said=said, kind=found.kind, waits=waits)
    return await _answer(request, found, token, typed=typed, said=said, under=under, tries_left=left)


async def _take_answer(request: Req, found: FormView, said: str, code: str, under: str) -> int | None:
    if found.kind == "agent":
        return await intake_agent.answer(
            found, said, code, storage=storage_of(request), policy=policy_of(request),
            settings=settings_of(request), at=now(request),
        )  # fmt: skip
    return await intake_child.answer(found, said, code, under=under, settings=settings_of(request), at=now(request))


async def _named(request: Req, token: str) -> FormView | None:
    try:
        return await form_by_token(token, settings_of(request))
    except NotFound:
        return None


async def _mail_again(request: Req, found: FormView) -> Template:
    """Send a new link and code to the address of the first one; the old ones stop working."""
    at, policy, settings = now(request), policy_of(request), settings_of(request)
    async with engine().transaction():
        locked = await lock_form(found.id)
        if may_mail_again(locked, at):
            asked = await find_by_id(locked.request)
            write = intake_agent.ask_person if locked.kind == "agent" else intake_child.write_to_holder
            await write(locked, asked, policy=policy, settings=settings, at=at)
    return page(request, "rights/intake_answered.html", said="again", kind=found.kind)


async def _answer(
    request: Req, found: FormView | None, token: str, *, typed: str = "", malformed: bool = False, said: str = "",
    under: str = "", unchosen: bool = False, guess_at: datetime | None = None, tries_left: int | None = None,
) -> Template:  # fmt: skip
    at = now(request)
    if found is None or not found.is_open or found.said:
        return page(request, "rights/intake_answered.html", status=410, said="", kind="")
    mistake = malformed or unchosen or tries_left is not None
    return page(
        request, "rights/intake_answer.html", status=429 if guess_at else 422 if mistake else 200,
        form=found, token=token, typed=typed, malformed=malformed, said=said, under=under, unchosen=unchosen,
        guess_at=guess_at, tries_left=tries_left, living=answer_lives(found, at) and tries_left != 0,
        again=may_mail_again(found, at),
    )  # fmt: skip


async def _add(request: Req, reference: str, text: str) -> Template | Redirect:
    """Add a message to a form of one's own that is still in question."""
    mine = [one for one in await forms_of_mailbox(visitor_of(request).email) if one.reference == reference]
    if not mine or mine[0].confirmed_at is None:
        raise NotFound
    try:
        await intake_lost.add_answer(mine[0], text, at=now(request))
    except (Invalid, NotPossible) as mistake:
        return await _mine(request, mistake=mistake.sentence, reference=reference, typed=text)
    return go(request, AFTER)


async def _mine(request: Req, *, mistake: str = "", reference: str = "", typed: str = "") -> Template:
    visitor = visitor_of(request)
    if not visitor.signed_in:
        return page(request, "rights/intake_mailbox.html", typed="", wrong=None, wait=None)
    found = await forms_of_mailbox(visitor.email)
    # Once it is known whose account it is, what is written is for that account's own portal. Source: law S-01.
    ours = [one for one in found if one.confirmed_at and one.kind == "lost" and one.subject is None]
    written = {one.reference: await messages_of(one.request) for one in ours}
    return page(
        request, "rights/intake_mine.html", status=422 if mistake else 200, forms=list(reversed(found)),
        written=written, own=visitor.subject_id, mistake=mistake, reference=reference, typed=typed,
    )  # fmt: skip


async def _mail(request: Req, email: str) -> datetime | None:
    """Have a code sent; when there were too many, return when it goes on."""
    if wait := may_mail(request, email):
        return wait
    async with engine().transaction():
        await ask_again(
            email, visitor_of(request).browser, language_of(request), policy=policy_of(request),
            settings=settings_of(request), at=now(request),
        )  # fmt: skip
    return None


async def _asked_for(request: Req) -> str:
    """Return the mailbox that this browser speaks of: of its last code, or of its last form."""
    attempt = await latest(visitor_of(request).browser, Purpose.MAILBOX)
    if attempt and not attempt.used_at:
        return attempt.email
    waiting = await last_sent(visitor_of(request).browser)
    return waiting.email if waiting else ""


async def _sent(
    request: Req, *, typed: str = "", malformed: bool = False, tries_left: int | None = None,
    wait: datetime | None = None, guess_at: datetime | None = None,
) -> Template | Redirect:  # fmt: skip
    browser = visitor_of(request).browser
    attempt, waiting = await latest(browser, Purpose.MAILBOX), await last_sent(browser)
    if (attempt is None or attempt.used_at) and waiting is None:
        return go(request, AFTER)
    if attempt is not None and (attempt.used_at or (waiting and waiting.email != attempt.email)):
        attempt = None
    mistake = malformed or tries_left is not None
    answer = page(
        request, "rights/intake_sent.html", status=429 if wait or guess_at else 422 if mistake else 200,
        email=attempt.email if attempt else waiting.email if waiting else "", attempt=attempt, sent=waiting is not None,
        living=attempt is not None and lives(request, attempt) and tries_left != 0, typed=typed, malformed=malformed,
        tries_left=tries_left, wait=wait, guess_at=guess_at,
    )  # fmt: skip
    return later(answer, wait or guess_at, request)


def _link(
    request: Req, attempt: Attempt | None, *, typed: str = "", malformed: bool = False,
    tries_left: int | None = None, guess_at: datetime | None = None,
) -> Template:  # fmt: skip
    if attempt is None or not lives(request, attempt) or tries_left == 0:
        return page(request, "rights/intake_answered.html", status=410, said="", kind="mailbox")
    mistake = malformed or tries_left is not None
    answer = page(
        request, "rights/intake_link.html", status=429 if guess_at else 422 if mistake else 200,
        here_asked=attempt.browser == visitor_of(request).browser, typed=typed, malformed=malformed,
        tries_left=tries_left, guess_at=guess_at, expires_at=attempt.expires_at,
    )  # fmt: skip
    return later(answer, guess_at, request)


routes = [show_sent, confirm, show_link, press_link, show_mine, ask_mine, show_answer, give_answer]
