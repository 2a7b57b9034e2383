"""Our own stores beside the database: finished copies, working files, log files; and what we cannot look into.

Always true here: a file that nobody's request names is looked into or named as blind, and never passed over.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from uuid import UUID, uuid5

from portal.policy.model import Policy
from portal.rights import scan_files
from portal.rights.plans import PlanView
from portal.rights.tables import Parcel
from portal.rights.tables_intake import Upload
from portal.rights.workshop import Workshop
from portal.settings import Settings
from portal.sources.base import Finding, Identifiers, Needles, Searched

LOG_FILES = "HABEAS_LOG_FILES"
"""Patterns of log files to look through, separated by spaces or commas: `/var/log/habeas/*.log*`."""
PARCELS, FILES, LOGS, MAIL, BACKUPS = (
    "habeas:parcels", "habeas:files", "habeas:logs", "habeas:mail-provider", "habeas:backups"
)  # fmt: skip
ROOMS = ("work", "spool", "uploads")
"""The folders inside the data folder where we work with people's files."""
BY_REQUEST = "request"
"""The needle of what is known to be the person's by the number of their request."""
NOTHING = Needles(texts={}, subject=Identifiers())
_BETWEEN = re.compile(r"[\s,]+")


@dataclass(frozen=True)
class Store:
    """Something to look through, with what looks through it."""

    id: str
    search: Callable[[], Awaitable[Searched]]
    wanted: Needles = NOTHING
    """What it is searched for, when it is one of the sources."""


def own_stores(shop: Workshop, plan: PlanView, needles: Needles) -> list[Store]:
    """Return our own stores beside the database, those that nobody can look into among them."""
    return [
        Store(PARCELS, lambda: _parcels(shop, plan)),
        Store(FILES, lambda: _files(shop, plan, needles)),
        Store(LOGS, lambda: _logs(shop.settings, needles)),
        Store(MAIL, lambda: _blind("mail-provider")),
        Store(BACKUPS, lambda: _blind(_backups(shop.policy))),
    ]


async def _blind(reason: str) -> Searched:
    return Searched(findings=(), places=(), blind=(reason,))


def _backups(policy: Policy) -> str:
    return f"backups {policy.backups.days}" if policy.backups else "backups-unknown"


# --- Finished copies -----------------------------------------------------------------------------------------------


async def _parcels(shop: Workshop, plan: PlanView) -> Searched:
    """List the whole storage: a file is the person's when its name is recorded for, or made of, their request."""
    rows = await Parcel.raw(
        "SELECT r.id AS request, r.subject = {} AS theirs, p.place, p.pdf_place,"
        " (SELECT count(*) FROM parcel WHERE request = r.id) AS number"
        " FROM subject_request r LEFT JOIN parcel p ON p.request = r.id"
        " WHERE r.subject = {} OR r.closed_at IS NULL OR p.deleted_at IS NULL",
        plan.subject, plan.subject,
    )  # fmt: skip
    sent = await Upload.raw(
        "SELECT u.id, r.subject = {} AS theirs FROM upload u JOIN subject_request r ON r.id = u.request", plan.subject
    )
    owners = _owners(rows) | {f"upload-{row['id']}": bool(row["theirs"]) for row in sent}
    theirs, strays = 0, 0
    async for place in shop.storage.names():
        owner = owners.get(place.rpartition(".")[0])
        theirs += owner is True
        strays += owner is None
    findings = (Finding(place="copies", needle=BY_REQUEST, number=theirs),) if theirs else ()
    return Searched(findings=findings, places=("copies",), blind=("copies-unknown",) if strays else ())


def _owners(rows: Iterable[Mapping[str, object]]) -> dict[str, bool]:
    """Return the name of every copy that there is or may be, without its ending, with whether it is the person's."""
    owners: dict[str, bool] = {}
    for row in rows:
        theirs = bool(row["theirs"])
        for place in (row["place"], row["pdf_place"]):
            if place:
                owners[str(place).rpartition(".")[0]] = theirs
        request, number = row["request"], row["number"]
        if isinstance(request, UUID) and isinstance(number, int):
            owners |= {str(uuid5(request, str(n))): theirs for n in range(number + 1)}
    return owners


# --- Working files and logs ----------------------------------------------------------------------------------------


async def _files(shop: Workshop, plan: PlanView, needles: Needles) -> Searched:
    """Look for the person's requests among the working folders, and into every file that no request owns."""
    rows = await Parcel.raw(
        "SELECT id, subject = {} AS theirs FROM subject_request WHERE subject = {} OR closed_at IS NULL",
        plan.subject, plan.subject,
    )  # fmt: skip
    owners = {str(row["id"]): bool(row["theirs"]) for row in rows}
    folder = shop.settings.data_folder

    def owner(path: Path) -> bool | None:
        names = (part.partition(".")[0] for part in path.relative_to(folder).parts)
        return next((owners[name] for name in names if name in owners), None)

    def listed() -> list[Path]:
        return [path for room in ROOMS for path in (folder / room).rglob("*") if path.is_file()]

    searched = await asyncio.to_thread(
        scan_files.search, lambda: [path for path in listed() if owner(path) is None], needles
    )
    theirs = sum(owner(path) is True for path in await asyncio.to_thread(listed))
    own = (Finding(place="working files", needle=BY_REQUEST, number=theirs),) if theirs else ()
    return Searched(
        findings=(*own, *searched.findings), places=("working files", *searched.places), blind=searched.blind
    )


async def _logs(settings: Settings, needles: Needles) -> Searched:
    patterns = [pattern for pattern in _BETWEEN.split(settings.environment.get(LOG_FILES, "")) if pattern]
    if not patterns:
        return await _blind("logs-elsewhere")
    searched = await asyncio.to_thread(scan_files.search, lambda: _matching(patterns), needles)
    empty = [pattern for pattern in patterns if not _matching([pattern])]
    blind = ("logs-none",) if empty else ()
    return Searched(findings=searched.findings, places=searched.places, blind=(*searched.blind, *blind))


def _matching(patterns: Iterable[str]) -> list[Path]:
    found = [Path(name) for one in patterns for name in glob(str(Path(one).expanduser()), recursive=True)]  # noqa: PTH207  they are absolute
    return [path for path in dict.fromkeys(found) if path.is_file()]
