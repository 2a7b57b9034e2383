"""A backup is whole, a restore is all or nothing, and neither shows a password."""

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from portal.backup import BackupError, back_up, bring_back, connection_of, program
from portal.clock import SetClock
from portal.database import engine
from portal.evidence.log import append
from portal.evidence.tombstones import know
from portal.settings import Settings

ROOT = Path(__file__).parent.parent.parent
EVERYTHING = """
    SELECT table_name, query_to_xml(format('SELECT * FROM %I ORDER BY 1', table_name), true, false, '')::text
      FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1
"""
SHAPE = """
    SELECT conrelid::regclass::text AS place, pg_get_constraintdef(oid) AS what FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT sequencename, coalesce(last_value::text, '-') FROM pg_sequences WHERE schemaname = 'public'
    UNION ALL SELECT typname, typtype::text FROM pg_type WHERE typnamespace = 'public'::regnamespace
    ORDER BY 1, 2
"""

CASTS = re.compile(r"::text|::character varying|\[\]|[()]")
"""PostgreSQL writes the casts of a list of words in another way once they went through a dump."""


async def happen(clock: SetClock, times: int) -> None:
    async with engine().transaction():
        for _ in range(times):
            await append("rights:request:received", at=clock(), actor="person", details={"right": "access"})


async def state(settings: Settings) -> list[tuple[object, ...]]:
    """Everything in the database, and what it is made of."""
    connection = await asyncpg.connect(settings.database_dsn)
    try:
        rows = [(place, CASTS.sub("", what)) for place, what in await connection.fetch(SHAPE)]
        return [*(tuple(row) for row in await connection.fetch(EVERYTHING)), *sorted(rows)]
    finally:
        await connection.close()


async def entries(settings: Settings) -> int:
    connection = await asyncpg.connect(settings.database_dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM evidence"))
    finally:
        await connection.close()


async def test_what_is_restored_is_what_was_backed_up(settings: Settings, clock: SetClock, tmp_path: Path) -> None:
    """Rows, constraints, indexes, triggers, functions, types and sequences: the same, and nothing that came later."""
    file = tmp_path / "habeas.backup"
    await happen(clock, 5)
    before = await state(settings)
    assert await back_up(settings, file) == file.stat().st_size > 1000
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert await asyncio.to_thread(lambda: [path.name for path in tmp_path.iterdir() if path.is_file()]) == [file.name]
    await happen(clock, 5)
    connection = await asyncpg.connect(settings.database_dsn)
    await connection.execute("CREATE TABLE came_later (id int)")
    await connection.close()
    await bring_back(settings, file, replace=True)
    assert await state(settings) == before
    with pytest.raises(asyncpg.RestrictViolationError):
        async with engine().transaction():
            await engine().connection.execute("DELETE FROM evidence")


async def test_a_database_that_is_not_empty_is_spared(settings: Settings, clock: SetClock, tmp_path: Path) -> None:
    """Without --replace nothing is touched, and the way to do it is said."""
    await happen(clock, 1)
    await back_up(settings, tmp_path / "b")
    await happen(clock, 1)
    with pytest.raises(BackupError, match="--replace"):
        await bring_back(settings, tmp_path / "b", replace=False)
    assert await entries(settings) == 2


async def test_an_empty_database_needs_no_permission(settings: Settings, clock: SetClock, tmp_path: Path) -> None:
    """The usual case after a disk is lost."""
    await happen(clock, 3)
    await back_up(settings, tmp_path / "b")
    connection = await asyncpg.connect(settings.database_dsn)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    await bring_back(settings, tmp_path / "b", replace=False)
    assert await entries(settings) == 3


async def test_a_database_in_use_is_spared(settings: Settings, clock: SetClock, tmp_path: Path) -> None:
    """Habeas must be stopped first."""
    await back_up(settings, tmp_path / "b")
    other = await asyncpg.connect(settings.database_dsn)
    with pytest.raises(BackupError, match="Stop Habeas first"):
        await bring_back(settings, tmp_path / "b", replace=True)
    await other.close()


async def test_a_broken_backup_changes_nothing(settings: Settings, clock: SetClock, tmp_path: Path) -> None:
    """Cut off anywhere, changed, empty, or something else altogether: the database stays as it was."""
    await happen(clock, 2000)
    whole, file = tmp_path / "whole", tmp_path / "broken"
    await back_up(settings, whole)
    await happen(clock, 1)
    before = await state(settings)
    content = whole.read_bytes()
    middle = len(content) // 2
    halved, changed = content[:middle], content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for part in (halved, changed, content[:-1], content[:-2000], content[:200], b"", b"SELECT 1;", content + b"\n"):
        file.write_bytes(part)
        with pytest.raises(BackupError):
            await bring_back(settings, file, replace=True)
        assert await state(settings) == before
    with pytest.raises(BackupError):
        await bring_back(settings, tmp_path / "absent", replace=True)


def test_the_password_is_in_the_environment_alone() -> None:
    """Whoever lists processes reads the host and the name, and no more."""
    for dsn in (
        "postgresql://habeas:hush%20hush@db.example:5433/privacy?sslmode=require",
        "postgresql://habeas@db.example:5433/privacy?sslmode=require&password=hush+hush",
    ):
        where, environment = connection_of(dsn)
        assert where == "postgresql://habeas@db.example:5433/privacy?sslmode=require"
        assert environment["PGPASSWORD"] == "hush hush"
    where, environment = connection_of("postgresql://habeas@/habeas?host=/tmp/habeas-0123")
    assert where == "postgresql://habeas@/habeas?host=/tmp/habeas-0123"
    assert "PGPASSWORD" not in environment


def test_a_server_that_is_newer_than_our_programs_is_said() -> None:
    """The message names both versions and the package."""
    with pytest.raises(BackupError, match=r"PostgreSQL 99.*postgresql-client-99"):
        program("pg_dump", 99)


def habeas(settings: Settings, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command with the settings of the test."""
    environment = {
        "PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", "HABEAS_SECRET_KEY": settings.secret_key,
        "DATABASE_URL": settings.database_dsn, "HABEAS_DATA": str(settings.data_folder),
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "portal", *arguments], cwd=ROOT, env=environment | more,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


async def test_the_commands_say_what_happens(settings: Settings, clock: SetClock, tmp_path: Path) -> None:
    """Backup, verify, restore, verify: a declared restore is no fault of the log, and is never forgotten."""
    await happen(clock, 4)
    file = str(tmp_path / "b")
    done = habeas(settings, "backup", file)
    assert done.returncode == 0, done.stderr
    assert "tombstone ledger, on purpose" in done.stdout
    await happen(clock, 3)
    assert habeas(settings, "restore", file).returncode == 1
    done = habeas(settings, "restore", file, "--replace")
    assert done.returncode == 0, done.stderr
    assert "Erasures since that backup was made: 0" in done.stdout
    done = habeas(settings, "evidence", "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "whole: 4 entries, 1 of them anchored" in done.stdout
    assert "entries up to 7 lost; declared by an operator" in done.stdout


async def test_verify_names_what_is_wrong_and_fails(settings: Settings, clock: SetClock) -> None:
    """In words, and as JSON for machines."""
    await happen(clock, 4)
    connection = await asyncpg.connect(settings.database_dsn)
    await connection.execute("ALTER TABLE evidence DISABLE TRIGGER ALL; UPDATE evidence SET actor = 'x' WHERE seq = 3")
    await connection.close()
    done = habeas(settings, "evidence", "verify")
    assert done.returncode == 1
    assert done.stdout.startswith("broken at entry 3 (digest)")
    done = habeas(settings, "evidence", "verify", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["broken"]["seq"], found["broken"]["kind"], found["entries"]) == (3, "digest", 2)


async def test_what_was_found_whole_cannot_be_cut_off(settings: Settings, clock: SetClock) -> None:
    """Looking at the log anchors its end: an entry that goes after that is missed."""
    await happen(clock, 4)
    done = habeas(settings, "evidence", "verify")
    assert (done.returncode, done.stderr) == (0, "")
    connection = await asyncpg.connect(settings.database_dsn)
    await connection.execute("ALTER TABLE evidence DISABLE TRIGGER ALL; DELETE FROM evidence WHERE seq = 4")
    await connection.close()
    done = habeas(settings, "evidence", "verify")
    assert done.returncode == 1
    assert "broken at entry 4 (tail)" in done.stdout


async def test_a_log_that_may_be_changed_is_said(settings: Settings, clock: SetClock) -> None:
    """The log is whole, and yet somebody has switched its guard off."""
    await happen(clock, 1)
    assert json.loads(habeas(settings, "evidence", "verify", "--json").stdout)["guarded"] is True
    connection = await asyncpg.connect(settings.database_dsn)
    await connection.execute("ALTER TABLE evidence DISABLE TRIGGER evidence_append_only")
    done = habeas(settings, "evidence", "verify", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["guarded"], found["broken"]) == (1, False, None)
    assert "ALTER TABLE evidence ENABLE TRIGGER ALL" in done.stderr
    await connection.execute("ALTER TABLE evidence ENABLE TRIGGER ALL")
    await connection.close()
    assert habeas(settings, "evidence", "verify").stderr == ""


async def test_what_is_not_there_is_said_in_one_line(settings: Settings, tmp_path: Path) -> None:
    """No server, no tables, no folder: which of them, and no traceback."""
    nowhere = {"DATABASE_URL": "postgresql://habeas@127.0.0.1:1/habeas"}
    file = str(tmp_path / "b")
    for command in (["evidence", "verify"], ["evidence", "restored"], ["backup", file], ["restore", file]):
        done = habeas(settings, *command, **nowhere)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert "Check DATABASE_URL" in done.stderr
    for place in (str(tmp_path / "absent" / "b"), str(tmp_path)):
        done = habeas(settings, "backup", place)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert place in done.stderr
    connection = await asyncpg.connect(settings.database_dsn)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    done = habeas(settings, "evidence", "verify")
    assert (done.returncode, "none of our tables" in done.stderr) == (1, True)


async def test_a_ledger_that_went_missing_is_missed(settings: Settings, clock: SetClock, tmp_path: Path) -> None:
    """Without it nobody would be erased again: nothing is replaced, and what was restored all the same is warned of."""
    async with engine().transaction():
        await know(UUID(int=7), at=clock())
    file = str(tmp_path / "b")
    assert habeas(settings, "backup", file).returncode == 0
    done = habeas(settings, "restore", file, "--replace")
    assert done.returncode == 1
    assert "lacks 1 erasures that this database knows" in done.stderr
    connection = await asyncpg.connect(settings.database_dsn)
    assert await connection.fetchval("SELECT count(*) FROM known_tombstone") == 1
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    done = habeas(settings, "restore", file)
    assert done.returncode == 0
    assert "not the whole ledger" in done.stderr


async def test_a_restore_with_other_tools_wants_a_word(settings: Settings, clock: SetClock, tmp_path: Path) -> None:
    """A log that was cut off fails until an operator states that they restored it."""
    await happen(clock, 4)
    await back_up(settings, tmp_path / "b")
    await happen(clock, 4)
    assert habeas(settings, "backup", str(tmp_path / "anchors-too")).returncode == 0
    await bring_back(settings, tmp_path / "b", replace=True)
    done = habeas(settings, "evidence", "verify")
    assert done.returncode == 1
    assert "broken at entry 5 (tail)" in done.stdout
    assert habeas(settings, "evidence", "restored").returncode == 0
    assert habeas(settings, "evidence", "verify").returncode == 0
