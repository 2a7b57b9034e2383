"""One timeline of a request for staff: events, messages, letters, notes and looks, each with who it was.

Always true here: it is put together from the evidence and from what was written; what the evidence only mentions is
shown once, with its words; who of the staff it was is for staff alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

import msgspec
from msgspec.structs import replace

from admin.desk_request_events import Details, event_in_words
from admin.desk_words import reason_in_words
from portal.policy.model import Policy
from portal.rights.looks import LookView
from portal.rights.messages import MessageView
from portal.rights.notes import NoteView
from portal.words import Words

WRITTEN = {
    "rights:request:asked", "rights:request:answered-question", "rights:letter:written", "staff:note:written",
    "staff:person:looked",
}  # fmt: skip
"""What the evidence mentions of something that is shown with its own words; `rights:request:message-*` as well."""


HELD = {"rights:request:look-needed", "rights:request:looked-over"}
"""`rights:copy:held` and `rights:copy:released` say it to staff; these say it to the person."""


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the evidence about a request; `times` when one member of staff did it several times in a day."""

    seq: int
    at: datetime
    event: str
    actor: str
    details: Details = {}
    times: int = 1


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline."""

    at: datetime
    who: str
    what: str
    kind: str = "event"
    """event, message, letter, note or look"""
    text: str = ""
    by_person: bool = False
    """True for what was not written by us: it is shown above, so not again."""


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What the timeline is made of."""

    happened: Sequence[Happened]
    messages: Sequence[MessageView]
    notes: Sequence[NoteView]
    looks: Sequence[LookView]
    names: Mapping[int, str]
    """Number of a member of staff -> what colleagues call them."""


def entries(words: Words, policy: Policy, story: Story) -> list[Entry]:
    """Return everything, oldest first; of one moment, what was done before what was written about it."""
    written = {one.at for one in story.messages} | {one.at for one in story.notes} | {one.at for one in story.looks}
    found = [
        Entry(at=one.at, who=who(words, one.actor, story.names), what=_what(words, policy, one, story.names))
        for one in story.happened
        if not (one.at in written and _mentions(one.event)) and not doubles(one.event)
    ]
    return _together(words, sorted([*found, *_written(words, story)], key=lambda entry: entry.at))


def _together(words: Words, entries: list[Entry]) -> list[Entry]:
    """Say once what was done several times in a row: each place that was searched is an entry of the evidence."""
    told: list[Entry] = []
    for (what, _, kind, _), same in groupby(entries, lambda one: (one.what, one.who, one.kind, one.at.date())):
        row = list(same)
        if kind != "event" or len(row) == 1:
            told += row
        else:
            times = words.plural("once", "{count} times that day", len(row))
            told.append(replace(row[0], what=words("{title}: {text}", title=what, text=times)))
    return told


def who(words: Words, actor: str, names: Mapping[int, str]) -> str:
    """Name whoever did something, as staff call them."""
    kind, _, number = actor.partition(":")
    if kind == "staff":
        return names.get(int(number), words("A former colleague")) if number.isdigit() else words("One of us")
    return {
        "person": words("The person"),
        "worker": words("By itself"),
        "agent": words("Whoever acts for the person"),
        "reporter": words("Whoever reported it"),
    }.get(kind, words("Somebody else"))


def _mentions(event: str) -> bool:
    return event in WRITTEN or event.startswith("rights:request:message-")


def doubles(event: str) -> bool:
    """Tell whether another entry says it: what becomes of a correction, or of a copy that is held, is noted twice."""
    return event in HELD or (event.startswith("rights:correction:") and event != "rights:correction:made")


def _what(words: Words, policy: Policy, one: Happened, names: Mapping[int, str]) -> str:
    if one.event == "staff:request:given":
        to = one.details.get("to")
        name = names.get(to, words("A former colleague")) if isinstance(to, int) else words("nobody")
        return words("Given to {name}", name=name)
    said = event_in_words(words, policy, one.event, one.details)
    if one.times == 1:
        return said
    return words("{title}: {text}", title=said, text=words.plural("once", "{count} times that day", one.times))


def _written(words: Words, story: Story) -> Iterator[Entry]:
    actors = {(one.at, _mentions(one.event)): one.actor for one in story.happened}
    for said in story.messages:
        actor = actors.get((said.at, True), "staff:" if said.author == "staff" else said.author)
        yield Entry(
            at=said.at, who=who(words, actor, story.names), what=_message(words, said),
            kind="letter" if said.kind == "letter" else "message", text=said.text, by_person=said.author != "staff",
        )  # fmt: skip
    for note in story.notes:
        name = who(words, f"staff:{note.staff}", story.names)
        yield Entry(at=note.at, who=name, what=words("Note"), kind="note", text=note.text)
    for look in story.looks:
        name = who(words, f"staff:{look.staff}", story.names)
        what = words(
            "{title}: {text}", title=words("Looked at the person’s data"), text=reason_in_words(words, look.reason)
        )
        yield Entry(at=look.at, who=name, what=what, kind="look", text=look.why)


def _message(words: Words, one: MessageView) -> str:
    if one.author != "staff":
        return words("Answer to our question") if one.kind == "answer" else words("Message")
    if one.kind == "letter":
        return words("Letter")
    return words("Question to the person") if one.kind == "question" else words("Message to the person")
