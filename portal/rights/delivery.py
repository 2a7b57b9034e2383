"""Hand a finished copy over to the person it belongs to, and to nobody else.

Always true here: a download is counted before its first byte leaves, in one statement, so that two at once cannot
both take the last one. Source: law S-07.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from exports.storage import Storage
from portal.database import engine
from portal.errors import NotFound
from portal.rights.requests import ParcelView, RequestView, find, parcel_of
from portal.rights.tables import Parcel
from portal.rights.timeline import record

type What = Literal["zip", "pdf"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One download: its bytes as they come, how many, and what to call it."""

    chunks: AsyncIterator[bytes]
    size_bytes: int
    filename: str
    media_type: str


async def hand_over(storage: Storage, reference: str, subject_id: UUID, what: What, *, at: datetime) -> Delivery:
    """Count one download and open the parcel.

    Raises:
        NotFound: not theirs, not ready, expired, deleted, or no downloads left.
    """
    request = await find(reference, subject_id)
    parcel = await parcel_of(request.id)
    if parcel is None or not parcel.available(at):
        raise NotFound
    await _take_one(request, parcel, what, at)
    place, size = (parcel.place, parcel.size_bytes) if what == "zip" else (parcel.pdf_place, parcel.pdf_size_bytes)
    return Delivery(
        chunks=storage.open(place),
        size_bytes=size,
        filename=f"{reference}.{what}",
        media_type="application/zip" if what == "zip" else "application/pdf",
    )


async def _take_one(request: RequestView, parcel: ParcelView, what: What, at: datetime) -> None:
    async with engine().transaction():
        taken = await Parcel.raw(
            "UPDATE parcel SET downloads_left = downloads_left - 1"
            " WHERE id = {} AND downloads_left > 0 AND deleted_at IS NULL AND expires_at > {} RETURNING downloads_left",
            parcel.id, at,
        )  # fmt: skip
        if not taken:
            raise NotFound
        await record(
            request.id, request.reference, "downloaded", at=at, actor="person",
            details={"what": what, "left": taken[0]["downloads_left"]},
        )  # fmt: skip
