"""Following a request: its dates, what happened, and that it is nobody else’s."""

import re
from datetime import timedelta

import pytest

from portal.rights import outcome
from portal.rights.requests import find
from portal.rights.tables import Parcel, SubjectRequest, TimelineEntry
from tests.rights.conftest import House, ask, finish


async def test_without_requests_the_list_says_what_will_be_there(house: House) -> None:
    """An empty list is explained."""
    ana = await house.person()
    assert "No requests yet." in (await ana.get("/en/requests")).text


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_list_shows_each_request_with_its_day(house: House, language: str) -> None:
    """The newest is first; each has the day it was asked and the day it is due."""
    ana = await house.person()
    first = await finish(house, ana)
    house.clock.advance(timedelta(days=1))
    second = await ask(ana)
    text = (await ana.get(f"/{language}/requests")).text
    assert text.index(second) < text.index(first)
    assert re.search("14\u00a0[Oo]ct", text)
    assert re.search("13\u00a0[Nn]ov", text)


async def test_an_open_request_promises_a_day(house: House) -> None:
    """The sentence, the bar of days and the reference are there."""
    ana = await house.person()
    reference = await ask(ana)
    house.clock.advance(timedelta(days=11))
    text = (await ana.get(f"/en/requests/{reference}")).text
    assert "You will have our answer by Friday 13\u00a0November\u00a02026." in text
    assert "19 of 30 days left" in text
    assert (text.count('<rect class="u"'), text.count('<rect class="n"'), text.count('<rect class="r"')) == (11, 1, 18)
    assert reference in text


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_late_request_says_so_and_names_the_authority(house: House, language: str) -> None:
    """On the last day it is not late; the day after it is, with the day that was missed."""
    ana = await house.person()
    reference = await ask(ana)
    house.clock.advance(timedelta(days=30))
    assert 'class="err"' not in (await ana.get(f"/{language}/requests/{reference}")).text
    house.clock.advance(timedelta(days=1))
    text = (await ana.get(f"/{language}/requests/{reference}")).text
    error = text[text.index('class="err"') :]
    assert "13\u00a0" in error
    assert house.policy.controller.authority.url in error


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_state_of_a_request_has_its_page(house: House, language: str) -> None:
    """Ready, in part, left incomplete, expired, withdrawn: each renders with its timeline."""
    people = [await house.person(f"{name}@person.example") for name in ("a", "b", "c", "d")]
    references = [await finish(house, people[0]), await finish(house, people[1], missing=["prompts"])]
    references += [await finish(house, people[2]), await ask(people[3])]
    await people[3].post(f"/en/requests/{references[3]}/withdraw")
    await Parcel.update({Parcel.deleted_at: house.clock()}).where(Parcel.request.reference == references[2])
    for person, reference in zip(people, references, strict=True):
        for path in (f"/requests/{reference}", f"/requests/{reference}/copy", "/requests", ""):
            page = await person.get(f"/{language}{path}")
            assert page.status_code == 200, path
        assert reference in (await person.get(f"/{language}/requests/{reference}")).text


async def test_the_timeline_names_every_event_the_verbs_write(house: House) -> None:
    """No event of a request falls back to the sentence for the unknown."""
    ana = await house.person()
    reference = await finish(house, ana)
    request = await SubjectRequest.objects().first()
    assert request is not None
    events = "received started ready ready-in-part left-incomplete downloaded withdrawn expired".split()
    await TimelineEntry.insert(*(TimelineEntry(request=request.id, at=house.clock(), event=event) for event in events))
    assert "Something else happened" not in (await ana.get(f"/en/requests/{reference}")).text
    await TimelineEntry(request=request.id, at=house.clock(), event="invented").save()
    assert "Something else happened" in (await ana.get(f"/en/requests/{reference}")).text


async def test_another_persons_request_does_not_exist(house: House) -> None:
    """Every address and every form of a request answers the stranger as if it were not there."""
    ana, eve = await house.person(), await house.person("eve@person.example")
    theirs = [await finish(house, ana), await ask(ana)]
    for reference in [*theirs, "DR-2026-9999", "nonsense", "%00", "DR-2026-0101'--", "x" * 1500]:
        for path in ("", "/progress", "/copy"):
            assert (await eve.get(f"/en/requests/{reference}{path}")).status_code == 404, (reference, path)
        assert (await eve.post(f"/en/requests/{reference}/download", {"what": "zip"})).status_code == 404
        assert (await eve.post(f"/en/requests/{reference}/withdraw")).status_code == 404
    assert (await eve.get("/en/requests")).text.count("DR-2026") == 0
    assert (await Parcel.select(Parcel.downloads_left).first())["downloads_left"] == 5
    assert await SubjectRequest.count().where(SubjectRequest.outcome == "withdrawn") == 0


async def test_leaving_a_request_incomplete_closes_it(house: House) -> None:
    """What was delivered stays available after the last try."""
    ana = await house.person()
    reference = await finish(house, ana, missing=["prompts"])
    await outcome.come_back(
        await find(reference, ana.subject_id), policy=house.policy, settings=house.settings,
        at=house.clock() + outcome.GIVE_UP,
    )  # fmt: skip
    text = (await ana.get(f"/en/requests/{reference}")).text
    assert "Part of your copy is ready." in text
    assert "Withdraw this request" not in text
