"""Whether an ID token may be believed.

Always true here: only asymmetric signatures by a key of the provider; issuer, audience, authorised party, times and
nonce all have to fit; of its claims only who it is, a name and a vouched-for address go further.
Source: OpenID Connect Core 1.0 section 3.1.3.7; RFC 8725.
"""

import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from portal.clock import Clock
from portal.errors import Refused

ALGORITHMS = ["RS256", "PS256", "ES256"]
SKEW = timedelta(minutes=1)
REFETCH_AFTER = timedelta(minutes=1)
TENANT = "{tenantid}"
TENANT_ID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
LONGEST_NAME = 200


class IdentityRefused(Refused):
    """A provider's answer does not hold. `reason` is for the log and for choosing the sentence, never a claim."""

    def __init__(self, reason: str, **fields: str | float | None) -> None:
        super().__init__(f"identity refused: {reason}", reason=reason, **fields)
        self.reason = reason


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims we read. Any other is dropped here."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: int | float
    iat: int | float
    nonce: str
    azp: str | None = None
    auth_time: int | float | None = None
    tid: str | None = None
    email: str = ""
    email_verified: bool | str = False
    name: str = ""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """Who a provider says it is. `email_proven`: it vouches for the address too."""

    issuer: str
    identifier: str
    email: str
    email_proven: bool
    name: str
    authenticated_at: datetime | None = None
    """When the provider last saw them prove who they are, where it says so."""


class Keys:
    """A provider's public keys. An unknown key makes us ask again, at most once in a while."""

    def __init__(self, uri: str, http: httpx.AsyncClient, clock: Clock) -> None:
        self._uri = uri
        self._http = http
        self._clock = clock
        self._set: KeySet | None = None
        self._asked_again_at: datetime | None = None

    async def decode(self, token: str) -> dict[str, Any]:
        """Return the claims of a token whose signature holds. Raises: IdentityRefused."""
        known = self._set or await self._fetch()
        try:
            return jwt.decode(token, known, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            if not self._may_ask_again():
                raise IdentityRefused("bad-signature") from None
        try:
            return jwt.decode(token, await self._fetch(), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            raise IdentityRefused("bad-signature") from None

    def _may_ask_again(self) -> bool:
        at = self._clock()
        if self._asked_again_at and at - self._asked_again_at < REFETCH_AFTER:
            return False
        self._asked_again_at = at
        return True

    async def _fetch(self) -> KeySet:
        try:
            answer = (await self._http.get(self._uri)).raise_for_status()
            keys = msgspec.json.decode(answer.content, type=_Jwks).keys
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise IdentityRefused("unreachable") from error
        self._set = KeySet([key for one in keys if (key := _key(one))])
        return self._set


class _Jwks(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


def _key(one: dict[str, Any]) -> Key | None:
    """Read one key. A kind that we do not know must not spoil the ones that we do."""
    try:
        return import_key(one)
    except (JoseError, ValueError, TypeError):
        return None


async def verify(
    token: str, keys: Keys, *, issuer: str, audience: str, nonce: str, at: datetime, vouches: bool
) -> Verified:
    """Return who an ID token speaks of.

    `issuer` is the discovered one; Microsoft's holds `{tenantid}`, which the token's own `tid` has to fill.
    `vouches`: this provider's `email_verified` may be believed.

    Raises:
        IdentityRefused: saying which check failed.
    """
    try:
        claims = msgspec.convert(await keys.decode(token), type=Claims)
    except msgspec.ValidationError as error:
        raise IdentityRefused("missing-claim") from error
    reason = _fault(claims, issuer, audience, nonce, at.timestamp())
    if reason:
        raise IdentityRefused(reason)
    return Verified(
        issuer=claims.iss,
        identifier=claims.sub,
        email=claims.email,
        email_proven=vouches and claims.email_verified is True,
        name=claims.name[:LONGEST_NAME],
        authenticated_at=None if claims.auth_time is None else datetime.fromtimestamp(claims.auth_time, UTC),
    )


def fits_issuer(discovered: str, told: str) -> bool:
    """True when `told` is the discovered issuer, or fills its `{tenantid}` with the id of a tenant."""
    return re.fullmatch(re.escape(discovered).replace(re.escape(TENANT), TENANT_ID), told) is not None


def _fault(claims: Claims, issuer: str, audience: str, nonce: str, now: float) -> str:
    """Return the name of the first check that fails, or nothing."""
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    checks = {
        "wrong-issuer": fits_issuer(issuer, claims.iss) and claims.iss == issuer.replace(TENANT, claims.tid or ""),
        "wrong-audience": audiences == [audience] or (audience in audiences and claims.azp == audience),
        "wrong-party": claims.azp in {None, audience},
        "expired": now < claims.exp + SKEW.total_seconds(),
        "from-the-future": max(claims.iat, claims.auth_time or 0) <= now + SKEW.total_seconds(),
        "wrong-nonce": hmac.compare_digest(claims.nonce.encode(), nonce.encode()),
        "no-subject": 0 < len(claims.sub) <= 255,
    }
    return next((name for name, holds in checks.items() if not holds), "")
