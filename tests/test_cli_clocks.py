"""`habeas deadline` and `habeas clock` print the vectors, and say in one line what they cannot count."""

import json
from pathlib import Path
from typing import Any

import pytest

from portal.cli import main

POLICIES = Path(__file__).parent.parent / "policies"


class Habeas:
    """The command with one policy."""

    def __init__(self, capsys: pytest.CaptureFixture[str], policy: str) -> None:
        self.capsys = capsys
        self.policy = str(POLICIES / f"{policy}.toml")

    def __call__(self, command: str, *options: str) -> tuple[int, str, str]:
        """Run it; return status, output and errors."""
        status = main([command, "--policy", self.policy, *options])
        said = self.capsys.readouterr()
        return status, said.out, said.err

    def json(self, command: str, *options: str) -> dict[str, Any]:
        """Run it for a program; it must go well."""
        status, out, err = self(command, *options, "--json")
        assert (status, err) == (0, "")
        found: dict[str, Any] = json.loads(out)
        return found


@pytest.fixture
def casagbic(capsys: pytest.CaptureFixture[str]) -> Habeas:
    """It promises 30 days, and 72 hours at any risk."""
    return Habeas(capsys, "casagbic")


@pytest.fixture
def caaartoons(capsys: pytest.CaptureFixture[str]) -> Habeas:
    """It promises nothing beyond the law."""
    return Habeas(capsys, "caaartoons")


def test_both_policies_count_a_request(casagbic: Habeas, caaartoons: Habeas) -> None:
    """V01, with the rules that were applied."""
    found = casagbic.json("deadline", "--received", "2026-03-05T10:00+01:00")
    wanted = {
        "promise": "2026-04-04", "law": "2026-04-07", "law_unrolled": "2026-04-05", "due": "2026-04-04",
        "act_by": "2026-04-03", "extended": None, "suspended": None, "late_at": "2026-04-04T22:00:00Z",
    }  # fmt: skip
    assert wanted.items() <= found.items()
    assert [rule.split(":")[0] for rule in found["rules"]] == ["D1", "D3", "D4", "D4", "D6", "D7"]
    assert "D4: The law gives one month." in found["rules"]
    law = caaartoons.json("deadline", "--received", "2026-03-05T10:00+01:00")
    assert (law["promise"], law["due"]) == (None, "2026-04-07")


@pytest.mark.parametrize(
    ("options", "law"),
    [
        (["--paused", "2026-03-06..2026-03-16"], "2026-04-07"),
        (["--paused", "2026-03-06..2026-03-16", "--profile", "none"], "2026-04-07"),
        (["--paused", "2026-03-06..2026-03-16", "--profile", "fr_identity"], "2026-04-15"),
        (["--paused", "2026-03-06T10:00+01:00..2026-03-16T09:00Z", "--profile", "FR-Identity"], "2026-04-15"),
        (["--paused", "2026-04-02..2026-04-20", "--profile", "fr_identity"], "2026-04-07"),
        (["--paused", "2026-03-06T10:00+01:00..2026-03-06", "--profile", "fr_identity"], "2026-04-07"),
        (["--paused", "2026-03-05T23:30Z..20260306", "--profile", "fr_identity"], "2026-04-07"),
        (["--profile", "EU/FR"], "2026-04-07"),
        (["--paused", "2026-03-06t09:00z..2026-03-16 10:00+01:00", "--profile", "fr_identity"], "2026-04-15"),
        (["--paused", "2026-03-06..2026-03-16", "--paused", "2026-03-10..2026-03-12", "--profile", "fr_identity"],
         "2026-04-15"),
        (["--paused", "2026-03-06..2026-03-16", "--profile", "uk"], "2026-04-16"),
        (["--paused", "clarification:2026-03-09..2026-03-12", "--profile", "gb"], "2026-04-08"),
        (["--profile", "california"], "2026-04-19"),
        (["--profile", "brazil"], "2026-03-20"),
        (["--profile", "brazil_small"], "2026-04-04"),
        (["--profile", "eu", "--profile", "br"], "2026-03-20"),
        (["--extended", "2026-03-30", "--reason", "Many requests."], "2026-06-05"),
    ],
)  # fmt: skip
def test_moves_and_laws(caaartoons: Habeas, options: list[str], law: str) -> None:
    """Days and instants are both understood; --profile takes the place of the policy's laws."""
    assert caaartoons.json("deadline", "--received", "2026-03-05", *options)["law"] == law


def test_a_clock_that_stands_still_says_the_day_it_was(caaartoons: Habeas) -> None:
    """An open span: TO is left out."""
    found = caaartoons.json(
        "deadline", "--received", "2026-03-05", "--paused", "2026-03-06..", "--profile", "fr_identity"
    )
    assert (found["suspended"], found["close_on"]) == ("2026-04-07", "2026-04-05")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--extended", "2026-04-08", "--reason", "Many requests."], "the answer is late (rule D9)"),
        (["--extended", "2026-03-30"], "needs a reason"),
        (["--extended", "2026-03-30", "--reason", " "], "needs a reason"),
        (["--extended", "2026-03-10", "--reason", "x", "--profile", "brazil"], "no extension (rule 2d)"),
    ],
)
def test_an_unlawful_extension_is_refused_by_its_rule(casagbic: Habeas, options: list[str], why: str) -> None:
    """E4, E5: the dates that stand are printed, the rule is named, and the status is 1."""
    status, out, err = casagbic("deadline", "--received", "2026-03-05T10:00+01:00", "--json", *options)
    assert status == 1
    assert why in err and len(err.splitlines()) == 1
    found = json.loads(out)
    assert found["extended"] is None
    assert found["refused"] == [err.removeprefix("habeas: ").strip()]


def test_a_second_extension_is_refused_and_the_first_stands(casagbic: Habeas) -> None:
    """E5."""
    twice = ["--extended", "2026-03-30", "--reason", "One.", "--extended", "2026-04-01", "--reason", "Two."]
    status, out, err = casagbic("deadline", "--received", "2026-03-05", "--json", *twice)
    assert (status, json.loads(out)["extended"]) == (1, "2026-06-05")
    assert "only once (rule D9)" in err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--received", "yesterday"], "is no instant"),
        (["--received", "2026-03-05T10:00"], "has no offset. Add one"),
        (["--received", "0001-01-01"], "the year is 1"),
        (["--received", "9999-12-31T23:59Z"], "the year is 9999"),
        (["--received", "2026-03-05", "--profile", "mars"], "Write one of: eu, "),
        (["--received", "2026-03-05", "--profile", "none", "--profile", "fr_identity"], "contradict"),
        (["--received", "2026-03-05", "--paused", "2026-03-06"], "is no span"),
        (["--received", "2026-03-05", "--paused", "2026-03-16..2026-03-06"], "before the question (rule D13)"),
        (["--received", "2026-03-05", "--paused", "2026-03-04..2026-03-06"], "before the request is received"),
        (["--received", "2026-03-05", "--extended", "2026-03-04", "--reason", "x"], "extended before it is received"),
        (["--received", "2026-03-05", "--reason", "Many requests."], "Write when: --extended ON"),
        (["--received", "2026-03-05", "--paused", "2026-03-06T10:00Z..2026-03-06T09:00Z"], "before the question"),
    ],
)
def test_what_cannot_be_counted_is_said_in_one_line(casagbic: Habeas, options: list[str], why: str) -> None:
    """What is wrong, and what to write."""
    status, _, err = casagbic("deadline", *options)
    assert status == 1
    assert why in err and len(err.splitlines()) == 1


def test_people_can_read_it_too(casagbic: Habeas) -> None:
    """Without --json: the dates with their weekday, and the rules."""
    status, out, _ = casagbic("deadline", "--received", "2026-03-05T10:00+01:00")
    assert status == 0
    assert "DUE          Sat 2026-04-04  late from 2026-04-04T22:00:00Z" in out
    assert "D6: We promise an answer within 30 days." in out


def test_an_inquiry_and_a_complaint_have_their_own_clock(casagbic: Habeas) -> None:
    """The promise for plain questions; the acknowledgement of a complaint in the United Kingdom (U5)."""
    assert casagbic.json("deadline", "--received", "2026-03-05", "--inquiry")["promise"] == "2026-04-04"
    found = casagbic.json("deadline", "--received", "2026-07-01", "--complaint", "--profile", "uk")
    assert found["ack_by"] == "2026-07-31"


def test_the_breach_clock(casagbic: Habeas, caaartoons: Habeas) -> None:
    """B1, B2, B7 and B10, in the controller's time zone with its offset."""
    found = casagbic.json("clock", "--aware", "2026-06-05T14:37+02:00")
    assert found["due"] == found["people_due"] == found["cautious"] == "2026-06-08T14:37+02:00"
    assert found["warning"] is None
    assert casagbic.json("clock", "--aware", "2026-10-24T10:00Z")["due"] == "2026-10-27T11:00+01:00"
    gap = caaartoons.json("clock", "--aware", "2026-06-02T10:00Z", "--signal", "2026-06-01T08:00:30Z")
    assert (gap["due"], gap["cautious"]) == ("2026-06-05T12:00+02:00", "2026-06-04T10:00:30+02:00")
    assert (gap["people_due"], gap["gap_hours"]) == (None, 25)
    assert gap["warning"].startswith("More than 24 hours")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--aware", "2026-06-05"], "has no offset"),
        (["--aware", "2026-06-05T14:37"], "has no offset"),
        (["--aware", "2026-06-05T14:37Z", "--signal", "2026-06-05T14:38Z"], "rule D20"),
    ],
)
def test_hours_need_an_exact_instant(casagbic: Habeas, options: list[str], why: str) -> None:
    """A day alone would be up to 24 hours wrong."""
    status, _, err = casagbic("clock", *options)
    assert status == 1
    assert why in err and len(err.splitlines()) == 1


def test_the_breach_clock_can_be_read_by_people(caaartoons: Habeas) -> None:
    """Without --json: one line per instant."""
    status, out, _ = caaartoons("clock", "--aware", "2026-06-02T10:00Z", "--signal", "2026-06-01T08:00Z")
    assert status == 0
    assert "people       without undue delay, at high risk" in out
    assert "warning: More than 24 hours" in out
