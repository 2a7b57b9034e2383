"""Say that we cannot tell whose data it is, and what would help.

Always true here: only a request whose proof is in question ends so; whoever sent a form hears of it if they showed a
mailbox. Source: GDPR Art. 11(2), 12(2); law D13.
"""

from collections.abc import Sequence
from datetime import datetime

from portal.database import engine
from portal.mail.messages import answered
from portal.policy.model import Policy
from portal.rights import letters
from portal.rights.answer import end
from portal.rights.decisions import hold
from portal.rights.letters import Letter
from portal.rights.lifecycle import move
from portal.rights.reach import reach_of, write_to
from portal.rights.replies import decided, enclose, reply, words_for
from portal.rights.requests import RequestView
from portal.rights.tables import Task
from portal.settings import Settings


async def unable_to_identify(
    request: RequestView,
    *,
    facts: Sequence[str],
    would_help: Sequence[str],
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
) -> None:
    """Say that we cannot tell whose data it is, and what would help. Source: GDPR Art. 11(2), 12(2); law D13.

    Raises:
        NotComplete: one of the two says nothing.
        NotPossible: who they are is not in question, or it was decided already.
    """
    letter = letters.unidentified(
        words_for(request, policy), policy, letters.case_of(request, policy, at=at), facts=facts,
        would_help=would_help,
    )  # fmt: skip
    async with engine().transaction():
        held = await hold(request.id)
        await Task.update({Task.state: "done", Task.ended_at: at, Task.ended_by: actor}).where(
            (Task.request == held.id) & (Task.kind == "identify") & Task.ended_at.is_null()
        )  # fmt: skip
        if held.subject is not None:
            await reply(
                held, letter, "unidentified", event="unidentified", policy=policy, settings=settings, at=at,
                actor=actor,
            )  # fmt: skip
            return
        await _end_of_a_stranger(held, letter, policy, settings, at=at, actor=actor)


async def _end_of_a_stranger(
    request: RequestView, letter: Letter, policy: Policy, settings: Settings, *, at: datetime, actor: str
) -> None:
    """End what was never tied to a person; whoever sent the form hears of it, if they showed a mailbox."""
    if request.state == "deciding":
        await move(
            request.id, request.reference, "verifying", event="identity-doubted", at=at, actor=actor,
        )  # fmt: skip
    await enclose(request, letter, policy, at=at, actor=actor)
    await decided(request, at=at, actor=actor)
    await end(
        request, "unidentified", event="unidentified", policy=policy, settings=settings, at=at, actor=actor
    )  # fmt: skip
    reach = await reach_of(request, settings)
    if reach is not None:
        message = answered(words_for(request, policy), policy, reference=request.reference, link=reach.link)
        await write_to(reach, message, request, at=at)
