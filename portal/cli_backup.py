"""`habeas backup` and `habeas restore`.

Always true here: a restore says what happens next, and a backup what is not in it.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from portal.clock import system_clock
from portal.settings import Settings, read_settings

type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse has no public name for it
type Command = Callable[[argparse.Namespace], int]

NO_LEDGER = (
    "the tombstone ledger lacks {gone} erasures that this database knows: after a restore those people would come "
    "back, and nobody would notice. Bring the ledger back (HABEAS_TOMBSTONES). If it is gone for good, drop the tables "
    "yourself, restore, and erase those people again by hand."
)
HALF_A_LEDGER = (
    "the tombstone ledger lacks {gone} erasures that even this backup knows, so it is not the whole ledger. Bring it "
    "back (HABEAS_TOMBSTONES) before you start Habeas, or people who were erased since may come back."
)


def add_commands(commands: Commands) -> None:
    """Add both commands to the parser of `habeas`."""
    backup = _add(commands, "backup", _backup, "Back the database up into one file.")
    backup.add_argument("file", metavar="FILE", type=Path)
    restore = _add(commands, "restore", _restore, "Bring the database back from a backup. Stop Habeas first.")
    restore.add_argument("file", metavar="FILE", type=Path)
    restore.add_argument("--replace", action="store_true", help="drop what is in the database now")


def _add(commands: Commands, name: str, command: Command, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    return parser


def _backup(options: argparse.Namespace) -> int:
    settings = read_settings()
    from portal.backup import back_up
    from portal.serve import database

    async def save() -> int:
        await _anchor(settings)
        size = await back_up(settings, options.file)
        await _note(settings)
        return size

    with database(settings):
        size_bytes = asyncio.run(save())
    print(f"{options.file}: {size_bytes:,} bytes.")
    print("Not in it: HABEAS_SECRET_KEY, without which it is of no use; and the tombstone ledger, on purpose:")
    print("copy that to another place on its own, and never put an older copy of it back.")
    return 0


def _restore(options: argparse.Namespace) -> int:
    settings = read_settings()
    from portal.backup import BackupError, bring_back
    from portal.serve import database, prepare

    async def restore() -> tuple[int, int]:
        if options.replace and (gone := await _lost(settings)):
            raise BackupError(NO_LEDGER.format(gone=gone))
        await _anchor(settings)
        await bring_back(settings, options.file, replace=options.replace)
        await prepare(settings)
        return await _declare(settings), await _lost(settings)

    with database(settings):
        erasures, gone = asyncio.run(restore())
    print(f"{options.file}: restored.")
    if gone:
        print(f"habeas: {HALF_A_LEDGER.format(gone=gone)}", file=sys.stderr)
    print(f"Erasures since that backup was made: {erasures}. The next start of Habeas does them again, searches for")
    print("what is left, and only then lets anybody in; until then people read that a backup is put in order.")
    return 0


async def _anchor(settings: Settings) -> None:
    """Anchor the log as it is, so that it is known afterwards what went; a database without our tables has none."""
    from portal.evidence.anchors import anchor
    from portal.evidence.ledger import opened
    from portal.serve import has_tables

    if await has_tables(settings):
        async with opened(settings) as ledger:
            await anchor(ledger, settings)


async def _note(settings: Settings) -> None:
    """Note that a backup was made now: staff are told when the last one is old."""
    from portal.rights.beats import BACKUP, beat
    from portal.serve import has_tables

    if await has_tables(settings):
        await beat(BACKUP, at=system_clock())


async def _lost(settings: Settings) -> int:
    """Return how many erasures this database knows that the ledger has no more: a restore could not replay them."""
    from portal.evidence.ledger import opened
    from portal.evidence.tombstones import lost
    from portal.serve import has_tables

    if not await has_tables(settings):
        return 0
    async with opened(settings) as ledger:
        return await lost(ledger)


async def _declare(settings: Settings) -> int:
    """Write down beside the anchors that an operator restored the database; return how many erasures it lacks."""
    from portal.evidence.anchors import note_restore
    from portal.evidence.ledger import opened
    from portal.evidence.tombstones import missing

    async with opened(settings) as ledger:
        lacking = len(await missing(ledger, settings))
        await note_restore(ledger, settings, at=system_clock(), declared=True)
    return lacking
