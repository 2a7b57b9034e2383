"""How a request for a copy moves on: started, ready, complete, left incomplete, gone again.

Always true here: each move is one transaction with its evidence and its mail, and happens once.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from exports.bundle import Parcel as Bundle
from exports.storage import Storage
from portal.database import engine
from portal.evidence.log import Details
from portal.jobs import enqueue
from portal.mail.messages import copy_expires_soon, copy_ready
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights.answer import end
from portal.rights.lifecycle import NotPossible, move
from portal.rights.person import address_of
from portal.rights.receipts import Done
from portal.rights.redaction_letter import articles_of_withheld, enclose_what_is_withheld
from portal.rights.requests import RequestView, parts_of
from portal.rights.shapes import category_title
from portal.rights.tables import ExportPart, Parcel
from portal.rights.timeline import record
from portal.settings import Settings
from portal.words import Words

TRY_AGAIN = timedelta(minutes=10)
GIVE_UP = timedelta(days=3)
"""After this the missing part is left to a person; the copy that was delivered stays."""


async def start(request: RequestView, *, at: datetime) -> None:
    """Note that the work has begun, the first time."""
    with suppress(NotPossible):
        async with engine().transaction():
            await move(
                request.id, request.reference, "working", event="started", at=at, actor="worker",
                start=("received", "deciding"),
            )  # fmt: skip


async def parcels_so_far(request: UUID) -> int:
    """Return how many parcels were made for a request: it names the next one, the same after a crash."""
    return int(await Parcel.count().where(Parcel.request == request))


async def ready(
    request: RequestView,
    parcel_id: UUID,
    bundle: Bundle,
    *,
    policy: Policy,
    settings: Settings,
    days: int,
    at: datetime,
    once: bool = False,
) -> bool:
    """Record a finished parcel, close the request when nothing is missing, and write to the person.

    What is missing is asked for again later, unless this attempt was to be made `once`. Returns False, and does
    nothing, when the request was withdrawn meanwhile.
    """
    try:
        await _record_ready(request, parcel_id, bundle, policy, settings, days, at, once=once)
    except NotPossible:
        return False
    return True


async def _record_ready(
    request: RequestView,
    parcel_id: UUID,
    bundle: Bundle,
    policy: Policy,
    settings: Settings,
    days: int,
    at: datetime,
    *,
    once: bool,
) -> None:
    expires_at = at + timedelta(days=days)
    async with engine().transaction():
        await _mark_parts(request.id, bundle)
        await _move_on(request, bundle, policy, settings, at)
        await Parcel.update({Parcel.deleted_at: at}).where(
            (Parcel.request == request.id) & Parcel.deleted_at.is_null()
        )  # fmt: skip
        await Parcel(
            id=parcel_id, request=request.id, place=f"{parcel_id}.zip", size_bytes=bundle.size_bytes,
            pdf_place=f"{parcel_id}.pdf", pdf_size_bytes=bundle.pdf_size_bytes, sha256=bundle.sha256,
            records=bundle.records, files=bundle.files, complete=bundle.complete, snapshot_at=bundle.snapshot_at,
            ready_at=at, expires_at=expires_at,
        ).save()  # fmt: skip
        await _write(request, bundle, policy, settings.public_url, expires_at, at)
        if not bundle.complete and not once:
            await _ask_again(request, at)


async def _move_on(
    request: RequestView, bundle: Bundle, policy: Policy, settings: Settings, at: datetime
) -> None:  # fmt: skip
    """Close the request, or leave it open while a part is missing. Raises: NotPossible, when it was withdrawn."""
    details: Details = {"sha256": bundle.sha256, "records": bundle.records, "missing": len(bundle.missing)}
    await enclose_what_is_withheld(request, bundle.withheld, policy, complete=bundle.complete, at=at)
    if bundle.complete:
        await end(
            request, "partly" if bundle.withheld else "fulfilled",
            event="ready-withheld" if bundle.withheld else "ready", policy=policy, settings=settings, at=at,
            actor="worker", details=details, done=await _handed_over(request, policy),
        )  # fmt: skip
    else:
        await move(
            request.id, request.reference, "ready", event="ready-in-part", at=at, actor="worker", details=details
        )  # fmt: skip


async def _handed_over(request: RequestView, policy: Policy) -> list[Done]:
    """Return the lines of the receipt: what each place gave, what of it is withheld, and which was out of reach."""
    words, withheld = Words(request.language, policy.controller.zone), await articles_of_withheld(request)
    lines = list[Done]()
    for part in await parts_of(request.id):
        title, given = category_title(words, policy, part.category), part.state != "failed"
        lines.append(
            Done(
                category=part.category, title=title, what="handed-over" if given else "unreachable",
                source=part.source, records=part.done if given else None,
            )
        )  # fmt: skip
        lines += [
            Done(category=part.category, title=title, what="withheld", source=part.source, ground=article)
            for article in (withheld.get((part.category, part.source), ()) if given else ())
        ]
    return lines


async def _mark_parts(request: UUID, bundle: Bundle) -> None:
    await ExportPart.update({ExportPart.state: "done", ExportPart.error: "", ExportPart.failed_at: None}).where(
        ExportPart.request == request
    )
    for missing in bundle.missing:
        await ExportPart.update({
            ExportPart.state: "failed", ExportPart.error: missing.reason, ExportPart.failed_at: missing.at,
        }).where(
            (ExportPart.request == request)
            & (ExportPart.category == missing.section)
            & (ExportPart.source == missing.source)
        )  # fmt: skip


async def _write(
    request: RequestView, bundle: Bundle, policy: Policy, public_url: str, expires_at: datetime, at: datetime
) -> None:
    words = Words(request.language, policy.controller.zone)
    titles = dict.fromkeys(policy.category(missing.section).title[request.language] for missing in bundle.missing)
    message = copy_ready(
        words, policy, reference=request.reference, size=words.size(bundle.size_bytes), until=expires_at,
        link=f"{public_url}/{request.language}/requests/{request.reference}", missing=tuple(titles),
        withheld=bool(bundle.withheld),
    )  # fmt: skip
    await post(
        message, to=await address_of(request.owner), language=request.language, reference=request.reference, at=at
    )


async def come_back(request: RequestView, *, policy: Policy, settings: Settings, at: datetime) -> None:
    """Ask the source that is down again later; after three days leave what is missing to a person."""
    async with engine().transaction():
        if at < request.received_at + GIVE_UP:
            await _ask_again(request, at)
        else:
            await _leave_incomplete(request, policy, settings, at)


async def try_now(request: RequestView) -> None:
    """Ask the sources that failed again at once, because the person says so.

    A second click adds nothing, and this attempt is followed by no other: the one that waits for its turn still does.
    """
    if request.is_open:
        async with engine().transaction():
            payload = {"request": str(request.id), "once": "yes"}
            await enqueue("rights.export", payload, key=f"export:{request.id}:now")


async def _ask_again(request: RequestView, at: datetime) -> None:
    """Enqueue the next attempt. Its key names its turn: however many attempts end in one turn, one follows."""
    turn = (at - request.received_at) // TRY_AGAIN + 1
    await enqueue("rights.export", {"request": str(request.id)}, key=f"export:{request.id}:{turn}", after=TRY_AGAIN)


async def _leave_incomplete(request: RequestView, policy: Policy, settings: Settings, at: datetime) -> None:
    with suppress(NotPossible):
        await end(
            request, "partly", event="left-incomplete", policy=policy, settings=settings, at=at, actor="worker",
            done=await _handed_over(request, policy),
        )  # fmt: skip


async def delete_replaced(storage: Storage, request: UUID) -> None:
    """Delete the bytes of parcels that a newer one replaced. Idempotent."""
    rows = await Parcel.select(Parcel.place, Parcel.pdf_place).where(
        (Parcel.request == request) & Parcel.deleted_at.is_not_null()
    )
    for row in rows:
        await storage.delete(row["place"])
        await storage.delete(row["pdf_place"])


async def delete_expired(storage: Storage, *, at: datetime) -> None:
    """Delete parcels whose time is over, bytes first, and tell the timeline. Idempotent."""
    rows = await Parcel.raw(
        "SELECT p.id, p.place, p.pdf_place, r.id AS request, r.reference FROM parcel p"
        " JOIN subject_request r ON r.id = p.request WHERE p.deleted_at IS NULL AND p.expires_at <= {}",
        at,
    )
    for row in rows:
        await storage.delete(row["place"])
        await storage.delete(row["pdf_place"])
        async with engine().transaction():
            gone = await (
                Parcel.update({Parcel.deleted_at: at})
                .where((Parcel.id == row["id"]) & Parcel.deleted_at.is_null())
                .returning(Parcel.id)
            )
            if gone:
                await record(row["request"], row["reference"], "expired", at=at, actor="worker")


async def remind_unopened(policy: Policy, public_url: str, *, at: datetime) -> None:
    """Write once about each parcel that nobody has opened and that goes within 48 hours."""
    rows = await Parcel.raw(
        "SELECT p.expires_at, r.reference, r.language, s.email FROM parcel p"
        " JOIN subject_request r ON r.id = p.request JOIN subject s ON s.id = r.subject"
        " WHERE p.deleted_at IS NULL AND p.downloads_left = 5 AND p.expires_at > {} AND p.expires_at <= {}"
        " AND NOT EXISTS (SELECT 1 FROM mail m WHERE m.kind = 'copy-expires' AND m.reference = r.reference"
        " AND m.created_at >= p.ready_at)",
        at, at + timedelta(hours=48),
    )  # fmt: skip
    for row in rows:
        words = Words(row["language"], policy.controller.zone)
        message = copy_expires_soon(
            words, policy, reference=row["reference"], until=row["expires_at"],
            link=f"{public_url}/{row['language']}/requests/{row['reference']}",
        )  # fmt: skip
        async with engine().transaction():
            await post(message, to=row["email"], language=row["language"], reference=row["reference"], at=at)
