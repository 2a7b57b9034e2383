"""The organisation's own single sign-on for staff: OpenID Connect, with the same care as for people.

Always true here: there is one provider or none, set by the operator; whoever it vouches for and nobody has bound to a
member of staff gets nothing. It stands for both factors: that it asks for a second one is its operator's business.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httpx
from litestar import Litestar
from litestar.datastructures import State

from portal.errors import SettingsError
from portal.identity.openid import TIMEOUT, OpenId, Provider
from portal.settings import Settings
from portal.web import Req, settings_of

STAFF = "staff"
BACK = "/staff/sso/callback"


@asynccontextmanager
async def staff_single_sign_on(app: Litestar) -> AsyncIterator[None]:
    """Put the provider into the app's state. For the app's `lifespan`.

    Raises:
        SettingsError: when it is configured by halves.
    """
    async with httpx.AsyncClient(timeout=TIMEOUT) as http:
        prepare(app.state, http)
        yield


def prepare(state: State, http: httpx.AsyncClient) -> None:
    """Set `state.staff_openid` from the settings and the clock that are there."""
    provider = provider_in(state.settings)
    found = {STAFF: provider} if provider else {}
    state.staff_openid = OpenId(found, state.settings, state.clock, http)


def provider_in(settings: Settings) -> Provider | None:
    """Return the provider that the operator has configured.

    Raises:
        SettingsError: when it is configured by halves.
    """
    names = [f"HABEAS_STAFF_OIDC_{part}" for part in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")]
    issuer, id, secret = (settings.environment.get(name, "") for name in names)
    if not (issuer or id or secret):
        return None
    if not (issuer and id and secret):
        raise SettingsError(f"{', '.join(names)} belong together: set all of them or none.")
    return Provider(name=STAFF, issuer=issuer, client_id=id, client_secret=secret, back=BACK)


def sign_on_of(request: Req) -> OpenId:
    """Return the single sign-on."""
    return cast(OpenId, request.app.state.staff_openid)


def sign_on_name(request: Req) -> str:
    """Return what staff call the single sign-on, empty when there is none."""
    found = settings_of(request).environment
    return (found.get("HABEAS_STAFF_OIDC_NAME") or "Single sign-on") if found.get("HABEAS_STAFF_OIDC_ISSUER") else ""
