"""The commands that prove, as somebody types them: a receipt without anything of ours, and lists against the ledger."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from portal.evidence.ledger import FolderLedger, prove
from portal.evidence.log import FIRST, Head
from portal.evidence.tombstones import Tombstone, hashed, tombstone_id
from portal.rights.receipt_file import Anchor, Body, Organisation, file_of, key_id, pem, signing_key, write
from portal.settings import read_settings

ROOT = Path(__file__).parent.parent
SECRET = "a-key-that-is-long-enough-for-a-test"
SETTINGS = read_settings({"HABEAS_SECRET_KEY": SECRET})


def habeas(*arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `habeas` with nothing in its environment but what is given."""
    base = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, "-m", "portal", *arguments], cwd=ROOT, env=base | environment, input=typed,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    """A genuine receipt, as somebody keeps it beside the key."""
    key = signing_key(SETTINGS)
    body, signature = write(
        Body(
            number="1234-5678-9012-3456-7890", issued_at=datetime(2026, 10, 17, 9, 30, tzinfo=UTC),
            organisation=Organisation("Casagbic", "", "https://casagbic.example"), reference="DR-2026-0147",
            right="erasure", received=date(2026, 10, 14), answered=date(2026, 10, 17), outcome="partly", rules="1",
            evidence=Anchor(7, "ab" * 32), key=key_id(key.public_key()), check_at="https://x.example/en/receipt",
        ),
        key,
    )  # fmt: skip
    file = tmp_path / "DR-2026-0147.receipt.json"
    file.write_bytes(file_of(body, signature, key_id(key.public_key())))
    (tmp_path / "key.pem").write_text(pem(key.public_key()))
    return file


def test_a_receipt_is_verified_without_settings_database_or_network(receipt: Path) -> None:
    """The file and the key are all it takes; a changed file fails."""
    key = str(receipt.parent / "key.pem")
    done = habeas("receipt", "verify", str(receipt), "--key", key)
    assert done.returncode == 0, done.stderr
    assert "genuine, signed by Casagbic" in done.stdout
    assert "DR-2026-0147: erasure, received 2026-10-14, answered 2026-10-17, partly" in done.stdout
    receipt.write_bytes(receipt.read_bytes().replace(b"2026-10-17", b"2026-10-16", 1))
    done = habeas("receipt", "verify", str(receipt), "--key", key)
    assert done.returncode == 1
    assert "NOT GENUINE: the signature is not right" in done.stdout


def test_the_organisation_itself_needs_no_key(receipt: Path) -> None:
    """Its key follows from its secret; another organisation's does not verify it."""
    assert habeas("receipt", "verify", str(receipt), HABEAS_SECRET_KEY=SECRET).returncode == 0
    assert habeas("receipt", "verify", str(receipt), HABEAS_SECRET_KEY="n" * 40).returncode == 1
    after = {"HABEAS_SECRET_KEY": "n" * 40, "HABEAS_FORMER_SECRET_KEYS": SECRET}
    assert habeas("receipt", "verify", str(receipt), **after).returncode == 0


def test_without_any_key_it_says_where_to_get_one(receipt: Path) -> None:
    """And why none is inside; what is wrong with the arguments is one line, never a traceback."""
    done = habeas("receipt", "verify", str(receipt))
    assert done.returncode == 1
    assert "/.well-known/habeas-receipt-key.pem" in done.stderr
    for wrong in (["absent.json"], [str(receipt), "--key", str(receipt)], [str(receipt), "--key", "absent.pem"]):
        done = habeas("receipt", "verify", *wrong, HABEAS_SECRET_KEY=SECRET)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr


async def test_a_list_of_accounts_is_held_against_the_ledger(tmp_path: Path) -> None:
    """After a platform restored its own backup, its accounts come in and those of people we erased come out."""
    tombstone = Tombstone(
        id=tombstone_id(SETTINGS, "erasure:1"), subject=tombstone_id(SETTINGS, "somebody"),
        hashes=frozenset(hashed(SETTINGS, ("account_id", "4711")) + hashed(SETTINGS, ("email", "ana@person.example"))),
        buried_at=datetime(2026, 10, 17, tzinfo=UTC), forget_after=date(2026, 12, 17), after=Head(0, FIRST),
    )  # fmt: skip
    await FolderLedger(tmp_path / "tombstones").write(f"tombstones/{tombstone.id}", prove(tombstone, SETTINGS))
    here = {"HABEAS_SECRET_KEY": SECRET, "HABEAS_DATA": str(tmp_path)}
    done = habeas("tombstones", "match", "account_id", typed="4710\n4711\n4712\n", **here)
    assert (done.returncode, done.stdout) == (1, "4711\n")
    done = habeas("tombstones", "match", "email", typed="Ana@Person.example\n", **here)
    assert (done.returncode, done.stdout) == (1, "Ana@Person.example\n")
    done = habeas("tombstones", "match", "account_id", typed="\ufeff4711\r\n4712\r\n", **here)
    assert (done.returncode, done.stdout) == (1, "4711\n")
    done = habeas("tombstones", "match", "stripe_customer", typed="4711\n", **here)
    assert (done.returncode, done.stdout) == (0, "")


async def test_check_names_a_ledger_beside_the_database(database: str, tmp_path: Path) -> None:
    """In a place of its own it is fine; in the data folder it is warned of; where it cannot be, it is an error."""
    here = {"HABEAS_SECRET_KEY": SECRET, "HABEAS_DATA": str(tmp_path / "data"), "DATABASE_URL": database}
    (tmp_path / "file").write_text("")
    for place, said in (
        ("", "warning  tombstones"), (tmp_path / "data" / "t", "warning  tombstones"),
        (tmp_path / "elsewhere", "ok       tombstones"), (tmp_path / "file" / "t", "error    tombstones"),
        ("s3://", "error    tombstones"),
    ):  # fmt: skip
        assert said in habeas("check", HABEAS_TOMBSTONES=str(place), **here).stdout, place
