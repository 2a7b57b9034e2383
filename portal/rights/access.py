"""The right of access: collect from every source, make the parcel, hand it to storage, say that it is ready.

Always true here: whatever line the worker dies at, running it again ends in one parcel and one mail. What a source
could not give is named, and fetched again later. What may name other people waits until somebody has looked.
"""

import shutil
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from uuid import UUID, uuid5

import msgspec

from exports.bundle import Parcel as Bundle
from exports.bundle import assemble
from exports.review import NeedsLook
from exports.storage import Storage
from portal.jobs import Payload
from portal.rights import outcome, parts, redaction
from portal.rights.order import draw_order
from portal.rights.person import Forgotten, address_of, find_person
from portal.rights.redaction_look import waiting
from portal.rights.redaction_search import review_of
from portal.rights.requests import RequestView, parcel_of, parts_of
from portal.rights.tables import SubjectRequest
from portal.rights.workshop import Workshop, alone
from portal.sources.registry import Identified


class Withdrawn(Exception):
    """The person withdrew the request while it was being worked on."""


async def fulfil(shop: Workshop, payload: Payload) -> None:
    """Make the copy for one request. Idempotent; takes up where a killed worker stopped.

    Raises:
        Later: when another worker is at it.
    """
    id = UUID(payload["request"])
    async with alone(shop.settings.database_dsn, id):
        request = await _request(id)
        if request is None:
            return
        try:
            await _advance(shop, request, once="once" in payload)
        finally:
            shutil.rmtree(_folder(shop, request), ignore_errors=True)
        await _tidy(shop, request)


async def _advance(shop: Workshop, request: RequestView, *, once: bool) -> None:
    """Make what is to be made now, if anything. After an attempt made `once`, nothing follows by itself.

    Whose address is forgotten is being erased: there is nobody to make a copy for, and the erasure ends the request.
    """
    if not request.is_open or await waiting(request.id) is not None:
        return
    with suppress(Withdrawn, Forgotten):
        await address_of(request.owner)
        if await _worth_doing(shop, request):
            await _make(shop, request, once=once)
        elif not once:
            await outcome.come_back(request, policy=shop.policy, settings=shop.settings, at=shop.clock())


async def _make(shop: Workshop, request: RequestView, *, once: bool) -> None:
    """Assemble, store and record one parcel."""
    parcel_id = await _next_parcel(request)
    person = await find_person(shop.sources, request.owner)
    await outcome.start(request, at=shop.clock())
    async with AsyncExitStack() as stack:
        try:
            bundle = await _assemble(shop, request, person, _folder(shop, request), stack)
        except NeedsLook as need:
            await redaction.hold(request, need, at=shop.clock())
            return
    await _store(shop.storage, parcel_id, bundle)
    recorded = await outcome.ready(
        request, parcel_id, bundle, policy=shop.policy, settings=shop.settings, days=shop.settings.parcel_days,
        at=shop.clock(), once=once,
    )  # fmt: skip
    if not recorded:
        raise Withdrawn


async def _assemble(
    shop: Workshop, request: RequestView, person: Identified, folder: Path, stack: AsyncExitStack
) -> Bundle:
    readers = await parts.open_parts(shop.sources, shop.policy, request, person, stack)
    await parts.plan(request.id, readers)
    at = shop.clock()
    order = draw_order(
        request, shop.policy, readers, name=person.identifiers.display_name,
        email=min(person.identifiers.emails, default=""), public_url=shop.settings.public_url, at=at,
    )  # fmt: skip

    async def progress(section: str, source: str, done: int) -> None:
        if await parts.progressed(request.id, section, source, done):
            raise Withdrawn

    review = await review_of(request, person.identifiers, shop.policy, shop.settings)
    return await assemble(order, folder, progress=progress, now=shop.clock, press=shop.press, review=review)


async def _store(storage: Storage, parcel_id: UUID, bundle: Bundle) -> None:
    await storage.put(f"{parcel_id}.zip", bundle.zip_path)
    await storage.put(f"{parcel_id}.pdf", bundle.pdf_path)


async def _next_parcel(request: RequestView) -> UUID:
    """Name the parcel that is to be made now: the same name until one is recorded, whatever crashes between."""
    return uuid5(request.id, str(await outcome.parcels_so_far(request.id)))


async def _tidy(shop: Workshop, request: RequestView) -> None:
    """Delete what this or a killed attempt stored without recording it, and what a newer parcel replaced."""
    unrecorded = await _next_parcel(request)
    await shop.storage.delete(f"{unrecorded}.zip")
    await shop.storage.delete(f"{unrecorded}.pdf")
    await outcome.delete_replaced(shop.storage, request.id)


def _folder(shop: Workshop, request: RequestView) -> Path:
    """Return where the copy is made: a killed attempt leaves it full, and the next one empties it."""
    return shop.settings.data_folder / "work" / str(request.id)


async def _worth_doing(shop: Workshop, request: RequestView) -> bool:
    """Return whether there is no parcel yet, a later attempt was cut off, or a source that failed answers now."""
    failed = {part.source for part in await parts_of(request.id) if part.state == "failed"}
    if await parcel_of(request.id) is None or not failed:
        return True
    person = await find_person(shop.sources, request.owner)
    counts = await shop.sources.count(person.identifiers)
    return any(counts[source] is not None for source in failed if source not in person.unreachable)


async def _request(id: UUID) -> RequestView | None:
    row = await SubjectRequest.select().where(SubjectRequest.id == id).first()
    return msgspec.convert(row, RequestView) if row else None
