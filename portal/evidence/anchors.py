"""Anchor the log outside the database, and notice when the database has gone back behind an anchor.

Always true here: an anchor is never moved. After a restore the log is shorter than its anchors; that is written down
beside them for good, so a log that was cut off cannot pass for one that was restored without anybody saying so.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from portal.evidence.ledger import Ledger, LedgerError, agrees, code, prove, proven
from portal.evidence.log import FIRST, Head, head, holds
from portal.settings import Settings

HEADS, RESTORES = "heads", "restores"
DECLARED = ".declared"
_HEAD = re.compile(r"heads/(\d{4})-(\d{15})-([0-9a-f]{64})-([0-9a-f]{64})")


class Anchor(msgspec.Struct, frozen=True):
    """One entry of the log as it was; `era` is how many restores there had been."""

    era: int
    entry: Head


class Restore(msgspec.Struct, frozen=True):
    """One time that the database went back: to which entry at least, and whether an operator says that they did it."""

    era: int
    to: Head
    """The last anchored entry that the database still had."""
    lost_to: int
    """The last anchored entry that it had no more."""
    at: datetime
    declared: bool = False


class History(msgspec.Struct, frozen=True):
    """Everything the ledger knows about the log, oldest first."""

    anchors: Sequence[Anchor]
    restores: Sequence[Restore]

    @property
    def era(self) -> int:
        """How many restores there have been."""
        return len(self.restores)

    @property
    def expected(self) -> list[Head]:
        """The anchored entries that the database must have: those that no restore took away."""
        return [anchor.entry for anchor in self.anchors if self._stands(anchor)]

    @property
    def digests(self) -> Mapping[int, str]:
        """The same by number, for `verify`."""
        return {entry.seq: entry.digest for entry in self.expected}

    def _stands(self, anchor: Anchor) -> bool:
        return all(anchor.entry.seq <= restore.to.seq for restore in self.restores if restore.era > anchor.era)


async def history(ledger: Ledger, settings: Settings) -> History:
    """Read all anchors and restores. One listing for the anchors: a name says it all.

    Raises:
        LedgerError: the ledger does not answer, or something in it is not from us.
    """
    anchors = sorted(
        (_anchor(name, settings) for name in await ledger.names(HEADS)), key=lambda a: (a.era, a.entry.seq)
    )
    names = await ledger.names(RESTORES)
    restores = [await _restore(ledger, name, names, settings) for name in names if not name.endswith(DECLARED)]
    return History(anchors, restores)


async def anchor(ledger: Ledger, settings: Settings) -> bool:
    """Anchor the newest entry, unless it is anchored already. Not for transactions: the ledger may be far away.

    Returns False, and anchors nothing, when the database has gone back behind an anchor.
    """
    known, newest = await history(ledger, settings), await head()
    if await _went_back(known):
        return False
    if newest.seq and known.digests.get(newest.seq) is None:
        name = f"{HEADS}/{_name(known.era, newest)}"
        await ledger.write(f"{name}-{code(settings, _name(known.era, newest).encode())}", prove(newest, settings))
    return True


async def went_back(ledger: Ledger, settings: Settings) -> bool:
    """Tell whether the database lacks an entry that it must have: it was restored, or somebody cut the log."""
    return await _went_back(await history(ledger, settings))


async def note_restore(ledger: Ledger, settings: Settings, *, at: datetime, declared: bool) -> bool:
    """Write down that the database has gone back; `declared` by an operator, or only found. Idempotent.

    Returns False when it has not gone back, in which case `declared` confirms what was only found before.
    """
    known = await history(ledger, settings)
    back = await _went_back(known)
    if back:
        stands = [entry for entry in known.expected if await holds(entry)]
        to = max(stands, key=lambda entry: entry.seq, default=Head(0, FIRST))
        lost_to = max(entry.seq for entry in known.expected)
        restore = Restore(known.era + 1, to, lost_to, at)
        await ledger.write(f"{RESTORES}/{restore.era:04d}", prove(restore, settings))
        known = await history(ledger, settings)
    if declared:
        for restore in known.restores:
            if not restore.declared:
                statement = msgspec.structs.replace(restore, at=at, declared=True)
                await ledger.write(f"{RESTORES}/{restore.era:04d}{DECLARED}", prove(statement, settings))
    return back


async def _went_back(known: History) -> bool:
    # Entries follow each other, so the last one answers for all before it.
    last = max(known.expected, key=lambda entry: entry.seq, default=Head(0, FIRST))
    return not await holds(last)


async def _restore(ledger: Ledger, name: str, names: Sequence[str], settings: Settings) -> Restore:
    found = proven(await _there(ledger, name), Restore, settings)
    if f"{name}{DECLARED}" not in names:
        return found
    statement = proven(await _there(ledger, f"{name}{DECLARED}"), Restore, settings)
    return msgspec.structs.replace(found, declared=statement.declared and statement.era == found.era)


async def _there(ledger: Ledger, name: str) -> bytes:
    content = await ledger.read(name)
    if content is None:
        raise LedgerError("a file of the ledger went while it was read")
    return content


def _name(era: int, entry: Head) -> str:
    return f"{era:04d}-{entry.seq:015d}-{entry.digest}"


def _anchor(name: str, settings: Settings) -> Anchor:
    found = _HEAD.fullmatch(name)
    if not found:
        raise LedgerError("the ledger holds an anchor that we did not write")
    entry = Anchor(int(found[1]), Head(int(found[2]), found[3]))
    if not agrees(settings, _name(entry.era, entry.entry).encode(), found[4]):
        raise LedgerError("the ledger holds an anchor that we did not write, or wrote with another HABEAS_SECRET_KEY")
    return entry
