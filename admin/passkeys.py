"""Passkeys: made and asked for by the browser, checked here.

Always true here: a challenge is answered once, within minutes, in the browser that it was put to; only a passkey that
has verified its user (finger, face or PIN) counts; the library for it stays in this module.
Source: W3C Web Authentication Level 3, sections 7.1 and 7.2.
"""

import hmac
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import msgspec
import webauthn
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from admin.tables_factors import StaffChallenge, StaffPasskey
from portal.errors import Invalid
from portal.settings import Settings

LIFE = timedelta(minutes=10)
LONGEST_NAME = 60
MOST = 20
MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError, EOFError)

type Ceremony = Literal["create", "get"]


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey as its owner sees it in a list."""

    id: UUID
    name: str
    created_at: datetime
    used_at: datetime | None


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Whose passkey it is about, and in which browser. `browser` is its keyed hash."""

    user: int
    browser: str
    settings: Settings
    at: datetime


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey that was just made and holds; not kept yet."""

    credential: str
    public_key: bytes
    sign_count: int


def usable(settings: Settings) -> bool:
    """Tell whether browsers make passkeys for our address: they do for names, never for numbers."""
    try:
        ip_address(_host(settings))
    except ValueError:
        return True
    return False


async def passkeys_of(user: int) -> list[Passkey]:
    """Return somebody's passkeys, the oldest first."""
    rows = await (
        StaffPasskey.select(StaffPasskey.id, StaffPasskey.name, StaffPasskey.created_at, StaffPasskey.used_at)
        .where(StaffPasskey.user == user)
        .order_by(StaffPasskey.created_at)
    )
    return [Passkey(**row) for row in rows]


async def offer_making(asker: Asker, *, email: str, name: str, organisation: str) -> str:
    """Return what the browser needs to make a passkey, as JSON. Those that are there already are not made twice."""
    settings = asker.settings
    options = webauthn.generate_registration_options(
        rp_id=_host(settings),
        rp_name=organisation,
        user_id=hmac.digest(settings.key("passkey-user"), str(asker.user).encode(), "sha256"),
        user_name=email,
        user_display_name=name or email,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=await _descriptors(asker.user),
    )
    await _put(asker, "create", options.challenge)
    return webauthn.options_to_json(options)


async def offer_using(asker: Asker) -> str:
    """Return what the browser needs to show one of somebody's passkeys, as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=_host(asker.settings),
        allow_credentials=await _descriptors(asker.user),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    await _put(asker, "get", options.challenge)
    return webauthn.options_to_json(options)


async def check_made(asker: Asker, answer: str) -> Made:
    """Return the passkey that a browser says it made. Uses the challenge up, whatever comes of it.

    Raises:
        Invalid: it does not hold.
    """
    try:
        client_data = parse_registration_credential_json(answer).response.client_data_json
        challenge = await _take(asker, "create", parse_client_data_json(client_data).challenge)
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_host(asker.settings),
            expected_origin=_origin(asker.settings),
            require_user_verification=True,
        )
    except MALFORMED:
        raise _wrong() from None
    return Made(
        credential=bytes_to_base64url(found.credential_id),
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
    )


async def keep_made(made: Made, user: int, *, name: str, at: datetime) -> None:
    """Keep a passkey, in the caller's transaction.

    Raises:
        Invalid: the same one is there already, or there are too many.
    """
    taken = await StaffPasskey.exists().where(StaffPasskey.credential == made.credential)
    if taken or await StaffPasskey.count().where(StaffPasskey.user == user) >= MOST:
        raise _wrong()
    await StaffPasskey(
        id=uuid4(), user=user, credential=made.credential, public_key=made.public_key, sign_count=made.sign_count,
        name=name.strip()[:LONGEST_NAME], created_at=at,
    ).save()  # fmt: skip


async def check_used(asker: Asker, answer: str) -> UUID:
    """Return the id of the passkey that was shown. Uses the challenge up, whatever comes of it.

    Raises:
        Invalid: it is none of theirs, it did not verify its user, or it counts less than before, as a copy would.
    """
    try:
        shown = parse_authentication_credential_json(answer)
        challenge = await _take(asker, "get", parse_client_data_json(shown.response.client_data_json).challenge)
        key = await StaffPasskey.objects().get(
            (StaffPasskey.user == asker.user) & (StaffPasskey.credential == bytes_to_base64url(shown.raw_id))
        )
        if key is None:
            raise _wrong()
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_host(asker.settings),
            expected_origin=_origin(asker.settings),
            credential_public_key=bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except MALFORMED:
        raise _wrong() from None
    await _count(key, found.new_sign_count, asker.at)
    return UUID(str(key.id))


async def remove(id: UUID, user: int) -> bool:
    """Remove one of somebody's passkeys, in the caller's transaction. False: there is none such."""
    gone = (
        await StaffPasskey.delete().where(StaffPasskey.id == id, StaffPasskey.user == user).returning(StaffPasskey.id)
    )
    return bool(gone)


async def forget_challenges(before: datetime) -> None:
    """Delete challenges whose time was over by then."""
    await StaffChallenge.delete().where(StaffChallenge.expires_at < before)


async def _count(key: StaffPasskey, new: int, at: datetime) -> None:
    """Note the new count, unless another use of the same passkey was quicker: of two copies one is refused."""
    counted = await (
        StaffPasskey.update({StaffPasskey.sign_count: new, StaffPasskey.used_at: at})
        .where(StaffPasskey.id == key.id, StaffPasskey.sign_count == key.sign_count)
        .returning(StaffPasskey.id)
    )
    if not counted:
        raise _wrong()


async def _put(asker: Asker, ceremony: Ceremony, challenge: bytes) -> None:
    await StaffChallenge(
        id=uuid4(), user=asker.user, browser=asker.browser, ceremony=ceremony,
        challenge=bytes_to_base64url(challenge), expires_at=asker.at + LIFE,
    ).save()  # fmt: skip


async def _take(asker: Asker, ceremony: Ceremony, challenge: bytes) -> bytes:
    """Use a challenge up. Raises: Invalid, when it was not put to this browser, was used already, or is too old."""
    taken = await (
        StaffChallenge.delete()
        .where(
            StaffChallenge.challenge == bytes_to_base64url(challenge),
            StaffChallenge.user == asker.user,
            StaffChallenge.browser == asker.browser,
            StaffChallenge.ceremony == ceremony,
            StaffChallenge.expires_at > asker.at,
        )
        .returning(StaffChallenge.id)
    )
    if not taken:
        raise _wrong()
    return challenge


async def _descriptors(user: int) -> list[PublicKeyCredentialDescriptor]:
    rows = await StaffPasskey.select(StaffPasskey.credential).where(StaffPasskey.user == user)
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(row["credential"])) for row in rows]


def _host(settings: Settings) -> str:
    return urlsplit(settings.public_url).hostname or ""


def _origin(settings: Settings) -> str:
    address = urlsplit(settings.public_url)
    return f"{address.scheme}://{address.netloc}"


def _wrong() -> Invalid:
    return Invalid("This passkey did not work. Try again, or take another way.", field="passkey")
