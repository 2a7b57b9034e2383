"""What takes two people, between the desk and the rights room: who may be asked, who is told, who decides.

Always true here: asking and deciding both need a second factor shown just now; where somebody else could decide, nobody
decides alone, whatever the policy says about one-person organisations. Source: law S-17.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from admin.approvals_words import verb_in_words
from admin.colleagues import Colleague, everybody, others_who_may
from admin.desk_act import Act
from admin.roles import Permission
from admin.who import Staff, StaffConfirmNeeded
from portal.mail.messages.approvals import approval_asked, approval_ended
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights import approvals
from portal.rights.approvals_rows import ApprovalView, find, of_request
from portal.rights.four_eyes import Verb
from portal.rights.requests import RequestView
from portal.settings import Settings
from portal.words import Words

PATH = "/staff/approvals"
FIELDS: Mapping[Verb, tuple[str, ...]] = {
    Verb.REFUSE: ("reasons", "facts", "why"),
    Verb.BEGIN: ("categories",),
    Verb.CHILD_ERASE: ("under",),
    Verb.NEW_ADDRESS: ("email",),
}
"""What of a form is what exactly is to be done."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One approval on a request's page, without what exactly was asked for."""

    approval: ApprovalView
    asked_by: str
    """As colleagues call them."""
    decided_by: str
    reason: str
    answer: str
    """What the second person said; empty before, and when it was never said."""
    one_person: bool


async def alone(policy: Policy, staff: Staff) -> bool:
    """Tell whether nobody but this one can be asked, in an organisation that says it is one person."""
    return policy.controller.single_operator and not await others_who_may(Permission.APPROVE, but=staff.id)


async def ask_second(act: Act, verb: Verb) -> None:
    """Ask a second person for exactly what a form says.

    Raises:
        StaffConfirmNeeded: the second factor was shown too long ago.
        Invalid: no reason, in the field `because`.
        AlreadyAsked, NotPossible: as `approvals.ask`.
    """
    if not act.staff.fresh(act.at):
        raise StaffConfirmNeeded(f"/staff/desk/{act.request.reference}")
    values = {name: act.fields.getall(name) for name in FIELDS[verb] if act.text(name)}
    single = await alone(act.policy, act.staff)
    told = await everybody() if single else await others_who_may(Permission.APPROVE, but=act.staff.id)

    async def tell(id: UUID) -> None:
        await _tell_asked(id, verb, act, told, single=single)

    await approvals.ask(
        verb, act.request, values, act.text("because"), settings=act.settings, at=act.at, actor=act.actor, then=tell
    )


async def shown(request: RequestView, settings: Settings, names: Mapping[int, str]) -> list[Shown]:
    """Return what two people decided about a request, or have to, oldest first. `names` are of staff, by number."""
    found = await of_request(request.id)
    said, called = await approvals.read_each(found, settings), {f"staff:{id}": name for id, name in names.items()}
    return [show(one, what, called) for one, what in zip(found, said, strict=True)]


def show(one: ApprovalView, what: approvals.What | None, names: Mapping[str, str]) -> Shown:
    """Return one with the reasons, if they can be read."""
    return Shown(
        approval=one, asked_by=names.get(one.asked_by, one.asked_by),
        decided_by=names.get(one.decided_by, one.decided_by), reason=what.reason if what else "",
        answer=what.answer if what else "",
        one_person=one.state == "approved" and one.asked_by == one.decided_by,
    )  # fmt: skip


async def tell_ended(id: UUID, reference: str, policy: Policy, settings: Settings, *, at: datetime) -> None:
    """Tell whoever asked what became of it, unless they decided themself, inside the caller's transaction."""
    approval = await find(id)
    asker = next((one for one in await everybody() if f"staff:{one.id}" == approval.asked_by), None)
    if asker is None or approval.asked_by == approval.decided_by:
        return
    language = policy.languages[0]
    words = Words(language, policy.controller.zone)
    message = approval_ended(
        words, policy, what=verb_in_words(words, approval.verb), reference=reference,
        agreed=approval.state == "approved", link=f"{settings.public_url}/{language}{PATH}/{id}",
    )  # fmt: skip
    await post(message, to=asker.email, language=language, reference=reference, at=at)


async def _tell_asked(id: UUID, verb: Verb, act: Act, told: list[Colleague], *, single: bool) -> None:
    """Write to those who may decide, inside the caller's transaction; where nobody else may, to everybody."""
    language = act.policy.languages[0]
    words, request = Words(language, act.policy.controller.zone), act.request
    message = approval_asked(
        words, act.policy, what=verb_in_words(words, str(verb)), reference=request.reference,
        act_by=request.act_by_day or request.due_day, alone=single,
        link=f"{act.settings.public_url}/{language}{PATH}/{id}",
    )  # fmt: skip
    for to in {one.email for one in told} | ({act.policy.controller.contact} if single else set()):
        await post(message, to=to, language=language, reference=request.reference, at=act.at)
