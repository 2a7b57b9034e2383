"""Take longer for an answer: once, in time, for one of two reasons, and only by telling the person.

Always true here: what the law refuses is refused by its own rule and changes nothing; the day that was promised before
stays on record. Source: GDPR Art. 12(3); law D9, D10.
"""

from datetime import date, datetime

import msgspec

from portal.database import engine
from portal.errors import Invalid
from portal.mail.messages import extended
from portal.policy.model import Policy
from portal.rights import clocks, deadlines, letters
from portal.rights.clocks import Moved
from portal.rights.deadlines.inputs import Ground
from portal.rights.letters import Letter
from portal.rights.letters.reasons import reason
from portal.rights.lifecycle import NotPossible
from portal.rights.reach import reach_of, write_to
from portal.rights.replies import enclose, words_for
from portal.rights.requests import RequestView
from portal.rights.tables import SubjectRequest
from portal.rights.timeline import record
from portal.settings import Settings

GROUNDS: tuple[Ground, ...] = ("complexity", "number")


async def extend(
    request: RequestView, ground: Ground, why: str, *, policy: Policy, settings: Settings, at: datetime, actor: str
) -> date:
    """Extend once, with the letter and the mail that say so. Returns the new day. `why` is for this person.

    Where the promise is strict the promised day stays the one that counts; the person is told the law's new day.

    Raises:
        Invalid: it is extended already, it is too late, or no reason is given; the sentence names the rule.
        NotComplete: `why` says nothing.
        NotPossible: the request has ended, or nobody could be told.
    """
    if ground not in GROUNDS:
        raise Invalid("Choose one of the two reasons (rule D9).", field="ground")
    reach = await reach_of(request, settings)
    if reach is None:
        raise NotPossible
    found = reason(ground)
    async with engine().transaction():
        moved = await clocks.change(
            request.id,
            lambda inputs: deadlines.extend(inputs, noticed_at=at, reason=found.title["en"], ground=ground),
        )
        before, new_day = moved.before.due, _told(moved)
        letter = _letter(request, ground, why, moved, policy, at)
        await SubjectRequest.update({SubjectRequest.extended_on: before}).where(SubjectRequest.id == request.id)
        details = {"ground": ground, "before": before.isoformat(), "told": new_day.isoformat()}
        await record(request.id, request.reference, "extended", at=at, actor=actor, details=details)
        await enclose(request, letter, policy, at=at, actor=actor)
        message = extended(
            words_for(request, policy), policy, reference=request.reference, old_day=before, new_day=new_day,
            reasons=[found.plain[request.language]], link=reach.link,
        )  # fmt: skip
        await write_to(reach, message, request, at=at)
    return new_day


def _letter(request: RequestView, ground: Ground, why: str, moved: Moved, policy: Policy, at: datetime) -> Letter:
    words, before = words_for(request, policy), moved.before
    case = msgspec.structs.replace(letters.case_of(request, policy, at=at), due_day=before.due)
    letter = letters.extension(
        words, policy, case, reason_id=ground, here=(why,), new_day=_told(moved),
        last_day=date.max if before.suspended else before.law,
    )  # fmt: skip
    if moved.after.due > before.due:
        return letter
    still = words("We promised an answer by {day}. We still try to keep that day.", day=words.day(before.due))
    return msgspec.structs.replace(letter, more=(still,))


def _told(moved: Moved) -> date:
    """Return the day the person is told: the one that counts, or the law's where the promise does not move. D10."""
    return moved.after.due if moved.after.due > moved.before.due else moved.after.law
