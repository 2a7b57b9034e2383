"""The one next action of a request, and what can be done with its clock.

Always true here: it says what to do, not how things stand; where the clock cannot be stopped or the answer cannot be
extended, it says why, by the rule.
"""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from admin.desk_shapes import File
from portal.errors import Invalid
from portal.rights import deadlines
from portal.rights.deadlines.profiles import Asked
from portal.words import Words

ASKING: tuple[Asked, ...] = ("identity", "clarification")
"""What staff can ask that may stop a clock."""


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """What can be done with the clock now. Sentences are English, for `words`."""

    no_extension: str
    """Why not; empty when more time can be taken."""
    extend_by: date | None
    """The last day on which it can be said; None while the clock stands still."""
    stops: tuple[Asked, ...]
    """What may be asked so that the clock stands still."""
    runs_on: str
    """Why asking does not stop it; empty when something does."""


def clock_of(file: File, *, at: datetime) -> Clock:
    """Return what can be done with a request's clock. Source: law D9 to D14."""
    no_extension = ""
    try:
        deadlines.may_extend(file.inputs, noticed_at=at, reason="?")
    except Invalid as error:
        no_extension = error.sentence
    stops, why = list[Asked](), ""
    for kind in ASKING:
        try:
            deadlines.may_pause(file.inputs, kind=kind, asked_at=at)
            stops.append(kind)
        except Invalid as error:
            why = why or error.sentence
    by = None if file.due.suspended else file.due.law
    return Clock(no_extension=no_extension, extend_by=by, stops=tuple(stops), runs_on="" if stops else why)


def next_action(words: Words, file: File, offers: Sequence[str], *, second: bool) -> tuple[str, str]:
    """Return what is to be done next, and the id of where to do it; empty when nothing is.

    `second`: a second person was asked and has not decided yet.
    """
    request = file.request
    if any(one.ended_at is None and one.kind not in {"decide", "identify"} for one in file.tasks):
        return words("Do what only a person can do."), "tasks"
    if second or not request.is_open:
        ended = words("Nothing: it has ended.")
        return words("A second person decides what was asked for below.") if request.is_open else ended, ""
    last = file.story.messages[-1] if file.story.messages else None
    if last and last.author != "staff" and last.at > request.received_at and "write" in offers:
        return words("Read what was written last, and answer it."), f"{_first(offers, 'write')}-form"
    if request.waits:
        return words("Wait for the answer to our question."), ""
    actions = _actions(words)
    if any(one.kind == "decide" and one.ended_at is None for one in file.tasks):
        actions["refuse"] = words("Refuse it, with the reason why it cannot be done.")
    verb = next((one for one in offers if one in actions), "")
    if verb:
        return actions[verb], f"{verb}-form"
    return words("Nothing: the worker does it."), ""


def _first(offers: Sequence[str], otherwise: str) -> str:
    return "answer" if "answer" in offers else otherwise


def _actions(words: Words) -> dict[str, str]:
    return {
        "child-account": words("Find the account that is meant."),
        "child-erase": words("Decide whether it is a child’s account."),
        "identified": words("Find out who it is."),
        "unidentified": words("Find out who it is, or say that we cannot."),
        "pause-confirm": words("Confirm the pause, or refuse it."),
        "pause-place": words("Put the pause in place, or refuse it."),
        "answer": words("Answer it."),
        "look": words("Look at the decision yourself, and say what you found."),
        "begin": words("Have it done, or refuse it."),
        "consent-back": words("Stop the use."),
        "correction-accept": words("Accept the correction, or refuse it."),
        "corrected": words("Correct it by hand and say so, or refuse it."),
        "use-place": words("Stop the use while you weigh it."),
        "use-stop": words("Stop the use for good, or show what weighs more."),
    }
