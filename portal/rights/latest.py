"""The copy a person already has or is waiting for, so that they are offered it before another is made.

Always true here: it is an offer; asking anew is never refused.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from portal.rights.tables import SubjectRequest

FRESH = timedelta(hours=24)


class LatestCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A copy being prepared (`ready_at` is None) or ready for less than a day."""

    reference: str
    received_at: datetime
    ready_at: datetime | None


async def latest_copy(subject: UUID, *, at: datetime) -> LatestCopy | None:
    """Return the copy being prepared, else the newest fresh one that can still be downloaded, else None."""
    rows = await SubjectRequest.raw(
        "SELECT r.reference, r.received_at, p.ready_at FROM subject_request r"
        " LEFT JOIN parcel p ON p.request = r.id AND p.deleted_at IS NULL AND p.expires_at > {}"
        " AND p.downloads_left > 0 AND p.ready_at > {}"
        " WHERE r.subject = {} AND r.\"right\" = 'access' AND (r.closed_at IS NULL OR p.id IS NOT NULL)"
        " ORDER BY r.closed_at IS NULL DESC, p.ready_at DESC NULLS LAST LIMIT 1",
        at, at - FRESH, subject,
    )  # fmt: skip
    return msgspec.convert(rows[0], LatestCopy) if rows else None
