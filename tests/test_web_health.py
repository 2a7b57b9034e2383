"""What the machines that watch over an installation are told."""

import httpx
import pytest
from piccolo.apps.migrations.tables import Migration

from portal.clock import SetClock
from portal.database import engine
from portal.health import MEANINGS, Metrics, how_things_are, metrics_app, missing_migrations, schedules
from portal.jobs import enqueue
from portal.mail.tables import Mail
from tests.web_app import browsing, make_app


async def test_the_process_is_alive_without_a_database() -> None:
    """/healthz asks nobody: a database that is down must not get the process killed."""
    async with browsing(make_app()) as client:
        assert (await client.get("/healthz")).text == "ok\n"


async def test_pages_can_be_served_when_the_schema_is_ours(database: str) -> None:
    """/readyz says what it found; that no worker ever came is said, too."""
    async with browsing(make_app()) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "database": "reachable", "schema": "current", "worker": "silent", "daily_mail": "missing",
    }  # fmt: skip


async def test_a_schema_that_is_behind_is_not_ready(database: str) -> None:
    """An instance started before the migrations ran must get no visitors."""
    newest = (
        await Migration.select(Migration.name).where(Migration.app_name == "portal").order_by(Migration.name).first()
    )
    assert newest
    await Migration.delete().where(Migration.name == newest["name"])
    assert await missing_migrations() == {newest["name"]}
    async with browsing(make_app()) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["schema"]) == (503, "behind")


async def test_a_database_that_is_gone_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not ready, and no error page: the machines read JSON."""
    monkeypatch.setattr(engine(), "config", {"dsn": "postgresql://habeas@127.0.0.1:1/habeas"})
    async with browsing(make_app()) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": "unreachable"})


async def test_a_worker_that_moves_its_schedules_is_working(database: str) -> None:
    """The beat is a schedule like any other; its last move is the worker's sign of life."""
    assert [schedule.cron for schedule in schedules()] == ["* * * * *"]
    await Mail.raw("INSERT INTO pgqueuer_schedules (expression, entrypoint) VALUES ('* * * * *', 'health.beat')")
    async with browsing(make_app()) as client:
        assert (await client.get("/readyz")).json()["worker"] == "working"
        await Mail.raw("UPDATE pgqueuer_schedules SET heartbeat = now() - interval '1 hour'")
        assert (await client.get("/readyz")).json()["worker"] == "silent"


async def test_the_numbers_count_what_waits(database: str, clock: SetClock) -> None:
    """A job and a mail that wait are each one; nothing else is."""
    async with engine().transaction():
        await enqueue("test.nothing", {}, key="k")
        await Mail(kind="sign-in", to_address="a@person.example", language="en", created_at=clock()).save()
    numbers = dict(await how_things_are())
    assert numbers.pop("oldest_job_seconds") >= 0
    assert numbers.pop("worker_silent_seconds") == float("inf")
    assert numbers.pop("clocks_silent_seconds") == float("inf")
    assert numbers.pop("daily_mail_silent_seconds") == float("inf")
    assert numbers.pop("oldest_mail_seconds") > 0
    assert {name: number for name, number in numbers.items() if number} == {"jobs_waiting": 1, "mails_waiting": 1}


async def test_metrics_are_labelled_by_route_and_hold_nothing_of_a_person(database: str) -> None:
    """Requests appear under their pattern; every number has its meaning beside it."""
    app = make_app("caaartoons")
    async with browsing(app) as client:
        await client.get("/en/break/amelie.laurent@person.example?secret=1")
    text = await metrics_of(app.state.metrics)
    assert 'habeas_requests_total{method="GET",route="/{language}/break/{secret}",status="500"} 1.0' in text
    assert "habeas_database_up 1.0" in text
    assert all(f"# HELP habeas_{name} " in text for name in MEANINGS)
    assert "amelie" not in text


async def test_metrics_are_answered_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the database is down is when somebody looks."""
    monkeypatch.setattr(engine(), "config", {"dsn": "postgresql://habeas@127.0.0.1:1/habeas"})
    text = await metrics_of(Metrics())
    assert "habeas_database_up 0.0" in text
    assert "habeas_jobs_waiting NaN" in text


async def metrics_of(metrics: Metrics) -> str:
    """What Prometheus reads."""
    transport = httpx.ASGITransport(app=metrics_app(metrics))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9") as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return answer.text
