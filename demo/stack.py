"""Everything around one organisation, on this machine alone: its platform, files, Stripe, mail, sign-in, Habeas.

Always true here: real PostgreSQL, a real S3 server, the real SDKs; only the far ends of Stripe, Resend and the
identity provider are stand-ins, and the tests use the same ones. Everything listens on 127.0.0.1; the portal is called
localhost, because browsers make passkeys for names only.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx

from demo import door, openid, resend, seaweed, stripe
from demo.platforms import PLATFORMS, Person, Platform, hook
from portal.embedded import embedded_postgres

ROOT = Path(__file__).parent.parent
READER, WRITER, SCANNER = "habeas_reader", "habeas_writer", "habeas_scanner"
START_SECONDS = 90
SERVE = ("-m", "portal", "serve")

type Say = Callable[[str], None]


@dataclass
class Stack:
    """One running organisation. `environment` is what Habeas was started with."""

    organisation: str
    folder: Path
    portal_url: str
    inbox_url: str
    metrics_url: str
    platform_dsn: str
    people: list[Person]
    environment: dict[str, str]
    stripe: stripe.StandIn
    mail: resend.StandIn
    openid: openid.StandIn | None
    s3: seaweed.Seaweed
    hook: hook.Hook
    """Where the platform hears what was paused, corrected and erased."""
    desk_doors: Mapping[str, str]
    """Role -> the address of a page with one button that signs a made-up member of staff in."""
    program: Sequence[str] = SERVE
    """What Python is started with: `habeas serve`, or what a journey runs in its place."""
    habeas: "subprocess.Popen[bytes] | None" = field(default=None)

    def start_habeas(self) -> None:
        """Start `habeas serve` and wait until it is ready."""
        with (self.folder / "habeas.log").open("ab") as log:
            self.habeas = subprocess.Popen(
                [sys.executable, *self.program], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        _wait_until(lambda: _ok(f"{self.portal_url}/readyz"), self.habeas, self.folder / "habeas.log")

    def stop_habeas(self) -> None:
        """Ask Habeas to finish what it does, and wait for it."""
        self._end(signal.SIGTERM)

    def kill_habeas(self) -> None:
        """Kill Habeas as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.habeas is None:
            return
        self.habeas.send_signal(how)
        self.habeas.wait(60)
        self.habeas = None


@contextmanager
def running(
    organisation: str,
    folder: Path,
    *,
    say: Say = lambda _: None,
    port: int = 0,
    trusted: str = "",
    program: Sequence[str] = SERVE,
) -> Iterator[Stack]:
    """Start everything for `organisation` (casagbic or caaartoons) in `folder` and stop it afterwards.

    What is in `folder` from an earlier run is used again. `port` is where the portal would like to listen.
    `trusted`: the proxy whose word about who asks counts; the journeys are one, so that each comes from elsewhere.
    """
    platform = PLATFORMS[organisation]
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        say("Starting PostgreSQL …")
        dsn = stack.enter_context(embedded_postgres(folder))
        say("Filling the sample platform …")
        platform_dsn, people = asyncio.run(_platform(dsn, platform))
        say("Starting the S3 server …")
        s3 = stack.enter_context(seaweed.running(folder / "s3", buckets=(platform.bucket, "parcels")))
        say("Uploading the sample files …")
        _upload(s3, platform, people)
        say("Starting the stand-ins for Stripe, Resend and sign-in …")
        mail = stack.enter_context(resend.serving())
        payments = stack.enter_context(stripe.serving(platform.stripe_people(people)))
        provider = stack.enter_context(openid.serving(people)) if platform.outside_sign_in else None
        ears = stack.enter_context(hook.listening())
        url, metrics_url = f"http://localhost:{free_port(port)}", f"http://127.0.0.1:{free_port()}"
        mail.webhook_url = f"{url}/webhooks/resend"
        environment = {
            **_own_settings(organisation, folder, url, metrics_url),
            "HABEAS_TRUSTED_PROXIES": trusted,
            **_far_ends(mail, payments, provider),
            **_files(platform, s3),
            f"{organisation.upper()}_HOOK_URL": ears.url,
            f"{organisation.upper()}_HOOK_SECRET": ears.secret,
            **_roles(platform, platform_dsn),
        }
        desk_doors = stack.enter_context(door.serving(url, environment))
        habeas = Stack(
            organisation=organisation, folder=folder, portal_url=url, inbox_url=mail.url,
            metrics_url=f"{metrics_url}/metrics",
            platform_dsn=platform_dsn, people=people, environment=environment, stripe=payments, mail=mail,
            openid=provider, s3=s3, hook=ears, desk_doors=desk_doors, program=program,
        )  # fmt: skip
        say("Starting Habeas …")
        habeas.start_habeas()
        try:
            yield habeas
        finally:
            habeas.stop_habeas()


async def _platform(dsn: str, platform: Platform) -> tuple[str, list[Person]]:
    """Make the platform's database beside ours, once, with its people and a role that can only read."""
    name = f"{platform.id}_platform"
    platform_dsn = dsn.replace("/habeas?", f"/{name}?")
    server = await asyncpg.connect(dsn)
    try:
        if not await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await server.execute(f'CREATE DATABASE "{name}"')
    finally:
        await server.close()
    connection = await asyncpg.connect(platform_dsn)
    try:
        return platform_dsn, await platform.prepare(connection, READER, writer=WRITER, scanner=SCANNER)
    finally:
        await connection.close()


def _upload(s3: seaweed.Seaweed, platform: Platform, people: list[Person]) -> None:
    """Store the files of all people that are not there yet."""
    present = s3.keys(platform.bucket)
    s3.put_all(
        platform.bucket,
        (
            seaweed.Upload(file.key, file.body, file.media_type, file.name)
            for person in people
            for file in platform.files_of(person)
            if file.key not in present
        ),
    )


def _secret(folder: Path) -> str:
    file = folder / "secret"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(48))
    return file.read_text()


def _own_settings(organisation: str, folder: Path, url: str, metrics_url: str) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "TZ": "UTC",
        "HABEAS_POLICY": str(ROOT / "policies" / f"{organisation}.toml"),
        "HABEAS_PUBLIC_URL": url,
        "HABEAS_PORT": url.rpartition(":")[2],
        "HABEAS_METRICS_PORT": metrics_url.rpartition(":")[2],
        "HABEAS_DATA": str(folder),
        "HABEAS_SECRET_KEY": _secret(folder),
    }


def _far_ends(mail: resend.StandIn, payments: stripe.StandIn, provider: openid.StandIn | None) -> dict[str, str]:
    return {
        "RESEND_API_KEY": mail.api_key,
        "RESEND_API_URL": mail.url,
        "RESEND_WEBHOOK_SECRET": mail.webhook_secret,
        "STRIPE_API_KEY": payments.key,
        "STRIPE_API_URL": payments.url,
        **(provider.environment if provider else {}),
    }


def _roles(platform: Platform, platform_dsn: str) -> dict[str, str]:
    """Three roles of the platform's database: one reads, one erases and corrects, one looks at everything."""
    name = platform.url_variable.removesuffix("_DATABASE_URL")
    variables = (platform.url_variable, f"{name}_WRITE_URL", f"{name}_SCAN_URL")
    roles = zip(variables, (READER, WRITER, SCANNER), strict=True)
    return {variable: platform_dsn.replace("habeas@", f"{role}@") for variable, role in roles}


def _files(platform: Platform, s3: seaweed.Seaweed) -> dict[str, str]:
    """Parcels stay in a folder in the demo; the organisation's own files are on S3."""
    name = platform.id.upper()
    return {
        f"{name}_S3_ENDPOINT": s3.endpoint,
        f"{name}_S3_ACCESS_KEY": s3.access_key,
        f"{name}_S3_SECRET_KEY": s3.secret_key,
        f"{name}_S3_WRITE_ACCESS_KEY": s3.access_key,
        f"{name}_S3_WRITE_SECRET_KEY": s3.secret_key,
    }


def free_port(wish: int = 0) -> int:
    """Return `wish` if nobody listens there, else any free port of this machine."""
    for port in (wish, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def _ok(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False


def _wait_until(ready: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"Habeas did not start. Its log ends:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)
