"""Saying no stops a use at once; advertising for good; what weighs more goes on only after the person was told."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from portal.evidence.tables import Evidence
from portal.policy.load import load
from portal.policy.model import Basis, Policy, Purpose, Text
from portal.rights import objection
from portal.rights.letters import NotComplete
from portal.rights.lifecycle import NotPossible
from portal.rights.objection import Refusal, answer_of, uses
from portal.rights.out_of_use import OutOfUse
from portal.rights.plans import items_of, plan_of
from portal.rights.requests import RequestView, find_by_id, timeline_of
from portal.rights.stopped_uses import need_use, places_of, stopped, suppressed
from portal.rights.tables import RequestMessage, SubjectRequest
from portal.rights.tables_uses import Suppression
from portal.rights.tasks import tasks_of
from tests.rights.conftest import POLICIES, Browser, House
from tests.rights.shop import events_of, mails_to, shop_of, work

STAFF = "staff:1"
NEWS = Purpose(
    id="news", title=Text(en="To send you news", fr="Vous envoyer des nouvelles"), basis=Basis.LEGITIMATE_INTEREST,
    interest=Text(en="Being heard of.", fr="Faire parler de nous."), marketing=True,
)  # fmt: skip


def with_news(policy: Policy, purpose: Purpose = NEWS) -> Policy:
    """Return a policy that also uses the account for `purpose`."""
    categories = tuple(
        msgspec.structs.replace(one, purposes=(*one.purposes, purpose.id)) if one.id == "account" else one
        for one in policy.categories
    )
    return msgspec.structs.replace(policy, purposes=(*policy.purposes, purpose), categories=categories)


async def say_no(house: House, browser: Browser, purpose: str = "security", text: str = "") -> RequestView:
    """Say no to a use as the page does."""
    refusal = Refusal(subject=browser.subject_id, purpose=purpose, text=text, language="en")
    opened = await objection.say_no(refusal, policy=house.policy, settings=house.settings, at=house.clock())
    return opened.request


async def go_on(house: House, request: RequestView, resumes_on: date | None = None, **more: list[str]) -> None:
    """Decide as staff that our grounds weigh more."""
    sides = {"your_side": ["You want no records."], "our_side": ["We keep thieves out."], "balance": ["It is little."]}
    await objection.overriding_grounds(
        request.id, **{**sides, **more}, resumes_on=resumes_on, policy=house.policy, settings=house.settings,
        at=house.clock(), actor=STAFF,
    )  # fmt: skip


@pytest.mark.parametrize("house", ["casagbic", "caaartoons"], indirect=True)
async def test_what_can_be_refused_follows_from_the_basis(house: House) -> None:
    """Our own interest can be refused, a contract and a legal duty cannot; every use of the policy is listed."""
    listed = uses(house.policy, [])
    assert {use.purpose.id for use in listed} == {purpose.id for purpose in house.policy.purposes}
    for use in listed:
        assert (use.answer == "refuse") == (use.purpose.basis is Basis.LEGITIMATE_INTEREST)


@pytest.mark.parametrize(
    ("basis", "marketing", "answer"),
    [
        (Basis.CONTRACT, False, "needed"),
        (Basis.LEGAL_DUTY, False, "law"),
        (Basis.CONSENT, False, "withdraw"),
        (Basis.CONSENT, True, "refuse"),
        (Basis.LEGITIMATE_INTEREST, False, "refuse"),
        (Basis.LEGITIMATE_INTEREST, True, "refuse"),
    ],
)
def test_every_basis_has_its_answer(basis: Basis, *, marketing: bool, answer: str) -> None:
    """Advertising can be refused whatever it rests on. Source: GDPR Art. 21(1)-(3), 7(3)."""
    purpose = Purpose(id="p", title=Text(en="P", fr="P"), basis=basis, marketing=marketing)
    assert answer_of(purpose) == answer


async def test_it_stops_at_once_while_we_weigh_it(house: House) -> None:
    """From the same transaction; the places are a person's task, and the person's words are kept."""
    ana = await house.person()
    request = await say_no(house, ana, text="I do not want this.")
    with pytest.raises(OutOfUse):
        await need_use(ana.subject_id, "security")
    await need_use(ana.subject_id, "run-account")
    assert request.state == "deciding"
    assert request.categories == ["sign-ins"]
    await work(house)
    plan = await plan_of(request.id, "restrict")
    assert plan is not None
    assert {item.source: item.state for item in await items_of(plan.id)} == {"platform": "by-hand"}
    assert not house.sources["platform"].out_of_use
    assert sorted(task.kind for task in await tasks_of(request.id)) == ["by-hand", "decide"]
    assert [row["text"] for row in await RequestMessage.select()] == ["I do not want this."]


async def test_said_twice_it_is_one_request(house: House) -> None:
    """Two clicks at the same moment find the same request."""
    ana = await house.person()
    first, second = await asyncio.gather(say_no(house, ana), say_no(house, ana))
    assert first.id == second.id
    assert await SubjectRequest.count() == 1


@pytest.mark.parametrize("purpose", ["run-account", "accounting", "nothing"])
async def test_what_cannot_be_refused_is_not(house: House, purpose: str) -> None:
    """A forged form changes nothing."""
    ana = await house.person()
    with pytest.raises(ValueError, match="no use"):
        await say_no(house, ana, purpose)
    assert (await ana.post("/en/say-no", {"use": purpose})).status_code == 404
    assert await SubjectRequest.count() == 0


async def test_staff_stop_it_for_good(house: House) -> None:
    """The request is fulfilled with its letter, the use never comes back, and a second decision is refused."""
    ana = await house.person()
    request = await say_no(house, ana)
    how = {"policy": house.policy, "settings": house.settings, "at": house.clock(), "actor": STAFF}
    await objection.stop_for_good(request.id, **how)
    assert (await find_by_id(request.id)).outcome == "fulfilled"
    assert [one.final for one in await stopped(ana.subject_id)] == [True]
    assert [task.state for task in await tasks_of(request.id)] == ["done"]
    assert await mails_to(ana.email) == ["answered", "received"]
    house.clock.advance(timedelta(days=400))
    assert await objection.resume_due(shop_of(house)) == 0
    with pytest.raises(NotPossible):
        await objection.stop_for_good(request.id, **how)
    with pytest.raises(NotPossible):
        await go_on(house, request)


async def test_overriding_grounds_are_told_before_the_use_goes_on(house: House) -> None:
    """Refused with both sides; it stands still until the named day begins in the controller's zone."""
    ana = await house.person()
    request = await say_no(house, ana)
    await work(house)
    await go_on(house, request, date(2026, 10, 21))
    assert (await find_by_id(request.id)).outcome == "refused"
    letter = next(row["text"] for row in await RequestMessage.select() if row["kind"] == "letter")
    assert "We keep thieves out." in letter
    assert "Wednesday 21\u00a0October\u00a02026" in letter
    assert "refused" in await mails_to(ana.email)
    with pytest.raises(OutOfUse):
        await need_use(ana.subject_id, "security")
    house.clock.now = datetime(2026, 10, 20, 21, 59, tzinfo=UTC)
    assert await objection.resume_due(shop_of(house)) == 0
    house.clock.now = datetime(2026, 10, 20, 22, 0, tzinfo=UTC)
    assert await objection.resume_due(shop_of(house)) == 1
    await need_use(ana.subject_id, "security")
    assert await objection.resume_due(shop_of(house)) == 0
    assert [entry.event for entry in await timeline_of(request.id)][-1] == "use-resumed"
    assert [(task.kind, task.state) for task in await tasks_of(request.id)] == [
        ("decide", "done"), ("by-hand", "not-needed")
    ]  # fmt: skip


async def test_after_a_refusal_the_same_no_is_a_new_request(house: House) -> None:
    """Once the use goes on, a person may object again."""
    ana = await house.person()
    first = await say_no(house, ana)
    await go_on(house, first, date(2026, 10, 21))
    house.clock.advance(timedelta(days=10))
    await objection.resume_due(shop_of(house))
    assert (await say_no(house, ana)).id != first.id


@pytest.mark.parametrize("missing", ["your_side", "our_side", "balance"])
async def test_a_balance_without_a_side_changes_nothing(house: House, missing: str) -> None:
    """The letter refuses to leave, and with it the whole decision."""
    ana = await house.person()
    request = await say_no(house, ana)
    with pytest.raises(NotComplete):
        await go_on(house, request, **{missing: []})
    with pytest.raises(NotComplete):
        await go_on(house, request, date(2026, 10, 14))
    assert (await find_by_id(request.id)).is_open
    assert [one.ends_at for one in await stopped(ana.subject_id)] == [None]


async def test_advertising_stops_for_good_at_once(house: House) -> None:
    """Nothing is weighed, nobody decides; the address is remembered as a keyed hash that outlives a change of key."""
    house.policy = with_news(house.policy)
    house.settings = msgspec.structs.replace(house.settings, secret_key="a-key-without-blanks-that-is-long-enough")
    ana = await house.person()
    request = await say_no(house, ana, "news")
    assert request.outcome == "fulfilled"
    assert [task.kind for task in await tasks_of(request.id)] == []
    assert await mails_to(ana.email) == ["answered"]
    assert await suppressed("news", " ANA@person.example", house.settings)
    assert not await suppressed("security", ana.email, house.settings)
    assert not await suppressed("news", "ben@person.example", house.settings)
    stored = (await Suppression.select())[0]
    assert ana.email not in str(stored)
    later = msgspec.structs.replace(
        house.settings, secret_key="another key, long enough for a test",
        environment={**house.settings.environment, "HABEAS_FORMER_SECRET_KEYS": house.settings.secret_key},
    )  # fmt: skip
    assert await suppressed("news", ana.email, later)
    other = msgspec.structs.replace(house.settings, secret_key="another key, long enough for a test")
    assert not await suppressed("news", ana.email, other)


@pytest.mark.parametrize("house", ["caaartoons"], indirect=True)
async def test_what_is_nobodys_in_particular_is_weighed_and_never_said_to_have_stopped(house: House) -> None:
    """Addresses in memory cannot be told apart: no page claims a stop, and a person answers."""
    ana = await house.person()
    purpose = next(use.purpose for use in uses(house.policy, []) if not use.stoppable and use.answer == "refuse")
    assert "it cannot stop for you alone" in (await ana.get("/en/say-no")).text
    first, second = await say_no(house, ana, purpose.id), await say_no(house, ana, purpose.id)
    assert first.id == second.id
    assert first.state == "deciding"
    assert await stopped(ana.subject_id) == []
    assert [entry.event for entry in await timeline_of(first.id)] == ["received", "use-weighing"]
    with pytest.raises(NotPossible):
        await go_on(house, first)
    how = {"policy": house.policy, "settings": house.settings, "at": house.clock(), "actor": STAFF}
    await objection.stop_for_good(first.id, **how)
    assert (await find_by_id(first.id)).outcome == "fulfilled"


async def test_no_word_of_the_person_is_in_the_evidence(house: House) -> None:
    """Evidence knows the purpose and the moment."""
    ana = await house.person()
    request = await say_no(house, ana, text="my secret reason")
    assert "rights:use:stopped" in await events_of(request.reference)
    assert "secret" not in str(await Evidence.select())


def test_only_the_places_that_hold_it_are_asked() -> None:
    """A use of sign-in records does not concern Stripe."""
    assert places_of(load(POLICIES / "casagbic.toml"), "security") == ["platform"]


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_page_offers_what_can_be_refused_and_says_why_not_the_rest(house: House, language: str) -> None:
    """One form for each, with our reason; the others with theirs. A used button leads to the request."""
    ana = await house.person()
    text = (await ana.get(f"/{language}/say-no")).text
    assert text.count('name="use"') == 1
    assert next(one for one in house.policy.purposes if one.id == "security").interest[language] in text  # type: ignore[index]
    went = await ana.post(f"/{language}/say-no", {"use": "security", "text": ""})
    assert went.headers["location"].startswith(f"/{language}/requests/DR-")
    again = (await ana.get(f"/{language}/say-no")).text
    assert 'name="use"' not in again
    assert went.headers["location"] in again
    assert (await ana.get(went.headers["location"])).status_code == 200


async def test_what_is_too_long_comes_back_as_it_was_typed(house: House) -> None:
    """Nothing is stopped, and the text is not lost."""
    ana = await house.person()
    long = "because " * 1000
    page = await ana.post("/en/say-no", {"use": "security", "text": long})
    assert page.status_code == 200
    assert "Shorten it to 5,000 characters." in page.text
    assert long.strip() in page.text
    assert await SubjectRequest.count() == 0
