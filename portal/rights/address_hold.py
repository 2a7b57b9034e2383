"""Whether copies wait, because the address to sign in with has just changed.

Always true here: only the old address can end the wait early. Source: law S-02.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from portal.errors import Refused
from portal.rights.requests import ParcelView, RequestView
from portal.rights.tables import Parcel
from portal.rights.tables_rectification import AddressChange


class Held(Refused):
    """A copy is not handed over shortly after the address changed."""

    status = 409
    sentence = (
        "Your address changed less than 7 days ago. For your safety, copies can be downloaded after that, or as soon "
        "as the old address confirms the change. Nothing is lost."
    )


async def held_until(subject: UUID, *, at: datetime) -> datetime | None:
    """Return until when no copy is handed over; None when nothing waits."""
    rows = await AddressChange.raw(
        "SELECT max(hold_until) AS until FROM address_change WHERE subject = {} AND hold_until > {}"
        " AND confirmed_at IS NULL",
        subject, at,
    )  # fmt: skip
    until = rows[0]["until"]
    return until if isinstance(until, datetime) else None


async def need_no_hold(subject: UUID, *, at: datetime) -> None:
    """Refuse to hand over a copy while it has to wait. Raises: Held."""
    if await held_until(subject, at=at) is not None:
        raise Held


async def parcel_and_hold(request: RequestView, *, at: datetime) -> tuple[ParcelView | None, datetime | None]:
    """Return the newest parcel of a request and until when it waits, in one query for its page."""
    rows = await Parcel.raw(
        "SELECT p.*, (SELECT max(hold_until) FROM address_change WHERE subject = {} AND hold_until > {}"
        " AND confirmed_at IS NULL) AS held_until FROM parcel p WHERE p.request = {}"
        " ORDER BY p.ready_at DESC LIMIT 1",
        request.owner, at, request.id,
    )  # fmt: skip
    if not rows:
        return None, None
    return msgspec.convert(rows[0], ParcelView), rows[0]["held_until"]
