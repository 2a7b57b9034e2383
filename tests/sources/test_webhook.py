"""Telling the platform, over real HTTP to a receiver that verifies as a platform would."""

import base64
import hmac
import subprocess
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from demo.platforms.hook import SECRET, Heard, Hook, listening
from portal.clock import SetClock
from portal.errors import SettingsError, SourceRefused, SourceUnavailable
from portal.policy.load import load
from portal.policy.model import Webhook
from portal.settings import Settings, read_settings
from portal.sources.webhook import Event, check, read_address, signed, tell

POLICY = msgspec.structs.replace(
    load(Path(__file__).parent.parent.parent / "policies" / "casagbic.toml"),
    webhook=Webhook(url_variable="HOOK_URL", secret_variable="HOOK_SECRET"),
)
ACCOUNTS = ("b-2", "a-1")
PLAN = "3f0c1c5e-0000-4000-8000-000000000001"


@pytest.fixture
def hook(clock: SetClock) -> Iterator[Hook]:
    """A platform that listens, by the test's clock."""
    with listening(clock=clock) as running:
        yield running


def settings(url: str, secret: str = SECRET) -> Settings:
    return read_settings({"HABEAS_SECRET_KEY": "k" * 48, "HOOK_URL": url, "HOOK_SECRET": secret})


async def say(hook: Hook, clock: SetClock, event: Event = Event.PAUSED, secret: str = SECRET) -> None:
    await tell(settings(hook.url, secret), POLICY, event, ACCOUNTS, PLAN, clock())


async def test_the_platform_hears_what_happened_and_to_whom(hook: Hook, clock: SetClock) -> None:
    """Signed, and with the ids that it knows."""
    await say(hook, clock)
    assert hook.heard == [Heard("person.paused", PLAN, ("a-1", "b-2"))]


async def test_a_repeated_call_is_heard_once(hook: Hook, clock: SetClock) -> None:
    """Its id is that of the first, also a day later; another event has another id."""
    await say(hook, clock)
    clock.advance(timedelta(days=1))
    await say(hook, clock)
    await say(hook, clock, Event.ERASED)
    assert [heard.event for heard in hook.heard] == ["person.paused", "person.erased"]
    assert hook.calls == 3


async def test_a_wrong_secret_an_old_call_and_a_changed_body_are_not_heard(hook: Hook, clock: SetClock) -> None:
    """The receiver refuses, and so we know that nobody was told."""
    with pytest.raises(SourceRefused):
        await say(hook, clock, secret="whsec_" + base64.b64encode(b"x" * 32).decode())
    with pytest.raises(SourceRefused):
        await tell(settings(hook.url), POLICY, Event.PAUSED, ACCOUNTS, PLAN, clock() - timedelta(minutes=6))
    assert hook.heard == []


def test_openssl_makes_the_same_signature(clock: SetClock) -> None:
    """The scheme is the documented one, by somebody else's arithmetic."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    headers = signed(b'{"type":"person.erased"}', key, id="msg_1", at=clock())
    content = f"msg_1.{headers['webhook-timestamp']}.".encode() + b'{"type":"person.erased"}'
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"],
        input=content, capture_output=True, check=True,
    )  # fmt: skip
    assert headers["webhook-signature"] == "v1," + base64.b64encode(done.stdout).decode()


def test_the_lines_in_the_documentation_verify_it(clock: SetClock) -> None:
    """As they stand there: a genuine call passes; another secret, body or hour does not."""
    text = (Path(__file__).parent.parent.parent / "docs" / "sources.md").read_text()
    names: dict[str, Any] = {"Mapping": Mapping, "base64": base64, "hmac": hmac}
    exec(text.partition("```python\n")[2].partition("```")[0], names)
    genuine, now = names["genuine"], clock().timestamp()
    headers = signed(b"{}", base64.b64decode(SECRET.removeprefix("whsec_")), id="msg_1", at=clock())
    assert genuine(b"{}", headers, SECRET, now)
    assert not genuine(b"{ }", headers, SECRET, now)
    assert not genuine(b"{}", headers, SECRET, now + 301)
    assert not genuine(b"{}", headers, "whsec_" + base64.b64encode(b"x" * 32).decode(), now)
    assert not genuine(b"{}", {}, SECRET, now)


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, SourceUnavailable), (503, SourceUnavailable), (429, SourceUnavailable), (408, SourceUnavailable),
     (400, SourceRefused), (401, SourceRefused), (404, SourceRefused), (302, SourceRefused), (307, SourceRefused)],
)  # fmt: skip
async def test_only_2xx_is_told(hook: Hook, clock: SetClock, status: int, error: type[Exception]) -> None:
    """What may pass is tried again; the rest, and every redirect, is a person's to look at. None is followed."""
    hook.answers.append(status)
    with pytest.raises(error):
        await say(hook, clock)
    assert (hook.calls, hook.heard) == (1, [])


async def test_who_does_not_listen_is_unavailable(clock: SetClock) -> None:
    """And the message names neither the address nor anybody."""
    with pytest.raises(SourceUnavailable) as caught:
        await tell(settings("http://127.0.0.1:1/hook"), POLICY, Event.PAUSED, ACCOUNTS, PLAN, clock())
    assert not any(word in str(caught.value) for word in ("127", "a-1", PLAN))


@pytest.mark.parametrize(
    ("url", "fine"),
    [("https://shop.example/hook", True), ("http://127.0.0.1:9/hook", True), ("http://10.0.0.5/hook", True),
     ("http://platform:8080/hook", True), ("http://shop.example/hook", False), ("http://8.8.8.8/hook", False),
     ("http://169.254.169.254/latest", False), ("ftp://shop.example/", False), ("shop.example/hook", False),
     ("https://me:pw@shop.example/", False), ("https://", False)],
)  # fmt: skip
def test_plain_http_stays_inside_the_house(url: str, *, fine: bool) -> None:
    """The operator's own address, over https unless it is near."""
    assert POLICY.webhook
    if fine:
        assert read_address(POLICY.webhook, settings(url)).url == url
        assert check(POLICY, settings(url)) == []
    else:
        with pytest.raises(SettingsError, match="HOOK_URL"):
            read_address(POLICY.webhook, settings(url))
        assert check(POLICY, settings(url))


@pytest.mark.parametrize("secret", ["", "short", "whsec_!!!", "whsec_" + base64.b64encode(b"x" * 23).decode()])
def test_a_weak_secret_is_refused_by_its_variable(secret: str) -> None:
    """And is not repeated."""
    assert POLICY.webhook
    with pytest.raises(SettingsError, match="HOOK_SECRET") as caught:
        read_address(POLICY.webhook, settings("https://shop.example/", secret))
    assert not secret or secret not in str(caught.value)
