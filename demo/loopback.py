"""Serve an ASGI application on 127.0.0.1, in a thread of its own.

Always true here: when `serving` yields, the port answers; when it ends, nothing of it is left.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def serving(application: Any, *, port: int = 0, name: str) -> Iterator[str]:
    """Serve `application` on `port` (0: any free one) while the block runs; yields its address."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        config = uvicorn.Config(
            application, lifespan="off", ws="none", log_config=None, log_level="critical", access_log=False,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        # The socket listens already, so that a call made now waits in its queue until the thread is up.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name=name)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
