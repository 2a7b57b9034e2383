"""What the web app takes from this room: state, error handlers, and what runs as long as the app does.

Always true here: the pages find their limits and providers here and nowhere else.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httpx
from litestar import Litestar
from litestar.datastructures import State

from portal.identity.limits import Limits, swept
from portal.identity.openid import TIMEOUT, OpenId, providers
from portal.web import Req


@asynccontextmanager
async def identity(app: Litestar) -> AsyncIterator[None]:
    """Put limits and providers into the app's state. For the app's `lifespan`.

    Raises:
        SettingsError: when a provider or the trusted proxies are configured wrongly.
    """
    state = app.state
    async with httpx.AsyncClient(timeout=TIMEOUT) as http:
        prepare(state, http)
        async with swept(limits_in(state)):
            yield


def prepare(state: State, http: httpx.AsyncClient) -> None:
    """Set `state.limits` and `state.openid` from the policy, the settings and the clock that are there."""
    state.limits = Limits(state.clock, trusted=state.settings.trusted_proxies)
    state.openid = OpenId(providers(state.policy, state.settings), state.settings, state.clock, http)


def limits_of(request: Req) -> Limits:
    """Return the limits of this process."""
    return limits_in(request.app.state)


def limits_in(state: State) -> Limits:
    """Return the limits of this process."""
    return cast(Limits, state.limits)


def openid_of(request: Req) -> OpenId:
    """Return the configured providers."""
    return cast(OpenId, request.app.state.openid)
