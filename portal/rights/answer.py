"""End a request with its answer: the outcome, the evidence and the signed receipt, in one transaction.

Always true here: no request is closed any other way, so every closed request has an outcome and a receipt.
"""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from portal.evidence.log import Details
from portal.policy.model import Policy
from portal.rights import receipts
from portal.rights.deadlines import RULES_VERSION
from portal.rights.lifecycle import Outcome, close
from portal.rights.receipts import Answer, Done, Recipient
from portal.rights.requests import RequestView
from portal.rights.tables import Task
from portal.settings import Settings


async def end(
    request: RequestView,
    outcome: Outcome,
    *,
    event: str,
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
    details: Details | None = None,
    done: Sequence[Done] = (),
    recipients: Sequence[Recipient] = (),
    backups_gone_by: date | None = None,
) -> str:
    """Close an open request inside the caller's transaction. Returns the number of its receipt.

    Raises:
        NotPossible: when it has ended already, or cannot end so from where it is.
    """
    await close(request.id, request.reference, outcome, event=event, at=at, actor=actor, details=details)
    await Task.update({Task.state: "not-needed", Task.ended_at: at, Task.ended_by: actor}).where(
        (Task.request == request.id) & (Task.kind == "redact") & Task.ended_at.is_null()
    )  # fmt: skip
    answer = Answer(
        outcome=outcome,
        answered=at.astimezone(ZoneInfo(policy.controller.zone)).date(),
        rules=str(RULES_VERSION),
        done=tuple(done),
        recipients=tuple(recipients),
        backups_gone_by=backups_gone_by,
    )
    return await receipts.issue(request.id, answer, settings=settings, policy=policy, at=at)
