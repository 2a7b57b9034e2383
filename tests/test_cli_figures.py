"""The commands that account, as somebody types them: what is asked for alone is on standard output."""

import csv
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from piccolo.querystring import QueryString

from portal.cli import main
from portal.database import engine
from tests.rights.histories import Told, happened

ROOT = Path(__file__).parent.parent


@pytest.fixture
def here(database: str, tmp_path: Path) -> dict[str, str]:
    """The environment of an installation on the test's database."""
    return {
        "PATH": os.environ["PATH"], "HABEAS_SECRET_KEY": "k" * 40, "DATABASE_URL": database,
        "HABEAS_DATA": str(tmp_path / "data"),
    }  # fmt: skip


def habeas(here: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `habeas` with nothing in its environment but what is given."""
    return subprocess.run(
        [sys.executable, "-m", "portal", *arguments], cwd=ROOT, env=here, capture_output=True, check=False, timeout=120
    )


async def some() -> None:
    """Two requests: one answered, one open."""
    start = datetime(2026, 10, 5, 9, tzinfo=UTC)
    await happened(
        Told(
            reference="DR-2026-0001", right="access", channel="portal", received_at=start, outcome="fulfilled",
            ended_at=start.replace(day=7),
        ),
        Told(reference="DR-2026-0002", right="erasure", channel="letter", received_at=start),
    )  # fmt: skip


async def test_figures_are_printed_for_programs_and_spreadsheets(here: dict[str, str]) -> None:
    """JSON by default; CSV and the set of California when asked for."""
    await some()
    period = ("--from", "2026-10", "--to", "2026-10")
    done = habeas(here, "figures", *period)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["total"]["received"] == 2
    rows = list(csv.DictReader(habeas(here, "figures", *period, "--csv").stdout.decode("utf-8-sig").splitlines()))
    assert (rows[-1]["right"], rows[-1]["received"], rows[-1]["median_days"]) == ("all", "2", "2")
    ccpa = json.loads(habeas(here, "figures", *period, "--ccpa").stdout)
    assert ccpa["people"].startswith("all people") and ccpa["requests"][0]["complied"] == 1


async def test_a_register_goes_to_a_file_that_is_new_and_is_evidence(here: dict[str, str], tmp_path: Path) -> None:
    """With its digest."""
    await some()
    place = tmp_path / "register.json"
    done = habeas(here, "register", "requests", "--as-of", "2026-10-06", "--out", str(place))
    assert done.returncode == 0, done.stderr
    digest = sha256(place.read_bytes()).hexdigest()
    assert b"2 of 2" in done.stderr and digest.encode() in done.stderr and done.stdout == b""
    body = json.loads(place.read_bytes())
    assert [(one["reference"], one["outcome"]) for one in body["requests"]] == [
        ("DR-2026-0001", ""),
        ("DR-2026-0002", ""),
    ]
    rows = await engine().run_querystring(
        QueryString("SELECT actor, details->>'sha256' AS d FROM evidence WHERE event = 'staff:register:taken'")
    )
    assert [(row["actor"], row["d"]) for row in rows] == [("command-line", digest)]


async def test_the_record_of_processing_is_of_today(here: dict[str, str]) -> None:
    """In the language that is asked for, with the digest of the policy file and what is not stated."""
    done = habeas(here, "register", "processing", "--language", "fr")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["language"] == "fr" and len(body["policy_sha256"]) == 64 and body["gaps"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("register", "processing", "--as-of", "2020-01-01"), ("figures", "--from", "2026-13"),
        ("figures", "--from", "2026-05", "--to", "2026-04"),
        ("register", "requests", "--as-of", "soon"), ("register", "processing", "--as-of", "soon"),
    ],
)  # fmt: skip
def test_what_is_typed_wrong_is_one_line(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the remedy, and nothing on standard output; no database is asked."""
    monkeypatch.setenv("HABEAS_SECRET_KEY", "k" * 40)
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("habeas: ")
