"""The commands that account: `habeas figures` and `habeas register`.

Always true here: what is asked for goes to standard output and nothing else does; how far it is goes to standard error.
A register that was taken is evidence, under `command-line`.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from zoneinfo import ZoneInfo

from portal.clock import system_clock
from portal.errors import Refused, SettingsError
from portal.policy.check import load_checked
from portal.policy.model import Policy
from portal.settings import Settings, read_settings

if TYPE_CHECKING:
    from portal.rights.register_file import Taken

type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse has no public name for it
type Command = Callable[[argparse.Namespace], int]

ACTOR = "command-line"


def add_commands(commands: Commands) -> None:
    """Add both commands to the parser of `habeas`."""
    figures = _add(commands, "figures", _figures, "How many requests, how many in time, how long: by right and month.")
    figures.add_argument("--from", dest="first", metavar="MONTH", default="", help="such as 2026-01; a year ago")
    figures.add_argument("--to", dest="last", metavar="MONTH", default="", help="such as 2026-12; this month")
    figures.add_argument("--by", choices=["received", "answered"], default="received", help="which month counts")
    figures.add_argument("--ccpa", action="store_true", help="the set of 11 CCR § 7102 instead, of all people")

    register = commands.add_parser("register", help="The registers, dated.").add_subparsers(
        metavar="COMMAND", required=True
    )
    requests = _add(register, "requests", _requests, "One line for each request, as it was known on a day.")
    requests.add_argument("--as-of", metavar="DAY", default="", help="such as 2026-03-31, its end; now")
    processing = _add(register, "processing", _processing, "The record of processing activities (GDPR Art. 30(1)).")
    processing.add_argument("--as-of", metavar="DAY", default="", help="today alone: former policies are not kept")
    processing.add_argument("--language", choices=["en", "fr"], default="", help="the policy's first one")


def _add(commands: Commands, name: str, command: Command, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_const", const="json", dest="format", help="for a program (the default)")
    shape.add_argument("--csv", action="store_const", const="csv", dest="format", help="for a spreadsheet")
    parser.set_defaults(format="json")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write there, never over a file that is there")
    return parser


def _figures(options: argparse.Namespace) -> int:
    settings, policy = _installation()
    from portal.rights.figures_tally import read
    from portal.serve import database, prepare

    at, csv = system_clock(), options.format == "csv"
    this = at.astimezone(ZoneInfo(policy.controller.zone)).date().replace(day=1)
    last = _month("--to", options.last) if options.last else this
    first = _month("--from", options.first) if options.first else _year_before(last)
    if first > last:
        raise Refused("--from comes after --to. Turn them round.")

    async def make() -> bytes:
        from portal.rights import figures_ccpa, figures_files

        await prepare(settings)
        found = await read(policy.controller.zone, first, last, options.by, at=at)
        if found.behind:
            print("habeas: requests of long ago are still being counted; the newest ends are missing", file=sys.stderr)
        if options.ccpa:
            return figures_ccpa.as_csv(found) if csv else figures_ccpa.as_json(found, policy, at=at)
        return figures_files.as_csv(found) if csv else figures_files.as_json(found, policy, at=at)

    with database(settings):
        body = asyncio.run(make())
    _put(options.out, lambda out: out.write(body))
    return 0


def _requests(options: argparse.Namespace) -> int:
    settings, policy = _installation()
    from admin.registers import roles
    from portal.rights.register_file import Format, instant, note, write
    from portal.serve import database, prepare

    at, format = system_clock(), options.format
    as_of = instant(_day(options.as_of), policy.controller.zone, at=at)

    async def make(out: BinaryIO, format: Format) -> "Taken":
        await prepare(settings)
        taken = await write(out, format, policy, as_of=as_of, roles=await roles(), progress=_tell)
        await note(taken, at=at, actor=ACTOR)
        return taken

    with database(settings):
        taken = _put(options.out, lambda out: asyncio.run(make(out, format)))
    _said(taken)
    return 0


def _processing(options: argparse.Namespace) -> int:
    settings, policy = _installation()
    from portal.disclosures import processing, processing_files
    from portal.rights.register_file import Taken, note
    from portal.serve import database, prepare
    from portal.words import Words

    at = system_clock()
    if _day(options.as_of) not in {None, at.astimezone(ZoneInfo(policy.controller.zone)).date()}:
        raise Refused("--as-of: only today's record can be made: former policies are not kept here.")
    words = Words(options.language or policy.languages[0], policy.controller.zone)
    found = processing.record(words, policy, settings, at=at)
    body = processing_files.as_csv(found) if options.format == "csv" else processing_files.as_json(found)
    taken = Taken(
        register="processing", format=options.format, as_of=at, seq=0, lines=len(processing.facts_of(found)),
        sha256=processing_files.digest(body),
    )  # fmt: skip

    async def make() -> None:
        await prepare(settings)
        await note(taken, at=at, actor=ACTOR)

    with database(settings):
        asyncio.run(make())
    _put(options.out, lambda out: out.write(body))
    _said(taken)
    return 0


def _put[Result](place: Path | None, write: Callable[[BinaryIO], Result]) -> Result:
    """Write to a new file, or to standard output. Raises: SettingsError."""
    if place is None:
        result = write(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return result
    try:
        with place.open("xb") as out:
            return write(out)
    except OSError as error:
        raise SettingsError(f"{place} cannot be written: {error.strerror}.") from error


def _tell(done: int, whole: int) -> None:
    print(f"\r{done:,} of {whole:,}", end="", file=sys.stderr, flush=True)


def _said(taken: "Taken") -> None:
    where = f", up to entry {taken.seq} of the log" if taken.seq else ""
    print(f"\n{taken.lines:,} lines{where}, SHA-256 {taken.sha256}, noted as evidence", file=sys.stderr)


def _installation() -> tuple[Settings, Policy]:
    settings = read_settings()
    return settings, load_checked(settings.policy_file)


def _month(option: str, text: str) -> date:
    try:
        return date.fromisoformat(f"{text.strip()}-01")
    except ValueError:
        raise Refused(f'{option}: "{text[:20]}" is no month. Write one such as 2026-03.') from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise Refused(f'--as-of: "{text[:20]}" is no day. Write one such as 2026-03-31.') from None


def _year_before(month: date) -> date:
    index = month.year * 12 + month.month - 1 - 11
    return date(index // 12, index % 12 + 1, 1)
