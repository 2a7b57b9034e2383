"""`./run` speaks plain POSIX shell, and says what it wants when it may not help itself."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = ["run", "habeas", ".ci/run"]


def run(folder: Path, *arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run `./run` in a copy of the repository's top, with `path` before everything else."""
    environment = {"PATH": f"{path}:{os.environ['PATH']}", "HOME": str(folder)}
    return subprocess.run(
        [folder / "run", *arguments], cwd="/", env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The script alone, in a folder with a space in its name."""
    folder = tmp_path / "a place"
    folder.mkdir()
    shutil.copy(ROOT / "run", folder)
    return folder


def command(folder: Path, name: str, body: str) -> None:
    """Put a command of our own in front of the system's."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_sound_and_executable(script: str) -> None:
    """The shell that they name can read them."""
    shell = (ROOT / script).read_text().partition("\n")[0].removeprefix("#!").split()[-1].rpartition("/")[2]
    assert subprocess.run([shell, "-n", ROOT / script], check=False).returncode == 0
    assert os.access(ROOT / script, os.X_OK)


def test_help_lists_every_command(copy: Path) -> None:
    """Without a word it says what it can do; with a wrong one it says so on standard error and fails."""
    helped, wrong = run(copy), run(copy, "surprise")
    assert helped.returncode == 0
    assert all(f"\n  {name} " in helped.stdout for name in ("demo", "test", "check", "bench", "setup", "lock"))
    assert wrong.returncode == 2
    assert not wrong.stdout


def test_who_may_not_install_gets_one_line_for_root(copy: Path, tmp_path: Path) -> None:
    """The line names the packages, and nothing was installed or set up."""
    bin_ = tmp_path / "bin"
    command(bin_, "dpkg-query", "exit 1")
    command(bin_, "id", "echo 1000")
    command(bin_, "apt-get", f"touch '{tmp_path}/installed'")
    done = run(copy, "demo", path=str(bin_))
    assert done.returncode == 1
    assert "sudo sh -c 'apt-get update && apt-get install" in done.stderr
    assert "libpango-1.0-0" in done.stderr
    assert not (tmp_path / "installed").exists()
    assert not (copy / ".venv").exists()


def test_a_python_that_does_not_run_is_refused_by_name(copy: Path, tmp_path: Path) -> None:
    """HABEAS_PYTHON is tried by running it."""
    bin_ = tmp_path / "bin"
    command(bin_, "dpkg-query", "echo install ok installed")
    command(bin_, "old-python", "exit 1")
    (copy / "requirements.lock").touch()
    environment = {"PATH": f"{bin_}:{os.environ['PATH']}", "HOME": str(tmp_path), "HABEAS_PYTHON": "old-python"}
    done = subprocess.run(
        [copy / "run", "setup"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "HABEAS_PYTHON=old-python" in done.stderr


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-run.lock"])
def test_locks_are_hashed_and_name_no_registry(name: str) -> None:
    """Every package has its digests, and no line leads anywhere."""
    text = (ROOT / name).read_text()
    packages = [line for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    assert len(packages) > 50
    assert all(line.rstrip().endswith("\\") for line in packages)
    assert "://" not in text
    assert "/root" not in text
