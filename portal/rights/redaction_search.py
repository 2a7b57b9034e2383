"""Searches a copy before it is made, and shows a person of ours the places that were found in it.

Always true here: what is shown is read from its place at that moment and kept nowhere; only what is known of this very
person is held against a sign, nobody else is looked up.
"""

import hmac
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

import msgspec

from exports.order import Column, StoredFile
from exports.review import (
    LONGEST_TEXT,
    Found,
    Ground,
    Review,
    Text,
    file_text,
    found_at,
    is_text,
    place_of,
    values,
)
from portal.errors import SourceError
from portal.policy.model import Policy
from portal.rights.letters.reasons import cited, reason
from portal.rights.redaction import GROUNDS
from portal.rights.redaction_look import RedactionView, decisions_of
from portal.rights.requests import RequestView
from portal.settings import Settings
from portal.sources.base import Identifiers
from portal.sources.registry import Sources
from portal.words import Words

AROUND = 160
"""Characters shown on each side of a passage."""


class Shown(msgspec.Struct, frozen=True):
    """A passage with what stands around it; `cut_before` and `cut_after` tell whether there is more."""

    before: str
    passage: str
    after: str
    cut_before: bool
    cut_after: bool
    name: str
    """The name of the file it stands in; empty for a record."""


class Standing(msgspec.Struct, frozen=True):
    """One text where it stands now."""

    category: str
    source: str
    number: int
    text: Text
    place: str


async def review_of(
    request: RequestView, identifiers: Identifiers, policy: Policy, settings: Settings
) -> Review | None:  # fmt: skip
    """Return what to search a copy for, with what was decided before; None when nothing in it can name others."""
    sections = searched(request, policy)
    if not sections:
        return None
    words = Words(request.language, policy.controller.zone)
    grounds = {}
    for ground, by_right in GROUNDS.items():
        why = reason(by_right[request.right])
        grounds[ground] = Ground(cited(words, why.article), why.plain[request.language])
    return Review(
        sections=sections, known=_known(identifiers, policy), key=key_of(request.id, settings), grounds=grounds,
        decisions=await decisions_of(request.id),
    )  # fmt: skip


def searched(request: RequestView, policy: Policy) -> tuple[str, ...]:
    """Return the categories of a request that may name other people, in the policy's order."""
    return tuple(one.id for one in policy.categories if one.may_name_others and one.id in request.categories)


def key_of(request: UUID, settings: Settings) -> bytes:
    """Return the key of a request's fingerprints: the same words have another one in each request."""
    return hmac.digest(settings.key("redaction"), request.bytes, "sha256")


async def show(
    places: Sequence[RedactionView], sources: Sources, person: Identifiers, policy: Policy, key: bytes
) -> Mapping[UUID, Shown]:
    """Read the places from where they stand. One that changed, or whose system is silent, is not in the answer."""
    shown: dict[UUID, Shown] = {}
    for category, source in dict.fromkeys((one.category, one.source) for one in places):
        wanted = [one for one in places if (one.category, one.source) == (category, source)]
        with suppress(SourceError):
            shown |= await _show(wanted, sources, person, policy, key)
    return shown


async def _show(
    places: Sequence[RedactionView], sources: Sources, person: Identifiers, policy: Policy, key: bytes
) -> dict[UUID, Shown]:
    """Read the places of one category in one system; a file's name goes with each of its own."""
    category, source = places[0].category, places[0].source
    numbers = frozenset((one.part == "record", one.number) for one in places)
    shown: dict[UUID, Shown] = {}
    name = ""
    async for found in _standing(sources, person, policy, category, source, key, numbers):
        name = found.text.text if found.text.part == "name" else name
        for one in places:
            if one.place == found.place:
                shown[one.id] = _around(found.text.text, one.start, one.length, name)
            elif found.text.why_not and (one.part, one.number) == ("file", found.number):
                shown[one.id] = Shown("", "", "", False, False, name)
    return shown


async def find_words(
    words: str, category: str, sources: Sources, person: Identifiers, policy: Policy, key: bytes
) -> list[Found]:
    """Return where some words stand in a category, whatever their case.

    Raises:
        SourceError: one of its systems did not answer, so that nobody can say where they stand.
    """
    found = []
    wanted = re.compile(re.escape(words), re.IGNORECASE)
    for spec in policy.sources_of(category):
        async for one in _standing(sources, person, policy, category, spec.id, key, None):
            for hit in wanted.finditer(one.text.text):
                length = hit.end() - hit.start()
                found.append(
                    found_at(key, category, spec.id, one.text, one.place, one.number, hit.start(), length, "words")
                )
    return found


def _around(text: str, start: int, length: int, name: str) -> Shown:
    end = start + length
    return Shown(
        text[max(0, start - AROUND) : start], text[start:end], text[end : end + AROUND], start > AROUND,
        len(text) > end + AROUND, name,
    )  # fmt: skip


async def _standing(
    sources: Sources, person: Identifiers, policy: Policy, category: str, source: str, key: bytes,
    numbers: frozenset[tuple[bool, int]] | None,
) -> AsyncGenerator[Standing]:  # fmt: skip
    """Yield the texts of one system, in the order of the copy; or only `numbers` (a record or not, and which)."""
    fields = policy.category(category).fields
    columns = [Column(id=field.id, title="", kind=field.kind) for field in fields]
    async with sources.get(source).snapshot() as view:
        number = 0
        async for batch in view.collect(person, category):
            for line in batch.lines.split(b"\n")[:-1]:
                number += 1
                if numbers is None or (True, number) in numbers:
                    for text in values(line, columns):
                        yield Standing(category, source, number, text, place_of(key, category, source, text))
        number = 0
        async for file in view.files(person, category):
            number += 1
            if numbers is None or (False, number) in numbers:
                async for text in _texts_of(file):
                    yield Standing(category, source, number, text, place_of(key, category, source, text))


async def _texts_of(file: StoredFile) -> AsyncIterator[Text]:
    yield Text("name", "", file.name)
    if is_text(file.media_type):
        content = b""
        async for piece in file.open():
            content += piece
            if len(content) > LONGEST_TEXT:
                break
        yield file_text(content)


def _known(identifiers: Identifiers, policy: Policy) -> tuple[str, ...]:
    """Return the addresses that are no sign of anybody else: the person's own, and ours."""
    ours = {policy.controller.contact, policy.mail_from.partition("<")[2].rstrip(">") or policy.mail_from}
    return tuple(sorted(address.lower() for address in {*identifiers.emails, *ours}))
