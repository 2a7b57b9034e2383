"""What staff can do with one request: each verb reads its own fields and calls one function of the rights room.

Always true here: a verb changes everything or nothing, and what it did is evidence with `staff:<id>`; a preview changes
nothing. It is long because it is one list: a verb is a few lines and stands beside its like.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import cast

import msgspec
from multidict import MultiDict

from admin.desk_shapes import decided_by
from admin.roles import Permission
from portal.errors import Invalid
from portal.policy.model import Policy
from portal.rights import (
    automated,
    correction_decisions,
    decisions,
    extensions,
    four_eyes,
    intake_child,
    intake_lost,
    messages,
    objection,
    on_behalf,
    pause_decisions,
    questions,
)
from portal.rights.deadlines.inputs import Ground
from portal.rights.decisions import Grounds
from portal.rights.letters import Change, Letter, Written, render
from portal.rights.letters.reasons_table import LIFT
from portal.rights.out_of_use import Reason
from portal.rights.replies import words_for
from portal.rights.requests import RequestView
from portal.settings import Settings

LIFTING = {reason.id: reason for reason in LIFT}


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One form that a member of staff sent."""

    request: RequestView
    fields: MultiDict[str]
    policy: Policy
    settings: Settings
    at: datetime
    actor: str

    def text(self, name: str) -> str:
        """Return a field without blanks around it."""
        return self.fields.get(name, "").replace("\r\n", "\n").strip()

    def paragraphs(self, name: str) -> tuple[str, ...]:
        """Return a field by its lines; empty when there is nothing in it."""
        return tuple(line.strip() for line in self.text(name).split("\n") if line.strip())

    def day(self, name: str) -> date:
        """Return a day. Raises: Invalid."""
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            raise Invalid("Write the day as year, month and day, like 2026-03-06.", field=name) from None


type Verb = Callable[[Act], Awaitable[None]]


def one_of(act: Act, name: str, choices: tuple[str, ...]) -> str:
    """Return a field that is one of some choices. Raises: Invalid."""
    found = act.text(name)
    if found not in choices:
        raise Invalid("Choose one of them.", field=name)
    return found


def need(act: Act, *names: str) -> None:
    """Refuse empty fields. Raises: Invalid, naming the first."""
    for name in names:
        if not act.text(name):
            raise Invalid("Fill this in.", field=name)


async def ask(act: Act) -> None:
    """Ask the person something."""
    kind = cast(questions.Kind, one_of(act, "kind", ("none", "clarification", "identity")))
    need(act, "text", *(["doubt"] if kind == "identity" else []))
    await questions.ask(
        act.request, act.text("text"), kind=kind, doubt=act.text("doubt"), policy=act.policy, settings=act.settings,
        at=act.at, actor=act.actor,
    )  # fmt: skip


async def write(act: Act) -> None:
    """Write to the person."""
    await messages.write(
        act.request, author="staff", text=act.text("text"), policy=act.policy, settings=act.settings, at=act.at,
        actor=act.actor,
    )  # fmt: skip


async def extend(act: Act) -> None:
    """Take longer."""
    need(act, "why")
    ground = cast(Ground, one_of(act, "ground", extensions.GROUNDS))
    await extensions.extend(
        act.request, ground, act.text("why"), policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


async def refuse(act: Act) -> None:
    """Refuse with reasons."""
    await decisions.refuse(
        act.request, _grounds(act), policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


async def propose(act: Act) -> None:
    """Propose a refusal that takes a second person."""
    decisions.refusal_letter(act.request, _grounds(act), act.policy, at=act.at)
    await four_eyes.propose(act.request, _grounds(act).reasons, at=act.at, actor=act.actor)


async def answer(act: Act) -> None:
    """Answer a question or a complaint in words."""
    await decisions.answer_with(
        act.request, await _answer_letter(act), "fulfilled", policy=act.policy, settings=act.settings, at=act.at,
        actor=act.actor,
    )  # fmt: skip


async def look(act: Act) -> None:
    """Say what a person found about an automated decision."""
    need(act, "text")
    await automated.answer_by_person(
        act.request.id, act.paragraphs("text"), policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


async def begin(act: Act) -> None:
    """Have the worker do it."""
    await decisions.have_it_done(act.request, at=act.at, actor=act.actor)


async def unidentified(act: Act) -> None:
    """Say that we cannot tell who it is."""
    need(act, "facts", "help")
    await decisions.unable_to_identify(
        act.request, facts=act.paragraphs("facts"), would_help=act.paragraphs("help"), policy=act.policy,
        settings=act.settings, at=act.at, actor=act.actor,
    )  # fmt: skip


async def identified(act: Act) -> None:
    """Say whose account it is."""
    await intake_lost.identified(
        act.request, act.text("account"), method=one_of(act, "method", intake_lost.METHODS), policy=act.policy,
        settings=act.settings, at=act.at, actor=act.actor,
    )  # fmt: skip


async def ask_sender(act: Act) -> None:
    """Ask whoever sent the form one thing more."""
    await intake_lost.ask_more(
        act.request, act.text("text"), policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


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
    grounds = _grounds(act)
    decisions.refusal_letter(act.request, grounds, act.policy, at=act.at)
    if not grounds.reasons or four_eyes.takes_two(grounds.reasons):
        raise Invalid("Choose a ground.", field="reasons")
    await correction_decisions.refuse(
        act.request.id, reasons=grounds.reasons, facts=grounds.facts, why=grounds.why, policy=act.policy,
        settings=act.settings, at=act.at, actor=act.actor,
    )  # fmt: skip


async def child_account(act: Act) -> None:
    """Tie a report to an account that was found, which is out of use from then on."""
    await on_behalf.tie_report(
        act.request, act.text("account"), policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


async def child_erase(act: Act) -> None:
    """Decide that it is a child's account."""
    under = one_of(act, "under", ("yes", "no")) == "yes"
    await intake_child.confirm(act.request, under=under, at=act.at, actor=act.actor)


async def child_lift(act: Act) -> None:
    """Decide that the report does not hold."""
    need(act, "reason")
    await intake_child.not_a_child(
        act.request, policy=act.policy, settings=act.settings, at=act.at, actor=act.actor, reason=act.text("reason")
    )  # fmt: skip


VERBS: Mapping[str, Verb] = {
    "ask": ask, "write": write, "extend": extend, "refuse": refuse, "propose": propose, "answer": answer,
    "look": look, "begin": begin, "unidentified": unidentified, "identified": identified, "ask-sender": ask_sender,
    "pause-place": pause_place, "pause-confirm": pause_confirm, "pause-decline": pause_decline,
    "pause-end": pause_end, "pause-keep": pause_keep, "use-place": use_place, "use-stop": use_stop,
    "use-weigh": use_weigh, "consent-back": consent_back, "corrected": corrected,
    "correction-accept": correction_accept, "correction-refuse": correction_refuse,
    "child-account": child_account, "child-erase": child_erase, "child-lift": child_lift,
}  # fmt: skip


_DOES = {
    Permission.WRITE: ("ask", "write"),
    Permission.IDENTIFY: ("unidentified", "identified", "ask-sender", "child-account"),
}
PERMISSIONS: Mapping[str, Permission] = {
    **dict.fromkeys(VERBS, Permission.DECIDE),
    **{verb: permission for permission, verbs in _DOES.items() for verb in verbs},
}
"""What each verb needs: to decide, if nothing less will do."""


async def preview(act: Act, verb: str) -> Written | None:
    """Return the letter that a verb would send, None where there is no preview. Raises: as the verb."""
    letter: Letter | None = None
    if verb in {"refuse", "propose", "correction-refuse"}:
        letter = decisions.refusal_letter(act.request, _grounds(act), act.policy, at=act.at)
    elif verb == "answer":
        letter = await _answer_letter(act)
    return render(letter, words_for(act.request, act.policy), act.policy) if letter else None


async def _answer_letter(act: Act) -> Letter:
    complaint = act.request.right == "complaint"
    need(act, "text", *(["findings"] if complaint else []))
    same = complaint and await decided_by(act.request.about, act.actor)
    return await decisions.answer_letter(
        act.request, act.paragraphs("text"), act.policy, findings=act.paragraphs("findings"), same_person=same,
        at=act.at,
    )  # fmt: skip


def _grounds(act: Act) -> Grounds:
    need(act, "facts", "why")
    return Grounds(
        reasons=tuple(act.fields.getall("reasons", [])), facts=act.paragraphs("facts"), why=act.paragraphs("why")
    )
