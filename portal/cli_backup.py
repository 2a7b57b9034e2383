"""`habeas backup` and `habeas restore`.

Always true here: a restore says what happens next, and a backup what is not in it.
"""

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

from portal.clock import system_clock
from portal.settings import Settings, read_settings

type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse has no public name for it
type Command = Callable[[argparse.Namespace], int]


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
        return await back_up(settings, options.file)

    with database(settings):
        size_bytes = asyncio.run(save())
    print(f"{options.file}: {size_bytes:,} bytes.")
    print("Not in it: HABEAS_SECRET_KEY, without which it is of no use; and the tombstone ledger, on purpose:")
    print("copy that to another place on its own, and never put an older copy of it back.")
    return 0


def _restore(options: argparse.Namespace) -> int:
    settings = read_settings()
    from portal.backup import bring_back
    from portal.serve import database, prepare

    async def restore() -> int:
        await _anchor(settings)
        await bring_back(settings, options.file, replace=options.replace)
        await prepare(settings)
        return await _declare(settings)

    with database(settings):
        erasures = asyncio.run(restore())
    print(f"{options.file}: restored.")
    print(f"Erasures since that backup was made: {erasures}. The next start of Habeas does them again, searches for")
    print("what is left, and only then lets anybody in; until then people read that a backup is put in order.")
    return 0


async def _anchor(settings: Settings) -> None:
    """Anchor the log as it is, so that it is known afterwards what went; a database without our tables has none."""
    import asyncpg

    from portal.evidence.anchors import anchor
    from portal.evidence.ledger import opened

    try:
        async with opened(settings) as ledger:
            await anchor(ledger, settings)
    except asyncpg.UndefinedTableError:
        return


async def _declare(settings: Settings) -> int:
    """Write down beside the anchors that an operator restored the database; return how many erasures it lacks."""
    from portal.evidence.anchors import note_restore
    from portal.evidence.ledger import opened
    from portal.evidence.tombstones import missing

    async with opened(settings) as ledger:
        lacking = len(await missing(ledger, settings))
        await note_restore(ledger, settings, at=system_clock(), declared=True)
    return lacking
