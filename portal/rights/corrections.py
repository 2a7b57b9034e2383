"""Corrections as rows: which field, what was and what is to be, sealed for as long as it can be put back.

Always true here: a value is opened by the work and by the person's own page, and nowhere else; what is compared and
proven is a keyed digest. Source: GDPR Art. 16.
"""

import hmac
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from portal.database import engine
from portal.evidence import seal as seals
from portal.evidence.log import append
from portal.rights.requests import RequestView
from portal.rights.tables_rectification import Correction
from portal.settings import Settings

KEEP = timedelta(days=30)
"""How long an old value can be put back. Source: design/ux.md, section 3."""
PURPOSE = "correction"


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """What stood there, what is to stand there, and in which record. This is what is sealed."""

    old: str | None
    """None: it could not be read."""
    new: str
    record: str = ""
    """The key of the one record that is meant; empty: all that the person has."""


class CorrectionView(msgspec.Struct, frozen=True, kw_only=True):
    """One correction and the request it is for."""

    id: UUID
    request: UUID
    reference: str
    subject: UUID
    category: str
    field: str
    how: str
    """at-once, new-address, decide, back or kept"""
    state: str
    """deciding, working, done, refused, replaced, undone or unfit"""
    plan: UUID | None
    sealed: bytes | None
    old_digest: str
    new_digest: str
    made_at: datetime
    ended_at: datetime | None
    kept_until: datetime | None
    due_day: date
    closed_at: datetime | None
    outcome: str

    @property
    def lives(self) -> bool:
        """True while something is still to be done or decided for it."""
        return self.state in {"deciding", "working", "unfit"} and self.closed_at is None


def digest(settings: Settings, subject: UUID, field: str, value: str | None) -> str:
    """Return the keyed digest of a value of one person's field; of nothing it is empty. HMAC-SHA-256, hexadecimal."""
    if value is None:
        return ""
    said = msgspec.json.encode([str(subject), field, value])
    return hmac.digest(settings.key(PURPOSE), said, "sha256").hex()


async def make(
    request: RequestView, category: str, field: str, how: str, state: str, values: Values | None, *,
    settings: Settings, at: datetime, actor: str, plan: UUID | None = None,
) -> UUID:  # fmt: skip
    """Store a correction inside the caller's transaction, its values sealed; evidence has their digests alone."""
    id, place = uuid4(), f"{category}.{field}"
    old = digest(settings, request.owner, place, values.old) if values else ""
    new = digest(settings, request.owner, place, values.new) if values else ""
    body = None
    if values is not None:
        plain = msgspec.json.encode(values)
        sealed = await seals.seal(request.owner, plain, reference=request.reference, settings=settings, at=at)
        body = sealed.body
    await Correction(
        id=id, request=request.id, category=category, field=field, how=how, state=state, plan=plan, sealed=body,
        old_digest=old, new_digest=new, made_at=at,
    ).save()  # fmt: skip
    details = {"category": category, "field": field, "how": how, "old": old, "new": new}
    await append("rights:correction:made", at=at, actor=actor, reference=request.reference, details=details)
    return id


async def seal_again(
    request: RequestView, correction: CorrectionView, values: Values, settings: Settings, *, at: datetime
) -> None:
    """Seal other values of a correction, inside the caller's transaction."""
    plain = msgspec.json.encode(values)
    sealed = await seals.seal(request.owner, plain, reference=request.reference, settings=settings, at=at)
    await Correction.update({Correction.sealed: sealed.body}).where(Correction.id == correction.id)


async def values_of(correction: CorrectionView, settings: Settings) -> Values | None:
    """Return what was and what is to be; None once it is forgotten or the person's key is destroyed."""
    if correction.sealed is None:
        return None
    try:
        plain = await seals.unseal(
            correction.subject, correction.sealed, reference=correction.reference, settings=settings
        )
    except seals.Unreadable:
        return None
    return msgspec.json.decode(plain, type=Values)


async def end(correction: CorrectionView, state: str, *, at: datetime, actor: str) -> None:
    """Note inside the caller's transaction what became of a correction; from now on its values are kept 30 days."""
    await Correction.update({
        Correction.state: state, Correction.ended_at: at, Correction.kept_until: at + KEEP,
    }).where(Correction.id == correction.id)  # fmt: skip
    details = {
        "category": correction.category, "field": correction.field, "old": correction.old_digest,
        "new": correction.new_digest,
    }  # fmt: skip
    event = f"rights:correction:{state}"
    await append(event, at=at, actor=actor, reference=correction.reference, details=details)


async def of_plan(plan: UUID) -> CorrectionView | None:
    """Return the correction that a plan carries out."""
    return next(iter(await _select("c.plan = {}", plan)), None)


async def of_request(request: UUID) -> CorrectionView | None:
    """Return what a request is about: the newest correction that was made for it."""
    return next(iter(await _select("c.request = {}", request)), None)


async def of_person(subject: UUID) -> list[CorrectionView]:
    """Return every correction of a person, newest first."""
    return await _select("r.subject = {}", subject)


async def forget_values(*, at: datetime) -> int:
    """Forget the values that nobody can put back any more; their digests stay. Returns how many."""
    rows = await (
        Correction.update({Correction.sealed: None})
        .where(Correction.sealed.is_not_null() & (Correction.kept_until <= at))
        .returning(Correction.id)
    )
    return len(rows)


async def lock(subject: UUID) -> None:
    """Let nobody else correct anything of a person until the caller's transaction ends."""
    await engine().connection.execute("SELECT FROM subject WHERE id = $1 FOR UPDATE", subject)


async def _select(condition: str, value: UUID) -> list[CorrectionView]:
    rows = await Correction.raw(
        "SELECT c.*, r.reference, r.subject, r.due_day, r.closed_at, r.outcome FROM correction c"  # noqa: S608
        f" JOIN subject_request r ON r.id = c.request WHERE {condition} ORDER BY c.made_at DESC, r.reference DESC,"
        " c.ctid DESC",
        value,
    )
    return msgspec.convert(rows, list[CorrectionView])
