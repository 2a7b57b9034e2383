"""Serve the stand-in on 127.0.0.1 while a block runs.

Always true here: nobody beyond this machine can reach it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from demo import loopback
from demo.stripe.api import StandIn


@contextmanager
def serving(
    people: Iterable[Mapping[str, object]] = (), *, port: int = 0, key: str = "rk_test_demo"
) -> Iterator[StandIn]:
    """Serve a stand-in filled with `people` on `port` (0: any free one)."""
    standin = StandIn(people, key=key)
    with loopback.serving(standin, port=port, name="stripe stand-in") as standin.url:
        yield standin
