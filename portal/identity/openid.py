"""Signing in with Google, Microsoft or the staff's own provider: OpenID Connect, authorization code with PKCE.

Always true here: a transaction is used once, by the browser that began it; a person is keyed on (issuer, subject);
an e-mail claim counts only where Google has verified it. Nothing else of the token is kept, and no refresh token asked.
Source: OpenID Connect Core 1.0 section 3.1; RFC 7636; RFC 9207; RFC 9700.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx
import msgspec

from portal.clock import Clock
from portal.errors import SettingsError
from portal.identity.id_token import IdentityRefused, Keys, Verified, fits_issuer, verify
from portal.identity.tables import OutsideAttempt
from portal.policy.model import Policy, Way
from portal.settings import Settings

LIFE = timedelta(minutes=10)
SCOPES = "openid email profile"
TIMEOUT = httpx.Timeout(10)
ISSUERS = {
    Way.GOOGLE: "https://accounts.google.com",
    Way.MICROSOFT: "https://login.microsoftonline.com/common/v2.0",
}
AGAIN = {"prompt": "login", "max_age": "0"}
"""Source: OpenID Connect Core 1.0 section 3.1.2.1."""
TENANTS = ("/common/", "/organizations/", "/consumers/")
"""Microsoft's addresses that stand for many tenants; discovery there names a template as the issuer."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can say who a person is, as configured by the operator."""

    name: str
    """A `Way` of the person's page, or what another room calls its own."""
    issuer: str
    client_id: str
    client_secret: str
    back: str = ""
    """The path without language to which it sends people back; empty: the one of the person's page."""

    def __repr__(self) -> str:
        """Keep the secret out of tracebacks and logs."""
        return f"Provider({self.name})"


class Discovery(msgspec.Struct, frozen=True):
    """What we need of a provider's own description."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a transaction: who it is, and what the person was doing."""

    who: Verified
    language: str
    next_path: str


class OpenId:
    """The configured providers, with what was discovered about them."""

    def __init__(
        self, providers: Mapping[str, Provider], settings: Settings, clock: Clock, http: httpx.AsyncClient
    ) -> None:
        self.providers = providers
        self._settings = settings
        self._clock = clock
        self._http = http
        self._discovered: dict[str, Discovery] = {}
        self._keys: dict[str, Keys] = {}

    async def begin(self, way: str, *, browser: str, language: str, next_path: str, again: bool = False) -> str:
        """Open a transaction for this browser and return the provider's address to go to.

        `again`: they must prove anew who they are, and the provider must say when they did.

        Raises:
            IdentityRefused: the provider does not answer.
        """
        provider, state, at = self.providers[way], secrets.token_urlsafe(32), self._clock()
        found = await self._discover(provider)
        await OutsideAttempt(
            provider=way, browser=browser, state_hash=self._hash(state), language=language, next_path=next_path,
            created_at=at, expires_at=at + LIFE,
        ).save()  # fmt: skip
        challenge = urlsafe_b64encode(hashlib.sha256(self._derive("verifier", state).encode()).digest())
        return f"{found.authorization_endpoint}?" + urlencode(
            {
                **(AGAIN if again else {}),
                "response_type": "code",
                "client_id": provider.client_id,
                "redirect_uri": self._callback(provider, language),
                "scope": SCOPES,
                "state": state,
                "nonce": self._derive("nonce", state),
                "code_challenge": challenge.decode().rstrip("="),
                "code_challenge_method": "S256",
            }
        )

    async def finish(self, way: str, answer: Mapping[str, str], *, browser: str) -> Answered:
        """Check the provider's answer and say who it is. The transaction is used up whatever the answer.

        Raises:
            IdentityRefused: the person said no, the provider did not answer, or what it says does not hold.
        """
        provider, state = self.providers[way], answer.get("state", "")
        row = await self._use(way, state, browser)
        found = await self._discover(provider)
        told = answer.get("iss", "")
        if (told or found.authorization_response_iss_parameter_supported) and not fits_issuer(found.issuer, told):
            raise IdentityRefused("wrong-issuer")
        if "error" in answer or not answer.get("code"):
            raise IdentityRefused("denied" if answer.get("error") == "access_denied" else "no-code")
        token = await self._exchange(provider, found, answer["code"], state, row["language"])
        who = await verify(
            token,
            self._keys.setdefault(way, Keys(found.jwks_uri, self._http, self._clock)),
            issuer=found.issuer,
            audience=provider.client_id,
            nonce=self._derive("nonce", state),
            at=self._clock(),
            # Microsoft's e-mail claim is no proof: a tenant's administrator can write any address into it.
            vouches=way == Way.GOOGLE,
        )
        return Answered(who=who, language=row["language"], next_path=row["next_path"])

    async def _use(self, way: str, state: str, browser: str) -> dict[str, str]:
        at = self._clock()
        rows: list[dict[str, str]] = await (
            OutsideAttempt.update({OutsideAttempt.used_at: at})
            .where(
                OutsideAttempt.state_hash == self._hash(state),
                OutsideAttempt.provider == way,
                OutsideAttempt.browser == browser,
                OutsideAttempt.used_at.is_null(),
                OutsideAttempt.expires_at > at,
            )
            .returning(OutsideAttempt.language, OutsideAttempt.next_path)
        )
        if not rows:
            raise IdentityRefused("unknown-state")
        return rows[0]

    async def _discover(self, provider: Provider) -> Discovery:
        if provider.name not in self._discovered:
            address = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
            try:
                answer = (await self._http.get(address)).raise_for_status()
                found = msgspec.json.decode(answer.content, type=Discovery)
            except (httpx.HTTPError, msgspec.MsgspecError) as error:
                raise IdentityRefused("unreachable", provider=provider.name) from error
            if found.issuer not in {provider.issuer, _template(provider)}:
                raise IdentityRefused("wrong-discovery", provider=provider.name)
            self._discovered[provider.name] = found
        return self._discovered[provider.name]

    async def _exchange(self, provider: Provider, found: Discovery, code: str, state: str, language: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback(provider, language),
            "client_id": provider.client_id,
            "client_secret": provider.client_secret,
            "code_verifier": self._derive("verifier", state),
        }
        try:
            answer = (await self._http.post(found.token_endpoint, data=form)).raise_for_status()
            return msgspec.json.decode(answer.content, type=_Tokens).id_token
        except httpx.HTTPStatusError as error:
            reason = "code-refused" if error.response.is_client_error else "unreachable"
            raise IdentityRefused(reason, provider=provider.name) from error
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise IdentityRefused("unreachable", provider=provider.name) from error

    def _callback(self, provider: Provider, language: str) -> str:
        back = provider.back or f"/sign-in/{provider.name}/callback"
        return f"{self._settings.public_url}/{language}{back}"

    def _derive(self, what: str, state: str) -> str:
        """Return the nonce or verifier that belongs to a state: only who holds the state and our key can know it."""
        return (
            urlsafe_b64encode(hmac.digest(self._settings.key(f"openid-{what}"), state.encode(), "sha256"))
            .decode()
            .rstrip("=")
        )

    def _hash(self, state: str) -> str:
        return self._derive("state", state)


def providers(policy: Policy, settings: Settings) -> dict[str, Provider]:
    """Return the providers that the policy offers and the operator has configured.

    Raises:
        SettingsError: when one is configured by halves.
    """
    found: dict[str, Provider] = {}
    for way in (way for way in policy.sign_in.ways if way in ISSUERS):
        name = way.upper()
        id, secret = (settings.environment.get(f"{name}_CLIENT_{part}", "") for part in ("ID", "SECRET"))
        if bool(id) != bool(secret):
            raise SettingsError(f"{name}_CLIENT_ID and {name}_CLIENT_SECRET belong together: set both or none.")
        if id:
            issuer = settings.environment.get(f"{name}_ISSUER") or ISSUERS[way]
            found[way] = Provider(name=way, issuer=issuer, client_id=id, client_secret=secret)
    return found


async def forget_outside_attempts(before: datetime) -> None:
    """Delete transactions begun before then."""
    await OutsideAttempt.delete().where(OutsideAttempt.created_at < before)


def _template(provider: Provider) -> str:
    """Return the issuer that Microsoft names for all tenants together. Source: Microsoft identity platform, v2.0."""
    issuer = provider.issuer
    for tenants in TENANTS if provider.name == Way.MICROSOFT else ():
        issuer = issuer.replace(tenants, "/{tenantid}/")
    return issuer
