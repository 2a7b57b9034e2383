"""What waits for a second person: the list, and one thing with exactly what was asked for and the two answers.

Always true here: looking changes nothing; a yes needs a second factor shown just now, a reason, and the very thing that
was on the page; who comes second, or too late, is told. It needs no script.
"""

from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from multidict import MultiDict

from admin import approvals as desk
from admin.approvals import PATH
from admin.approvals_shapes import asked_for
from admin.approvals_words import state_in_words, verb_in_words
from admin.colleagues import names_of
from admin.desk_act import Act
from admin.desk_request_who import mask
from admin.desk_verbs import VERBS
from admin.nav import staff_page
from admin.roles import Permission
from admin.who import Staff, StaffConfirmNeeded, need_staff
from portal.database import engine
from portal.errors import Invalid, NotFound, Refused
from portal.evidence.log import append
from portal.identity.forms import form
from portal.rights import approvals
from portal.rights.approvals_rows import ApprovalView, find, request_of
from portal.rights.four_eyes import SLEEP_ON_IT
from portal.rights.requests import RequestView
from portal.web import Req, go, now, policy_of, settings_of, words_of


@get(PATH)
async def show_list(request: Req) -> Template:
    """Show what waits, the most urgent first: kinds, references and days, no content."""
    staff = await need_staff(request, Permission.QUEUE)
    words = words_of(request)
    waiting = await approvals.waiting(alone=await desk.alone(policy_of(request), staff))
    return staff_page(
        request, staff, "staff/approvals.html", waiting=waiting, at=now(request),
        names=await names_of(one.asked_by for one in waiting), what=lambda verb: verb_in_words(words, verb),
    )  # fmt: skip


@get(f"{PATH}/{{approval:uuid}}")
async def show_one(request: Req, approval: FromPath[UUID]) -> Template:
    """Show exactly what was asked for. That it was read is evidence."""
    staff, found, about = await _about(request, approval)
    return await _page(request, staff, found, about)


@post(f"{PATH}/{{approval:uuid}}", status_code=200)
async def decide(request: Req, approval: FromPath[UUID]) -> Template | Redirect:
    """Say yes or no as the second person, or take back what one asked for oneself."""
    staff, found, about = await _about(request, approval)
    fields = await form(request)
    taking_back = fields.get("do") == "withdraw"
    staff = await need_staff(
        request, Permission.DECIDE if taking_back else Permission.APPROVE, reference=about.reference
    )  # fmt: skip
    try:
        if taking_back:
            await approvals.withdraw(found, at=now(request), actor=staff.actor)
        elif fields.get("do") in {"approve", "refuse"}:
            await _decide(request, staff, found, about, fields)
        else:
            return await _page(request, staff, found, about)
    except Refused as wrong:
        return await _page(request, staff, await find(approval), about, typed=fields, wrong=wrong)
    return go(request, f"/staff/desk/{about.reference}?done=1")


async def _decide(request: Req, staff: Staff, found: ApprovalView, about: RequestView, fields: MultiDict[str]) -> None:
    """Say yes, which does it, or no. Raises: StaffConfirmNeeded; and as `approvals.agree` and the verb."""
    policy, settings, at = policy_of(request), settings_of(request), now(request)
    reason = fields.get("because", "")
    if not staff.fresh(at):
        raise StaffConfirmNeeded(f"{PATH}/{found.id}")

    async def tell(id: UUID) -> None:
        await desk.tell_ended(id, about.reference, policy, settings, at=at)

    if fields.get("do") == "refuse":
        await approvals.decline(found, reason, settings=settings, at=at, actor=staff.actor, then=tell)
        return
    what, consent = await approvals.agree(
        found, fields.get("seen", ""), reason, alone=await desk.alone(policy, staff), settings=settings, at=at,
        actor=staff.actor,
    )  # fmt: skip
    asked = MultiDict((name, value) for name, values in what.values.items() for value in values)
    act = Act(
        request=about, fields=asked, policy=policy, settings=settings, at=at, staff=staff, consent=consent
    )  # fmt: skip
    await VERBS[found.verb](act)
    async with engine().transaction():
        await tell(found.id)


async def _about(request: Req, id: UUID) -> tuple[Staff, ApprovalView, RequestView]:
    """Return who of the staff is asking, and one approval with its request.

    Raises:
        StaffSignInNeeded, NotPermitted: whether it exists or not.
        NotFound: no such thing, or one that is about no request: its own room shows that.
    """
    about = await request_of(id)
    staff = await need_staff(request, Permission.CASE, reference=about.reference if about else "")
    if about is None:
        raise NotFound
    return staff, await find(id), about


async def _page(
    request: Req,
    staff: Staff,
    found: ApprovalView,
    about: RequestView,
    *,
    typed: MultiDict[str] | None = None,
    wrong: Refused | None = None,
) -> Template:
    policy, settings, at, words = policy_of(request), settings_of(request), now(request), words_of(request)
    async with engine().transaction():
        await append(
            "staff:approval:opened", at=at, actor=staff.actor, reference=about.reference,
            details={"approval": str(found.id)},
        )  # fmt: skip
    what = await approvals.read(found, settings)
    names = await names_of([found.asked_by, found.decided_by])
    mine, single = found.asked_by == staff.actor, await desk.alone(policy, staff)
    act = Act(request=about, fields=MultiDict(), policy=policy, settings=settings, at=at, staff=staff)
    exactly = await asked_for(act, found.verb, what.values, words) if what and found.state == "waiting" else None
    decides = staff.may(Permission.APPROVE) and (not mine or single)
    if exactly and not decides and not mine:
        exactly = msgspec.structs.replace(exactly, address=mask(exactly.address))
    return staff_page(
        request, staff, "staff/approval.html", status=wrong.status if wrong else 200,
        one=desk.show(found, what, names), copy=about, mine=mine, single=single,
        what=verb_in_words(words, found.verb), state=state_in_words(words, found.state),
        exactly=exactly, may_decide=decides,
        may_withdraw=mine and staff.may(Permission.DECIDE),
        not_before=found.asked_at + SLEEP_ON_IT if mine and at < found.asked_at + SLEEP_ON_IT else None,
        typed=typed or MultiDict(), wrong=words(wrong.sentence) if wrong else "",
        wrong_field=wrong.field if isinstance(wrong, Invalid) else "",
        confirm=isinstance(wrong, StaffConfirmNeeded), path=f"{PATH}/{found.id}",
    )  # fmt: skip


routes = [show_list, show_one, decide]
