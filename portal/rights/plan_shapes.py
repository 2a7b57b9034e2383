"""Turn the plans of a request into what its page prints: which place has done what, and what is still awaited.

Always true here: a place that did not answer is named with the day since when; nothing is called done that is not.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from portal.policy.model import Policy
from portal.rights.dossier import Dossier, dossier_of
from portal.rights.plans import ItemView, Kind
from portal.rights.requests import RequestView
from portal.rights.shapes import category_title
from portal.rights.tasks import TaskView
from portal.words import Words


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """One place, or one recipient, and how far it is."""

    place: str
    what: str
    """The category's title; empty when all of it is meant."""
    state: str
    """todo, run, done, failed or hand"""
    said: str


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """One plan of a request."""

    kind: Kind
    state: str
    heading: str
    lines: tuple[StepLine, ...]


async def steps_of(words: Words, policy: Policy, request: RequestView) -> tuple[Steps, ...]:
    """Return what is done for a request in other places, plan by plan, oldest first."""
    return steps_in(words, policy, request, await dossier_of(request.id))


def steps_in(words: Words, policy: Policy, request: RequestView, dossier: Dossier) -> tuple[Steps, ...]:
    """Return the same for a request whose dossier is at hand."""
    tasks = dossier.task_of
    return tuple(
        Steps(
            kind=plan.kind,
            state=plan.state,
            heading=_heading(words, plan.kind, request.right),
            lines=tuple(_line(words, policy, plan.kind, item, tasks.get(item.id)) for item in plan.items),
        )
        for plan in dossier.plans
    )


def _heading(words: Words, kind: Kind, right: str) -> str:
    if right in {"objection", "consent"}:
        return words("Where the use is stopped") if kind == "restrict" else words("Where the use goes on")
    return {
        "erase": words("What is erased, place by place"),
        "restrict": words("Where it is out of use"),
        "lift": words("Where it is in use again"),
        "rectify": words("Where it is corrected"),
    }[kind]


def _line(words: Words, policy: Policy, kind: Kind, item: ItemView, task: TaskView | None) -> StepLine:
    state = "hand" if item.state == "by-hand" else {"waiting": "todo", "working": "run"}.get(item.state, item.state)
    if item.action == "tell":
        place, what, said = policy.recipient(item.source).name, "", _told(words, kind, task)
        state = "done" if task and task.state in {"done", "not-needed"} else "hand"
    else:
        places = {spec.id: spec.title[words.language] for spec in policy.sources}
        place = places.get(item.source, item.source)
        what = category_title(words, policy, item.category) if item.category else ""
        said = _said(words, kind, item, task)
    return StepLine(place=place, what=what, state=state, said=said)


def _said(words: Words, kind: Kind, item: ItemView, task: TaskView | None) -> str:
    if item.state == "done":
        return _done(words, kind, item)
    if item.state == "by-hand" and task is not None:
        return words("A person of ours does this by {day}.", day=words.day(task.due_day))
    if item.state == "failed":
        return _failed(words, item)
    if item.state == "working":
        return words("Under way there; we look again.")
    return words("Not begun yet.") if item.action != "keep" else words("Kept, and reduced to what the law asks for.")


def _done(words: Words, kind: Kind, item: ItemView) -> str:
    if item.means == "nothing" or (kind == "erase" and item.expected == 0):
        return words("Nothing was there.")
    by_means: Mapping[str, str] = {
        "by-hand": words("Done by a person of ours."),
        "corrected": words("Corrected."),
        "not-needed": words("It was not needed there."),
        "redacted": words("Made unreadable there."),
        "blanked": words("Emptied. A shell without content stays where your other data refers to it."),
        "another-pause": words("Another pause goes on there."),
        "customer-deleted": words("Your customer record there is deleted; what was paid stays with them by law."),
    }
    if item.means in by_means:
        return by_means[item.means]
    if item.action == "keep":
        if item.until is None:
            return words("Only what the law asks for is kept.")
        return words("Only what the law asks for is kept, until {day}.", day=words.short_day(item.until))
    return {
        "erase": words("Erased."),
        "restrict": words("Out of use."),
        "lift": words("In use again."),
        "rectify": words("Corrected."),
    }[kind]


def _failed(words: Words, item: ItemView) -> str:
    since = _since(words, item.failed_at)
    return {
        "refused": words("This place refuses since {when}. A person of ours looks at it.", when=since),
        "left": words("Something was left there. We do it again."),
        "out-of-use": words("It waits until the pause ends."),
    }.get(item.error, words("This place does not answer since {when}. We try again by ourselves.", when=since))


def _told(words: Words, kind: Kind, task: TaskView | None) -> str:
    if task is None and kind == "erase":
        return words("We ask them when the erasure begins.")
    if task is None:
        return words("We tell them as soon as it begins.")
    match task.state:
        case "open":
            return words("A person of ours asks them by {day}.", day=words.day(task.due_day))
        case "asked":
            return words("Asked on {day}; no answer yet.", day=words.short_day(task.asked_at or task.opened_at))
        case "done":
            return words("They confirmed it on {day}.", day=words.short_day(task.ended_at or task.opened_at))
        case _:
            return words("They need not be asked.")


def _since(words: Words, at: datetime | None) -> str:
    return words.moment(at) if at else ""
