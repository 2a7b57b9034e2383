"""What staff can do with one request: each verb reads its own fields and calls one function of the rights room.

Always true here: a verb changes everything or nothing, and what it did is evidence with `staff:<id>`; a preview changes
nothing; what takes two people is asked for first, and carried out by the same verb once a second one agreed.
"""

from collections.abc import Mapping
from typing import cast

from admin.approvals import ask_second
from admin.complaints import made_by, need_nobody_else
from admin.desk_act import Act, Verb, grounds_in, need, one_of
from admin.desk_verbs_identity import ask_sender, child_account, child_lift, identified, unidentified
from admin.desk_verbs_place import (
    consent_back,
    corrected,
    correction_accept,
    correction_refuse,
    pause_confirm,
    pause_decline,
    pause_end,
    pause_keep,
    pause_place,
    use_place,
    use_stop,
    use_weigh,
)
from admin.roles import Permission
from portal.errors import Invalid
from portal.identity.address import normalise
from portal.rights import (
    address_lost,
    automated,
    clocks,
    deadlines,
    decisions,
    extensions,
    four_eyes,
    intake_child,
    messages,
    questions,
)
from portal.rights.address_change import another, need_change
from portal.rights.deadlines.inputs import Ground
from portal.rights.deadlines.profiles import Asked
from portal.rights.erasure_plan import choosable
from portal.rights.letters import Letter, Written, render
from portal.rights.lifecycle import NotPossible
from portal.rights.reference import with_addition
from portal.rights.replies import words_for


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
        act.request, grounds_in(act), consent=act.consent, policy=act.policy, settings=act.settings, at=act.at,
        actor=act.actor,
    )  # fmt: skip


async def partly(act: Act) -> None:
    """Say what was done, and refuse the rest with reasons."""
    need(act, "done", "not_done")
    await decisions.refuse_partly(
        act.request, grounds_in(act), _parts(act), policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


async def stop_clock(act: Act) -> None:
    """Ask the person what lets the clock stand still, where a law says so. Raises: Invalid, by its rule."""
    kind = one_of(act, "kind", ("clarification", "identity"))
    deadlines.may_pause(await clocks.inputs_of(act.request.id), kind=cast(Asked, kind), asked_at=act.at)
    await ask(act)


async def propose(act: Act) -> None:
    """Ask a second person for a refusal on a ground that takes two."""
    grounds = grounds_in(act)
    letter = decisions.refusal_letter(act.request, grounds, act.policy, at=act.at)
    render(letter, words_for(act.request, act.policy), act.policy)
    if not four_eyes.takes_two(grounds.reasons):
        raise Invalid("This ground takes no second person: you can refuse on it yourself.", field="reasons")
    await ask_second(act, four_eyes.Verb.REFUSE)


async def answer(act: Act) -> None:
    """Answer a question or a complaint in words."""
    await need_nobody_else(act)
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
    """Have the worker do it; of an erasure that the person never confirmed themself, ask a second person."""
    request, chosen = act.request, tuple(act.fields.getall("categories", []))
    if request.state != "deciding":
        raise NotPossible
    if request.right == "erasure" and not {one.id for one in choosable(act.policy)} >= set(chosen):
        raise Invalid("Tick what is to be erased.", field="categories")
    if act.consent is None and await four_eyes.erasure_takes_two(request):
        if not request.categories and not chosen:
            raise Invalid("Tick what is to be erased.", field="categories")
        await ask_second(act, four_eyes.Verb.BEGIN)
        return
    await decisions.have_it_done(request, categories=chosen, consent=act.consent, at=act.at, actor=act.actor)


async def child_erase(act: Act) -> None:
    """Decide that it is a child's account; a second person has to agree."""
    under = one_of(act, "under", ("yes", "no")) == "yes"
    if act.request.state != "verifying" or act.request.subject is None:
        raise NotPossible
    if act.consent is None:
        await ask_second(act, four_eyes.Verb.CHILD_ERASE)
        return
    await intake_child.confirm(act.request, under=under, consent=act.consent, at=act.at, actor=act.actor)


async def new_address(act: Act) -> None:
    """Give the account of somebody who lost their mailbox another address; a second person has to agree."""
    email = normalise(act.text("email"))
    if not await four_eyes.lost_mailbox(act.request):
        raise NotPossible
    if act.consent is None:
        another(email, await need_change(act.request.owner, act.policy, at=act.at))
        await ask_second(act, four_eyes.Verb.NEW_ADDRESS)
        return
    await address_lost.offer(
        act.request, email, consent=act.consent, policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


VERBS: Mapping[str, Verb] = {
    "ask": ask, "write": write, "extend": extend, "refuse": refuse, "propose": propose, "answer": answer,
    "partly": partly, "stop-clock": stop_clock,
    "look": look, "begin": begin, "unidentified": unidentified, "identified": identified, "ask-sender": ask_sender,
    "pause-place": pause_place, "pause-confirm": pause_confirm, "pause-decline": pause_decline,
    "pause-end": pause_end, "pause-keep": pause_keep, "use-place": use_place, "use-stop": use_stop,
    "use-weigh": use_weigh, "consent-back": consent_back, "corrected": corrected,
    "correction-accept": correction_accept, "correction-refuse": correction_refuse,
    "child-account": child_account, "child-erase": child_erase, "child-lift": child_lift,
    "new-address": new_address,
}  # fmt: skip


_DOES = {
    Permission.WRITE: ("ask", "write", "stop-clock"),
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
        letter = decisions.refusal_letter(act.request, grounds_in(act), act.policy, at=act.at)
    elif verb == "partly":
        need(act, "done", "not_done")
        letter = decisions.partial_letter(act.request, grounds_in(act), _parts(act), act.policy, at=act.at)
    elif verb == "answer":
        letter = await _answer_letter(act)
    if letter is None:
        return None
    letter = await with_addition(letter, act.request.language)
    return render(letter, words_for(act.request, act.policy), act.policy)


def _parts(act: Act) -> decisions.Parts:
    return decisions.Parts(done=act.paragraphs("done"), not_done=act.paragraphs("not_done"))


async def _answer_letter(act: Act) -> Letter:
    complaint = act.request.right == "complaint"
    need(act, "text", *(["findings"] if complaint else []))
    same = complaint and await made_by(act.request.about, act.actor)
    return await decisions.answer_letter(
        act.request, act.paragraphs("text"), act.policy, findings=act.paragraphs("findings"), same_person=same,
        at=act.at,
    )  # fmt: skip
