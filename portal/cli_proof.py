"""The commands that prove: `habeas evidence`, `habeas receipt`, `habeas tombstones`.

Always true here: nothing is changed in the database; what is wrong is named on standard output and by the exit status.
A log that was found whole is anchored there and then, so that nobody can cut off what somebody has looked at.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from portal.clock import system_clock
from portal.errors import SettingsError
from portal.settings import Settings, read_settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from portal.evidence.anchors import History
    from portal.evidence.verify import Report

type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse has no public name for it
type Command = Callable[[argparse.Namespace], int]

UNDECLARED = "NOT declared: if it was you, run habeas evidence restored"
UNGUARDED = (
    "the triggers that refuse to change the log are switched off or gone. If nobody of yours did this, find out who. "
    "To switch them on: ALTER TABLE evidence ENABLE TRIGGER ALL."
)


def add_commands(commands: Commands) -> None:
    """Add the commands to the parser of `habeas`."""
    evidence = _group(commands, "evidence", "The log of what was done.")
    verify = _add(evidence, "verify", _verify, "Walk the log and name the first entry that is not as it was written.")
    verify.add_argument("--json", action="store_true", help="print one JSON object")
    verify.add_argument("--receipt", metavar="FILE", type=Path, help="hold the log against a receipt somebody has, too")
    _add(evidence, "restored", _restored, "State that it was you who restored the database, with your own tools.")

    receipt = _group(commands, "receipt", "What people were given as proof.")
    check = _add(receipt, "verify", _check, "Say whether a receipt is genuine. With --key it needs nothing of ours.")
    check.add_argument("file", metavar="FILE", type=Path)
    check.add_argument("--key", metavar="PEM", type=Path, help="the public key, fetched from the organisation before")

    tombstones = _group(commands, "tombstones", "Whom we erased, by hashes.")
    match = _add(tombstones, "match", _match, "Read identifiers, one a line, and print those of people we erased.")
    match.add_argument("kind", choices=["email", "account_id", "stripe_customer", "outside"])


def _group(commands: Commands, name: str, text: str) -> Commands:
    return commands.add_parser(name, help=text, description=text).add_subparsers(metavar="COMMAND", required=True)


def _add(commands: Commands, name: str, command: Command, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    return parser


def _verify(options: argparse.Namespace) -> int:
    settings = read_settings()
    from portal.serve import database

    more = _held_by(options.receipt, settings) if options.receipt else {}
    with database(settings):
        report, known = asyncio.run(_walk(settings, more))
    found = [restore for restore in known.restores if not restore.declared]
    if not report.guarded:
        print(f"habeas: {UNGUARDED}", file=sys.stderr)
    if options.json:
        restores = msgspec.to_builtins(known.restores)
        print(msgspec.json.encode({**msgspec.to_builtins(report), "restores": restores}).decode())
    else:
        _tell(report, known)
    return 1 if report.broken or found or not report.guarded else 0


async def _walk(settings: Settings, more: Mapping[int, str]) -> "tuple[Report, History]":
    import asyncpg

    from portal.evidence.anchors import anchor, history
    from portal.evidence.ledger import LedgerError, opened
    from portal.evidence.verify import verify

    await _has_log(settings)
    async with opened(settings) as ledger:
        known = await history(ledger, settings)
        connection = await asyncpg.connect(settings.database_dsn)
        try:
            report = await verify(connection, {**known.digests, **more})
        except asyncpg.PostgresError as error:
            raise SettingsError(f"the log cannot be read ({type(error).__name__}). Run habeas migrate.") from error
        finally:
            await connection.close()
        if report.broken is None:
            try:
                await anchor(ledger, settings)
            except LedgerError as error:
                print(f"habeas: the end of the log was not anchored: {error}", file=sys.stderr)
    return report, known


async def _has_log(settings: Settings) -> None:
    from portal.serve import has_tables

    if not await has_tables(settings):
        raise SettingsError("the database has none of our tables: there is no log. Check DATABASE_URL and HABEAS_DATA.")


def _tell(report: "Report", known: "History") -> None:
    if report.broken:
        print(f"broken at entry {report.broken.seq} ({report.broken.kind}): {report.broken.text}")
    else:
        print(f"whole: {report.entries} entries, {report.anchors} of them anchored outside the database")
    for restore in known.restores:
        who = "declared by an operator" if restore.declared else UNDECLARED
        print(
            f"restored on {restore.at:%Y-%m-%d}: back to entry {restore.to.seq} or a little later, "
            f"entries up to {restore.lost_to} lost; {who}"
        )


def _restored(_: argparse.Namespace) -> int:
    settings = read_settings()
    from portal.evidence.anchors import note_restore
    from portal.evidence.ledger import opened
    from portal.serve import database

    async def note() -> bool:
        await _has_log(settings)
        async with opened(settings) as ledger:
            return await note_restore(ledger, settings, at=system_clock(), declared=True)

    with database(settings):
        back = asyncio.run(note())
    print("noted: the log went back" if back else "noted; the log has not gone back since it was last looked at")
    return 0


def _check(options: argparse.Namespace) -> int:
    from portal.rights.receipt_file import NotGenuine, check

    file, trusted = _content(options.file), _trusted(options.key)
    try:
        body = check(file, trusted)
    except NotGenuine as error:
        print(f"{options.file}: NOT GENUINE: {error}")
        return 1
    print(f"{options.file}: genuine, signed by {body.organisation.name} with the key {body.key}")
    print(f"{body.reference}: {body.right}, received {body.received}, answered {body.answered}, {body.outcome}")
    print(f"number {body.number}, issued {body.issued_at:%Y-%m-%d %H:%M} UTC")
    return 0


def _trusted(key: Path | None) -> "Mapping[str, Ed25519PublicKey]":
    """Return the keys to believe: the one that is named, else our own."""
    from portal.rights.receipt_file import key_id, read_pem, trusted_keys

    if key is not None:
        public = read_pem(_content(key))
        return {key_id(public): public}
    try:
        return trusted_keys(read_settings())
    except SettingsError as error:
        raise SettingsError(
            "Which key is to be believed? Fetch the organisation's from its /.well-known/habeas-receipt-key.pem and "
            "name it with --key. A key inside a receipt would prove nothing."
        ) from error


def _held_by(file: Path, settings: Settings) -> Mapping[int, str]:
    """Return what a genuine receipt says about the log. Raises: NotGenuine."""
    from portal.rights.receipt_file import check, trusted_keys

    body = check(_content(file), trusted_keys(settings))
    return {body.evidence.seq: body.evidence.digest} if body.evidence.seq else {}


def _match(options: argparse.Namespace) -> int:
    """Print the lines of standard input that name somebody who was erased; 1 when there is one."""
    settings = read_settings()
    from portal.evidence.ledger import opened
    from portal.evidence.tombstones import all_of, by_hash, hashed

    async def read() -> Mapping[str, object]:
        async with opened(settings) as ledger:
            return by_hash(await all_of(ledger, settings))

    known = asyncio.run(read())
    found = 0
    for line in sys.stdin.buffer:
        # A list from Windows has a mark at its start and other line ends; what is no text is nobody we knew.
        value = line.decode("utf-8-sig", errors="replace").rstrip("\r\n")
        if any(one in known for one in hashed(settings, (options.kind, value))):
            print(value)
            found += 1
    return 1 if found else 0


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}.") from error
