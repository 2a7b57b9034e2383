"""What staff write for colleagues about a request: seen on the desk alone, and part of the copy a person may ask for.

Always true here: a note stands with its request and goes with it; evidence knows that one was written, by whom and
when, and not what. Source: GDPR Art. 15; CJEU C-434/16 (what is written about somebody is theirs).
"""

from datetime import datetime

import msgspec

from portal.database import engine
from portal.errors import Invalid
from portal.evidence.log import append
from portal.identity.tables import Subject
from portal.rights.lifecycle import NotPossible
from portal.rights.requests import RequestView
from portal.rights.tables_desk import RequestNote

LONGEST = 2_000
"""Characters of one note."""


class NoteView(msgspec.Struct, frozen=True, kw_only=True):
    """One note."""

    at: datetime
    staff: int
    text: str


async def write_note(request: RequestView, text: str, *, staff: int, at: datetime) -> None:
    """Keep a note with a request, open or not. The same note by the same person twice in a row is kept once.

    Raises:
        Invalid: it is empty or too long.
        NotPossible: the person was erased, and nothing about them is written any more.
    """
    plain = text.replace("\r\n", "\n").strip()
    if not plain:
        raise Invalid("Write something first.", field="text")
    if len(plain) > LONGEST:
        raise Invalid("Shorten the note to 2,000 characters.", field="text")
    async with engine().transaction():
        await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", request.id)
        await _need_somebody(request)
        last = await RequestNote.select(RequestNote.staff, RequestNote.text).where(
            RequestNote.request == request.id
        ).order_by(RequestNote.at, ascending=False).first()  # fmt: skip
        if last == {"staff": staff, "text": plain}:
            return
        await RequestNote(request=request.id, at=at, staff=staff, text=plain).save()
        await append("staff:note:written", at=at, actor=f"staff:{staff}", reference=request.reference)


async def _need_somebody(request: RequestView) -> None:
    """Refuse a note about whoever was erased. Raises: NotPossible."""
    if request.subject is None:
        return
    erased = (Subject.id == request.subject) & Subject.email.is_null()
    if await Subject.exists().where(erased):
        raise NotPossible
