"""What the provider tells us afterwards: signed, once, in any order.

The SDK compares timestamps with the real clock; these tests sign with it, too.
"""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State

from demo.resend import Fault, StandIn, body_of, signed
from demo.resend.serve import SECRET
from demo.resend.standin import Sent
from demo.resend.webhooks import deliver
from portal.clock import SetClock
from portal.database import engine
from portal.evidence.tables import Evidence
from portal.mail.outcome import UNKNOWN, accept, note
from portal.mail.resend import verified
from portal.mail.sender import KEY_LIFE, Sender
from portal.mail.tables import MailEvent
from portal.mail.webhooks import LARGEST_BODY, routes
from portal.settings import read_settings
from tests.mail.conftest import Ticker, later
from tests.mail.steps import has_words, state, try_once, written


@pytest.fixture
async def web(database: str, clock: SetClock) -> AsyncIterator[httpx.AsyncClient]:
    """The webhook's own address, as the provider sees it."""
    settings = read_settings({"HABEAS_SECRET_KEY": "x" * 32, "RESEND_WEBHOOK_SECRET": SECRET})
    app = Litestar(routes, state=State({"settings": settings, "clock": clock}), openapi_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal") as client:
        yield client


async def tell(web: httpx.AsyncClient, body: bytes, **kwargs: str | int) -> int:
    headers = signed(body, SECRET, **kwargs)  # type: ignore[arg-type]
    return (await web.post("/webhooks/resend", content=body, headers=headers)).status_code


async def sent_mail(sender: Sender, standin: StandIn, clock: SetClock) -> tuple[UUID, Sent]:
    id = await written(clock)
    await sender.send({"mail": str(id)})
    return id, standin.messages()[0]


ORDERS = list(itertools.permutations(["email.sent", "email.delivery_delayed", "email.delivered", "email.bounced"]))


@pytest.mark.parametrize("order", ORDERS[::5])
async def test_any_order_ends_in_the_same_state(
    order: tuple[str, ...], web: httpx.AsyncClient, sender: Sender, standin: StandIn, clock: SetClock
) -> None:
    """A late `delivered` does not overwrite `bounced`, and each event twice changes nothing."""
    id, mail = await sent_mail(sender, standin, clock)
    for kind in order:
        body = body_of(mail, kind, clock())
        assert await tell(web, body, svix_id=f"msg_{kind}") == 200
        assert await tell(web, body, svix_id=f"msg_{kind}") == 200
    assert await state(id) == ("bounced", "email.bounced")
    assert await MailEvent.count() == 3


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("email.delivered", "delivered"), ("email.delivery_delayed", "delayed"), ("email.bounced", "bounced"),
        ("email.complained", "complained"), ("email.failed", "failed"), ("email.suppressed", "bounced"),
        ("email.sent", "accepted"), ("email.opened", "accepted"), ("email.not_yet_invented", "accepted"),
    ],
)  # fmt: skip
async def test_each_event_makes_its_state(
    kind: str, expected: str, web: httpx.AsyncClient, sender: Sender, standin: StandIn, clock: SetClock
) -> None:
    """What we do not track, such as openings, leaves no trace."""
    id, mail = await sent_mail(sender, standin, clock)
    assert await tell(web, body_of(mail, kind, clock())) == 200
    assert (await state(id))[0] == expected
    assert await MailEvent.count() == (0 if expected == "accepted" else 1)


async def test_the_outcome_is_evidence_without_an_address(
    web: httpx.AsyncClient, sender: Sender, standin: StandIn, clock: SetClock
) -> None:
    """The request's reference and the mail's id, nothing else."""
    id, mail = await sent_mail(sender, standin, clock)
    await tell(web, body_of(mail, "email.bounced", clock()))
    rows = await Evidence.select().order_by(Evidence.seq)
    assert [row["event"] for row in rows] == ["mail:message:accepted", "mail:message:bounced"]
    assert json.loads(rows[1]["details"]) == {"mail": str(id)}
    assert "person.example" not in str(rows) + str(await MailEvent.select())


async def test_an_event_may_come_before_its_mail_is_known(
    web: httpx.AsyncClient, sender: Sender, standin: StandIn, clock: SetClock, ticker: Ticker
) -> None:
    """Without our tag it waits under the provider's id, and counts once the acceptance is recorded."""
    id = await written(clock)
    standin.fail(Fault.ACCEPTED_BROKEN)
    again = await try_once(sender, id)
    assert again is not None
    mail = standin.messages()[0]
    untagged = json.loads(body_of(mail, "email.bounced", clock()))
    del untagged["data"]["tags"]
    assert await tell(web, json.dumps(untagged).encode()) == 200
    assert await state(id) == ("waiting", "HttpClientError")
    later(clock, ticker, again.delay)
    await sender.send({"mail": str(id)})
    assert await state(id) == ("bounced", "email.bounced")


async def test_an_event_with_our_tag_proves_the_acceptance(
    web: httpx.AsyncClient, sender: Sender, standin: StandIn, clock: SetClock, ticker: Ticker
) -> None:
    """Even for a mail that was given up because nobody could know whether it had left."""
    id = await written(clock)
    standin.fail(Fault.ACCEPTED_SILENCE)
    await try_once(sender, id)
    later(clock, ticker, KEY_LIFE)
    await sender.send({"mail": str(id)})
    assert await state(id) == ("failed", UNKNOWN)
    assert await tell(web, body_of(standin.messages()[0], "email.delivered", clock())) == 200
    assert await state(id) == ("delivered", "")
    assert not await has_words(id)


async def test_forged_old_and_broken_webhooks_are_refused_alike(
    web: httpx.AsyncClient, sender: Sender, standin: StandIn, clock: SetClock
) -> None:
    """400 and not a word more, whatever was wrong; and nothing is kept."""
    id, mail = await sent_mail(sender, standin, clock)
    good = body_of(mail, "email.bounced", clock())
    other_key = "whsec_" + "b3RoZXI="
    now = int(time.time())
    nul = good.replace(mail.id.encode(), b"a\\u0000b")
    attempts = [
        (good, {}),
        (good, signed(good, other_key)),
        (good + b" ", signed(good, SECRET)),
        (good, signed(good, SECRET, timestamp=now - 301)),
        (good, signed(good, SECRET, timestamp=now + 400)),
        (good, signed(good, SECRET) | {"svix-timestamp": "soon"}),
        (good, signed(good, SECRET) | {"svix-id": "msg_other"}),
        (good, signed(good, SECRET) | {"svix-signature": "v1,\xe9\xff"}),
        (good, signed(good, SECRET) | {"svix-signature": "v1 v1 ,,,"}),
        (b"", signed(b"", SECRET)),
        (b"\xff\xfe", signed(b"\xff\xfe", SECRET)),
        (nul, signed(nul, SECRET)),
        (b"[1]", signed(b"[1]", SECRET)),
        (b'{"type":"email.bounced"}', signed(b'{"type":"email.bounced"}', SECRET)),
    ]
    for body, headers in attempts:
        raw = [(name, value.encode("latin-1")) for name, value in headers.items()]
        answer = await web.post("/webhooks/resend", content=body, headers=raw)
        assert (answer.status_code, answer.content) == (400, b"")
    assert await MailEvent.count() == 0
    assert await state(id) == ("accepted", "")


async def test_without_a_secret_everything_is_refused(database: str, clock: SetClock) -> None:
    """An installation that has not set one trusts nobody."""
    settings = read_settings({"HABEAS_SECRET_KEY": "x" * 32})
    app = Litestar(routes, state=State({"settings": settings, "clock": clock}), openapi_config=None)
    body = b"{}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal") as client:
        answer = await client.post("/webhooks/resend", content=body, headers=signed(body, "whsec_"))
    assert answer.status_code == 400


async def test_a_huge_body_is_not_read(web: httpx.AsyncClient) -> None:
    """413 before any signature is looked at."""
    answer = await web.post("/webhooks/resend", content=b"x" * (LARGEST_BODY + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("contact.created", {"email": "a@person.example"}),
        ("email.bounced", {"email_id": "e1", "tags": [{"name": "x", "value": "y"}]}),
        ("email.bounced", {"email_id": "e1", "tags": {"habeas_mail": "?"}}),
        ("email.bounced", {"email_id": "e1", "tags": {"habeas_mail": "00000000-0000-0000-0000-000000000000"}}),
    ],
)
async def test_signed_events_about_nothing_of_ours_are_taken_quietly(
    kind: str, data: dict[str, object], web: httpx.AsyncClient
) -> None:
    """The provider would repeat for days what is not answered with 2xx."""
    event = {"type": kind, "created_at": "2026-10-14T09:00:00.000Z", "data": data}
    assert await tell(web, json.dumps(event).encode()) == 200


async def test_the_stand_in_posts_signed_events(standin: StandIn) -> None:
    """What an address starts with decides what becomes of its mail: this one bounces."""
    heard: list[str] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
        # The signature is case-sensitive, and so are its header's letters.
        headers["svix-signature"] = head.split("svix-signature: ")[1].splitlines()[0]
        event = verified(await reader.readexactly(int(headers["content-length"])), headers, SECRET)
        heard.append(event.type if event else "refused")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        standin.webhook_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        params = {"from": "a@casagbic.example", "to": ["bounced@person.example"], "subject": "x", "text": "x"}
        await deliver(standin, standin.accept([params], None)[0])
    assert heard == ["email.sent", "email.bounced"]


async def test_the_time_of_an_event_is_the_providers(
    web: httpx.AsyncClient, sender: Sender, standin: StandIn, clock: SetClock
) -> None:
    """Both instants are kept: when it happened there, and when we heard."""
    _, mail = await sent_mail(sender, standin, clock)
    happened = clock() - timedelta(minutes=3)
    await tell(web, body_of(mail, "email.delivered", happened))
    [row] = await MailEvent.select()
    assert (row["occurred_at"], row["received_at"]) == (happened, clock())


async def test_acceptance_and_event_at_the_same_instant_do_not_miss_each_other(database: str, clock: SetClock) -> None:
    """Whichever commits first, the other sees it."""
    ids = [await written(clock) for _ in range(12)]

    async def accepted(id: UUID) -> None:
        async with engine().transaction():
            await accept(id, f"e-{id}", at=clock())

    async def bounced(id: UUID) -> None:
        async with engine().transaction():
            await note(f"m-{id}", f"e-{id}", "email.bounced", occurred_at=clock(), at=clock())

    await asyncio.gather(*(step for id in ids for step in (accepted(id), bounced(id))))
    assert {await state(id) for id in ids} == {("bounced", "email.bounced")}
