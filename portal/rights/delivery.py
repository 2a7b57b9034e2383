"""Hand a finished copy over to the person it belongs to, and to nobody else.

Always true here: a download is counted before its first byte leaves, in one statement, so that two at once cannot
both take the last one. Source: law S-07.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from exports.storage import Storage, StorageError
from portal.database import engine
from portal.errors import NotFound, SourceUnavailable
from portal.mail.letter import Message
from portal.mail.messages import copy_downloaded
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights.address_hold import need_no_hold
from portal.rights.person import address_of
from portal.rights.requests import ParcelView, RequestView, find, parcel_of
from portal.rights.tables import Parcel
from portal.rights.timeline import record
from portal.words import Words

type What = Literal["zip", "pdf"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One download: its bytes as they come, how many, and what to call it."""

    chunks: AsyncIterator[bytes]
    size_bytes: int
    filename: str
    media_type: str


async def hand_over(
    storage: Storage, reference: str, subject_id: UUID, what: What, *, policy: Policy, public_url: str, at: datetime
) -> Delivery:
    """Count one download, tell the registered address, and open the parcel. Source: law S-02, S-07.

    Raises:
        NotFound: not theirs, not ready, expired, deleted, or no downloads left.
        Held: the address to sign in with has just changed.
        SourceUnavailable: the storage does not answer; nothing was counted.
    """
    request = await find(reference, subject_id)
    parcel = await parcel_of(request.id)
    await need_no_hold(subject_id, at=at)
    if parcel is None or not parcel.available(at):
        raise NotFound
    place = parcel.place if what == "zip" else parcel.pdf_place
    size_bytes = await _size(storage, place)
    words = Words(request.language, policy.controller.zone)
    account = f"{public_url}/{request.language}/account"
    notice = copy_downloaded(words, policy, reference=reference, file=what.upper(), at=at, link=account)
    await _take_one(request, parcel, what, notice, at)
    return Delivery(
        chunks=storage.open(place),
        size_bytes=size_bytes,
        filename=f"{reference}.{what}",
        media_type="application/zip" if what == "zip" else "application/pdf",
    )


async def _size(storage: Storage, place: str) -> int:
    """Look whether the parcel is there before it is counted as taken."""
    try:
        return await storage.size(place)
    except StorageError as error:
        raise SourceUnavailable("storage", type(error).__name__) from error


async def _take_one(request: RequestView, parcel: ParcelView, what: What, notice: Message, at: datetime) -> None:
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
        to = await address_of(request.owner)
        await post(notice, to=to, language=request.language, reference=request.reference, at=at)
