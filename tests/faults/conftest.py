"""The whole demo, without a browser: each organisation runs once for all fault journeys, its files behind a proxy.

Always true here: the portal is a process of its own that can be killed; people reach it over HTTP alone.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from demo.faults import Proxy, between
from demo.stack import Stack, running
from tests.faults.house import House
from tests.faults.visitor import Visitor

type Visit = Callable[..., Awaitable[Visitor]]


@contextmanager
def house(organisation: str, files: str) -> Iterator[House]:
    """Run an organisation whose S3 server is reached through a proxy. `files` is its variable for the endpoint.

    The folder is not pytest's: as root, PostgreSQL runs as `nobody`, who may not enter that one.
    """
    with ExitStack() as servers, ExitStack() as cleaning:
        folder = Path(servers.enter_context(TemporaryDirectory(prefix=f"habeas-{organisation}-")))
        stack: Stack = cleaning.enter_context(running(organisation, folder))
        proxy: Proxy = cleaning.enter_context(between(stack.s3.endpoint, cut_bytes=700))
        stack.stop_habeas()
        stack.environment[files] = proxy.url
        stack.start_habeas()
        yield House(stack, proxy, servers)


@pytest.fixture(scope="session")
def running_casagbic() -> Iterator[House]:
    """Casagbic, started once."""
    with house("casagbic", "CASAGBIC_S3_ENDPOINT") as running:
        yield running


@pytest.fixture
def casagbic(running_casagbic: House) -> Iterator[House]:
    """Casagbic with everything around it; whatever a test broke at a far end works again afterwards."""
    yield running_casagbic
    running_casagbic.mend()


@pytest.fixture(scope="session")
def caaartoons() -> Iterator[House]:
    """Caaartoons, with everything around it."""
    with house("caaartoons", "CAAARTOONS_S3_ENDPOINT") as running:
        yield running


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """Give what signs a person in at a house and returns their visitor."""
    async with AsyncExitStack() as cleaning:

        async def visit(house: House, email: str = "") -> Visitor:
            visitor = Visitor(house.stack)
            cleaning.push_async_callback(visitor.close)
            if email:
                await visitor.sign_in(email)
            return visitor

        yield visit
