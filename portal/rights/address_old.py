"""What the old address can do about a change: cancel it, or say that it is right. And what ends by itself.

Always true here: no sign-in is needed; whatever was changed is put back everywhere, and every session ends with it.
Source: law S-02.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from portal.database import engine
from portal.evidence.log import append
from portal.policy.model import Policy
from portal.rights import corrections
from portal.rights.address_fanout import know
from portal.rights.address_rows import ChangeView, by_token, mark, places, settle, values_of
from portal.rights.corrections import Values
from portal.rights.rectification import cancel_plan, lay_plan
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import Task
from portal.rights.tables_rectification import AddressChange
from portal.rights.tasks import open_task
from portal.rights.timeline import record
from portal.rights.workshop import Workshop
from portal.settings import Settings


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
        await mark(change.id, "kept")
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
            await settle(change, shop.settings)
    return len(rows)


async def _put_back(
    change: ChangeView, request: RequestView, policy: Policy, settings: Settings, at: datetime
) -> None:  # fmt: skip
    """Have every place hold the old address again; our own row does at once."""
    values, correction = await values_of(change, settings), await corrections.of_request(request.id)
    if values is None or correction is None or values.old is None:
        return
    told = await Task.exists().where(
        (Task.request == request.id) & (Task.kind == "tell") & Task.state.is_in(["asked", "done"])
    )
    await corrections.end(correction, "replaced", at=at, actor="person")
    await cancel_plan(request.id, at=at, actor="person")
    await make_room(change.subject, values.old, change.changed_at or at)
    await engine().connection.execute("UPDATE subject SET email = $1 WHERE id = $2", values.old, change.subject)
    await know(change.subject, values.new)
    back = Values(old=values.new, new=values.old)
    id = await corrections.make(
        request, correction.category, correction.field, "kept", "working", back, settings=settings, at=at,
        actor="person",
    )  # fmt: skip
    await record(request.id, request.reference, "address-kept", at=at, actor="person")
    await lay_plan(request, id, places(policy, correction.category), policy, at=at, actor="person", tell=told)
    due = request.act_by_day or request.due_day
    await open_task(request.id, request.reference, "identify", "address", due=due, at=at)


async def make_room(subject: UUID, email: str, since: datetime) -> None:
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
