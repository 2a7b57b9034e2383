"""A request's page for staff: what it is, the one next action, both dates, who it is, what was said and done.

Always true here: whoever the person is stays masked without a look for a reason; a mistake keeps what was typed and
names its field and, where a letter must say something, the rule.
"""

from collections.abc import Mapping
from datetime import date, datetime

from babel import Locale
from litestar.response import Template
from multidict import MultiDict

from admin import approvals, approvals_words, desk_shapes, desk_words
from admin.desk_offers import begun, offers
from admin.desk_request_mistakes import field_of_mistake, sentence
from admin.desk_request_next import clock_of, next_action
from admin.desk_request_timeline import entries
from admin.desk_request_who import shown_form, who_of
from admin.desk_shapes import File
from admin.desk_verbs import PERMISSIONS
from admin.desk_verbs_place import LIFTING
from admin.nav import staff_page
from admin.roles import Permission
from admin.who import Staff, StaffConfirmNeeded
from portal.errors import Refused
from portal.policy.model import Basis, Policy
from portal.rights import extensions, four_eyes, intake_lost, looks, pauses
from portal.rights.corrections import CorrectionView
from portal.rights.decisions import grounds_for
from portal.rights.erasure_plan import choosable
from portal.rights.letters import Written
from portal.rights.letters.reasons import reason
from portal.rights.letters.reasons_table import Reason
from portal.rights.objection import answer_of
from portal.rights.out_of_use import ASKED_FOR
from portal.rights.rectification import field_of
from portal.rights.reference import known
from portal.rights.requests import RequestView
from portal.rights.shapes import category_title
from portal.web import Req, address, now, policy_of, settings_of, words_of
from portal.words import Words

PATH = "/staff/desk"
NOT_TYPED = {"csrf", "do", "seen", "preview", "propose", "before", "to", "categories", "reasons"}
"""Fields that nobody typed words into."""


async def request_page(
    request: Req,
    found: RequestView,
    staff: Staff,
    *,
    verb: str = "",
    typed: MultiDict[str] | None = None,
    letter: Written | None = None,
    wrong: Refused | None = None,
    seen: int | None = None,
    done: bool = False,
    why: str = "",
) -> Template:
    """Render the page. `wrong` is what was refused of the form `verb`; `why` is a task that lacks its reason."""
    policy, words, at = policy_of(request), words_of(request), now(request)
    file = await desk_shapes.open_file(found, words, policy, settings_of(request), at=at, staff=staff.id)
    possible = offers(file, policy)
    two_people = await approvals.shown(found, settings_of(request), file.story.names)
    told, happened = await known(), [(one.event, one.actor) for one in file.story.happened]
    second = any(one.approval.state == "waiting" for one in two_people)
    offered = [one for one in possible if staff.may(PERMISSIONS[one])]
    return staff_page(
        request, staff, "staff/desk_request.html", status=wrong.status if wrong else 200,
        file=file, copy=found, offers=offered, verb=verb, typed=typed or MultiDict(), letter=letter, done=done, why=why,
        wrong=sentence(words, policy, file, verb, wrong, seen=seen, at=at), wrong_field=field_of_mistake(wrong),
        second=isinstance(wrong, four_eyes.NeedsSecond), confirm=isinstance(wrong, StaffConfirmNeeded),
        lost=_lost(typed, verb, offered) if wrong else [],
        action=address(request, f"{PATH}/{found.reference}"),
        next_action=next_action(words, file, possible, second=second),
        **_in_words(words, policy, file, at.astimezone(words.zone).date()), **_of_person(words, file, staff),
        **_choices(words, policy, found, told.hints), contacts=told.contacts,
        **_clock(words, file, at), two=four_eyes.erasure_takes_two_of(found, happened),
        approvals=two_people,
    )  # fmt: skip


def _in_words(words: Words, policy: Policy, file: File, today: date) -> dict[str, object]:
    """Return how things are called on the page."""
    found, language = file.request, words.language
    return {
        "asked": desk_words.right_in_words(words, found.right),
        "state": desk_words.state_in_words(words, "working" if begun(file) else found.state),
        "outcome": desk_words.outcome_in_words(words, found.outcome),
        "today": today,
        "channel": desk_words.channel_in_words(words, found.channel),
        "reader": str(Locale(found.language).get_display_name(words.language)),
        "days": lambda due: desk_words.days_in_words(words, due, today),
        "task": lambda one: desk_words.task_in_words(words, policy, one, language),
        "field": _field_title(policy, file.correction, language),
        "category": lambda id: category_title(words, policy, id),
        "approval_verb": lambda one: approvals_words.verb_in_words(words, one),
        "approval_state": lambda one: approvals_words.state_in_words(words, one),
        "about": words.several(category_title(words, policy, id) for id in found.categories),
        "timeline": entries(words, policy, file.story),
    }


def _clock(words: Words, file: File, at: datetime) -> dict[str, object]:
    """Return what can be done with the clock, and what may be asked so that it stands still."""
    clock = clock_of(file, at=at)
    kinds = {"clarification": words("What they mean"), "identity": words("Whether it is them")}
    return {"clock": clock, "clock_kinds": [(one, kinds[one]) for one in kinds if one in clock.stops]}


def _of_person(words: Words, file: File, staff: Staff) -> dict[str, object]:
    """Return what may be shown of the person to this member of staff, and whose request it is."""
    is_open = file.open_until is not None and staff.may(Permission.DATA)
    names, found = file.story.names, file.request
    return {
        "who": who_of(
            words, found, file.person, file.form, happened=file.story.happened, names=names, is_open=is_open
        ),
        "form_shown": shown_form(file.form, is_open=is_open), "is_open": is_open,
        "owner": names.get(found.assignee or 0, ""), "looking": looking(words),
        "me": staff.id,
    }  # fmt: skip


def looking(words: Words) -> list[tuple[str, str]]:
    """Return the reasons for which a person's data may be looked at, with their words."""
    return [(one, desk_words.reason_in_words(words, one)) for one in looks.REASONS]


def _lost(typed: MultiDict[str] | None, verb: str, offered: list[str]) -> list[str]:
    """Return what was typed into a form that is not on the page any more, so that it can be copied."""
    shown = {*offered, "extend", "note", "owner", "propose", "see"}
    if typed is None or verb in shown:
        return []
    return [value for name, value in typed.items() if name not in NOT_TYPED and value.strip()]


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
    cited = {one.id: _ground(one, language, hints) for one in grounds}
    return {
        "grounds": [cited[one.id] for one in grounds if not one.part_only],
        "grounds_alone": [cited[one.id] for one in alone],
        "grounds_part": [cited[one.id] for one in alone],
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
    said = (f"Art. {one.article}.", one.plain[language], hints.get(one.id))
    return one.id, one.title[language], " ".join(part for part in said if part)


def _field_title(policy: Policy, correction: CorrectionView | None, language: str) -> str:
    """Return what a person calls the field that is to be corrected; empty when it is a note on a whole category."""
    if correction is None or not correction.field:
        return ""
    return field_of(policy, correction.category, correction.field)[1].title[language]
