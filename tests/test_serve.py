"""`habeas serve` stands on its own feet: it serves, works, counts, and stops when it is told to."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from portal.settings import socket_folder

ROOT = Path(__file__).parent.parent
NOWHERE = "http://127.0.0.1:9"


@contextmanager
def serving(**more: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run `habeas serve` and yield it with its two addresses once it says that it serves; its sources are all down."""
    port, metrics_port = free_port(), free_port()
    environment = {
        "PATH": os.environ["PATH"], "HABEAS_SECRET_KEY": "k" * 40, "HABEAS_PORT": port,
        "HABEAS_METRICS_PORT": metrics_port,
        "HABEAS_PUBLIC_URL": f"http://127.0.0.1:{port}", "RESEND_API_KEY": "re_x", "RESEND_API_URL": NOWHERE,
        "STRIPE_API_KEY": "sk_x", "STRIPE_API_URL": NOWHERE, "CASAGBIC_DATABASE_URL": "postgresql://x@127.0.0.1:9/x",
        "CASAGBIC_S3_ENDPOINT": NOWHERE, "CASAGBIC_S3_ACCESS_KEY": "a", "CASAGBIC_S3_SECRET_KEY": "b",
        "CASAGBIC_S3_WRITE_ACCESS_KEY": "c", "CASAGBIC_S3_WRITE_SECRET_KEY": "d",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "portal", "serve"], cwd=ROOT, env=environment | more,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        said = []
        while not any('"serving"' in line for line in said):
            line = process.stdout.readline()
            assert line, "".join(said)
            said.append(line)
        yield process, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}"
    finally:
        process.kill()
        process.communicate()


def free_port() -> str:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def last_line(process: subprocess.Popen[str]) -> Mapping[str, object]:
    """Wait for the end of `process` and return what it logged last."""
    said, _ = process.communicate(timeout=60)
    line: Mapping[str, object] = json.loads(said.splitlines()[-1])
    return line


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_and_stops_when_told(database: str, kind: signal.Signals) -> None:
    """Pages, health and metrics answer; either signal ends it with 0 and nothing unfinished."""
    await asyncio.to_thread(serve_and_stop, database, kind)


def serve_and_stop(dsn: str, kind: signal.Signals) -> None:
    with serving(DATABASE_URL=dsn, HABEAS_DATA=os.environ["HABEAS_DATA"]) as (process, portal, metrics):
        assert httpx.get(f"{portal}/healthz").status_code == 200
        assert httpx.get(f"{portal}/readyz").json()["database"] == "reachable"
        assert "habeas_requests_total" in httpx.get(f"{metrics}/metrics").text
        assert httpx.get(f"{portal}/metrics").status_code == 404
        page = httpx.get(f"{portal}/en/sign-in")
        assert page.status_code == 200
        assert "server" not in page.headers
        process.send_signal(kind)
        assert last_line(process)["unfinished"] == 0
        assert process.returncode == 0


def test_the_embedded_database_stops_with_it() -> None:
    """No PostgreSQL is left behind on the data folder."""
    with tempfile.TemporaryDirectory(prefix="habeas-") as folder:
        server = socket_folder(Path(folder)) / ".s.PGSQL.5432"
        with serving(HABEAS_DATA=folder) as (process, portal, _):
            assert httpx.get(f"{portal}/readyz").status_code == 200
            assert server.exists()
            process.terminate()
            last_line(process)
        assert not server.exists()
