"""Write down what happened to a request, twice: for the person to read, and as evidence.

Always true here: both are written in the caller's transaction, by one call.
"""

from datetime import datetime
from uuid import UUID

from portal.evidence.log import Details, append
from portal.rights.tables import TimelineEntry


async def record(
    request: UUID, reference: str, event: str, *, at: datetime, actor: str, details: Details | None = None
) -> None:
    """Record `event` (received, started, part-failed, ready, completed, downloaded, withdrawn, expired)."""
    await TimelineEntry(request=request, at=at, event=event).save()
    await append(f"rights:request:{event}", at=at, actor=actor, reference=reference, details=details)
