"""A portal of each kind, ready to be used."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from portal.clock import SetClock
from portal.policy.load import load
from portal.policy.model import Policy
from tests.identity.site import Site, make_settings


@pytest.fixture(scope="session")
def policy() -> Policy:
    """Casagbic: code, link, Google and Microsoft."""
    return load(Path("policies/casagbic.toml"))


@pytest.fixture
async def site(database: str, clock: SetClock, policy: Policy) -> AsyncIterator[Site]:
    """The portal, without providers."""
    async with httpx.AsyncClient() as outside:
        yield Site(policy, make_settings(), clock, outside)
