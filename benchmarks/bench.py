"""What the measurements share: a folder, a PostgreSQL without fsync, a running demo; each started when first needed.

Always true here: everything is stopped and removed at the end; the databases hold made-up people alone.
"""

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import asyncpg

from benchmarks.guest import Guest
from benchmarks.measure import Scale
from demo.stack import Stack, running
from portal.embedded import embedded_postgres
from portal.settings import embedded_dsn

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
COUNTING = ("shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_utility=off")


class Missing(Exception):
    """A program is not installed; the message says how to get it."""


class Bench:
    """One run at one scale."""

    def __init__(self, scale: Scale, say: Callable[[str], None] = lambda _: None) -> None:
        self.scale = scale
        self.say = say
        self._closing = ExitStack()
        self._guests: dict[str, Guest] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @cached_property
    def folder(self) -> Path:
        """An empty folder. PostgreSQL may pass through it when it runs as somebody else."""
        folder = Path(self._closing.enter_context(TemporaryDirectory(prefix="habeas-bench-")))
        folder.chmod(0o711)
        return folder

    def fresh(self, name: str) -> Path:
        """Return a folder inside `folder`, emptied."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return place

    @cached_property
    def server(self) -> str:
        """A PostgreSQL to make databases on."""
        self.say("starting PostgreSQL")
        return self._closing.enter_context(embedded_postgres(self.fresh("server"), options=FAST))

    def database(self, name: str) -> str:
        """Make an empty database."""

        async def make() -> None:
            connection = await asyncpg.connect(self.server)
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{name}"')
            await connection.close()

        asyncio.run(make())
        return self.server.replace("/habeas?", f"/{name}?")

    @cached_property
    def stack(self) -> Stack:
        """The demo of one organisation, on a PostgreSQL that counts statements."""
        folder = self.fresh("demo")
        self.say("starting the demo")
        self._closing.enter_context(embedded_postgres(folder, options=(*FAST, *COUNTING)))
        return self._closing.enter_context(running("casagbic", folder))

    @property
    def stack_dsn(self) -> str:
        """The portal's own database in the running demo."""
        return embedded_dsn(self.stack.folder)

    def guest(self, role: str) -> Guest:
        """The person of the demo with this role, signed in once: codes are sent to an address once a minute."""
        if role not in self._guests:
            email = next(person.email for person in self.stack.people if person.role == role)
            self._guests[role] = self._closing.enter_context(closing(Guest(self.stack, email)))
        return self._guests[role]


def program(name: str, package: str) -> str:
    """Return where a program is. Raises: Missing."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed: sudo apt-get install -y {package}")
    return found


def output_of(*command: str) -> str:
    """Run a program that must succeed. Returns what it said."""
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout
