"""Whether an ID token may be believed.

Always true here: only asymmetric signatures by a key of the provider; issuer, audience, authorised party, times and
nonce all have to fit; of its claims only who it is, a name and a vouched-for address go further.
Source: OpenID Connect Core 1.0 section 3.1.3.7; RFC 8725.
"""

import hmac
import re
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

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

    sentence = "We could not sign you in that way. Try again, or have a code e-mailed to you."

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


class Keys:
    """A provider's public keys. An unknown key makes us ask again, at most once in a while."""

    def __init__(self, uri: str, http: httpx.AsyncClient, clock: Clock) -> None:
        self._uri = uri
        self._http = http
        self._clock = clock
        self._set: KeySet | None = None
        self._fetched_at: datetime | None = None

    async def decode(self, token: str) -> dict[str, Any]:
        """Return the claims of a token whose signature holds. Raises: IdentityRefused."""
        for _ in range(2):
            try:
                return jwt.decode(token, self._set or await self._fetch(), algorithms=ALGORITHMS).claims
            except (JoseError, ValueError) as error:
                if not self._may_fetch():
                    raise IdentityRefused("bad-signature") from error
                self._set = None
        raise IdentityRefused("bad-signature")

    def _may_fetch(self) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at >= REFETCH_AFTER

    async def _fetch(self) -> KeySet:
        self._fetched_at = self._clock()
        try:
            answer = (await self._http.get(self._uri)).raise_for_status()
            self._set = KeySet.import_key_set(answer.json())
        except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            raise IdentityRefused("unreachable") from error
        return self._set


async def verify(token: str, keys: Keys, *, issuer: str, audience: str, nonce: str, at: datetime) -> Verified:
    """Return who an ID token speaks of.

    `issuer` is the discovered one; Microsoft's holds `{tenantid}`, which the token's own `tid` has to fill.

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
        # Microsoft sends no `email_verified`, and its `email` can be set by a tenant's administrator.
        email_proven=TENANT not in issuer and claims.email_verified is True,
        name=claims.name[:LONGEST_NAME],
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
        "from-the-future": claims.iat <= now + SKEW.total_seconds(),
        "wrong-nonce": hmac.compare_digest(claims.nonce.encode(), nonce.encode()),
        "no-subject": 0 < len(claims.sub) <= 255,
    }
    return next((name for name, holds in checks.items() if not holds), "")
