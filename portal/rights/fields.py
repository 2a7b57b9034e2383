"""The fields of the policy as they can be corrected: what may stand in one, where it stands, what it holds now.

Always true here: nothing is written; a place that is down is named and stops no page. Source: GDPR Art. 5(1)(d).
"""

import asyncio
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from portal.errors import Invalid, SourceError
from portal.policy.model import (
    S3_FIELDS,
    Category,
    Field,
    Policy,
    PortalSource,
    PostgresSource,
    S3Source,
    SourceSpec,
    StripeSource,
    Table,
)
from portal.rights.person import cannot_tell
from portal.sources.base import Identifiers, Source
from portal.sources.registry import PATIENCE_SECONDS, Identified, Sources

READ = 20
"""Records of one place that are looked at to show what a field holds."""
NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,6})?")
UNSEEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Signs that turn the direction of the text around them, or that nobody sees."""


class HeldNow(msgspec.Struct, frozen=True, kw_only=True):
    """What the fields of a category hold now: distinct values, the account's own first."""

    values: Mapping[str, Sequence[object]]
    silent: tuple[str, ...]
    """The ids of the places that did not answer."""
    own: frozenset[str] = frozenset()
    """The fields that the accounts' own table fills: it has one value for each person, whatever others hold."""

    def first(self, field: str) -> str | None:
        """Return the value that counts, as text; None when no place told one."""
        found = self.values.get(field)
        return as_text(found[0]) if found else None

    def only(self, field: str) -> str | None:
        """Return the value of a field that holds one with the account; None where several records hold others."""
        several = len(self.values.get(field, ())) > 1 and field not in self.own
        return None if several else self.first(field)


def as_text(value: object) -> str:
    """Return a stored value as it would be written again."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)


def checked(field: Field, typed: str) -> str:
    """Return what was typed as the field can hold it.

    Raises:
        Invalid: naming what to mend.
    """
    value = unicodedata.normalize("NFC", typed.replace("\r\n", "\n")).strip()
    lines = "\n" if field.kind in {"long-text", "code"} else ""
    if any(unicodedata.category(sign) in {"Cc", "Cs"} and sign not in lines for sign in value) or UNSEEN & set(value):
        raise Invalid("This holds a sign that cannot be seen. Type it again instead of pasting it.", field="value")
    if len(value) > field.correct.longest:
        raise Invalid("This is too long for this field. Shorten it.", field="value")
    if field.values and value not in {one.stored for one in field.values}:
        raise Invalid("Choose one of the list.", field="value")
    _fits_kind(field.kind, value)
    return value


def _fits_kind(kind: str, value: str) -> None:
    match kind:
        case "number" | "size" | "money" if not NUMBER.fullmatch(value):
            raise Invalid("Write a number, such as 12 or 3.50.", field="value")
        case "flag" if value not in {"true", "false"}:
            raise Invalid("Choose yes or no.", field="value")
        case "day" | "moment" if not _is_moment(value):
            raise Invalid("Write a day such as 2026-10-14, or a moment such as 2026-10-14T09:00.", field="value")


def _is_moment(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def places_of(policy: Policy, category: str, field: str) -> tuple[str, ...]:
    """Return the ids of the sources that hold a field, in the order in which it is written.

    The platform comes first, because it is the strictest; our own tables last, where they remember the same thing.
    """
    found = [spec for spec in policy.sources if _fills(spec, category, field)]
    found.sort(key=lambda spec: not isinstance(spec, PostgresSource))
    own = [spec for spec in policy.sources if isinstance(spec, PortalSource) and own_column(policy, category, field)]
    return tuple(spec.id for spec in (*found, *own))


def own_column(policy: Policy, category: str, field: str) -> str:
    """Return which of our own columns of the person remembers a field: display_name, language, email or none."""
    for spec in policy.sources:
        if not isinstance(spec, PostgresSource):
            continue
        for table in spec.tables:
            if table.name != spec.lookup.table or table.category != category:
                continue
            names = {part.name for part in table.columns if part.target == field}
            for ours in ("email", "display_name", "language"):
                if getattr(spec.lookup, ours) in names:
                    return ours
    return ""


def address_fields(policy: Policy) -> tuple[tuple[str, str, str], ...]:
    """Return every (source, category, field) by which a person is reached at their address, the platform's first."""
    found: list[tuple[str, str, str]] = []
    for spec in policy.sources:
        match spec:
            case PostgresSource():
                found += [
                    (spec.id, table.category, part.target)
                    for table in spec.tables
                    for part in table.columns
                    if (table.name, part.name) == (spec.lookup.table, spec.lookup.email)
                ]
            case StripeSource():
                found += [
                    (spec.id, part.category, column.target)
                    for part in spec.objects
                    for column in part.columns
                    if part.object == "customer" and column.name == "email"
                ]
            case _:
                pass
    lookups = {spec.id for spec in policy.sources if isinstance(spec, PostgresSource)}
    return tuple(sorted(dict.fromkeys(found), key=lambda place: place[0] not in lookups))


async def held_now(sources: Sources, policy: Policy, person: Identified, category: Category) -> HeldNow:
    """Read what a category holds now, every place at once. Never raises for a place that is down."""
    specs = policy.sources_of(category.id)
    pages = await asyncio.gather(*(_rows(sources, policy, spec, person, category.id) for spec in specs))
    accounts = {table.kind for spec in specs for table in _account_tables(spec)}
    rows = sorted((row for page in pages for row in page or ()), key=lambda row: row.get("kind") not in accounts)
    values: dict[str, list[object]] = {}
    for row in rows:
        for field in category.fields:
            if field.id in row and row[field.id] not in values.setdefault(field.id, []):
                values[field.id].append(row[field.id])
    # Not by a set: a JSON column holds what cannot be looked up in one.
    told = {id: [one for one in found if one is not None and one != ""] or found for id, found in values.items()}
    silent = tuple(spec.id for spec, page in zip(specs, pages, strict=True) if page is None)
    own = {part.target for spec in specs for table in _account_tables(spec) for part in table.columns}
    return HeldNow(values=told, silent=silent, own=frozenset(own))


async def _rows(
    sources: Sources, policy: Policy, spec: SourceSpec, person: Identified, category: str
) -> Sequence[Mapping[str, object]] | None:
    if cannot_tell(spec, policy, person):
        return None
    return await _first_page(sources.get(spec.id), person.identifiers, category)


async def _first_page(source: Source, subject: Identifiers, category: str) -> Sequence[Mapping[str, object]] | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await source.page(subject, category, offset=0, limit=READ)).rows
    except (SourceError, TimeoutError):
        return None


def _account_tables(spec: SourceSpec) -> Sequence[Table]:
    tables = spec.tables if isinstance(spec, PostgresSource) else ()
    return [table for table in tables if isinstance(spec, PostgresSource) and table.name == spec.lookup.table]


def _fills(spec: SourceSpec, category: str, field: str) -> bool:
    match spec:
        case PostgresSource(tables=parts) | StripeSource(objects=parts):
            return any(part.category == category and field in {one.target for one in part.columns} for part in parts)
        case S3Source():
            return field in S3_FIELDS and any(prefix.category == category for prefix in spec.prefixes)
        case PortalSource():
            return False
