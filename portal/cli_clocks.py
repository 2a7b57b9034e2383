"""The commands that count: `habeas deadline` and `habeas clock`.

Always true here: no database is asked; the policy file and what is on the command line are all there is. A move that
the law forbids is refused on standard error and by the exit status, and the dates that stand without it are printed.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import msgspec

from portal.errors import Invalid, Refused
from portal.policy.model import IdentityPause, Jurisdiction, Policy

if TYPE_CHECKING:
    from portal.rights.deadlines import Inputs
    from portal.rights.deadlines.profiles import Asked

type Command = Callable[[argparse.Namespace], int]
type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse has no public name for it

YEARS = range(1900, 3000)

LAWS: Mapping[str, tuple[Jurisdiction, IdentityPause | None]] = {
    "eu": ("eu", None),
    "fr": ("eu", None),
    "eu-fr": ("eu", None),
    "none": ("eu", "none"),
    "fr-identity": ("eu", "fr"),
    "uk": ("uk", None),
    "gb": ("uk", None),
    "california": ("california", None),
    "ca": ("california", None),
    "brazil": ("brazil", None),
    "br": ("brazil", None),
    "brazil-small": ("brazil-small", None),
}
"""What --profile understands -> the law, and whether proof of identity stops its clock (None: as the policy says)."""

ASKED = re.compile(r"(?:(identity|clarification|fee):)?(.+?)\.\.(.*)")


def add_commands(commands: Commands) -> None:
    """Add both commands to the parser of `habeas`."""
    deadline = _add(commands, "deadline", _deadline, "Say by when a request is answered, and by which rules.")
    deadline.add_argument("--received", metavar="INSTANT", required=True, help="such as 2026-03-05T10:00+01:00")
    deadline.add_argument(
        "--paused", metavar="[KIND:]FROM..[TO]", action="append", default=[],
        help="when the person was asked and answered; KIND is identity (the default), clarification or fee",
    )  # fmt: skip
    deadline.add_argument("--extended", metavar="ON", action="append", default=[], help="when an extension was sent")
    deadline.add_argument("--reason", metavar="TEXT", action="append", default=[], help="why it was extended")
    deadline.add_argument(
        "--profile", metavar="NAME", action="append", default=[],
        help=f"whose law applies instead of what the policy says; one of {', '.join(LAWS)}",
    )  # fmt: skip
    deadline.add_argument("--inquiry", action="store_true", help="a plain question: no right is exercised")
    deadline.add_argument("--complaint", action="store_true", help="a complaint about how data is handled")

    clock = _add(commands, "clock", _clock, "Say until when a breach is told to the authority and to people.")
    clock.add_argument("--aware", metavar="INSTANT", required=True, help="when it became reasonably certain")
    clock.add_argument("--signal", metavar="INSTANT", help="when something was first noticed")


def _add(commands: Commands, name: str, command: Command, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    parser.add_argument("--policy", metavar="FILE", required=True, type=Path)
    parser.add_argument("--json", action="store_true", help="for a program")
    return parser


def _deadline(options: argparse.Namespace) -> int:
    from portal.policy.check import load_checked
    from portal.rights.deadlines import deadline, inputs_for, pause

    policy = load_checked(options.policy)
    profiles, identity_pause = _laws(options.profile)
    inputs = inputs_for(
        _instant("--received", options.received, policy), policy, profiles=profiles, identity_pause=identity_pause,
        inquiry=options.inquiry, complaint=options.complaint,
    )  # fmt: skip
    for text in options.paused:
        kind, asked_at, answered_at = _paused(text, policy)
        inputs = pause(inputs, kind=kind, asked_at=asked_at, answered_at=answered_at)
    inputs, refused = _extended(inputs, options, policy)
    dates = deadline(inputs)
    found = {
        **cast("dict[str, Any]", msgspec.to_builtins(dates)),
        "rules": [f"{rule.id}: {rule.english}" for rule in dates.rules],
        "refused": refused,
    }
    print(json.dumps(found, ensure_ascii=False) if options.json else _dates_in_words(found, policy))
    for line in refused:
        print(f"habeas: {line}", file=sys.stderr)
    return 1 if refused else 0


def _extended(inputs: "Inputs", options: argparse.Namespace, policy: Policy) -> tuple["Inputs", list[str]]:
    from portal.rights.deadlines import extend

    if len(options.reason) > len(options.extended):
        raise Refused("--reason: there is no extension that it is the reason for. Write when: --extended ON.")
    refused = []
    reasons = [*options.reason, *[""] * len(options.extended)]
    for text, reason in zip(options.extended, reasons, strict=False):
        try:
            inputs = extend(inputs, noticed_at=_instant("--extended", text, policy), reason=reason)
        except Invalid as error:
            refused.append(error.sentence)
    return inputs, refused


def _clock(options: argparse.Namespace) -> int:
    from portal.breaches.clock import GAP_HOURS, breach_clock
    from portal.policy.check import load_checked

    policy = load_checked(options.policy)
    clock = breach_clock(
        aware_at=_instant("--aware", options.aware, policy, to_the_minute=True), policy=policy,
        first_signal_at=_instant("--signal", options.signal, policy, to_the_minute=True) if options.signal else None,
    )  # fmt: skip
    found = {
        name: _minute(value) if isinstance(value, datetime) else value
        for name, value in msgspec.structs.asdict(clock).items()
    }
    found["warning"] = clock.warning.format(limit=GAP_HOURS) if clock.warning else None
    print(json.dumps(found, ensure_ascii=False) if options.json else _clock_in_words(found))
    return 0


def _laws(names: list[str]) -> tuple[tuple[Jurisdiction, ...] | None, IdentityPause | None]:
    found = []
    for name in names:
        law = LAWS.get(re.sub(r"[\s_/]+", "-", name.strip().lower()))
        if law is None:
            raise Refused(f'--profile: there is no "{name[:20]}". Write one of: {", ".join(LAWS)}.')
        found.append(law)
    pauses = {pause for _, pause in found if pause}
    if len(pauses) > 1:
        raise Refused("--profile: none and fr-identity contradict each other. Write one of them.")
    return tuple(dict.fromkeys(law for law, _ in found)) or None, next(iter(pauses), None)


def _paused(text: str, policy: Policy) -> tuple["Asked", datetime, datetime | None]:
    match = ASKED.fullmatch(text.strip())
    if match is None:
        raise Refused(f'--paused: "{text[:60]}" is no span. Write FROM..TO, or FROM.. while it is not answered.')
    kind, start, end = match.groups(default="")
    asked_at = _instant("--paused", start, policy)
    answered_at = _instant("--paused", end, policy) if end else None
    if answered_at and _is_day(end) and answered_at.date() == asked_at.astimezone(answered_at.tzinfo).date():
        answered_at = asked_at  # A day alone that is the day of asking: only days count, and the question came first.
    return cast("Asked", kind or "identity"), asked_at, answered_at


def _instant(option: str, text: str, policy: Policy, *, to_the_minute: bool = False) -> datetime:
    """Read an instant. A day alone is its first instant in the controller's zone, where only days count."""
    zone = ZoneInfo(policy.controller.zone)
    try:
        instant = datetime.fromisoformat(text.strip().upper())  # RFC 3339 writes t and z, too.
    except ValueError:
        raise Refused(f'{option}: "{text[:60]}" is no instant. Write one such as 2026-03-05T10:00+01:00.') from None
    if instant.year not in YEARS:
        raise Refused(f"{option}: the year is {instant.year}. We count from {YEARS[0]} to {YEARS[-1]}.")
    if instant.tzinfo is not None:
        return instant
    if to_the_minute or not _is_day(text):
        raise Refused(f'{option}: "{text[:60]}" has no offset. Add one: +01:00, or Z for UTC.')
    return datetime.combine(instant, time.min, zone)


def _is_day(text: str) -> bool:
    return len(text.strip()) <= len("2026-03-05")


def _minute(instant: datetime) -> str:
    """Write an instant with its offset, with seconds only if there are any."""
    return instant.isoformat(timespec="auto" if instant.second or instant.microsecond else "minutes")


def _dates_in_words(found: Mapping[str, Any], policy: Policy) -> str:
    lines = [
        ("received", "received", f"in {policy.controller.zone}"),
        ("promise", "we promise", "never moves"),
        ("law_unrolled", "safe day", "the law's day before it moves on from a weekend or holiday"),
        ("law", "law's day", ""),
        ("extended", "extended to", ""),
        ("suspended", "suspended", "the law's day as it was when the clock stopped"),
        ("remind_on", "remind on", ""),
        ("close_on", "give up on", "answer that they cannot be identified"),
        ("ack_by", "acknowledge", ""),
        ("due", "DUE", f"late from {found['late_at']}"),
        ("act_by", "act by", "the last working day"),
    ]
    dates = [f"{name:12} {_day(found[key])}  {note}".rstrip() for key, name, note in lines if found[key]]
    return "\n".join([*dates, "", *found["rules"]])


def _clock_in_words(found: Mapping[str, Any]) -> str:
    when = {"any-risk": "at any risk", "high-risk": "at high risk"}[found["people_when"]]
    lines = [
        f"aware        {found['aware_at']}",
        f"authority    {found['due']}",
        f"people       {found['people_due'] or 'without undue delay'}, {when}",
        f"cautious     {found['cautious']}  counted from the first signal",
    ]
    return "\n".join([*lines, *([f"warning: {found['warning']}"] if found["warning"] else [])])


def _day(text: str) -> str:
    return date.fromisoformat(text).strftime("%a %Y-%m-%d")
