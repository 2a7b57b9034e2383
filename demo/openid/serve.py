"""Serve both providers on 127.0.0.1, in a thread of their own.

Always true here: when `serving` yields, the port answers; when it ends, nothing of it is left.
"""

import hashlib
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import uvicorn

from demo.openid.pages import application
from demo.openid.provider import Mode, Person, Provider
from portal.clock import Clock, system_clock

CLIENT_ID, CLIENT_SECRET = "habeas-demo", "habeas-demo-secret"


class Known(Protocol):
    """Somebody the sample platform knows."""

    name: str

    @property
    def email(self) -> str:
        """The address they have at the provider too."""
        ...


@dataclass(frozen=True)
class StandIn:
    """The providers that run. Set `at[mode].twist` to make one misbehave."""

    url: str
    at: Mapping[Mode, Provider]

    @property
    def environment(self) -> dict[str, str]:
        """What Habeas has to be started with."""
        found: dict[str, str] = {}
        for mode, provider in self.at.items():
            name = mode.upper()
            found |= {
                f"{name}_ISSUER": provider.issuer,
                f"{name}_CLIENT_ID": provider.client_id,
                f"{name}_CLIENT_SECRET": provider.client_secret,
            }
        return found


@contextmanager
def serving(people: Sequence[Known], port: int = 0, *, clock: Clock = system_clock) -> Iterator[StandIn]:
    """Serve Google's and Microsoft's ways on `port` (0: any free one) while the block runs."""
    accounts = [Person(sub=_sub(one.email), email=one.email, name=one.name) for one in people]
    with socket.create_server(("127.0.0.1", port)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        providers = {
            mode: Provider(
                mode, f"{url}/{mode}", accounts, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, clock=clock
            )
            for mode in Mode
        }
        config = uvicorn.Config(
            application(list(providers.values())), lifespan="off", ws="none", log_config=None,
            log_level="critical", access_log=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        # The socket listens already, so that a call made now waits in its queue until the thread is up.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="openid stand-in")
        thread.start()
        try:
            yield StandIn(url, providers)
        finally:
            server.should_exit = True
            thread.join()


def _sub(email: str) -> str:
    """Return the number that the provider knows somebody by, the same in every run."""
    return str(int.from_bytes(hashlib.sha256(email.encode()).digest()[:8]))
