"""One running organisation as a test sees it from behind: its database, its parcels, its far ends and their faults.

Always true here: looking changes nothing; what shifts time or breaks something says so in its name.
"""

import json
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from demo.faults import Proxy
from demo.stack import Stack
from portal.embedded import embedded_postgres
from portal.settings import embedded_dsn
from tests.faults.processes import alive, kill, offspring
from tests.faults.waiting import until


@dataclass
class House:
    """A stack, and the proxy before its files."""

    stack: Stack
    files: Proxy
    servers: ExitStack
    """Ends what was started in place of something killed, after everything else."""

    @property
    def dsn(self) -> str:
        """Our own database."""
        return embedded_dsn(self.stack.folder)

    def email(self, role: str, number: int = 0) -> str:
        """Return the first address of a person with this role."""
        return [person for person in self.stack.people if person.role == role][number].email

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Ask our own database."""
        async with connected(self.dsn) as connection:
            return await connection.fetch(query, *values)

    async def value(self, query: str, *values: object) -> object:
        """Ask our own database for one value."""
        async with connected(self.dsn) as connection:
            return await connection.fetchval(query, *values)

    async def platform(self, statement: str) -> None:
        """Do something to the platform's database, as its owner."""
        async with connected(self.stack.platform_dsn) as connection:
            await connection.execute(statement)

    async def let_the_retry_come_now(self) -> None:
        """Shift jobs that wait for their next try to the present, as if their minutes had passed."""
        await self.rows("UPDATE pgqueuer SET execute_after = now() WHERE execute_after > now()")

    async def let_the_heartbeat_run_out(self) -> None:
        """Age the heartbeat of jobs that nobody works on any more, as if their half minute had passed."""
        await self.rows("UPDATE pgqueuer SET heartbeat = heartbeat - interval '1 minute' WHERE status = 'picked'")

    async def kill_postgres(self) -> None:
        """Kill the database server as a power cut would, and wait until nothing of it is left."""
        server = int((self.stack.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        processes = [*offspring(server), server]
        kill(server)

        async def gone() -> bool:
            return not any(alive(process) for process in processes)

        await until(gone, "rid of PostgreSQL")

    def restart_postgres(self) -> None:
        """Start the database server again on the same files."""
        self.servers.enter_context(embedded_postgres(self.stack.folder))

    async def parcels(self, reference: str) -> list[asyncpg.Record]:
        """Return the parcels of a request that are not deleted."""
        return await self.rows(
            "SELECT p.* FROM parcel p JOIN subject_request r ON r.id = p.request"
            " WHERE r.reference = $1 AND p.deleted_at IS NULL",
            reference,
        )

    async def orphans(self) -> set[str]:
        """Return stored and half-made files that belong to no living parcel and no open request."""
        rows = await self.rows("SELECT place, pdf_place FROM parcel WHERE deleted_at IS NULL")
        stored = _files(self.stack.folder / "parcels") | _files(self.stack.folder / "work")
        return stored - {place for row in rows for place in row}

    async def jobs_left(self, reference: str) -> int:
        """Return how many export jobs of a request are waiting or running."""
        rows = await self.rows(
            "SELECT q.payload FROM pgqueuer q WHERE q.entrypoint = 'rights.export' AND q.status <> 'deleted'"
        )
        id = await self.value("SELECT id FROM subject_request WHERE reference = $1", reference)
        return sum(json.loads(row["payload"])["request"] == str(id) for row in rows)

    async def mails(self, to: str, reference: str = "") -> list[str]:
        """Wait until no mail is left to send. Returns the subjects of those to an address (about a request)."""

        async def all_sent() -> bool:
            await self.let_the_retry_come_now()
            return not await self.rows("SELECT 1 FROM mail WHERE state = 'waiting'")

        await until(all_sent, "sent every mail", every=1.0)
        sent = self.stack.mail.messages(to)
        return [mail.params["subject"] for mail in sent if reference in mail.params["text"]]

    async def ready_mails(self, to: str, reference: str) -> list[str]:
        """Return the subjects of the mails that say that a copy, or a part of it, is ready."""
        return [subject for subject in await self.mails(to, reference) if "ready" in subject]

    def mend(self) -> None:
        """Let every far end work again."""
        self.files.mend()
        self.stack.stripe.mend()
        self.stack.mail.mend()

    def log(self) -> str:
        """Return everything that Habeas has written down about running."""
        return (self.stack.folder / "habeas.log").read_text(errors="replace")


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect, and close afterwards."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def _files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
