"""Whatever happens to a request has words on its page: no name of an event is shown to staff."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from admin.desk_request_events import event_in_words
from admin.desk_request_timeline import Happened, Story, doubles, entries
from portal.words import Words
from tests.web_app import organisation

ROOT = Path(__file__).parents[2]


def events_of_requests() -> list[str]:
    """Read from the code every event that is appended with the reference of a request."""
    found = set()
    for file in [*(ROOT / "portal").rglob("*.py"), *(ROOT / "admin").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "append":
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and any(one.arg == "reference" for one in node.keywords):
                    found.add(str(first.value))
    return sorted(found)


NO_PAGE = {"evidence:tombstone:replayed", "evidence:tombstone:announced", "rights:records:forgotten"}
"""No request has such a reference, or it is gone by then."""
SHOWN_AS_WRITTEN = {"staff:request:given"}
"""The timeline says to whom."""


@pytest.mark.parametrize("event", events_of_requests())
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_event_has_words(event: str, language: str) -> None:
    """What the code writes about a request is said in words, in both languages."""
    if event in NO_PAGE | SHOWN_AS_WRITTEN or doubles(event):
        return
    said = event_in_words(Words(language, "Europe/Paris"), organisation(), event, {})
    assert ":" not in said.replace("\N{NO-BREAK SPACE}:", "").replace(": ", ""), said


def test_the_code_was_read() -> None:
    """The search finds what everybody knows is there."""
    assert {"rights:letter:written", "staff:alarm:raised", "rights:copy:held"} <= set(events_of_requests())


def test_what_was_done_in_a_row_is_said_once() -> None:
    """Nine places that were searched are one line; the next day is another, and so is whoever else did it."""
    policy, day = organisation(), datetime(2026, 3, 5, 9, tzinfo=UTC)
    searched = [
        Happened(seq=number, at=day + timedelta(seconds=number), event="rights:store:searched", actor="worker")
        for number in range(9)
    ]
    later = Happened(seq=10, at=day + timedelta(days=1), event="rights:store:searched", actor="worker")
    story = Story(happened=[*searched, later], messages=[], notes=[], looks=[], names={})
    lines = entries(Words("en", "Europe/Paris"), policy, story)
    assert [(one.at, one.what.endswith(": 9 times that day")) for one in lines] == [(day, True), (later.at, False)]
