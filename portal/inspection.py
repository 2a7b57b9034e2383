"""What `habeas check` finds out by asking: the database, the place for parcels, and every source.

Always true here: it changes nothing outside our own database, and one thing that is down does not hide what is wrong
with the others.
"""

from typing import NamedTuple

from admin import hooks
from portal.clock import system_clock
from portal.errors import SettingsError
from portal.evidence.ledger import FolderLedger, LedgerError, opened
from portal.evidence.tombstones import lost
from portal.health import UNREACHABLE
from portal.policy.model import Policy
from portal.rights.beats import BACKUP, MAIL, Beat, beats
from portal.serve import open_storage, prepare
from portal.settings import Settings
from portal.sources import webhook
from portal.sources.registry import open_sources


class Finding(NamedTuple):
    """One line: how bad (ok, warning, error), about what, and what to do."""

    severity: str
    place: str
    text: str


async def inspect(settings: Settings, policy: Policy) -> list[Finding]:
    """Return what was found, good and bad."""
    return [
        await _database(settings), *await _beats(), *await _ledger(settings), _mail(settings), *_hook(settings),
        *await _storage(settings), *await _sources(settings, policy),
    ]  # fmt: skip


async def _database(settings: Settings) -> Finding:
    try:
        await prepare(settings)
    except SettingsError as error:
        return Finding("error", "database", str(error))
    return Finding("ok", "database", "newest schema")


async def _beats() -> list[Finding]:
    """Say how long ago everything that must not stop came to its end. What never ran may not have been started yet."""
    try:
        return [_beat(one) for one in await beats(at=system_clock())]
    except UNREACHABLE:
        return []  # the database is named already


def _beat(one: Beat) -> Finding:
    if one.at is None:
        said = {MAIL: "nothing waits", BACKUP: "none by habeas backup"}.get(one.name, "never so far: run habeas worker")
    else:
        said = f"{'oldest waiting from' if one.name == MAIL else 'last'} {one.at.isoformat(timespec='seconds')}"
    return Finding("warning" if one.silent and one.at else "ok", f"heartbeat {one.name}", said)


def _hook(settings: Settings) -> list[Finding]:
    if not hooks.is_wanted(settings):
        return []
    try:
        hooks.read_hook(settings)
    except SettingsError as error:
        return [Finding("error", hooks.SOURCE, str(error))]
    return [Finding("ok", hooks.SOURCE, "")]


async def _ledger(settings: Settings) -> list[Finding]:
    """See that erasures are remembered where a restore of the database does not reach."""
    try:
        async with opened(settings) as ledger:
            found = [Finding("error", "tombstones", problem) for problem in await ledger.check()]
            gone = 0 if found else await lost(ledger)
    except (SettingsError, LedgerError) as error:
        return [Finding("error", "tombstones", str(error))]
    except UNREACHABLE:
        return []  # the database is named already
    if gone:
        text = f"{gone} erasures are not in the ledger: after a restore their people would come back. Bring it back."
        found.append(Finding("error", "tombstones", text))
    if isinstance(ledger, FolderLedger) and ledger.folder.resolve().is_relative_to(settings.data_folder.resolve()):
        text = (
            "HABEAS_TOMBSTONES is not set: the ledger lies beside the database, and a restored disk takes it back too."
        )
        found.append(Finding("warning", "tombstones", text))
    return found or [Finding("ok", "tombstones", "")]


def _mail(settings: Settings) -> Finding:
    if not settings.resend_api_key:
        return Finding("error", "mail", "RESEND_API_KEY is not set: no mail can leave, so nobody can sign in.")
    if not settings.resend_webhook_secret:
        return Finding("warning", "mail", "RESEND_WEBHOOK_SECRET is not set: bounces will not be noticed.")
    return Finding("ok", "mail", "")


async def _storage(settings: Settings) -> list[Finding]:
    problems = await open_storage(settings).check()
    return [Finding("error", "storage", problem) for problem in problems] or [Finding("ok", "storage", "")]


async def _sources(settings: Settings, policy: Policy) -> list[Finding]:
    try:
        sources = open_sources(policy, settings)
    except SettingsError as error:
        return [Finding("error", "sources", line) for line in str(error).splitlines()]
    try:
        faults = [*await sources.check(), *webhook.check(policy, settings)]
    finally:
        await sources.close()
    wrong = {fault.source for fault in faults}
    fine = [Finding("ok", source.id, "") for source in sources.all if source.id not in wrong]
    return fine + [
        Finding(fault.severity, fault.source, f"{fault.place}: {fault.what} {fault.remedy}") for fault in faults
    ]
