"""Turn fields, corrections and who was told into what the pages of a correction print.

Always true here: a value is shown as it is stored, by the name that people know; what a place did not tell is said so.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from portal.policy.model import Category, Field, Policy
from portal.rights import corrections
from portal.rights.correction_answers import field_title, value_in_words, value_of
from portal.rights.corrections import CorrectionView
from portal.rights.fields import HeldNow
from portal.rights.plan_shapes import StepLine, steps_of
from portal.rights.rectification import may_undo
from portal.rights.requests import RequestView, requests_of
from portal.rights.shapes import LONGEST, PICTURES, category_title
from portal.settings import Settings
from portal.words import Words

SHOWN = 3
"""Distinct values of one field on a page; the category's own page has all of them."""


LATEST = 5
"""Corrections of which the page says who was told; every request's own page says it too."""


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """One value that stood in a field before. `value` is empty once it is forgotten."""

    value: str
    until: datetime
    reference: str
    back_until: datetime | None
    """Until then a button puts it back; None when it cannot."""


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """One field, what it holds, and what can be done about it."""

    category: str
    id: str
    title: str
    kind: str
    how: str
    why: str
    values: tuple[str, ...]
    more: int
    """How many other values there are."""
    raw: str
    """The value that counts, as it is stored, to be typed over."""
    silent: bool
    choices: tuple[tuple[str, str], ...]
    earlier: tuple[Earlier, ...]
    running: CorrectionView | None
    longest: int


class CorrectionBox(msgspec.Struct, frozen=True, kw_only=True):
    """What a request page says of its correction."""

    title: str
    before: str
    after: str
    back_until: datetime | None
    category: str
    paused: bool
    """True when a pause over it can be offered: it is being decided. Source: GDPR Art. 18(1)(a)."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One correction and what each place and recipient has said."""

    title: str
    reference: str
    at: datetime
    lines: tuple[StepLine, ...]


async def field_views(
    words: Words, category: Category, held: HeldNow, made: Sequence[CorrectionView], settings: Settings, *, at: datetime
) -> tuple[FieldView, ...]:
    """Return the fields of a category in the policy's order."""
    return tuple([await _field(words, category, field, held, made, settings, at) for field in category.fields])


async def _field(
    words: Words, category: Category, field: Field, held: HeldNow, made: Sequence[CorrectionView], settings: Settings,
    at: datetime,
) -> FieldView:  # fmt: skip
    found = held.values.get(field.id, ())
    texts = [value_of(words, field, value).translate(PICTURES)[:200] for value in found]
    mine = [one for one in made if (one.category, one.field) == (category.id, field.id)]
    return FieldView(
        category=category.id,
        id=field.id,
        title=field.title[words.language],
        kind=field.kind,
        how=field.correct.how,
        why=field.correct.why[words.language] if field.correct.why else "",
        values=tuple(text for text in texts if text)[:SHOWN],
        more=max(0, len(texts) - SHOWN),
        raw=held.first(field.id) or "",
        silent=bool(held.silent) and not found,
        choices=_choices(words, field),
        earlier=await _earlier(words, field, mine, settings, at),
        running=next((one for one in mine if one.lives), None),
        longest=field.correct.longest,
    )


def _choices(words: Words, field: Field) -> tuple[tuple[str, str], ...]:
    if field.kind == "flag":
        return (("true", words("yes")), ("false", words("no")))
    return tuple((one.stored, one.title[words.language]) for one in field.values)


async def _earlier(
    words: Words, field: Field, mine: Sequence[CorrectionView], settings: Settings, at: datetime
) -> tuple[Earlier, ...]:
    """Return what was there before, newest first; only the newest can be put back."""
    found: list[Earlier] = []
    for place, one in enumerate(mine):
        if one.state not in {"done", "undone"} or one.ended_at is None:
            continue
        values = await corrections.values_of(one, settings)
        back = one.kept_until if place == 0 and values is not None and may_undo(one, values, at) else None
        old = value_of(words, field, values.old or "").translate(PICTURES) if values else ""
        found.append(Earlier(value=old[:200], until=one.ended_at, reference=one.reference, back_until=back))
    return tuple(found)


async def box_of(
    words: Words, policy: Policy, request: RequestView, settings: Settings, *, at: datetime
) -> CorrectionBox | None:
    """Return what a request for a correction is about; None when it has no single field."""
    correction = await corrections.of_request(request.id) if request.right == "rectification" else None
    if correction is None or not correction.field:
        return None
    values = await corrections.values_of(correction, settings)
    return CorrectionBox(
        title=field_title(words, policy, correction.category, correction.field),
        before=value_in_words(words, policy, correction, values.old)[:LONGEST] if values and values.old else "",
        after=value_in_words(words, policy, correction, values.new)[:LONGEST] if values else "",
        back_until=correction.kept_until if values is not None and may_undo(correction, values, at) else None,
        category=correction.category,
        paused=request.is_open and correction.how == "decide",
    )


async def told_of(words: Words, policy: Policy, subject: UUID, made: Sequence[CorrectionView]) -> tuple[Told, ...]:
    """Return who was told of a person's corrections, newest first. Source: GDPR Art. 19."""
    titles = {
        one.request: field_title(words, policy, one.category, one.field) or category_title(words, policy, one.category)
        for one in made
        if one.plan is not None
    }
    found: list[Told] = []
    for request in await requests_of(subject):
        if request.id not in titles or len(found) == LATEST:
            continue
        steps = [one for one in await steps_of(words, policy, request) if one.kind == "rectify"]
        lines = tuple(line for one in steps if one.state != "cancelled" for line in one.lines)
        if lines:
            found.append(
                Told(title=titles[request.id], reference=request.reference, at=request.received_at, lines=lines)
            )
    return tuple(found)
