"""What is said of a correction when it is done: the letter, the lines of the receipt, who else knows.

Always true here: whoever was not written to yet is not called told; a receipt holds no value. Source: GDPR Art. 19.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from portal.policy.model import Field, Policy
from portal.rights import corrections
from portal.rights.corrections import CorrectionView
from portal.rights.letters import Change, Letter, Line, Told, case_of, rectification
from portal.rights.letters.changes import told_in_words
from portal.rights.plans import ItemView
from portal.rights.receipt_file import Done, Recipient
from portal.rights.replies import words_for
from portal.rights.requests import RequestView
from portal.rights.shapes import category_title, shown
from portal.rights.tasks import TaskView
from portal.rights.workshop import Workshop
from portal.words import Words


async def answer_letter(
    shop: Workshop, request: RequestView, correction: CorrectionView, tasks: Sequence[TaskView], *, at: datetime
) -> Letter:
    """Write what was corrected, before and after, and who else is told."""
    words, policy = words_for(request, shop.policy), shop.policy
    values = await corrections.values_of(correction, shop.settings)
    change = Change(
        field=field_title(words, policy, correction.category, correction.field),
        before=_before(words, policy, correction, values),
        after=value_in_words(words, policy, correction, values.new) if values else words("as you asked"),
    )
    letter = rectification(words, policy, case_of(request, policy, at=at), changes=[change], told=())
    told = _told(words, policy, request, tasks)
    return msgspec.structs.replace(letter, told=told) if told else letter


def _before(words: Words, policy: Policy, correction: CorrectionView, values: corrections.Values | None) -> str:
    if values is None or values.old is None:
        return words("another value")
    return value_in_words(words, policy, correction, values.old)


def note_letter(words: Words, policy: Policy, request: RequestView, *, at: datetime) -> Letter:
    """Write that a note of the person's own stands beside what we hold. Source: GDPR Art. 16, second sentence."""
    title = category_title(words, policy, request.categories[0]) if request.categories else words("Your data")
    change = Change(field=title, before="", after=words("your note, kept with this request"))
    return rectification(words, policy, case_of(request, policy, at=at), changes=[change], told=())


def done_lines(policy: Policy, request: RequestView, items: Sequence[ItemView]) -> list[Done]:
    """Return the lines of the receipt: one for each place."""
    return [
        Done(
            category=item.category, title=policy.category(item.category).title[request.language], source=item.source,
            what="by-hand" if item.means == "by-hand" else "nothing" if item.means == "nothing" else "corrected",
        )
        for item in items
        if item.category and item.means != "not-needed"
    ]  # fmt: skip


def recipients_of(
    policy: Policy, items: Sequence[ItemView], tasks: Sequence[TaskView], zone: ZoneInfo, at: datetime
) -> list[Recipient]:
    """Return who else has the data, and whether they know."""
    touched = {id for item in items if item.category for id in policy.category(item.category).recipients}
    by_hand = {task.about: task for task in tasks if task.kind == "tell"}
    states = {"open": "unreachable", "asked": "asked", "done": "confirmed", "not-needed": "not-needed"}
    found: list[Recipient] = []
    for one in policy.recipients:
        task = by_hand.get(one.id)
        if task is not None:
            on = (task.ended_at or task.asked_at or task.opened_at).astimezone(zone).date()
            found.append(Recipient(name=one.name, state=states[task.state], on=on))  # type: ignore[arg-type]
        elif one.id in touched and one.told != "by-hand":
            state = "told" if one.told == "source" else "not-needed"
            found.append(Recipient(name=one.name, state=state, on=at.astimezone(zone).date()))  # type: ignore[arg-type]
    return found


def field_title(words: Words, policy: Policy, category: str, field: str) -> str:
    """Return what a person calls a field; its id when the policy has dropped it since."""
    found = _field(policy, category, field)
    return found.title[words.language] if found else field


def value_in_words(words: Words, policy: Policy, correction: CorrectionView, value: str) -> str:
    """Return a value of a correction as it is shown."""
    found = _field(policy, correction.category, correction.field)
    if found is None:
        return value
    return value_of(words, found, value)


def value_of(words: Words, field: Field, value: object) -> str:
    """Return a stored or typed value of a field as it is shown."""
    named = {one.stored: one.title[words.language] for one in field.values}
    if isinstance(value, str) and value in named:
        return named[value]
    if field.kind == "flag" and value in {"true", "false"}:
        value = value == "true"
    return shown(words, field.kind, value)


def _field(policy: Policy, category: str, field: str) -> Field | None:
    parts = next((one.fields for one in policy.categories if one.id == category), ())
    return next((part for part in parts if part.id == field), None)


def _told(
    words: Words, policy: Policy, request: RequestView, tasks: Sequence[TaskView]
) -> tuple[str | Line, ...]:  # fmt: skip
    """Say of each recipient what is true now; nobody is called asked who was not written to yet."""
    by_hand = {task.about: task for task in tasks if task.kind == "tell"}
    said: list[str | Line] = []
    for one in policy.recipients:
        task = by_hand.get(one.id)
        why = one.told_why[words.language] if one.told_why else ""
        if task is not None and task.state == "open":
            said.append(Line(one.name, words("A person of ours tells them by {day}.", day=words.day(task.due_day))))
        elif task is not None:
            state = {"asked": "asked", "done": "confirmed"}.get(task.state, "not-needed")
            said += told_in_words(words, [Told(name=one.name, state=state)])  # type: ignore[arg-type]
        elif one.told != "by-hand" and any(one.id in policy.category(id).recipients for id in request.categories):
            state = "confirmed" if one.told == "source" else "not-needed"
            said += told_in_words(words, [Told(name=one.name, state=state, why=why)])  # type: ignore[arg-type]
    return tuple(said)
