"""Whether copies wait, because the address to sign in with has just changed.

Always true here: only the old address can end the wait early. Source: law S-02.
"""

from datetime import datetime
from uuid import UUID

from portal.errors import Refused
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
