"""The pages of a pause: chosen, shown everywhere it matters, ended with one button, in both languages."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from portal.policy.model import Flag, PostgresSource
from portal.rights import pause_decisions
from portal.rights.out_of_use import in_place
from portal.rights.requests import requests_of
from portal.rights.stopped_uses import stopped
from portal.rights.tables import SubjectRequest
from portal.rights.tasks import tasks_of
from tests.rights.conftest import Browser, House
from tests.rights.shop import shop_of, work


async def pause(browser: Browser, *categories: str, reason: str = "accuracy", language: str = "en") -> str:
    """Pause through the form. Returns where it leads."""
    went = await browser.post(f"/{language}/pause", {"c": list(categories), "r": reason, "text": ""})
    return went.headers["location"]


@pytest.mark.parametrize("house", ["casagbic", "caaartoons"], indirect=True)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_everything_that_can_be_looked_up_is_offered_and_nothing_is_ticked(house: House, language: str) -> None:
    """What is memory only, and our own record of requests, are not."""
    ana = await house.person()
    text = (await ana.get(f"/{language}/pause")).text
    for category in house.policy.categories:
        assert (f'value="{category.id}"' in text) == (category.searchable and category.id != "requests")
    assert "checked" not in text


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_it_is_shown_on_home_on_the_category_and_on_the_request(house: House, language: str) -> None:
    """Each with since when, and with the way to its end; what is not paused has no such mark."""
    ana = await house.person()
    request = await pause(ana, "prompts", language=language)
    assert request.startswith(f"/{language}/requests/DR-")
    since = {
        "en": "Paused since 14\u00a0October\u00a02026, 11:00.",
        "fr": "En pause depuis le 14\u00a0octobre\u00a02026",
    }
    for path in (f"/{language}", f"/{language}/data/prompts", f"/{language}/pause", request):
        assert since[language] in (await ana.get(path)).text, path
    assert since[language] not in (await ana.get(f"/{language}/data/payments")).text
    assert f"{request}/end-pause" in (await ana.get(request)).text


async def test_one_button_ends_it(house: House) -> None:
    """Afterwards no page says paused any more; a second click changes nothing."""
    ana = await house.person()
    request = await pause(ana, "prompts")
    for _ in range(2):
        assert (await ana.post(f"{request}/end-pause")).headers["location"] == request
    assert await in_place(ana.subject_id) == []
    for path in ("/en", "/en/data/prompts", "/en/pause", request):
        assert "Paused since" not in (await ana.get(path)).text, path


async def test_nobody_elses_pause_is_seen_or_ended(house: House) -> None:
    """It is not found."""
    ana, ben = await house.person(), await house.person("ben@person.example")
    request = await pause(ana, "prompts")
    assert (await ben.post(f"{request}/end-pause")).status_code == 404
    assert "Paused since" not in (await ben.get("/en/pause")).text
    assert len(await in_place(ana.subject_id)) == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"r": "accuracy"}, "Tick at least one kind of data."),
        ({"c": "prompts"}, "Choose one reason."),
        ({"c": "prompts", "r": "erasure"}, "Choose one reason."),
        ({"c": "requests", "r": "accuracy"}, "Tick at least one kind of data."),
        ({"c": "prompts", "r": "claims", "text": "x" * 5001}, "Shorten it to 5,000 characters."),
    ],
)
async def test_a_mistake_is_named_and_what_was_filled_in_stays(
    house: House, fields: dict[str, str | list[str]], sentence: str
) -> None:
    """Nothing is paused, the field is named, and nobody types twice."""
    ana = await house.person()
    page = await ana.post("/en/pause", fields)
    assert page.status_code == 200
    assert "Error:" in page.text.split("</title>")[0]
    assert page.text.count(sentence) == 2
    assert ('value="prompts" checked' in page.text) == (fields.get("c") == "prompts")
    assert str(fields.get("text", "")) in page.text
    assert await SubjectRequest.count() == 0


async def test_a_platform_that_stops_whole_accounts_is_named_before_the_choice(house: House) -> None:
    """With a flag in the policy the page says what ticking means; without one it does not."""
    ana = await house.person()
    platform = next(one for one in house.policy.sources if isinstance(one, PostgresSource))
    house.app.state.policy = _with(house, platform, None)
    without = (await ana.get("/en/pause")).text
    house.app.state.policy = _with(house, platform, Flag(table=platform.lookup.table, column="paused"))
    with_flag = (await ana.get("/en/pause")).text
    assert "can only stop a whole account" not in without
    assert "can only stop a whole account" in with_flag
    assert "Stops your account" not in with_flag


async def test_each_place_is_shown_as_it_is(house: House) -> None:
    """Done, left to a person with a day, or not answering: never called done before it is."""
    ana = await house.person()
    house.sources["uploads"].hands = False
    house.sources["platform"].down = True
    request = await pause(ana, "uploads")
    await work(house)
    text = (await ana.get(request)).text
    assert "This place does not answer since" in text
    house.sources["platform"].down = False
    await work(house)
    text = (await ana.get(request)).text
    assert "Out of use." in text
    assert "A person of ours does this by Thursday 15\u00a0October\u00a02026." in text


async def test_an_announced_end_is_shown_with_its_day(house: House) -> None:
    """On home and on the request, with what to do about it."""
    ana = await house.person()
    request = await pause(ana, "prompts")
    id = (await requests_of(ana.subject_id))[0].id
    await pause_decisions.announce_lifting(
        id,
        date(2026, 10, 26),
        "checked",
        policy=house.policy,
        settings=house.settings,
        at=house.clock(),
        actor="staff:1",
    )
    for path in ("/en", request):
        assert "Monday 26\u00a0October\u00a02026" in (await ana.get(path)).text


async def test_whoever_does_not_agree_with_the_end_says_so_with_one_button(house: House) -> None:
    """Also after the request was closed, when nothing more can be written on its page; twice is once."""
    ana = await house.person()
    request = await pause(ana, "prompts")
    row = (await requests_of(ana.subject_id))[0]
    how = {"policy": house.policy, "settings": house.settings, "actor": "staff:1"}
    assert f"{request}/not-yet" not in (await ana.get(request)).text
    await pause_decisions.decline(
        row.id, date(2026, 10, 26), facts=["We looked."], why=["It is right."], at=house.clock(), **how
    )
    assert f"{request}/not-yet" in (await ana.get(request)).text
    for _ in range(2):
        assert (await ana.post(f"{request}/not-yet")).headers["location"] == request
    assert [task.about for task in await tasks_of(row.id) if task.ended_at is None] == ["lifting"]
    house.clock.now = datetime(2026, 11, 20, tzinfo=UTC)
    assert await pause_decisions.lift_due(shop_of(house)) == 0
    await pause_decisions.announce_lifting(row.id, date(2026, 12, 1), "checked", at=house.clock(), **how)
    house.clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    assert await pause_decisions.lift_due(shop_of(house)) == 1


async def test_withdrawing_the_request_ends_the_pause_and_the_refusal_of_a_use(house: House) -> None:
    """Nothing stays paused for a request that is no more, and nobody is left with a task for it."""
    ana = await house.person()
    paused = await pause(ana, "prompts")
    refused = (await ana.post("/en/say-no", {"use": "security", "text": ""})).headers["location"]
    for request in (paused, refused):
        await ana.post(f"{request}/withdraw")
    assert await in_place(ana.subject_id) == []
    assert await stopped(ana.subject_id) == []
    for row in await requests_of(ana.subject_id):
        assert [task.state for task in await tasks_of(row.id)] == ["not-needed"]


async def test_whoever_was_signed_out_meanwhile_finds_the_same_ticks_again(house: House) -> None:
    """The choice comes back after sign-in; what was written is given back at once and is in no address."""
    away, next_page = house.anybody(), "/en/sign-in?next=%2Fpause%3Fc%3Dprompts%26r%3Dclaims"
    sent = {"c": ["prompts", "nothing"], "r": "claims", "text": ""}
    assert (await away.post("/en/pause", data=sent)).headers["location"] == next_page
    back = (await away.post("/en/pause", data={**sent, "text": "my own <words>"})).text
    assert "my own &lt;words&gt;" in back and f'href="{next_page}"' in back
    ana = await house.person()
    text = (await ana.get("/en/pause?c=prompts&r=claims")).text
    assert 'value="prompts" checked' in text
    assert 'value="claims" checked' in text
    assert await SubjectRequest.count() == 0


async def test_whoever_is_not_signed_in_is_asked_to(house: House) -> None:
    """And comes back to the page."""
    for path in ("pause", "say-no", "take", "automated", "consent"):
        page = await house.anybody().get(f"/en/{path}")
        assert page.headers["location"] == f"/en/sign-in?next=%2F{path}"


def _with(house: House, platform: PostgresSource, flag: Flag | None) -> object:
    changed = msgspec.structs.replace(platform, restrict=flag)
    sources = tuple(changed if one.id == platform.id else one for one in house.policy.sources)
    return msgspec.structs.replace(house.policy, sources=sources)
