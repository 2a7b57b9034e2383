"""PostgreSQL is killed under a running Habeas: people read that nothing was lost, and it is true."""

import httpx

from tests.faults.conftest import Visit
from tests.faults.house import House
from tests.faults.waiting import until


async def test_pages_apologise_while_the_database_is_away_and_go_on_when_it_is_back(
    casagbic: House, visit: Visit
) -> None:
    """An error page without a technical word; afterwards the same session is good, and copies are made again."""
    person = await visit(casagbic, casagbic.email("ordinary", 10))
    token = await person.token()
    await casagbic.kill_postgres()
    try:
        for path in ("", "/requests", "/export"):
            apologises(await person.client.get(f"/en{path}"))
        apologises(await person.send("/export", {"c": ["account"], "f": "all"}, token=token))
        assert (await person.client.get("/healthz")).status_code == 200
        assert (await person.client.get("/readyz")).status_code == 503
    finally:
        casagbic.restart_postgres()

    async def ready() -> bool:
        return (await person.client.get("/readyz")).is_success

    await until(ready, "ready again")
    reference = await person.ask("account")
    await person.copy(reference)
    assert len(await casagbic.parcels(reference)) == 1


def apologises(answer: httpx.Response) -> None:
    """See that an answer is a page that says what it means for the person, and nothing of the machinery."""
    assert answer.status_code in {500, 503}
    assert answer.headers["content-type"].startswith("text/html")
    assert "Nothing was lost" in answer.text or "We may not have kept" in answer.text
    for word in ("Traceback", "asyncpg", "postgres", "Connection", "socket"):
        assert word not in answer.text, word
