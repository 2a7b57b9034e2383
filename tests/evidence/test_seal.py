"""Content that can be proven while its key lives, and by nobody afterwards."""

from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal.clock import SetClock
from portal.database import engine
from portal.evidence.log import append
from portal.evidence.seal import Unreadable, destroy_key, keep, kept, seal, unseal, unseal_each
from portal.evidence.verify import verify
from portal.settings import Settings
from tests.evidence.conftest import SECRET, make_settings

REFERENCE = "DR-2026-0147"
PLAIN = b"Dear Ana, we have erased everything but two invoices."


async def sealed_letter(subject: UUID, settings: Settings, clock: SetClock) -> str:
    """Seal and store a letter with its evidence, as a verb would. Returns its digest."""
    async with engine().transaction():
        sealed = await seal(subject, PLAIN, reference=REFERENCE, settings=settings, at=clock())
        await keep(sealed, reference=REFERENCE, at=clock())
        await append(
            "rights:letter:sent", at=clock(), actor="worker", reference=REFERENCE, details={"sealed": sealed.digest}
        )
    return sealed.digest


async def body_of(digest: str) -> bytes:
    body = await kept(digest)
    assert body is not None
    return body


async def test_what_is_sealed_opens_for_its_person_and_reference_alone(
    subject: UUID, settings: Settings, clock: SetClock
) -> None:
    """Another person's key, another reference and a changed body do not open it."""
    body = await body_of(await sealed_letter(subject, settings, clock))
    other = uuid4()
    await sealed_letter(other, settings, clock)
    assert PLAIN not in body
    assert await unseal(subject, body, reference=REFERENCE, settings=settings) == PLAIN
    for who, what, reference in (
        (other, body, REFERENCE), (subject, body, "DR-2026-0148"), (subject, body[:-1] + b"\0", REFERENCE),
        (subject, b"", REFERENCE),
    ):  # fmt: skip
        with pytest.raises(Unreadable):
            await unseal(who, what, reference=reference, settings=settings)
    several = [(other, REFERENCE, body), (subject, REFERENCE, body), (uuid4(), REFERENCE, body)]
    assert await unseal_each(several, settings=settings) == [None, PLAIN, None]
    assert await unseal_each([], settings=settings) == []


async def test_after_the_key_is_destroyed_the_log_verifies_and_the_content_is_gone(
    subject: UUID, settings: Settings, clock: SetClock, connection: asyncpg.Connection
) -> None:
    """With the body, the secret key and everything else in the database, nobody reads it again."""
    body = await body_of(await sealed_letter(subject, settings, clock))
    async with engine().transaction():
        assert await destroy_key(subject)
        assert not await destroy_key(subject)
    assert (await verify(connection, {})).broken is None
    with pytest.raises(Unreadable):
        await unseal(subject, body, reference=REFERENCE, settings=settings)
    assert await connection.fetchval("SELECT count(*) FROM seal_key") == 0
    with pytest.raises(InvalidTag):
        AESGCM(settings.key("seal")).decrypt(body[:12], body[12:], subject.bytes + REFERENCE.encode())

    await sealed_letter(subject, settings, clock)
    with pytest.raises(Unreadable):
        await unseal(subject, body, reference=REFERENCE, settings=settings)


async def test_a_destruction_that_is_rolled_back_never_happened(
    subject: UUID, settings: Settings, clock: SetClock
) -> None:
    """The key goes with the caller's transaction or not at all."""
    body = await body_of(await sealed_letter(subject, settings, clock))
    with pytest.raises(RuntimeError, match="killed"):
        async with engine().transaction():
            await destroy_key(subject)
            raise RuntimeError("killed")
    assert await unseal(subject, body, reference=REFERENCE, settings=settings) == PLAIN


async def test_the_key_is_no_use_without_the_secret(
    subject: UUID, settings: Settings, clock: SetClock, database: str, tmp_path: Path
) -> None:
    """A stolen database opens nothing; a changed secret opens it while the former one is named."""
    body = await body_of(await sealed_letter(subject, settings, clock))
    thief = make_settings(database, tmp_path, HABEAS_SECRET_KEY="t" * 40)
    with pytest.raises(Unreadable):
        await unseal(subject, body, reference=REFERENCE, settings=thief)
    changed = make_settings(database, tmp_path, HABEAS_SECRET_KEY="n" * 40, HABEAS_FORMER_SECRET_KEYS=f"x, {SECRET}")
    assert await unseal(subject, body, reference=REFERENCE, settings=changed) == PLAIN


async def test_sealed_content_is_never_changed(
    subject: UUID, settings: Settings, clock: SetClock, connection: asyncpg.Connection
) -> None:
    """UPDATE is refused; storing the same again changes nothing."""
    await sealed_letter(subject, settings, clock)
    with pytest.raises(asyncpg.RestrictViolationError):
        await connection.execute("UPDATE sealed SET body = ''")
