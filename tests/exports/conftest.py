"""A press that is ended with the test, and progress that nobody listens to."""

import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from exports.bundle import Parcel, assemble
from exports.order import Order
from exports.press import Press
from portal.clock import SetClock

type Making = Callable[..., Awaitable[Parcel]]


async def silent(_section: str, _source: str, _count: int) -> None:
    """Hear of progress and do nothing."""


def output_of(*command: str, given: bytes = b"") -> str:
    """Run a program that must succeed. Returns what it said."""
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout.decode()


def text_of(pdf: bytes) -> str:
    """Return the text of a PDF as a person would copy it."""
    return output_of("pdftotext", "-layout", "-", "-", given=pdf)


@pytest.fixture(scope="session")
async def press(anyio_backend: str) -> AsyncIterator[Press]:
    """Warm workers for the whole run."""
    async with Press(workers=1) as press:
        yield press


@pytest.fixture
def make(press: Press, clock: SetClock, tmp_path: Path) -> Making:
    """Make a parcel of an order in a fresh folder."""

    async def making(order: Order, folder: Path | None = None, **more: object) -> Parcel:
        return await assemble(
            order, folder or tmp_path / "work", progress=silent, now=clock, press=press, **more  # type: ignore[arg-type]
        )  # fmt: skip

    return making
