"""The look at one copy: its places, what was decided about each, and what is left to decide.

Always true here: it reads; nothing of the copy itself is in what it returns.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from exports.review import Decision
from portal.rights.tables_redaction import CopyLook, Redaction

ANSWERS = ("keep", "passage", "whole")
WITHHELD = ("passage", "whole")


class RedactionView(msgspec.Struct, frozen=True, kw_only=True):
    """One place, and what was decided about it."""

    id: UUID
    source: str
    category: str
    part: str
    """record, file or name"""
    field: str
    place: str
    number: int
    start: int
    length: int
    size: int
    sign: str
    cuttable: bool
    digest: str
    answer: str
    """Empty while nobody has decided."""
    lost: bool
    ground: str
    by: str
    at: datetime | None

    @property
    def open(self) -> bool:
        """True while somebody has to decide."""
        return not self.answer or self.lost


class LookView(msgspec.Struct, frozen=True, kw_only=True):
    """The look at one copy, with its places in the order in which they stand in it."""

    texts: int
    found_at: datetime
    released_at: datetime | None
    places: tuple[RedactionView, ...]

    @property
    def waiting(self) -> bool:
        """True until it is released."""
        return self.released_at is None

    @property
    def undecided(self) -> tuple[RedactionView, ...]:
        """What somebody has to decide on."""
        return tuple(place for place in self.places if place.open)

    @property
    def everything(self) -> bool:
        """True when nothing would be left of the copy."""
        gone: dict[str, int] = {}
        for one in self.places:
            if one.answer in WITHHELD and not one.lost:
                part = one.size if one.answer == "whole" else one.length
                gone[one.place] = gone.get(one.place, 0) + part
        sizes = {one.place: one.size for one in self.places}
        return sum(taken >= sizes[place] for place, taken in gone.items()) >= self.texts


async def look_of(request: UUID) -> LookView | None:
    """Return the look at a request's copy; None when its copy was never held."""
    row = await CopyLook.select().where(CopyLook.request == request).first()
    if row is None:
        return None
    places = await Redaction.select().where(Redaction.request == request).order_by(
        Redaction.category, Redaction.source, Redaction.part, Redaction.number, Redaction.field, Redaction.start
    )  # fmt: skip
    return msgspec.convert({**row, "places": places}, LookView)


async def waiting(request: UUID) -> int | None:
    """Return how many places of a held copy somebody has to look at; None when no copy is held."""
    rows = await CopyLook.raw(
        "SELECT (SELECT count(*) FROM redaction r WHERE r.request = l.request AND (r.answer = '' OR r.lost)) AS open"
        " FROM copy_look l WHERE l.request = {} AND l.released_at IS NULL",
        request,
    )  # fmt: skip
    return int(rows[0]["open"]) if rows else None


async def decisions_of(request: UUID) -> tuple[Decision, ...]:
    """Return what was decided about a copy, for whoever makes it."""
    look = await look_of(request)
    return tuple(
        Decision(
            section=one.category, source=one.source, part=one.part, field=one.field, place=one.place, start=one.start,
            length=one.length, answer=one.answer, ground=one.ground, digest=one.digest,
        )
        for one in (look.places if look else ())
        if one.answer in ANSWERS
    )  # fmt: skip
