"""The operator's commands say what is wrong in one line, and stop when they are told to."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from portal.cli import main

ROOT = Path(__file__).parent.parent
POLICIES = sorted((ROOT / "policies").glob("*.toml"))
KEY = "k" * 40


def habeas(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `habeas` in a process of its own with nothing in its environment but what is given."""
    base = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, "-m", "portal", *arguments], cwd=ROOT, env=base | environment,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_both_policies_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """The two files we ship have no mistakes, and what is assumed in them is listed."""
    assert main(["policy", "check", *map(str, POLICIES)]) == 0
    said = capsys.readouterr()
    assert said.out.count("no mistakes") == len(POLICIES) == 2
    assert "to confirm" in said.out
    assert not said.err


def test_a_mistake_is_named_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file with an unknown key ends with 1 and names file and key."""
    file = tmp_path / "wrong.toml"
    file.write_text("surprise = 1\n" + POLICIES[0].read_text())
    assert main(["policy", "check", "--quiet", str(file), str(POLICIES[0])]) == 1
    said = capsys.readouterr()
    assert "wrong.toml" in said.err
    assert "surprise" in said.err
    assert "wrong.toml: no mistakes" not in said.out


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["staff", "list"]])
def test_without_a_secret_nothing_starts(command: list[str]) -> None:
    """One line names the variable and how to make one; there is no traceback."""
    done = habeas(*command)
    assert done.returncode == 1
    assert done.stderr.startswith("habeas: HABEAS_SECRET_KEY must hold")
    assert "Traceback" not in done.stderr


def test_with_a_mistake_in_the_policy_nothing_starts(tmp_path: Path) -> None:
    """The mistake is said instead."""
    file = tmp_path / "wrong.toml"
    file.write_text("surprise = 1\n" + POLICIES[0].read_text())
    done = habeas("serve", HABEAS_SECRET_KEY=KEY, HABEAS_POLICY=str(file), HABEAS_DATA=str(tmp_path / "data"))
    assert done.returncode == 1
    assert "surprise" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    """The line names the port and the setting, before a database is touched."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = habeas(
            "serve", HABEAS_SECRET_KEY=KEY, HABEAS_PORT=port, DATABASE_URL="postgresql://nobody@127.0.0.1:1/x"
        )
    assert done.returncode == 1
    assert port in done.stderr
    assert "HABEAS_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_away_is_said_without_its_password() -> None:
    """The line names the host and DATABASE_URL, never what is secret in it."""
    done = habeas("migrate", HABEAS_SECRET_KEY=KEY, DATABASE_URL="postgresql://habeas:hush-hush@127.0.0.1:1/x")
    assert done.returncode == 1
    assert "DATABASE_URL" in done.stderr
    assert "hush-hush" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_check_lists_what_is_missing(postgres: str) -> None:
    """`habeas check` goes on after the first fault, and names the variable that each thing wants."""
    done = habeas("check", HABEAS_SECRET_KEY=KEY, DATABASE_URL=postgres, HABEAS_DATA=os.environ["HABEAS_DATA"])
    assert done.returncode == 1
    assert "ok       database" in done.stdout
    assert "RESEND_API_KEY" in done.stdout
    assert "_DATABASE_URL" in done.stdout
    assert "Traceback" not in done.stderr


def test_migrate_can_be_repeated(postgres: str) -> None:
    """The second time there is nothing to do."""
    for _ in range(2):
        done = habeas("migrate", HABEAS_SECRET_KEY=KEY, DATABASE_URL=postgres)
        assert done.returncode == 0, done.stderr


async def test_the_first_member_of_staff_is_invited_here(database: str) -> None:
    """What is printed is one address of ours, where keys are made; there is no command that lets anybody in."""
    known = {"HABEAS_SECRET_KEY": KEY, "DATABASE_URL": database}
    email = "desk@casagbic.example"
    done = await asyncio.to_thread(habeas, "staff", "invite", email, "--role", "dpo", **known)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http://127.0.0.1:8000/en/staff/invitation/")
    assert len(done.stdout.splitlines()) == 1
    listed = await asyncio.to_thread(habeas, "staff", "list", **known)
    assert listed.stdout.split() == [email, "dpo", "active", "passkeys=0", "codes=0", "single-sign-on=0"]
    last = await asyncio.to_thread(habeas, "staff", "remove", email, **known)
    assert (last.returncode, last.stdout) == (1, "")
    assert "Traceback" not in last.stderr
