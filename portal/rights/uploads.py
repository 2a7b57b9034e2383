"""Files that people send: told by their content, encrypted one by one, and gone when they were decided upon.

Always true here: a name and a declared type count for nothing; a row names a file before it is stored, so a killed
process leaves nothing behind that nobody knows of; after 30 days it is gone whatever happens.
Source: law S-16; ASVS 5.0.0, 5.2.
"""

import asyncio
import secrets
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from exports.storage import Storage
from portal.database import engine
from portal.errors import Invalid, NotFound
from portal.evidence.log import append
from portal.rights.tables_intake import Upload
from portal.rights.upload_types import stripped, type_of
from portal.settings import Settings

LARGEST_BYTES = 10 * 1024 * 1024
KEEP = timedelta(days=30)
"""Source: law/rules.md, section 5: proof of identity goes at decision, and after 30 days in any case."""
UNCLAIMED = timedelta(hours=1)
"""How long a file may lie here without a request: whoever was taking it in died."""
NONCE_BYTES = 12


async def store(content: bytes, storage: Storage, settings: Settings, *, at: datetime) -> UUID:
    """Check, strip and encrypt a file and store it, outside any transaction. Returns its id, for `claim`.

    Raises:
        Invalid: it is no PDF, PNG or JPEG, or it is too large; names the field `file`.
        StorageError: the store does not answer; nothing counts then.
    """
    if len(content) > LARGEST_BYTES:
        raise Invalid("The file is larger than 10 MB. Send a smaller scan, or a photo of it.", field="file")
    media_type = type_of(content)
    if media_type is None:
        raise Invalid("Send a PDF, a PNG or a JPEG. This file is none of them, whatever its name is.", field="file")
    clean = await asyncio.to_thread(stripped, content, media_type)
    id = uuid4()
    await Upload(id=id, media_type=media_type, size_bytes=len(clean), came_at=at).save()
    await _put(id, _seal(id, clean, settings), storage)
    return id


async def claim(id: UUID, request: UUID) -> None:
    """Make a stored file part of a request, inside the caller's transaction."""
    await Upload.update({Upload.request: request}).where(Upload.id == id)


async def read(id: UUID, storage: Storage, settings: Settings, *, at: datetime, actor: str) -> tuple[str, bytes]:
    """Return the media type and the content of a file, for staff who decide upon it; that they looked is evidence.

    Raises:
        NotFound: it is gone.
        StorageError: the store does not answer.
    """
    media_type, reference = await _row(id)
    sealed = b"".join([piece async for piece in storage.open(_place(id))])
    content = _open(id, sealed, settings)
    async with engine().transaction():
        await append("rights:upload:read", at=at, actor=actor, reference=reference, details={"upload": str(id)})
    return media_type, content


async def of_request(request: UUID) -> list[UUID]:
    """Return the ids of what belongs to a request and is still there."""
    rows = await Upload.select(Upload.id).where(Upload.request == request)
    return [UUID(str(row["id"])) for row in rows]


async def delete_of(storage: Storage, request: UUID, *, at: datetime) -> None:
    """Delete what belongs to a request that is decided, bytes first. Idempotent."""
    for id in await of_request(request):
        await _delete(id, storage, at=at, why="decided")


async def delete_over(storage: Storage, *, at: datetime) -> int:
    """Delete what is decided upon, what nobody claimed and what is 30 days old. Returns how many files."""
    rows = await Upload.raw(
        "SELECT u.id FROM upload u LEFT JOIN subject_request r ON r.id = u.request"
        " WHERE u.came_at <= {} OR (r.id IS NULL AND u.came_at <= {}) OR r.closed_at IS NOT NULL"
        " OR (r.subject IS NOT NULL AND r.channel = 'agent')",
        at - KEEP, at - UNCLAIMED,
    )  # fmt: skip
    for row in rows:
        await _delete(row["id"], storage, at=at, why="over")
    return len(rows)


async def _delete(id: UUID, storage: Storage, *, at: datetime, why: str) -> None:
    await storage.delete(_place(id))
    async with engine().transaction():
        gone = await Upload.delete().where(Upload.id == id).returning(Upload.id)
        if gone:
            await append("rights:upload:deleted", at=at, actor="worker", details={"upload": str(id), "why": why})


async def _row(id: UUID) -> tuple[str, str]:
    rows = await Upload.raw(
        "SELECT u.media_type, coalesce(r.reference, '') AS reference FROM upload u"
        " LEFT JOIN subject_request r ON r.id = u.request WHERE u.id = {}",
        id,
    )  # fmt: skip
    if not rows:
        raise NotFound
    return rows[0]["media_type"], rows[0]["reference"]


async def _put(id: UUID, sealed: bytes, storage: Storage) -> None:
    """Hand the ciphertext to the store by way of a file, which never holds anything readable."""
    with tempfile.TemporaryDirectory(prefix="habeas-upload-") as folder:
        path = Path(folder) / "sealed"
        await asyncio.to_thread(path.write_bytes, sealed)
        await storage.put(_place(id), path)


def _place(id: UUID) -> str:
    return f"upload-{id}.bin"


def _seal(id: UUID, content: bytes, settings: Settings) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(_key(id, settings)).encrypt(nonce, content, id.bytes)


def _open(id: UUID, sealed: bytes, settings: Settings) -> bytes:
    try:
        return AESGCM(_key(id, settings)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], id.bytes)
    except InvalidTag:
        raise NotFound from None


def _key(id: UUID, settings: Settings) -> bytes:
    """Derive the key of one file, so that no two files share one. AES-256-GCM."""
    return settings.key(f"upload:{id}")
