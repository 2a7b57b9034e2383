"""The reference tables: what the organisation adds to letters, hints on grounds, and contacts at recipients.

Always true here: a row is checked before it is written, and who wrote it is evidence with the digests of before and
after in the same transaction; an addition stands at a letter's end and takes nothing out of it.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import msgspec
from piccolo.columns import Column
from piccolo.table import Table

from portal.database import engine
from portal.errors import Invalid, NotFound
from portal.evidence.log import append, canonical
from portal.identity.address import normalise
from portal.policy.model import Policy
from portal.rights.letters import Letter
from portal.rights.letters.reasons import BY_ID
from portal.rights.tables_reference import LetterAddition, ReasonHint, RecipientContact

type Row = Mapping[str, str]

EDITABLE: Mapping[str, type[Table]] = {
    "letter_addition": LetterAddition, "reason_hint": ReasonHint, "recipient_contact": RecipientContact,
}  # fmt: skip
"""Every table that staff may write in Piccolo Admin; there is no other."""
LONGEST_ADDITION, LONGEST_HINT, LONGEST_LINE = 1000, 500, 200


def _kinds(letter: type[Letter]) -> set[str]:
    """Return the kinds of all letters below one."""
    return {letter.kind} - {""} | {kind for below in letter.__subclasses__() for kind in _kinds(below)}


KINDS = tuple(sorted(_kinds(Letter)))
"""Every kind of letter."""


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to write to at a recipient; `email` or `url` may be empty, not both."""

    recipient: str
    """Its id in the policy file."""
    name: str
    email: str
    url: str


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the organisation knows beside a request."""

    contacts: dict[str, Contact]
    """The contact of each recipient that has one, by the recipient's id."""
    hints: dict[str, str]
    """What colleagues should know of a ground, by the ground's id. Never shown to a person."""


async def known() -> Known:
    """Return both, in one query."""
    rows = await ReasonHint.raw(
        "SELECT json_build_object('contacts',"
        " coalesce((SELECT json_object_agg(c.recipient, to_json(c)) FROM recipient_contact c), json_build_object()),"
        " 'hints', coalesce((SELECT json_object_agg(h.reason, h.text) FROM reason_hint h), json_build_object()))::text"
        " AS known"
    )
    return msgspec.json.decode(rows[0]["known"], type=Known)


async def with_addition(letter: Letter, language: str) -> Letter:
    """Return a letter with what the organisation adds to its kind, as the last of what staff say in their words."""
    row = await LetterAddition.select(LetterAddition.text).where(
        (LetterAddition.kind == letter.kind) & (LetterAddition.language == language)
    ).first()  # fmt: skip
    if row is None:
        return letter
    paragraphs = tuple(" ".join(part.split()) for part in row["text"].split("\n\n") if part.strip())
    return msgspec.structs.replace(letter, more=(*letter.more, *paragraphs))


async def write(table: str, values: Row, *, policy: Policy, at: datetime, actor: str, id: UUID | None = None) -> UUID:
    """Write one row, a new one unless `id` names it, and note who did. Returns its id.

    Raises:
        Invalid: a value does not fit; names the column.
        NotFound: there is no such table or row.
    """
    rows = _rows(table)
    clean = _CHECKS[table](policy, values)
    async with engine().transaction():
        before = await _held(rows, id) if id else {}
        await _only_one(table, rows, clean, id)
        found = id or uuid4()
        if id:
            await rows.update({_column(rows, name): value for name, value in clean.items()}).where(_key(rows) == id)
        else:
            await rows.insert(
                rows({_key(rows): found, **{_column(rows, name): value for name, value in clean.items()}})
            )
        await _note(table, found, before, clean, at, actor)
    return found


async def remove(table: str, id: UUID, *, at: datetime, actor: str) -> None:
    """Take a row away, and note who did. Raises: NotFound."""
    rows = _rows(table)
    async with engine().transaction():
        before = await _held(rows, id)
        await rows.delete().where(_key(rows) == id)
        await _note(table, id, before, {}, at, actor)


async def held(table: str, id: UUID) -> dict[str, str]:
    """Return a row's values without its id. Raises: NotFound."""
    rows = _rows(table)
    found = await rows.select().where(_key(rows) == id).first()
    if found is None:
        raise NotFound
    return {name: value for name, value in found.items() if name != "id"}


def digest(row: Row) -> str:
    """Return the SHA-256 (hex) of a row's values; empty for no row."""
    return hashlib.sha256(canonical(dict(row)).encode()).hexdigest() if row else ""


async def _note(table: str, id: UUID, before: Row, after: Row, at: datetime, actor: str) -> None:
    details = {"table": table, "row": str(id), "before": digest(before), "after": digest(after)}
    await append("staff:reference:changed", at=at, actor=actor, details=details)


async def _held(rows: type[Table], id: UUID) -> dict[str, str]:
    found = await rows.select().where(_key(rows) == id).lock_rows("UPDATE").first()
    if found is None:
        raise NotFound
    return {name: value for name, value in found.items() if name != "id"}


async def _only_one(table: str, rows: type[Table], clean: Row, id: UUID | None) -> None:
    """Refuse a second row about the same. Writers of one table take turns. Raises: Invalid."""
    await engine().connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"reference:{table}")
    match = rows.select(_key(rows))
    for name in _SAME[table]:
        match = match.where(_column(rows, name) == clean[name])
    if any(row["id"] != id for row in await match):
        raise Invalid("There is a row about this already. Change that one.", field=_SAME[table][0])


def _rows(table: str) -> type[Table]:
    if table not in EDITABLE:
        raise NotFound
    return EDITABLE[table]


def _key(rows: type[Table]) -> Column:
    return _column(rows, "id")


def _column(rows: type[Table], name: str) -> Column:
    return rows._meta.get_column_by_name(name)  # noqa: SLF001  piccolo has no other way


_SAME = {"letter_addition": ("kind", "language"), "reason_hint": ("reason",), "recipient_contact": ("recipient",)}


def _addition(policy: Policy, values: Row) -> Row:
    kind, language = values.get("kind", ""), values.get("language", "")
    if kind not in KINDS:
        raise Invalid("Choose one of the letters.", field="kind")
    if language not in policy.languages:
        raise Invalid("Choose one of the languages of the policy file.", field="language")
    return {"kind": kind, "language": language, "text": _text(values, "text", LONGEST_ADDITION)}


def _hint(_: Policy, values: Row) -> Row:
    if values.get("reason", "") not in BY_ID:
        raise Invalid("Choose one of the grounds.", field="reason")
    return {"reason": values["reason"], "text": _text(values, "text", LONGEST_HINT)}


def _contact(policy: Policy, values: Row) -> Row:
    if values.get("recipient", "") not in {one.id for one in policy.recipients}:
        raise Invalid("Choose one of the recipients of the policy file.", field="recipient")
    name = _text(values, "name", LONGEST_LINE, empty=True)
    email, url = values.get("email", "").strip(), values.get("url", "").strip()
    if not email and not url:
        raise Invalid("Write an e-mail address or the address of a form.", field="email")
    if url and (len(url) > LONGEST_LINE or not _leads_somewhere(url)):
        raise Invalid("Write an address that begins with https://.", field="url")
    return {"recipient": values["recipient"], "name": name, "email": normalise(email) if email else "", "url": url}


def _leads_somewhere(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and not any(c.isspace() or c < " " for c in url)


def _text(values: Row, name: str, longest: int, *, empty: bool = False) -> str:
    """Return plain text without control characters. Raises: Invalid."""
    found = unicodedata.normalize("NFC", values.get(name, "").replace("\r\n", "\n").strip())
    if not found and not empty:
        raise Invalid("Fill this in.", field=name)
    if len(found) > longest or any(unicodedata.category(one) == "Cc" and one != "\n" for one in found):
        raise Invalid("Write plain text, and not so much of it.", field=name)
    return found


_CHECKS: Mapping[str, Callable[[Policy, Row], Row]] = {
    "letter_addition": _addition, "reason_hint": _hint, "recipient_contact": _contact,
}  # fmt: skip
