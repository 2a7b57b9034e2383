"""The least that a Litestar page can be, to compare ours with: `python -m benchmarks.bare PORT`.

Always true here: it runs on the same server, with the same settings, as the portal.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from litestar import Litestar, get

from benchmarks.apart import ROOT
from demo.stack import free_port


@get("/", sync_to_thread=False, media_type="text/plain")
def hello() -> str:
    """Answer a few words."""
    return "Your data, your rules."


@contextmanager
def running() -> Iterator[str]:
    """Run it in a process of its own; give its address."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.bare", str(port)], cwd=ROOT)
    try:
        yield _when_it_answers(f"http://127.0.0.1:{port}/", process)
    finally:
        process.terminate()
        process.wait()


def _when_it_answers(url: str, process: "subprocess.Popen[bytes]") -> str:
    while process.poll() is None:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return url
    raise RuntimeError("the bare page did not start")


def main() -> None:
    """Serve it."""
    app = Litestar([hello], openapi_config=None, logging_config=None)
    uvicorn.run(app, port=int(sys.argv[1]), log_config=None, access_log=False, server_header=False, ws="none")


if __name__ == "__main__":
    main()
