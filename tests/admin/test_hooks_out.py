"""The staff's chat tool hears each event once, signed, without a person, and a call nobody takes becomes work."""

import asyncio
import base64
import json
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from admin import hooks, reminders
from admin.roles import Role
from demo.platforms.hook import Hook, listening
from portal.clock import SetClock
from portal.database import engine
from portal.errors import SettingsError, SourceRefused, SourceUnavailable
from portal.jobs import Worker
from portal.mail.tables import Mail
from portal.rights import failures
from tests.admin.reminding import jobs, local, request, shop_of, somebody
from tests.web_app import organisation

FRIDAY = date(2026, 10, 16)
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
PAYLOAD = {
    "event": "late",
    "id": "msg_1",
    "at": "2026-10-16T06:00:00+00:00",
    "reference": "DR-2026-0001",
    "day": "2026-10-15",
}


@pytest.fixture
def ears(clock: SetClock) -> Iterator[Hook]:
    """A chat tool that verifies what it hears."""
    clock.now = local(FRIDAY, 9)
    with listening(secret=SECRET, clock=clock) as hook:
        yield hook


def variables(url: str, **more: str) -> dict[str, str]:
    """What the operator sets."""
    return {"HABEAS_STAFF_HOOK_URL": url, "HABEAS_STAFF_HOOK_SECRET": SECRET, **more}


async def deliver(clock: SetClock, url: str, **more: str) -> None:
    """Tell one event, as the job does."""
    shop = shop_of(clock, **variables(url, **more))
    await hooks.deliver(PAYLOAD, shop.policy, shop.settings, at=clock())


async def test_an_alarm_and_the_day_are_told_once(database: str, clock: SetClock, ears: Hook) -> None:
    """However many rounds are made, and by the job as it was written."""
    await somebody("nadia@staff.example", Role.HANDLER)
    await request("DR-2026-0001", FRIDAY)
    shop = shop_of(clock, **variables(ears.url))
    for _ in range(3):
        await reminders.make_round(shop)
    told = await jobs(hooks.JOB)
    for payload in [*told, *told]:
        await hooks.deliver(payload, shop.policy, shop.settings, at=clock())
    events = [heard.event for heard in ears.heard]
    assert sorted(event for event in events if event != "staff.failure") == ["staff.daily", "staff.unowned-today"]
    assert [heard.reference for heard in ears.heard if heard.event == "staff.unowned-today"] == ["DR-2026-0001"]
    assert len(events) == len(told)


async def test_where_nobody_listens_nothing_is_kept(database: str, clock: SetClock) -> None:
    """Without an address there are no events to pile up, and none leave when one is set later."""
    await somebody("nadia@staff.example", Role.HANDLER)
    await request("DR-2026-0001", FRIDAY)
    clock.now = local(FRIDAY, 9)
    await reminders.make_round(shop_of(clock))
    assert await jobs(hooks.JOB) == []


async def test_what_failed_and_what_waits_for_a_second_person_is_told_once(database: str, clock: SetClock) -> None:
    """A failure by its kind, an approval by its verb, each with its reference and nothing else; not its own calls."""
    clock.now = local(FRIDAY, 9)
    shop = shop_of(clock, **variables("http://127.0.0.1:9/x"))
    await Mail.raw("INSERT INTO pgqueuer_schedules (expression, entrypoint) VALUES ('* * * * *', 'health.beat')")
    await reminders.make_round(shop)
    async with engine().transaction():
        for name in ("rights.export", hooks.JOB):
            await hooks.enqueue(name, {}, key=f"parked:{name}")
    await Mail.raw("UPDATE pgqueuer SET status = 'failed' WHERE dedupe_key LIKE 'parked:%'")
    await Mail.raw(
        "INSERT INTO approval (id, verb, digest, asked_by, asked_at, state, decided_by)"
        " VALUES (gen_random_uuid(), 'refusal', 'd', 'staff:1', {}, 'waiting', '')",
        clock(),
    )
    for _ in range(2):
        await reminders.make_round(shop)
    told = [payload for payload in await jobs(hooks.JOB) if payload.get("kind") == "job" or "verb" in payload]
    assert [payload["event"] for payload in told] == ["failure", "approval-waiting"]


async def test_a_body_is_signed_and_says_what_a_chat_tool_shows(clock: SetClock, ears: Hook) -> None:
    """Type, time, reference and day, a link to the desk, and one sentence."""
    await deliver(clock, ears.url)
    assert [(heard.event, heard.reference) for heard in ears.heard] == [("staff.late", "DR-2026-0001")]
    shop = shop_of(clock)
    body = json.loads(hooks.body_of(PAYLOAD, shop.policy, shop.settings))
    link = "https://rights.example/en/staff/desk/DR-2026-0001"
    assert body == {
        "type": "staff.late", "timestamp": "2026-10-16T06:00:00+00:00",
        "data": {"reference": "DR-2026-0001", "day": "2026-10-15", "link": link},
        "text": f"DR-2026-0001 is late {link}",
    }  # fmt: skip


@pytest.mark.parametrize("event", hooks.EVENTS)
@pytest.mark.parametrize("organisation_id", ["casagbic", "caaartoons"])
def test_every_event_has_a_sentence(clock: SetClock, event: str, organisation_id: str) -> None:
    """In the organisation's first language."""
    shop = shop_of(clock, organisation(organisation_id))
    payload = {**PAYLOAD, "event": event, "things": "2", "late": "1"}
    assert len(json.loads(hooks.body_of(payload, shop.policy, shop.settings))["text"].split()) > 2


async def test_a_redirect_is_not_followed(clock: SetClock, ears: Hook) -> None:
    """Nobody leads us elsewhere: that is final, and somebody must look."""
    ears.answers.append(302)
    with pytest.raises(SourceRefused):
        await deliver(clock, ears.url)
    assert ears.calls == 1


@pytest.mark.parametrize(
    ("status", "error"), [(503, SourceUnavailable), (429, SourceUnavailable), (401, SourceRefused)]
)
async def test_what_passes_is_tried_again_and_what_does_not_is_final(
    clock: SetClock, ears: Hook, status: int, error: type[Exception]
) -> None:
    """By the answer's status."""
    ears.answers.append(status)
    with pytest.raises(error):
        await deliver(clock, ears.url)


@pytest.mark.parametrize(
    "url",
    [
        "http://chat.example/x", "https://user:pass@chat.example/x", "https://10.1.2.3/x", "https://192.168.0.9/x",
        "https://[fd00::1]/x", "http://10.1.2.3/x", "https://intranet/x", "ftp://chat.example/x", "https:///x",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_or_not_encrypted_is_refused(clock: SetClock, url: str) -> None:
    """Plain http is for this machine; a private network is for whoever says so."""
    with pytest.raises(SettingsError):
        hooks.read_hook(shop_of(clock, **variables(url)).settings)


@pytest.mark.parametrize("url", ["https://10.1.2.3/x", "https://intranet/x", "http://10.1.2.3/x"])
def test_a_private_network_is_fine_when_the_operator_says_so(clock: SetClock, url: str) -> None:
    """It is their network."""
    hooks.read_hook(shop_of(clock, **variables(url, HABEAS_STAFF_HOOK_PRIVATE="yes")).settings)


@pytest.mark.parametrize("url", ["https://169.254.169.254/x", "https://0.0.0.0/x"])
async def test_an_address_that_leads_to_the_machines_own_network_is_not_called(clock: SetClock, url: str) -> None:
    """The door of cloud metadata among them."""
    with pytest.raises(SourceRefused):
        await deliver(clock, url)


async def test_a_call_that_nobody_takes_becomes_a_failure(database: str, clock: SetClock, ears: Hook) -> None:
    """The worker parks it, staff see it and try it again, and it is told."""
    shop = shop_of(clock, **variables(ears.url))
    ears.answers.append(401)
    async with engine().transaction():
        await hooks.announce(
            "late", {"reference": "DR-2026-0001", "day": "2026-10-15"}, key="k", settings=shop.settings, at=clock()
        )
    await Mail.raw("INSERT INTO pgqueuer_schedules (expression, entrypoint) VALUES ('* * * * *', 'health.beat')")
    worker = Worker(database, reminders.works(shop), [])
    running = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(60):
            while not (found := await failed_jobs(clock)):  # noqa: ASYNC110  it polls a table, which has no event
                await asyncio.sleep(0.02)
    finally:
        worker.stop()
        await asyncio.wait_for(running, 30)
    [failure] = found
    assert (failure.what, failure.error, failure.reference) == (hooks.JOB, "SourceRefused", "DR-2026-0001")
    assert failure.actions == ("retry", "skip")


async def failed_jobs(clock: SetClock) -> list[failures.Failure]:
    """The jobs in the list of failures."""
    return [one for one in await failures.open_failures(organisation(), at=clock()) if one.kind == "job"]


async def test_an_event_is_gone_with_its_transaction(database: str, clock: SetClock) -> None:
    """What is rolled back was never to be told, and can be told later."""
    settings = shop_of(clock, **variables("https://chat.example/x")).settings
    with pytest.raises(RuntimeError):
        async with engine().transaction():
            await hooks.announce("test", {}, key="k", settings=settings, at=clock())
            raise RuntimeError
    assert await jobs(hooks.JOB) == []
    for _ in range(2):
        async with engine().transaction():
            await hooks.announce("test", {}, key="k", settings=settings, at=clock() + timedelta(hours=1))
    assert len(await jobs(hooks.JOB)) == 1
