"""`habeas hook test` says whether the chat tool heard it."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.platforms.hook import Hook, listening
from portal.cli import main

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
POLICY = Path(__file__).parent.parent / "policies" / "casagbic.toml"


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """A chat tool, and an installation that knows it."""
    with listening(secret=SECRET) as hook:
        for name, value in (
            ("HABEAS_SECRET_KEY", "k" * 40), ("HABEAS_POLICY", str(POLICY)), ("HABEAS_STAFF_HOOK_URL", hook.url),
            ("HABEAS_STAFF_HOOK_SECRET", SECRET),
        ):  # fmt: skip
            monkeypatch.setenv(name, value)
        yield hook


def test_it_is_heard(ears: Hook, capsys: pytest.CaptureFixture[str]) -> None:
    """One signed event arrives."""
    assert main(["hook", "test"]) == 0
    assert capsys.readouterr().out == "heard\n"
    assert [heard.event for heard in ears.heard] == ["staff.test"]


def test_a_wrong_key_is_said(ears: Hook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What the tool answered, without the key."""
    wrong = "whsec_" + base64.b64encode(b"z" * 32).decode()
    monkeypatch.setenv("HABEAS_STAFF_HOOK_SECRET", wrong)
    assert main(["hook", "test"]) == 1
    said = capsys.readouterr().err
    assert "not heard" in said and "answered 401" in said and wrong not in said


def test_without_an_address_there_is_nothing_to_try(
    ears: Hook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the variable."""
    monkeypatch.delenv("HABEAS_STAFF_HOOK_URL")
    assert main(["hook", "test"]) == 1
    assert "HABEAS_STAFF_HOOK_URL is not set" in capsys.readouterr().err
