"""Issue a receipt for a request that is answered, and find it again.

Always true here: a receipt commits with the answer it is about; asking for the same one again gives back the same
number, also after a crash; a later change is a supplement with a number of its own, and no receipt is ever changed.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from piccolo.querystring import QueryString

from portal.database import engine
from portal.evidence.log import append, held_head
from portal.policy.model import Policy
from portal.rights.receipt_file import (
    Anchor,
    Body,
    Done,
    Organisation,
    Recipient,
    check,
    file_of,
    key_id,
    pem,
    signing_key,
    trusted_keys,
    write,
)
from portal.settings import Settings

__all__ = ["Answer", "Done", "Found", "Recipient", "by_number", "file_for", "issue", "number_of"]

DIGITS = 20
"""66 bits: a number cannot be guessed, so it may open the page that checks it."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a right fills in when it is done. Nothing in it may be personal."""

    outcome: str
    """One of `lifecycle.OUTCOMES`."""
    answered: date
    """The day of the answer, in the controller's zone."""
    rules: str
    """`deadlines.RULES_VERSION`."""
    done: tuple[Done, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    backups_gone_by: date | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt as it was signed."""

    number: str
    supplement: int
    issued_at: datetime
    key: str
    body: bytes
    signature: bytes

    @property
    def file(self) -> bytes:
        """What the person downloads."""
        return file_of(self.body, self.signature, self.key)


async def issue(request_id: UUID, answer: Answer, *, settings: Settings, policy: Policy, at: datetime) -> str:
    """Sign and store the receipt of a request at the end of the caller's transaction; return its number (20 digits).

    It names the newest entry of the log, what this transaction says of itself included.
    Idempotent: the same answer gives back the number there is, another answer a supplement. Nothing is sent.

    Raises:
        RuntimeError: outside a transaction.
        LookupError: there is no such request.
    """
    asked = await _asked(request_id)
    content = hashlib.sha256(msgspec.json.encode(answer)).hexdigest()
    before = await engine().connection.fetch(
        "SELECT number, content FROM receipt WHERE request = $1 ORDER BY supplement", request_id
    )
    if before and before[-1]["content"] == content:
        return str(before[-1]["number"])
    number = _number(settings, request_id, len(before))
    numbers = (*(str(row["number"]) for row in before), number)
    engine().at_the_end(partial(_sign, request_id, asked, answer, numbers, content, settings, policy, at))
    return number


async def _sign(
    request_id: UUID,
    asked: asyncpg.Record,
    answer: Answer,
    numbers: tuple[str, ...],
    content: str,
    settings: Settings,
    policy: Policy,
    at: datetime,
) -> None:
    """Sign and store what `issue` decided; `numbers` are those of all receipts of this request, this one last."""
    head, key, first, number = await held_head(), signing_key(settings), numbers[0], numbers[-1]
    supplement = len(numbers) - 1
    body, signature = write(
        Body(
            number=grouped(number), supplement=supplement, supplements=grouped(first) if supplement else "",
            issued_at=at, organisation=_organisation(policy), reference=asked["reference"], right=asked["right"],
            received=asked["received_at"].astimezone(ZoneInfo(policy.controller.zone)).date(), answered=answer.answered,
            outcome=answer.outcome, rules=answer.rules, done=answer.done, recipients=answer.recipients,
            backups_gone_by=answer.backups_gone_by, evidence=Anchor(head.seq, head.digest),
            key=key_id(key.public_key()), check_at=f"{settings.public_url}/{policy.languages[0]}/receipt",
        ),
        key,
    )  # fmt: skip
    await _store(request_id, supplement, number, content, body, signature, settings, at)
    await append(
        "rights:receipt:issued", at=at, actor="worker", reference=asked["reference"],
        details={"sha256": hashlib.sha256(body).hexdigest(), "supplement": supplement},
    )  # fmt: skip


async def file_for(request_id: UUID) -> Found | None:
    """Return the newest receipt of a request, None while there is none. Whose request it is, the caller has asked."""
    return await _one("WHERE request = {} ORDER BY supplement DESC LIMIT 1", request_id)


async def number_of(request_id: UUID) -> str:
    """Return the number of the newest receipt of a request in groups, to be shown; empty while there is none."""
    found = await file_for(request_id)
    return grouped(found.number) if found else ""


async def by_number(typed: str) -> Found | None:
    """Return the receipt with a number as somebody types it; when supplements follow it, the newest of them."""
    digits = "".join(character for character in typed if character in "0123456789")
    if len(digits) != DIGITS or len(typed) > 80:
        return None
    return await _one(
        "WHERE request = (SELECT request FROM receipt WHERE number = {}) ORDER BY supplement DESC LIMIT 1", digits
    )


async def published_key(id: str, settings: Settings) -> str | None:
    """Return a public key as PEM, one of today or one that signed something once; None when it is none of ours."""
    if key := trusted_keys(settings).get(id):
        return pem(key)
    rows = await engine().run_querystring(QueryString("SELECT public_key FROM receipt_key WHERE id = {}", id))
    return str(rows[0]["public_key"]) if rows else None


def read(found: Found, settings: Settings) -> Body:
    """Return what a stored receipt says, if its signature is still right: the database is not believed either.

    Raises:
        NotGenuine: it is not.
    """
    return check(found.file, trusted_keys(settings))


def grouped(number: str) -> str:
    """1234-5678-9012-3456-7890."""
    return "-".join(number[start : start + 4] for start in range(0, len(number), 4))


async def _one(condition: str, value: object) -> Found | None:
    query = f"SELECT number, supplement, issued_at, key, body, signature FROM receipt {condition}"  # noqa: S608  ours
    rows: list[Mapping[str, object]] = await engine().run_querystring(QueryString(query, value))
    return msgspec.convert(rows[0], Found) if rows else None


async def _asked(request_id: UUID) -> asyncpg.Record:
    row = await engine().connection.fetchrow(
        'SELECT reference, "right", received_at FROM subject_request WHERE id = $1 FOR UPDATE', request_id
    )
    if row is None:
        raise LookupError("there is no such request")
    return row


async def _store(
    request_id: UUID,
    supplement: int,
    number: str,
    content: str,
    body: bytes,
    signature: bytes,
    settings: Settings,
    at: datetime,
) -> None:
    public, connection = signing_key(settings).public_key(), engine().connection
    await connection.execute(
        "INSERT INTO receipt_key (id, public_key, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        key_id(public), pem(public), at,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO receipt (number, request, supplement, issued_at, key, content, body, signature)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        number, request_id, supplement, at, key_id(public), content, body, signature,
    )  # fmt: skip


def _organisation(policy: Policy) -> Organisation:
    return Organisation(policy.controller.name, policy.controller.legal_name, policy.controller.site)


def _number(settings: Settings, request_id: UUID, supplement: int) -> str:
    """Return 20 digits that nobody can guess without the secret key and that a second try makes again."""
    made = hmac.digest(settings.key("receipt-number"), request_id.bytes + str(supplement).encode(), "sha256")
    return f"{int.from_bytes(made) % 10**DIGITS:0{DIGITS}d}"
