"""The log says what ran and what broke, and never who it was about."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from portal.logs import configure_logs
from tests.web_app import browsing, make_app

EMAIL, TOKEN, PEER = "amelie.laurent@person.example", "tok3n-tok3n-tok3n", "203.0.113.7"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged during the test; afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs(stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    """The log as objects."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_a_request_is_logged_by_its_route_and_nothing_of_the_person(written: io.StringIO) -> None:
    """No address, token, query, cookie, user agent or IP, not even when the page breaks and says them."""
    sent = {"Cookie": f"habeas={TOKEN}", "User-Agent": "Agent-4711", "Referer": f"https://x.example/{EMAIL}"}
    async with browsing(make_app(), **sent) as client:
        await client.get(f"/en/break/{EMAIL}?next={TOKEN}")
        await client.get(f"/en/{EMAIL}/{TOKEN}")
        await client.request(f"X{TOKEN.upper()}", "/en/accessibility")
    for secret in (EMAIL, "amelie", TOKEN, TOKEN.upper(), PEER, "Agent-4711", "person.example"):
        assert secret not in written.getvalue()
    requests = [line for line in lines(written) if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("GET", "/{language}/break/{secret}", 500),
        ("GET", "none", 404),
        ("other", "none", 405),
    ]


async def test_an_error_page_and_the_log_share_a_reference(written: io.StringIO) -> None:
    """What a person reads out leads to the kind of the error and its place in the code."""
    async with browsing(make_app()) as client:
        page = (await client.get("/en/break/x")).text
    failed = next(line for line in lines(written) if line["event"] == "request failed")
    assert str(failed["reference"]) in page
    assert failed["error"] == "RuntimeError"
    assert str(failed["places"]).count("tests/web_app.py:") == 1
    assert "/tests/web_app.py" not in str(failed["places"])


def test_of_a_library_only_the_complaint_is_kept(written: io.StringIO) -> None:
    """httpx logs addresses, drivers log values: their words are dropped, their place is kept."""
    logging.getLogger("httpx").info("GET https://x.example/?token=%s", TOKEN)
    try:
        raise ValueError(EMAIL)
    except ValueError:
        logging.getLogger("asyncio").exception("Task of %s failed", EMAIL)
    (line,) = lines(written)
    assert (line["library"], line["level"], line["error"]) == ("asyncio", "error", "ValueError")
    assert EMAIL not in written.getvalue()
    assert TOKEN not in written.getvalue()


def test_our_own_errors_lose_their_words_too(written: io.StringIO) -> None:
    """Whoever logs with exc_info gets the kind and the places."""
    try:
        raise ValueError(EMAIL)
    except ValueError as error:
        structlog.get_logger().warning("odd", exc_info=error)
        structlog.get_logger().warning("odd", exc_info=True)
    assert [line["error"] for line in lines(written)] == ["ValueError", "ValueError"]
    assert EMAIL not in written.getvalue()
