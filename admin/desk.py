"""The desk: one request with everything that can be done about it, and the tasks.

Always true here: only an active member of staff reaches it; every change is a form of our own page; a mistake keeps
what was typed; opening a request is evidence, as is every verb. It needs no script.
"""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect, Template
from multidict import MultiDict

from admin import approvals, approvals_words, desk_shapes, desk_words
from admin.desk_act import Act
from admin.desk_offers import may_extend, offers
from admin.desk_verbs import PERMISSIONS, VERBS, preview
from admin.desk_verbs_place import LIFTING
from admin.nav import staff_page
from admin.roles import Permission
from admin.who import Staff, StaffConfirmNeeded, need_staff
from portal.errors import Invalid, Refused
from portal.identity.forms import form
from portal.mail.wording import asked_in_words
from portal.policy.model import Basis, Policy
from portal.rights import extensions, four_eyes, intake_lost, pauses, tasks
from portal.rights.corrections import CorrectionView
from portal.rights.decisions import grounds_for
from portal.rights.erasure_end import after_task
from portal.rights.erasure_plan import choosable
from portal.rights.events import events_in_words
from portal.rights.letters import NotComplete, Written
from portal.rights.letters.reasons import reason
from portal.rights.letters.reasons_table import Reason
from portal.rights.letters.titles import title
from portal.rights.objection import answer_of
from portal.rights.out_of_use import ASKED_FOR
from portal.rights.rectification import field_of
from portal.rights.reference import contacts, hints
from portal.rights.requests import REFERENCE, RequestView
from portal.rights.shapes import category_title
from portal.web import Req, address, go, now, policy_of, settings_of, words_of
from portal.words import Words

PATH = "/staff/desk"


@get(f"{PATH}/{{reference:str}}")
async def show_one(
    request: Req,
    reference: FromPath[str],
    done: Annotated[str, QueryParameter(name="done")] = "",
    why: Annotated[str, QueryParameter(name="why")] = "",
) -> Template:
    """Show one request. `why` is a task that was to be called not needed, without a reason."""
    staff = await need_staff(request, Permission.CASE, reference=reference)
    return await _page(request, await desk_shapes.by_reference(reference), staff, done=bool(done), why=why)


@post(f"{PATH}/{{reference:str}}", status_code=200)
async def act(request: Req, reference: FromPath[str]) -> Template | Redirect:
    """Do one thing, or show the letter that it would send."""
    staff = await need_staff(request, Permission.CASE, reference=reference)
    fields = await form(request)
    found = await desk_shapes.by_reference(reference)
    do = fields.get("do", "")
    verb = "propose" if "propose" in fields and do == "refuse" else do
    sent = Act(
        request=found, fields=fields, policy=policy_of(request), settings=settings_of(request), at=now(request),
        staff=staff,
    )  # fmt: skip
    if verb not in VERBS:
        return await _page(request, found, staff)
    await need_staff(request, PERMISSIONS[verb], reference=reference)
    try:
        letter = await preview(sent, verb) if "preview" in fields else None
        if letter is not None:
            return await _page(request, found, staff, verb=do, typed=fields, letter=letter)
        await VERBS[verb](sent)
    except Refused as wrong:
        after = await desk_shapes.by_reference(reference)
        return await _page(request, after, staff, verb=do, typed=fields, wrong=wrong)
    return go(request, f"{PATH}/{reference}?done=1")


@post("/staff/tasks/{task:uuid}")
async def act_on_task(request: Req, task: FromPath[UUID]) -> Redirect:
    """Note that a task is done, that somebody was asked, or why it is not needed. A second click changes nothing."""
    staff = (await need_staff(request, Permission.TASKS)).actor
    fields = await form(request)
    at, back, why = now(request), fields.get("back", ""), fields.get("reason", "").strip()[:200]
    where = f"{PATH}/{back}" if REFERENCE.fullmatch(back) else PATH
    match fields.get("do"):
        case "asked":
            await tasks.asked(task, at=at, actor=staff)
        case "done":
            await tasks.end_task(task, "done", at=at, actor=staff)
        case "not-needed" if why:
            await tasks.end_task(task, "not-needed", at=at, actor=staff, reason=why)
        case _:
            return go(request, f"{where}?why={task}")
    await after_task(task, policy=policy_of(request), settings=settings_of(request), at=at)
    return go(request, f"{where}?done=1")


async def _page(
    request: Req,
    found: RequestView,
    staff: Staff,
    *,
    verb: str = "",
    typed: MultiDict[str] | None = None,
    letter: Written | None = None,
    wrong: Refused | None = None,
    done: bool = False,
    why: str = "",
) -> Template:
    policy, words = policy_of(request), words_of(request)
    at, language = now(request), words.language
    file = await desk_shapes.open_file(found, words, policy, settings_of(request), at=at, actor=staff.actor)
    today = at.astimezone(ZoneInfo(policy.controller.zone)).date()
    return staff_page(
        request, staff, "staff/desk_request.html", status=wrong.status if wrong else 200,
        file=file, copy=file.request, today=today, offers=offers(file, policy),
        no_extension=await may_extend(file, at=at),
        verb=verb, typed=typed or MultiDict(), letter=letter, done=done, why=why,
        wrong=_sentence(request, wrong), wrong_field=wrong.field if isinstance(wrong, Invalid) else "",
        second=isinstance(wrong, four_eyes.NeedsSecond), action=address(request, f"{PATH}/{found.reference}"),
        asked=asked_in_words(words, found.right), state=desk_words.state_in_words(words, found.state),
        outcome=desk_words.outcome_in_words(words, found.outcome),
        days=lambda due: desk_words.days_in_words(words, due, today),
        task=lambda one: desk_words.task_in_words(words, policy, one, language),
        events=events_in_words(words), approvals=await approvals.shown(found, settings_of(request)),
        approval_verb=lambda one: approvals_words.verb_in_words(words, one),
        approval_state=lambda one: approvals_words.state_in_words(words, one),
        confirm=isinstance(wrong, StaffConfirmNeeded), two=await four_eyes.erasure_takes_two(found),
        field=_field_title(policy, file.correction, language), category=lambda id: category_title(words, policy, id),
        contacts=await contacts(), **_choices(words, policy, found, await hints()),
    )  # fmt: skip


def _choices(
    words: Words, policy: Policy, found: RequestView, hints: Mapping[str, str]
) -> dict[str, list[tuple[str, ...]]]:
    """Return what the forms let one choose from: values with their words; `hints` are colleagues' on grounds."""
    language = words.language
    grounds = [reason(id) for id in grounds_for(found.right)]
    choose = ("", words("Choose"))
    alone = [one for one in grounds if not one.second_person]
    refusable = [one for one in policy.purposes if answer_of(one) == "refuse"]
    consents = [one for one in policy.purposes if one.basis is Basis.CONSENT]
    return {
        "grounds": [_ground(one, language, hints) for one in grounds],
        "grounds_alone": [_ground(one, language, hints) for one in alone],
        "longer": [choose, *((id, reason(id).title[language]) for id in extensions.GROUNDS)],
        "lifting": [choose, *((id, one.title[language]) for id, one in LIFTING.items())],
        "pausing": [choose, *((id, reason(f"pause-{id}").title[language]) for id in sorted(ASKED_FOR))],
        "pausable": [(one.id, one.title[language], "") for one in pauses.pausable(policy)],
        "erasable": [(one.id, one.title[language], "") for one in choosable(policy)],
        "methods": [choose, *((id, desk_words.method_in_words(words, id)) for id in intake_lost.METHODS)],
        "refusable": [
            choose,
            *((one.id, one.title[language]) for one in refusable),
        ],
        "consents": [choose, *((one.id, one.title[language]) for one in consents)],
    }


def _ground(one: Reason, language: str, hints: Mapping[str, str]) -> tuple[str, ...]:
    return one.id, one.title[language], " ".join(part for part in (one.plain[language], hints.get(one.id)) if part)


def _field_title(policy: Policy, correction: CorrectionView | None, language: str) -> str:
    """Return what a person calls the field that is to be corrected; empty when it is a note on a whole category."""
    if correction is None or not correction.field:
        return ""
    return field_of(policy, correction.category, correction.field)[1].title[language]


def _sentence(request: Req, wrong: Refused | None) -> str:
    """Say what was wrong; of a letter that is not complete, which part of it."""
    words = words_of(request)
    if isinstance(wrong, NotComplete):
        return words(
            "The letter is not complete. What is missing: {part} ({rule}).", part=title(words, wrong.block),
            rule=wrong.rule,
        )  # fmt: skip
    return words(wrong.sentence) if wrong else ""


routes = [show_one, act, act_on_task]
