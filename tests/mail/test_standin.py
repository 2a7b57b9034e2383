"""The stand-in does what Resend documents, seen through the real SDK and bare HTTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from demo.resend import Fault, StandIn, serving
from demo.resend.standin import MOST_MAILS
from portal.clock import SetClock
from tests.mail.conftest import Ticker

GOOD: dict[str, Any] = {
    "from": "Casagbic <no-reply@casagbic.example>",
    "to": ["someone@person.example"],
    "subject": "Hello",
    "text": "Open https://privacy.casagbic.example/en/sign-in?x=1&y=2.\n<script>alert(1)</script>",
}


@pytest.fixture
async def http(standin: StandIn) -> AsyncIterator[httpx.AsyncClient]:
    """Bare HTTP with the right key."""
    headers = {"authorization": f"Bearer {standin.api_key}"}
    async with httpx.AsyncClient(base_url=standin.url, headers=headers) as client:
        yield client


def error(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert body["statusCode"] == answer.status_code
    assert body["message"]
    return answer.status_code, body["name"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"subject": None}, (422, "validation_error")),
        ({"subject": ""}, (422, "missing_required_field")),
        ({"text": ""}, (422, "missing_required_field")),
        ({"to": []}, (422, "validation_error")),
        ({"to": ["nobody"]}, (422, "validation_error")),
        ({"to": ["a@person.example"] * 51}, (422, "validation_error")),
        ({"from": "Casagbic"}, (422, "validation_error")),
        ({"replyTo": "a@person.example"}, (422, "validation_error")),
        ({"tags": [{"name": "a b", "value": "x"}]}, (422, "validation_error")),
        ({"subject": "a\r\nBcc: b@person.example"}, (422, "validation_error")),
    ],
)
async def test_a_bad_mail_is_refused(
    change: dict[str, Any], expected: tuple[int, str], http: httpx.AsyncClient, standin: StandIn
) -> None:
    """By the SDK's own types and the documented rules; `replyTo` is another language's spelling."""
    assert error(await http.post("/emails", json=GOOD | change)) == expected
    assert not standin.messages()


async def test_keys_are_checked(http: httpx.AsyncClient) -> None:
    """Missing and wrong are told apart."""
    assert error(await http.post("/emails", json=GOOD, headers={"authorization": ""})) == (401, "missing_api_key")
    wrong = {"authorization": "Bearer re_wrong"}
    assert error(await http.post("/emails", json=GOOD, headers=wrong)) == (403, "invalid_api_key")


async def test_unknown_places_and_methods_are_refused(http: httpx.AsyncClient) -> None:
    """As JSON, so that the SDK can read it."""
    assert error(await http.get("/nowhere")) == (404, "not_found")
    assert error(await http.delete("/emails")) == (405, "method_not_allowed")
    assert error(await http.get("/emails/none")) == (404, "not_found")
    assert error(await http.post("/emails", content=b"{")) == (400, "validation_error")


async def test_a_key_is_replayed_compared_and_forgotten_after_a_day(
    http: httpx.AsyncClient, standin: StandIn, clock: SetClock
) -> None:
    """Same words: same answer. Other words: 409. A day later: a new mail."""
    key = {"idempotency-key": "k1"}
    first = (await http.post("/emails", json=GOOD, headers=key)).json()
    assert (await http.post("/emails", json=GOOD, headers=key)).json() == first
    other = await http.post("/emails", json=GOOD | {"subject": "Other"}, headers=key)
    assert error(other) == (409, "invalid_idempotent_request")
    clock.advance(timedelta(hours=24))
    assert (await http.post("/emails", json=GOOD, headers=key)).json() != first
    assert len(standin.messages()) == 2


async def test_a_key_in_use_is_refused(http: httpx.AsyncClient, standin: StandIn) -> None:
    """While the first call with it has no answer yet."""
    standin.fail(Fault.SILENCE)
    key = {"idempotency-key": "k1"}
    first = asyncio.create_task(http.post("/emails", json=GOOD, headers=key, timeout=1))
    while not standin.calls:  # noqa: ASYNC110  the stand-in lives in another thread
        await asyncio.sleep(0.01)
    assert error(await http.post("/emails", json=GOOD, headers=key)) == (409, "concurrent_idempotent_requests")
    with pytest.raises(httpx.ReadTimeout):
        await first


async def test_an_absurd_key_is_refused(http: httpx.AsyncClient) -> None:
    """1 to 256 characters."""
    answer = await http.post("/emails", json=GOOD, headers={"idempotency-key": "k" * 257})
    assert error(answer) == (400, "invalid_idempotency_key")


async def test_the_limiter_slides_and_says_so(http: httpx.AsyncClient, standin: StandIn, ticker: Ticker) -> None:
    """Five in any second; the headers count down; retry-after comes with the refusal."""
    remaining = [(await http.get("/emails/x")).headers["ratelimit-remaining"] for _ in range(5)]
    assert remaining == ["4", "3", "2", "1", "0"]
    refused = await http.get("/emails/x")
    assert error(refused) == (429, "rate_limit_exceeded")
    assert (refused.headers["retry-after"], refused.headers["ratelimit-limit"]) == ("1", "5")
    ticker.seconds += 1
    assert error(await http.get("/emails/x")) == (404, "not_found")


async def test_a_batch_is_strict_or_permissive(http: httpx.AsyncClient, standin: StandIn) -> None:
    """Strict: all or nothing. Permissive: the good ones leave, the bad ones are named by place."""
    batch = [GOOD, GOOD | {"to": ["nobody"]}]
    assert error(await http.post("/emails/batch", json=batch)) == (422, "validation_error")
    assert not standin.messages()
    answer = (await http.post("/emails/batch", json=batch, headers={"x-batch-validation": "permissive"})).json()
    assert (len(answer["data"]), [one["index"] for one in answer["errors"]]) == (1, [1])
    assert error(await http.post("/emails/batch", json=[GOOD] * 101)) == (422, "validation_error")


async def test_an_accepted_mail_can_be_read_back(http: httpx.AsyncClient) -> None:
    """GET /emails/{id} and /messages.json tell the same."""
    id = (await http.post("/emails", json=GOOD)).json()["id"]
    assert (await http.get(f"/emails/{id}")).json()["subject"] == "Hello"
    [listed] = (await http.get("/messages.json", params={"to": "SOMEONE@person.example"})).json()
    assert (listed["id"], listed["to"], listed["text"]) == (id, GOOD["to"], GOOD["text"])
    assert (await http.get("/messages.json", params={"to": "other@person.example"})).json() == []


async def test_the_inbox_shows_text_and_runs_nothing(http: httpx.AsyncClient) -> None:
    """The link can be followed, without the full stop after it; a script is words."""
    id = (await http.post("/emails", json=GOOD)).json()["id"]
    assert f'href="/mail/{id}"' in (await http.get("/")).text
    page = await http.get(f"/mail/{id}")
    assert 'href="https://privacy.casagbic.example/en/sign-in?x=1&amp;y=2"' in page.text
    assert "<script>" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert (await http.get("/mail/none")).status_code == 404


async def test_memory_is_bounded(standin: StandIn) -> None:
    """The oldest mails go."""
    standin.accept([GOOD] * (MOST_MAILS + 10), None)
    assert len(standin.messages()) == MOST_MAILS


async def test_faults_can_be_ordered_from_another_process(http: httpx.AsyncClient, standin: StandIn) -> None:
    """POST /faults; a wrong order lists the right ones."""
    assert (await http.post("/faults", json={"fault": "error"})).status_code == 200
    assert error(await http.post("/emails", json=GOOD)) == (500, "application_error")
    assert (await http.post("/faults", json={"fault": "?"})).json()["faults"]


def test_two_can_be_served_at_once_and_leave_their_ports() -> None:
    """Each on a port of its own, gone at the end."""
    with serving() as one, serving() as two:
        assert one.url != two.url
        assert httpx.get(f"{one.url}/messages.json").json() == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(one.url)
