"""Each test of the contract meets every house."""

from collections.abc import AsyncIterator

import pytest

from demo.seaweed import Seaweed
from demo.stripe import StandIn
from tests.contracts.houses import HOUSES, House, Servers
from tests.sources.conftest import empty_database

__all__ = ["empty_database"]


@pytest.fixture(params=HOUSES)
async def house(
    request: pytest.FixtureRequest, empty_database: str, database: str, seaweed: Seaweed, stripe_stand_in: StandIn
) -> AsyncIterator[House]:
    """One house with two people in it."""
    servers = Servers(platform_dsn=empty_database, own_dsn=database, seaweed=seaweed, stripe=stripe_stand_in)
    async with HOUSES[request.param](servers) as built:
        yield built
        await built.source.close()
        await built.dead.close()
