"""The mail to the person somebody else speaks of, and their answer: a link that opens the page, a code that answers.

Always true here: opening the link decides nothing, and neither does a scanner that presses buttons, because the code
stands in the mail alone; no token and no code is stored in clear; an answer is given once. Source: law S-05, S-06.
"""

import hmac
from datetime import datetime, timedelta

from portal.errors import Invalid
from portal.identity.links import code_of, token_hash, token_of
from portal.rights.intake_forms import FormView
from portal.rights.lifecycle import NotPossible
from portal.rights.tables_intake import IntakeForm
from portal.settings import Settings

TRIES = 5
ANSWER_WITHIN = timedelta(days=14)
"""How long a link and its code work; a new one can be asked for."""
MOST_A_DAY = 3
"""Of different senders to one address: nobody fills a mailbox by way of us. Source: S-08."""
AGAIN_AFTER = timedelta(hours=1)
"""How often the page may have a new code sent: whoever holds the link alone must not fill the mailbox."""


async def new_link(form: FormView, settings: Settings, *, at: datetime) -> tuple[str, str]:
    """Make the link's path (without language) and the code of the next mail, inside the caller's transaction.

    What was mailed before stops working.
    """
    number = form.mails + 1
    token = token_of(settings, form.id, _purpose(form, number))
    await IntakeForm.update({
        IntakeForm.mails: number, IntakeForm.mailed_at: at, IntakeForm.tries: 0,
        IntakeForm.token_hash: token_hash(settings, token),
    }).where(IntakeForm.id == form.id)  # fmt: skip
    return f"/ask/answer/{token}", code_of(settings, form.id, _purpose(form, number))


async def mailed_lately(about: str, *, at: datetime) -> bool:
    """True when an address was written to so often because of what others sent that the next one waits a day."""
    recent = IntakeForm.mailed_at > at - timedelta(days=1)
    mailed: int = await IntakeForm.count().where((IntakeForm.about == about) & recent)
    return mailed >= MOST_A_DAY


def lives(form: FormView, at: datetime) -> bool:
    """True while the code of the last mail may still be typed."""
    mailed = form.mailed_at
    return mailed is not None and at < mailed + ANSWER_WITHIN and form.tries < TRIES and form.is_open and not form.said


def may_mail_again(form: FormView, at: datetime) -> bool:
    """True when a new code may be sent."""
    return form.is_open and not form.said and form.mailed_at is not None and at >= form.mailed_at + AGAIN_AFTER


async def try_code(form: FormView, code: str, settings: Settings, *, at: datetime) -> int | None:
    """Compare a code with the last mail's. None when it fits, else how many tries are left.

    Must run in a transaction that holds the form and commits also when the code is wrong: that counts the try.
    """
    if not lives(form, at):
        return 0
    if hmac.compare_digest(code, code_of(settings, form.id, _purpose(form, form.mails))):
        return None
    await IntakeForm.update({IntakeForm.tries: IntakeForm.tries + 1}).where(IntakeForm.id == form.id)
    return TRIES - form.tries - 1


async def answer_once(form: FormView, said: str, *, at: datetime) -> None:
    """Note the answer, inside the caller's transaction.

    Raises:
        Invalid: it is none of the three.
        NotPossible: there is one already.
    """
    if said not in {"yes", "no", "unknown"}:
        raise Invalid("Choose one of the answers.", field="said")
    done = await (
        IntakeForm.update({IntakeForm.said: said, IntakeForm.said_at: at, IntakeForm.token_hash: None})
        .where((IntakeForm.id == form.id) & (IntakeForm.said == ""))
        .returning(IntakeForm.id)
    )
    if not done:
        raise NotPossible


def _purpose(form: FormView, number: int) -> str:
    return f"{form.kind}-{number}"
