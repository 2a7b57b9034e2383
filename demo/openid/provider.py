"""A stand-in for Google or Microsoft as OpenID providers, as strict as they are.

Always true here: a code is good once, for one client, one redirect address and one PKCE verifier; misbehaviour is
only ever what `twist` asks for, so that a test names the lie it tells.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.jwk import RSAKey

from portal.clock import Clock

TENANT = "9b3a7a52-3f0c-4c54-9d6e-1f5a2c7d8e90"
ANY_TENANT = "{tenantid}"


class Mode(StrEnum):
    """Whose ways it has."""

    GOOGLE = "google"
    MICROSOFT = "microsoft"


class Twist(StrEnum):
    """One thing that it does wrong, on demand."""

    NONE = ""
    WRONG_ISSUER = "wrong-issuer"
    WRONG_AUDIENCE = "wrong-audience"
    OTHER_AUDIENCE_TOO = "other-audience-too"
    WRONG_PARTY = "wrong-party"
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from-the-future"
    WRONG_NONCE = "wrong-nonce"
    NO_NONCE = "no-nonce"
    NO_SUBJECT = "no-subject"
    FOREIGN_KEY = "foreign-key"
    """Signed by somebody else's key under our key's id."""
    NO_ALGORITHM = "no-algorithm"
    PUBLIC_KEY_AS_SECRET = "public-key-as-secret"
    OTHER_TENANT = "other-tenant"
    NOT_A_TOKEN = "not-a-token"
    VOUCHES = "vouches"
    """Says that it has verified an address, which Microsoft has not."""
    WRONG_ANSWER_ISSUER = "wrong-answer-issuer"
    NO_ANSWER_ISSUER = "no-answer-issuer"
    WRONG_DISCOVERY = "wrong-discovery"
    DOWN = "down"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account at the provider."""

    sub: str
    email: str
    name: str
    verified: bool = True
    """Whether the provider has seen them open their mail. Microsoft never says so."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A code that was given out."""

    person: Person
    nonce: str
    redirect_uri: str
    challenge: str


class Refusal(Exception):
    """What the provider answers instead: an error code of OAuth."""


class Provider:
    """One provider. `base` is where it is reached, without a trailing slash.

    `portal` is the one address people may be sent back to; empty: any portal on this machine.
    """

    def __init__(
        self, mode: Mode, base: str, people: list[Person], *, client_id: str, client_secret: str,
        portal: str = "", clock: Clock, key: RSAKey | None = None,
    ) -> None:  # fmt: skip
        self.mode, self.base, self.people = mode, base, people
        self.client_id, self.client_secret, self.portal = client_id, client_secret, portal
        self.clock = clock
        self.twist = Twist.NONE
        self.fetched_keys = 0
        self._grants: dict[str, Grant] = {}
        self._key = key or self._new_key()

    @property
    def issuer(self) -> str:
        """What the operator configures."""
        return f"{self.base}/common/v2.0" if self.mode is Mode.MICROSOFT else self.base

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self._key = self._new_key()

    def discovery(self) -> dict[str, object]:
        """Describe this provider."""
        issuer = f"{self.base}/{ANY_TENANT}/v2.0" if self.mode is Mode.MICROSOFT else self.base
        return {
            "issuer": "https://elsewhere.example" if self.twist is Twist.WRONG_DISCOVERY else issuer,
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "jwks_uri": f"{self.base}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public" if self.mode is Mode.GOOGLE else "pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **({"authorization_response_iss_parameter_supported": True} if self.mode is Mode.GOOGLE else {}),
        }

    def keys(self) -> dict[str, object]:
        """Publish the public key."""
        self.fetched_keys += 1
        return {"keys": [self._key.as_dict(private=False, use="sig", alg="RS256"), {"kty": "XYZ", "kid": "new-kind"}]}

    def check(self, asked: Mapping[str, str]) -> None:
        """Check what somebody was sent here with.

        Raises:
            Refusal: the person must not be sent back, because the address to send them to cannot be trusted.
        """
        if asked.get("client_id") != self.client_id or not self._is_callback(asked.get("redirect_uri", "")):
            raise Refusal("invalid_client")
        wanted = {"response_type": "code", "scope": "openid email profile", "code_challenge_method": "S256"}
        if any(asked.get(name) != value for name, value in wanted.items()):
            raise Refusal("invalid_request")
        if not all(asked.get(name) for name in ("state", "nonce", "code_challenge")):
            raise Refusal("invalid_request")

    def _is_callback(self, address: str) -> bool:
        portal = re.escape(self.portal) if self.portal else r"http://(?:127\.0\.0\.1|localhost)(:\d+)?"
        return re.fullmatch(rf"{portal}/(en|fr)/(sign-in/{self.mode}|staff/sso)/callback", address) is not None

    def answer(self, asked: Mapping[str, str], sub: str) -> dict[str, str]:
        """Return what the person brings back: a code, or that they said no (an unknown `sub`)."""
        person = next((person for person in self.people if person.sub == sub), None)
        back = {"state": asked["state"]}
        if self.mode is Mode.GOOGLE and self.twist is not Twist.NO_ANSWER_ISSUER:
            wrong = self.twist is Twist.WRONG_ANSWER_ISSUER
            back["iss"] = "https://elsewhere.example" if wrong else self.issuer
        if person is None:
            return {**back, "error": "access_denied"}
        code = secrets.token_urlsafe(24)
        self._grants[code] = Grant(
            person=person, nonce=asked["nonce"], redirect_uri=asked["redirect_uri"], challenge=asked["code_challenge"]
        )
        return {**back, "code": code}

    def exchange(self, form: Mapping[str, str]) -> dict[str, object]:
        """Give the ID token for a code. Raises: Refusal."""
        grant = self._grants.pop(form.get("code", ""), None)
        secret = hmac.compare_digest(form.get("client_secret", ""), self.client_secret)
        if form.get("client_id") != self.client_id or not secret:
            raise Refusal("invalid_client")
        if grant is None or form.get("grant_type") != "authorization_code":
            raise Refusal("invalid_grant")
        challenge = _base64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if form.get("redirect_uri") != grant.redirect_uri or challenge != grant.challenge:
            raise Refusal("invalid_grant")
        token = self._sign(self._claims(grant))
        return {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": token,
        }

    def _claims(self, grant: Grant) -> dict[str, Any]:
        now, person = int(self.clock().timestamp()), grant.person
        claims: dict[str, Any] = {
            "iss": self.issuer, "sub": person.sub, "aud": self.client_id, "iat": now, "exp": now + 3600,
            "auth_time": now, "nonce": grant.nonce, "email": person.email, "name": person.name,
            "picture": "https://pictures.example/never-fetched.png", "locale": "fr",
        }  # fmt: skip
        if self.mode is Mode.MICROSOFT:
            claims |= {"iss": f"{self.base}/{TENANT}/v2.0", "tid": TENANT, "preferred_username": person.email}
        else:
            claims |= {"azp": self.client_id, "email_verified": person.verified}
        return self._twisted(claims, now)

    def _twisted(self, claims: dict[str, Any], now: int) -> dict[str, Any]:
        lies: dict[Twist, dict[str, Any]] = {
            Twist.WRONG_ISSUER: {"iss": "https://elsewhere.example"},
            Twist.WRONG_AUDIENCE: {"aud": "somebody-else"},
            Twist.OTHER_AUDIENCE_TOO: {"aud": [self.client_id, "somebody-else"], "azp": "somebody-else"},
            Twist.WRONG_PARTY: {"azp": "somebody-else"},
            Twist.EXPIRED: {"iat": now - 7200, "exp": now - 3600},
            Twist.FROM_THE_FUTURE: {"iat": now + 3600, "exp": now + 7200},
            Twist.WRONG_NONCE: {"nonce": "another"},
            Twist.NO_SUBJECT: {"sub": ""},
            Twist.VOUCHES: {"email_verified": True},
            Twist.OTHER_TENANT: {"tid": "00000000-0000-4000-8000-000000000000"},
        }
        twisted = {**claims, **lies.get(self.twist, {})}
        if self.twist is Twist.NO_NONCE:
            del twisted["nonce"]
        return twisted

    def _sign(self, claims: dict[str, Any]) -> str:
        kid = self._key.kid
        match self.twist:
            case Twist.NOT_A_TOKEN:
                return "this is not a token"
            case Twist.NO_ALGORITHM:
                return f"{_part({'alg': 'none', 'kid': kid})}.{_part(claims)}."
            case Twist.PUBLIC_KEY_AS_SECRET:
                signed = f"{_part({'alg': 'HS256', 'kid': kid})}.{_part(claims)}"
                secret = self._key.as_pem(private=False)
                return f"{signed}.{_base64(hmac.digest(secret, signed.encode(), 'sha256'))}"
            case Twist.FOREIGN_KEY:
                return jwt.encode({"alg": "RS256", "kid": kid}, claims, RSAKey.generate_key(2048))
            case _:
                return jwt.encode({"alg": "RS256", "kid": kid}, claims, self._key)

    @staticmethod
    def _new_key() -> RSAKey:
        return RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(8)})


def _part(value: Mapping[str, object]) -> str:
    return _base64(msgspec.json.encode(value))


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
