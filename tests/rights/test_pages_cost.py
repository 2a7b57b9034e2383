"""What a page costs our database, and that it needs neither scripts nor anything of its own in the browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from piccolo.querystring import QueryString

from portal.database import Engine, engine
from tests.rights.conftest import House, ask, finish

AT_MOST = 4


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Write down every query that goes to our own database."""
    queries: list[str] = []
    run = Engine.run_querystring

    async def watched(self: Engine, querystring: QueryString, *rest: bool, **named: bool) -> object:
        queries.append(str(querystring))
        return await run(self, querystring, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "run_querystring", watched)
        yield queries


async def test_every_page_asks_our_database_four_times_at_most(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session, the request and what belongs to it; a page with more requests asks no more."""
    ana, ben = await house.person(), await house.person("ben@person.example")
    done, begun = await finish(house, ana, missing=["prompts"]), await ask(ben)
    for browser, path in [
        (ana, ""), (ana, "/data/prompts"), (ana, "/export"), (ana, "/export/check?c=account&f=all"),
        (ana, "/requests"), (ana, f"/requests/{done}"), (ana, f"/requests/{done}/copy"),
        (ben, f"/requests/{begun}"), (ben, f"/requests/{begun}/progress"), (ben, "/ask/erase"),
    ]:  # fmt: skip
        with counted(monkeypatch) as queries:
            assert (await browser.get(f"/en{path}")).status_code == 200
        assert 1 <= len(queries) <= AT_MOST, (path, queries)


async def test_a_page_needs_one_connection_only(house: House) -> None:
    """With a single connection in the pool no page waits for a second one."""
    ana = await house.person()
    reference = await finish(house, ana)
    await engine().close_connection_pool()
    await engine().start_connection_pool(min_size=1, max_size=1)
    for path in ("", "/data/account", "/export", "/requests", f"/requests/{reference}", f"/requests/{reference}/copy"):
        assert (await ana.get(f"/en{path}")).status_code == 200


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_page_works_without_scripts_and_carries_none(house: House, language: str) -> None:
    """No inline script, style or handler; every button belongs to a form, and every form that posts is protected."""
    ana, ben = await house.person(), await house.person("ben@person.example")
    done, begun = await finish(house, ana), await ask(ben)
    for browser, path in [
        (ana, ""), (ana, "/data/account"), (ana, "/export"), (ana, "/export/check?c=account&f=all"),
        (ana, f"/requests/{done}"), (ana, f"/requests/{done}/copy"), (ben, f"/requests/{begun}/progress"),
        (ana, "/ask/complain"),
    ]:  # fmt: skip
        text = (await browser.get(f"/{language}{path}")).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|http-equiv", text)
        assert all(script.startswith('<script src="/static/') for script in re.findall(r"<script[^>]*>", text))
        forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL)
        assert forms
        assert all(f'name="csrf" value="{browser.csrf}"' in form for form in forms)


@pytest.mark.parametrize("house", ["casagbic", "caaartoons"], indirect=True)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_written_ways_are_open_to_everybody(house: House, language: str) -> None:
    """No sign-in, and one cookie for the form; each names the mailbox, the authority and a day."""
    topics = ["correct", "erase", "pause", "say-no", "complain", "child", "agent", "person"]
    for topic in topics:
        page = await house.anybody().get(f"/{language}/ask/{topic}")
        assert page.status_code == 200, topic
        assert len(page.headers.get_list("set-cookie")) == 1
        main = page.text[page.text.index("<main") : page.text.index("</main>")]
        assert f"mailto:{house.policy.controller.contact}" in main
        assert house.policy.controller.authority.url in main
        # A report about a child is looked at the next working day: thirty days would be the wrong promise.
        assert ("2026" in main) == (topic != "child")
    assert (await house.anybody().get(f"/{language}/ask/anything")).status_code == 404
