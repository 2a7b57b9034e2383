"""What staff put in place for a person, weigh and end: pauses, uses, consents, corrections.

Always true here: each verb reads its own fields and calls one function of the rights room.
"""

from typing import cast

from admin.desk_act import Act, grounds_in, need, one_of
from portal.errors import Invalid
from portal.rights import correction_decisions, decisions, four_eyes, objection, on_behalf, pause_decisions
from portal.rights.letters import Change
from portal.rights.letters.reasons_table import LIFT
from portal.rights.out_of_use import Reason

LIFTING = {reason.id: reason for reason in LIFT}


async def pause_place(act: Act) -> None:
    """Put in place a pause that was asked for in words."""
    await on_behalf.pause(
        act.request, act.fields.getall("categories", []), cast(Reason, act.text("reason")), policy=act.policy,
        at=act.at, actor=act.actor,
    )  # fmt: skip


async def pause_confirm(act: Act) -> None:
    """Confirm a pause."""
    await pause_decisions.confirm(
        act.request.id, policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


async def pause_decline(act: Act) -> None:
    """Decline a pause, which then ends after a notice."""
    need(act, "facts", "why")
    await pause_decisions.decline(
        act.request.id, act.day("ends_on"), facts=act.paragraphs("facts"), why=act.paragraphs("why"),
        policy=act.policy, settings=act.settings, at=act.at, actor=act.actor,
    )  # fmt: skip


async def pause_end(act: Act) -> None:
    """Announce the end of a pause."""
    reason = one_of(act, "reason", tuple(LIFTING))
    await pause_decisions.announce_lifting(
        act.request.id, act.day("ends_on"), reason, policy=act.policy, settings=act.settings, at=act.at,
        actor=act.actor,
    )  # fmt: skip


async def pause_keep(act: Act) -> None:
    """Take an announced end back."""
    await pause_decisions.keep_paused(act.request.id, at=act.at, actor=act.actor)


async def use_place(act: Act) -> None:
    """Stop a use that was said no to in words."""
    await on_behalf.stop_use(act.request, act.text("purpose"), policy=act.policy, at=act.at, actor=act.actor)


async def use_stop(act: Act) -> None:
    """Give the person right: the use does not come back."""
    await objection.stop_for_good(
        act.request.id, policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


async def use_weigh(act: Act) -> None:
    """Show that our grounds weigh more."""
    need(act, "yours", "ours", "balance")
    await objection.overriding_grounds(
        act.request.id, your_side=act.paragraphs("yours"), our_side=act.paragraphs("ours"),
        balance=act.paragraphs("balance"), policy=act.policy, settings=act.settings, at=act.at, actor=act.actor,
    )  # fmt: skip


async def consent_back(act: Act) -> None:
    """Stop a use whose consent was taken back in words."""
    await on_behalf.take_consent_back(
        act.request, act.text("purpose"), policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


async def corrected(act: Act) -> None:
    """Answer a correction that was made by hand."""
    need(act, "field", "after")
    change = Change(field=act.text("field"), before=act.text("before"), after=act.text("after"))
    await on_behalf.corrected(
        act.request, [change], policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


async def correction_accept(act: Act) -> None:
    """Have a correction carried out."""
    await correction_decisions.accept(
        act.request.id, record=act.text("record"), policy=act.policy, settings=act.settings, at=act.at,
        actor=act.actor,
    )  # fmt: skip


async def correction_refuse(act: Act) -> None:
    """Refuse a correction with reasons. The grounds that take two people are not offered here."""
    grounds = grounds_in(act)
    decisions.refusal_letter(act.request, grounds, act.policy, at=act.at)
    if not grounds.reasons or four_eyes.takes_two(grounds.reasons):
        raise Invalid("Choose a ground.", field="reasons")
    await correction_decisions.refuse(
        act.request.id, reasons=grounds.reasons, facts=grounds.facts, why=grounds.why, policy=act.policy,
        settings=act.settings, at=act.at, actor=act.actor,
    )  # fmt: skip
