"""Back the database up and bring it back, with PostgreSQL's own programs.

Always true here: a password goes to them in their environment, never on a command line; a backup is whole or absent;
a restore happens in one transaction, so that a kill at any line leaves the database as it was.

A backup holds our database and nothing else. Parcels are copies that can be made anew. The tombstone ledger stays out
on purpose: it is what tells a restored database whom to forget again, and must never go back with it.
"""

import asyncio
import hmac
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import asyncpg

from portal.embedded import wheel_programs
from portal.errors import HabeasError
from portal.evidence.keys import keys
from portal.settings import Settings

DEBIAN = "/usr/lib/postgresql/{major}/bin"
PIECE = 1 << 20
PURPOSE = "backup"
SEAL = b"\nhabeas-backup-1:"
SEAL_BYTES = len(SEAL) + 64 + 1
ANEW = b"SET client_min_messages = warning;\nBEGIN;\nDROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n"
NEWER_SETTING = re.compile(rb"^SET transaction_timeout = 0;\n", re.MULTILINE)
"""pg_restore 17 and newer write it; servers before 17 do not know it."""
OTHERS = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
DUMPED_FROM = re.compile(r"Dumped from database version: (\d+)")


class BackupError(HabeasError):
    """The backup or the restore did not happen; the message says why and what to do."""


async def back_up(settings: Settings, file: Path) -> int:
    """Write a backup of the database to `file` (PostgreSQL's custom format) and return its size in bytes.

    Written beside and renamed when it is whole; only its owner can read it.

    Raises:
        BackupError: no fitting pg_dump, or it failed, or the file cannot be written.
    """
    major = await _server_major(settings)
    try:
        return await asyncio.to_thread(_write, settings, file, major)
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror}.") from error


async def bring_back(settings: Settings, file: Path, *, replace: bool) -> None:
    """Restore `file` into the database, which must be empty unless `replace` says that what is there may go.

    Raises:
        BackupError: not empty, in use, not a whole backup of ours, made by a newer server, or a program failed. Nothing
            is changed then.
    """
    await asyncio.to_thread(_unbroken, file, settings)
    major = await _server_major(settings)
    await _free(settings, replace=replace)
    where, environment = connection_of(settings.database_dsn)
    restore = program("pg_restore", major)
    _readable(restore, file, major)
    _restore(restore, program("psql", major), where, environment, file, major)


def connection_of(dsn: str) -> tuple[str, Mapping[str, str]]:
    """Return a URL without its password for the command line, and the environment that has the password."""
    address = urlsplit(dsn)
    query = dict(parse_qsl(address.query, keep_blank_values=True))
    password = query.pop("password", "") or unquote(address.password or "")
    user = f"{quote(unquote(address.username), safe='')}@" if address.username else ""
    host = address.netloc.rpartition("@")[2]
    # A socket folder keeps its slashes: libpq reads it encoded or not, people read it unencoded.
    where = urlunsplit((address.scheme, user + host, address.path, urlencode(query, safe="/"), ""))
    base = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    return where, base | {"LC_ALL": "C.UTF-8"} | ({"PGPASSWORD": password} if password else {})


def program(name: str, server: int) -> Path:
    """Return one of PostgreSQL's programs that fits a server: of its own version, else the oldest newer one.

    Raises:
        BackupError: all that are here are older than the server, and would refuse.
    """
    folders = [Path(DEBIAN.format(major=server)), wheel_programs()]
    found = [folder / name for folder in folders if (folder / name).exists()]
    if on_path := shutil.which(name):
        found.append(Path(on_path))
    by_version = sorted(((_major(path), str(path)) for path in found), key=lambda pair: pair[0])
    fitting = [path for major, path in by_version if major >= server]
    if fitting:
        return Path(fitting[0])
    newest = by_version[-1][0] if by_version else "none"
    raise BackupError(
        f"the database server is PostgreSQL {server}, and the newest {name} here is {newest}, which cannot talk to it. "
        f"Install postgresql-client-{server}, or put its {name} on PATH."
    )


def _major(path: Path) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    found = VERSION.search(said)
    return int(found[1]) if found else 0


async def _server_major(settings: Settings) -> int:
    try:
        connection = await asyncpg.connect(settings.database_dsn)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise BackupError(f"the database cannot be reached ({type(error).__name__}). Check DATABASE_URL.") from error
    try:
        return connection.get_server_version().major
    finally:
        await connection.close()


async def _free(settings: Settings, *, replace: bool) -> None:
    """See that nobody uses the database, and that it holds nothing that must not go."""
    connection = await asyncpg.connect(settings.database_dsn)
    try:
        others, tries = await connection.fetchval(OTHERS), 20
        while others and tries:  # a connection that was closed a moment ago still counts for some milliseconds
            await asyncio.sleep(0.1)
            others, tries = await connection.fetchval(OTHERS), tries - 1
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    finally:
        await connection.close()
    if others:
        raise BackupError(f"the database is in use by {others} other connections. Stop Habeas first, workers too.")
    if tables and not replace:
        raise BackupError(f"the database is not empty ({tables} tables). To drop all of it, add --replace.")


def _write(settings: Settings, file: Path, major: int) -> int:
    if file.is_dir():
        raise BackupError(f"{file} is a folder. Name a file.")
    where, environment = connection_of(settings.database_dsn)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as output:
            _dump(program("pg_dump", major), where, environment, output)
        _seal(draft, settings)
        size = draft.stat().st_size
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return size


def _dump(dump: Path, where: str, environment: Mapping[str, str], output: IO[bytes]) -> None:
    done = subprocess.run(
        [dump, "--format=custom", "--no-owner", "--no-privileges", "--schema=public", f"--dbname={where}"],
        stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, env=dict(environment), check=False,
    )  # fmt: skip
    if done.returncode:
        raise BackupError(f"pg_dump failed: {_last(done.stderr)}")


def _seal(file: Path, settings: Settings) -> None:
    """Write a code over all of the file at its end, which pg_restore does not look at, and flush it to disk.

    pg_restore 18 does not notice when the last kilobytes of a backup are missing.
    """
    with file.open("r+b") as opened:
        code = _code(opened, settings.key(PURPOSE), file.stat().st_size)
        opened.write(SEAL + code.hexdigest().encode() + b"\n")
        opened.flush()
        os.fsync(opened.fileno())


def _unbroken(file: Path, settings: Settings) -> None:
    """See that nothing is missing from a backup and nothing was changed in it. Raises: BackupError."""
    if not file.is_file():
        raise BackupError(f"{file} is no file.")
    if not os.access(file, os.R_OK):
        raise BackupError(f"{file} cannot be read. Let the portal's user read it.")
    size = file.stat().st_size - SEAL_BYTES
    with file.open("rb") as opened:
        opened.seek(max(size, 0))
        seal = opened.read()
        for key in keys(settings, PURPOSE):
            opened.seek(0)
            code = _code(opened, key, size)
            if hmac.compare_digest(SEAL + code.hexdigest().encode() + b"\n", seal):
                return
    raise BackupError(
        f"{file} is no whole backup of ours: it was cut off, changed, made with another HABEAS_SECRET_KEY, or by "
        "pg_dump itself. What pg_dump made, restore with pg_restore, and then run habeas evidence restored."
    )


def _code(opened: IO[bytes], key: bytes, size: int) -> hmac.HMAC:
    code = hmac.new(key, digestmod="sha256")
    while size > 0 and (piece := opened.read(min(PIECE, size))):
        code.update(piece)
        size -= len(piece)
    return code


def _readable(restore: Path, file: Path, server: int) -> None:
    """See that `file` is a backup, and of no newer server than this one."""
    listed = subprocess.run([restore, "--list", file], capture_output=True, text=True, check=False)
    if listed.returncode:
        raise BackupError(f"{file} is no backup that this pg_restore can read: {_last(listed.stderr.encode())}")
    dumped = DUMPED_FROM.search(listed.stdout)
    if dumped and int(dumped[1]) > server:
        raise BackupError(f"{file} comes from PostgreSQL {dumped[1]}, and the server here is {server}, which is older.")


def _restore(restore: Path, psql: Path, where: str, environment: Mapping[str, str], file: Path, server: int) -> None:
    """Have pg_restore write SQL and psql run it, all in one transaction that ends well or never was."""
    said = subprocess.PIPE
    with (
        subprocess.Popen(
            [psql, "--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1", f"--dbname={where}"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=dict(environment),
        ) as reader,
        subprocess.Popen(
            [restore, "--no-owner", "--no-privileges", "--schema=public", "--file=-", file],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=dict(environment),
        ) as writer,
    ):  # fmt: skip
        assert reader.stdin
        assert reader.stderr
        assert writer.stdout
        assert writer.stderr
        broken = _pump(writer.stdout, reader.stdin, server)
        problem = writer.stderr.read()
        if writer.wait() == 0 and not broken:
            reader.stdin.write(b"COMMIT;\n")
        with_error = _close(reader.stdin)
        refused = reader.stderr.read()
        status = reader.wait()
    if writer.returncode or broken or with_error or status:
        raise BackupError(f"the restore failed, and nothing was changed: {_last(refused or problem)}")


def _pump(source: IO[bytes], target: IO[bytes], server: int) -> bool:
    """Copy SQL from one program to the other; return True when the other has gone away."""
    try:
        target.write(ANEW)
        piece = source.read(PIECE)
        if server < 17:
            piece = NEWER_SETTING.sub(b"", piece, count=1)
        while piece:
            target.write(piece)
            piece = source.read(PIECE)
        target.flush()
    except BrokenPipeError:
        source.close()
        return True
    return False


def _close(pipe: IO[bytes]) -> bool:
    try:
        pipe.close()
    except BrokenPipeError:
        return True
    return False


def _last(said: bytes) -> str:
    """Return the last lines of what a program said, without what PostgreSQL quotes from rows."""
    lines = [line for line in said.decode(errors="replace").splitlines() if not line.startswith(("DETAIL", "CONTEXT"))]
    return " ".join(lines)[-400:]
