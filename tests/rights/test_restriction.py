"""A pause counts at once, is told to every place, ends only after the person was told, and is enforced by us."""

import ast
import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from demo.platforms.hook import SECRET, listening
from portal.database import engine
from portal.errors import NotFound
from portal.identity.tables import KnownIdentifier
from portal.jobs import Later
from portal.rights import pause_decisions, pauses, restriction
from portal.rights.lifecycle import NotPossible
from portal.rights.out_of_use import OutOfUse, Reason, in_place, need_in_use
from portal.rights.plans import Line, items_of, lay, plan_of
from portal.rights.requests import RequestView, find, find_by_id, timeline_of
from portal.rights.tables import RequestMessage, SubjectRequest
from portal.rights.tasks import end_task, tasks_of
from portal.rights.walk import Craft, Did, walk
from portal.rights.works import CRAFTS
from portal.sources.base import Identifiers, Restricted
from tests.rights.conftest import Browser, House
from tests.rights.shop import events_of, mails_to, shop_of, work

STAFF = "staff:1"


async def pause(
    house: House, browser: Browser, *categories: str, reason: Reason = "accuracy", text: str = ""
) -> RequestView:  # fmt: skip
    """Pause some categories as the page does."""
    wish = pauses.Wish(
        subject=browser.subject_id, categories=categories or ("prompts",), reason=reason, text=text, language="en"
    )  # fmt: skip
    opened = await pauses.pause(wish, policy=house.policy, settings=house.settings, at=house.clock())
    return opened.request


async def end(house: House, browser: Browser, request: RequestView) -> None:
    """End a pause as its page does."""
    await pauses.end_own(
        request.reference, browser.subject_id, policy=house.policy, settings=house.settings, at=house.clock()
    )


async def announce(house: House, request: RequestView, ends_on: date) -> None:
    """Tell the person that their pause ends, as staff do."""
    await pause_decisions.announce_lifting(
        request.id, ends_on, "checked", policy=house.policy, settings=house.settings, at=house.clock(), actor=STAFF
    )


async def states(request: UUID) -> dict[str, str]:
    """Return how far each place is with a pause."""
    plan = await plan_of(request, "restrict")
    return {item.source: item.state for item in await items_of(plan.id)} if plan else {}


async def test_it_counts_from_the_moment_it_is_asked_for(house: House) -> None:
    """Before any place has been told, our own rule refuses; what is not paused stays in use."""
    ana = await house.person()
    request = await pause(house, ana, "prompts")
    assert request.state == "deciding"
    with pytest.raises(OutOfUse):
        await need_in_use(ana.subject_id, "prompts")
    await need_in_use(ana.subject_id, "payments")
    assert not house.sources["platform"].out_of_use
    assert [task.kind for task in await tasks_of(request.id)] == ["decide"]


async def test_every_place_that_holds_it_is_told_and_the_person_hears_once(house: House) -> None:
    """The places with means are done, the others are a person's task by a day; one mail, however often we look."""
    ana = await house.person()
    house.sources["uploads"].hands = False
    request = await pause(house, ana, "uploads")
    await work(house)
    await work(house)
    assert await states(request.id) == {"platform": "done", "uploads": "by-hand"}
    assert house.sources["platform"].out_of_use
    by_hand = [task for task in await tasks_of(request.id) if task.kind == "by-hand"]
    assert [task.about for task in by_hand] == ["uploads"]
    assert by_hand[0].due_day == date(2026, 10, 15)
    assert await mails_to(ana.email) == ["paused", "received"]
    assert [entry.event for entry in await timeline_of(request.id)] == ["received", "paused", "in-place"]


async def test_only_the_places_that_hold_it_are_told(house: House) -> None:
    """Whoever pauses payments does not have the file store told."""
    ana = await house.person()
    request = await pause(house, ana, "payments")
    assert set(await states(request.id)) == {"platform", "stripe"}


async def test_a_place_that_is_down_is_told_when_it_is_back(house: House) -> None:
    """The others do not wait for it, it is said to have failed, and the mail waits until it is true."""
    ana = await house.person()
    house.sources["stripe"].down = True
    request = await pause(house, ana, "payments")
    await work(house)
    assert await states(request.id) == {"platform": "done", "stripe": "failed"}
    assert "paused" not in await mails_to(ana.email)
    house.sources["stripe"].down = False
    house.clock.advance(timedelta(minutes=10))
    await work(house)
    assert await states(request.id) == {"platform": "done", "stripe": "done"}
    assert "paused" in await mails_to(ana.email)


async def test_the_platform_down_leaves_our_own_rule_and_says_so(house: House) -> None:
    """Nobody else can be told who it is; the row says that the platform did not answer, and it is tried again."""
    ana = await house.person()
    house.sources["platform"].down = True
    request = await pause(house, ana, "payments")
    await work(house)
    assert (await states(request.id))["platform"] == "failed"
    with pytest.raises(OutOfUse):
        await need_in_use(ana.subject_id, "payments")
    house.sources["platform"].down = False
    await work(house)
    assert house.sources["platform"].out_of_use


async def test_asked_for_twice_it_is_one_request(house: House) -> None:
    """A double click and a second tab find the first one; another reason is another pause."""
    ana = await house.person()
    both = await asyncio.gather(pause(house, ana), pause(house, ana))
    assert both[0].id == both[1].id
    other = await pause(house, ana, reason="claims")
    assert other.id != both[0].id
    assert await SubjectRequest.count() == 2


async def test_the_person_ends_their_own_pause_at_once(house: House) -> None:
    """No notice is needed: they know. The platform is let go, and what nobody did by hand is not needed any more."""
    ana = await house.person()
    house.sources["uploads"].hands = False
    request = await pause(house, ana, "uploads")
    await work(house)
    await pauses.end_own(
        request.reference, ana.subject_id, policy=house.policy, settings=house.settings, at=house.clock()
    )
    await need_in_use(ana.subject_id, "uploads")
    await work(house)
    assert not house.sources["platform"].out_of_use
    assert (await find(request.reference, ana.subject_id)).outcome == "withdrawn"
    by_hand = [task.state for task in await tasks_of(request.id) if task.about == "uploads"]
    assert by_hand == ["not-needed", "open"]
    await pauses.end_own(
        request.reference, ana.subject_id, policy=house.policy, settings=house.settings, at=house.clock()
    )
    assert (await events_of(request.reference)).count("rights:restriction:lifted") == 1


async def test_nobody_ends_somebody_elses_pause(house: House) -> None:
    """It is not found, and stays."""
    ana, ben = await house.person(), await house.person("ben@person.example")
    request = await pause(house, ana)
    with pytest.raises(NotFound):
        await end(house, ben, request)
    assert len(await in_place(ana.subject_id)) == 1


async def test_staff_confirm_and_it_is_answered_when_every_place_has_done_it(house: House) -> None:
    """The letter is there at once; the outcome waits for the place that a person stops by hand."""
    ana = await house.person()
    house.sources["uploads"].hands = False
    request = await pause(house, ana, "uploads")
    await work(house)
    await pause_decisions.confirm(
        request.id, policy=house.policy, settings=house.settings, at=house.clock(), actor=STAFF
    )
    assert (await find_by_id(request.id)).state == "working"
    letter = (await RequestMessage.select().where(RequestMessage.kind == "letter"))[0]["text"]
    assert "a person is stopping it by hand" in letter
    task = next(task for task in await tasks_of(request.id) if task.kind == "by-hand")
    await end_task(task.id, "done", at=house.clock(), actor=STAFF)
    house.clock.advance(timedelta(minutes=1))
    await work(house)
    assert (await find_by_id(request.id)).outcome == "fulfilled"
    assert len(await in_place(ana.subject_id)) == 1


async def test_it_is_confirmed_once(house: House) -> None:
    """A second click, and a confirmation after the person ended it, change nothing."""
    ana = await house.person()
    request = await pause(house, ana)
    await work(house)
    how = {"policy": house.policy, "settings": house.settings, "at": house.clock(), "actor": STAFF}
    await pause_decisions.confirm(request.id, **how)
    with pytest.raises(NotPossible):
        await pause_decisions.confirm(request.id, **how)
    other = await pause(house, ana, reason="claims")
    await pauses.end_own(
        other.reference, ana.subject_id, policy=house.policy, settings=house.settings, at=house.clock()
    )
    with pytest.raises(NotPossible):
        await pause_decisions.confirm(other.id, **how)


async def test_it_never_ends_before_the_person_was_told(house: House) -> None:
    """Art. 18(3): without a notice nobody of ours can lift it, and nothing is changed by trying."""
    ana = await house.person()
    request = await pause(house, ana)
    with pytest.raises(restriction.NotTold):
        async with engine().transaction():
            await restriction.lift(request.id, request.reference, at=house.clock(), actor=STAFF)
    assert len(await in_place(ana.subject_id)) == 1


async def test_the_notice_comes_a_week_before_and_it_ends_on_its_day_by_itself(house: House) -> None:
    """Not an hour before midnight in the controller's zone, and once."""
    ana = await house.person()
    request = await pause(house, ana)
    await work(house)
    with pytest.raises(restriction.TooSoon):
        await announce(house, request, date(2026, 10, 20))
    await announce(house, request, date(2026, 10, 21))
    assert "pause-ending" in await mails_to(ana.email)
    house.clock.now = datetime(2026, 10, 20, 21, 59, tzinfo=UTC)
    assert await pause_decisions.lift_due(shop_of(house)) == 0
    house.clock.now = datetime(2026, 10, 20, 22, 0, tzinfo=UTC)
    assert await pause_decisions.lift_due(shop_of(house)) == 1
    assert await pause_decisions.lift_due(shop_of(house)) == 0
    await need_in_use(ana.subject_id, "prompts")
    await work(house)
    assert not house.sources["platform"].out_of_use
    assert "pause-ended" in [entry.event for entry in await timeline_of(request.id)]


async def test_an_announced_end_can_be_taken_back(house: House) -> None:
    """The person disagreed, and staff keep it: the day passes, and it stays."""
    ana = await house.person()
    request = await pause(house, ana)
    await announce(house, request, date(2026, 10, 21))
    await pause_decisions.keep_paused(request.id, at=house.clock(), actor=STAFF)
    house.clock.advance(timedelta(days=30))
    assert await pause_decisions.lift_due(shop_of(house)) == 0
    assert len(await in_place(ana.subject_id)) == 1
    with pytest.raises(NotPossible):
        await pause_decisions.keep_paused(request.id, at=house.clock(), actor=STAFF)


async def test_a_declined_pause_is_refused_with_reasons_and_still_ends_after_a_notice(house: House) -> None:
    """The refusal names the day; until then it counts."""
    ana = await house.person()
    request = await pause(house, ana, reason="unlawful")
    await pause_decisions.decline(
        request.id, date(2026, 10, 22), facts=["We looked."], why=["You agreed to it."],
        policy=house.policy, settings=house.settings, at=house.clock(), actor=STAFF,
    )  # fmt: skip
    assert (await find_by_id(request.id)).outcome == "refused"
    assert "refused" in await mails_to(ana.email)
    with pytest.raises(OutOfUse):
        await need_in_use(ana.subject_id, "prompts")
    house.clock.advance(timedelta(days=9))
    assert await pause_decisions.lift_due(shop_of(house)) == 1


async def test_of_two_pauses_the_last_one_lets_go(house: House) -> None:
    """The platform's flag stays on until nothing is paused any more."""
    ana = await house.person()
    first, second = await pause(house, ana), await pause(house, ana, "payments", reason="claims")
    await work(house)
    await end(house, ana, first)
    await work(house)
    assert house.sources["platform"].out_of_use
    lifted = await plan_of(first.id, "lift")
    assert lifted is not None
    assert [item.means for item in await items_of(lifted.id)] == ["another-pause"]
    await end(house, ana, second)
    await work(house)
    assert not house.sources["platform"].out_of_use


async def test_a_partial_erasure_does_not_hold_the_platforms_flag(house: House) -> None:
    """What is out of use for an erasure of a part leaves the account in use once the pause ends."""
    ana = await house.person()
    request = await pause(house, ana)
    row = await find_by_id((await pause(house, ana, "uploads", reason="claims")).id)
    async with engine().transaction():
        await restriction.let_go(row.id, at=house.clock())
        await restriction.put_out_of_use(
            row, house.policy, ["uploads"], reason="erasure", at=house.clock(), actor="person"
        )
    await work(house)
    await pauses.end_own(
        request.reference, ana.subject_id, policy=house.policy, settings=house.settings, at=house.clock()
    )
    await work(house)
    assert not house.sources["platform"].out_of_use


async def test_whoever_comes_last_decides_when_lifting_and_pausing_race(house: House) -> None:
    """A lift that is carried out after a newer pause keeps the flag on: what counts is read when a place is told."""
    ana = await house.person()
    first = await pause(house, ana)
    await work(house)
    await pauses.end_own(
        first.reference, ana.subject_id, policy=house.policy, settings=house.settings, at=house.clock()
    )
    late = await plan_of(first.id, "lift")
    assert late is not None
    await pause(house, ana, reason="claims")
    await work(house)
    assert house.sources["platform"].out_of_use


async def test_a_pause_begun_while_a_place_is_being_let_go_is_not_lost(house: House) -> None:
    """Two workers never tell one place about one person at a time, so the slow "off" cannot overwrite the new "on"."""
    ana, platform = await house.person(), house.sources["platform"]
    first = await pause(house, ana)
    await work(house)
    await end(house, ana, first)
    entered, gate, restrict = asyncio.Event(), asyncio.Event(), platform.restrict

    async def slowly(subject: Identifiers, *, on: bool) -> Restricted:
        if not on:
            entered.set()
            await gate.wait()
        return await restrict(subject, on=on)

    platform.restrict = slowly  # type: ignore[method-assign]
    lifting = asyncio.create_task(work(house))
    await entered.wait()
    second = await plan_of((await pause(house, ana, reason="claims")).id, "restrict")
    assert second is not None
    with pytest.raises(Later):
        await walk(shop_of(house), CRAFTS, {"plan": str(second.id)})
    gate.set()
    await lifting
    assert not platform.out_of_use
    await walk(shop_of(house), CRAFTS, {"plan": str(second.id)})
    assert platform.out_of_use


async def test_no_correction_reaches_a_place_while_it_is_paused(house: House) -> None:
    """The walker itself asks first: a correction laid before waits until the pause ends; one about accuracy goes on."""
    ana = await house.person()
    request = await pause(house, ana, "prompts", reason="claims")
    told: list[str] = []

    async def correct(_: object, __: object, ___: object, source: object, ____: object) -> Did:
        told.append(source.id)  # type: ignore[attr-defined]
        return Did(done=True, means="written")

    async def over(*_: object) -> None: ...

    async def lay_correction() -> UUID:
        async with engine().transaction():
            lines = [Line(source="platform", category="prompts", action="rectify")]
            return await lay(
                request.id, request.reference, "rectify", lines, at=house.clock(), runs_at=house.clock(), actor="person"
            )

    plan = await lay_correction()
    crafts = {"rectify": Craft(act=correct, finish=over)}  # type: ignore[arg-type]
    await walk(shop_of(house), crafts, {"plan": str(plan)})
    assert told == []
    assert [item.error for item in await items_of(plan)] == ["out-of-use"]
    await pauses.end_own(
        request.reference, ana.subject_id, policy=house.policy, settings=house.settings, at=house.clock()
    )
    await pause(house, ana, "prompts", reason="accuracy")
    await walk(shop_of(house), crafts, {"plan": str(plan)})
    assert told == ["platform"]


def test_no_other_way_leads_to_a_change_in_a_place() -> None:
    """Sources are asked to correct, to erase and to pause in one module each, all of which the walker calls."""
    rooms = Path(__file__).parent.parent.parent / "portal" / "rights"
    asked: dict[str, set[str]] = {"rectify": set(), "erase": set(), "restrict": set()}
    for path in rooms.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in asked:
                asked[call.func.attr].add(path.stem)
    assert asked["erase"] == {"erasure"}
    assert asked["restrict"] == {"restriction"}
    assert asked["rectify"] <= {"correcting"}


async def test_seeing_and_taking_go_on(house: House) -> None:
    """Art. 18(2): what is paused is stored and handed out."""
    ana = await house.person()
    await pause(house, ana, "prompts")
    assert (await ana.get("/en/data/prompts")).status_code == 200
    asked = await ana.post("/en/export", {"c": ["prompts"], "f": "all"})
    assert "/progress" in asked.headers["location"]


@pytest.mark.parametrize("reason", ["erasure", "child", "anything"])
async def test_only_the_four_reasons_of_the_law_can_be_asked_for(house: House, reason: str) -> None:
    """A freeze is not a pause, and nothing is stored."""
    ana = await house.person()
    with pytest.raises(ValueError, match="no reason"):
        await pause(house, ana, reason=reason)  # type: ignore[arg-type]
    assert await SubjectRequest.count() == 0


async def test_the_platform_hears_of_a_pause_and_of_its_end_signed_and_once(house: House) -> None:
    """Paused, and released only when nothing is paused any more; a call that fails is made again."""
    ana = await house.person()
    await KnownIdentifier(subject=ana.subject_id, kind="account_id", value="account-1").save()
    assert house.policy.webhook is not None
    with listening(clock=house.clock) as hook:
        named = {house.policy.webhook.url_variable: hook.url, house.policy.webhook.secret_variable: SECRET}
        house.settings = msgspec.structs.replace(
            house.settings, environment={**house.settings.environment, **named}
        )  # fmt: skip
        hook.answers.append(503)
        first, second = await pause(house, ana), await pause(house, ana, reason="claims")
        await work(house)
        assert [one.event for one in hook.heard] == ["person.paused"]
        assert sorted([(await states(one.id))["platform"] for one in (first, second)]) == ["done", "failed"]
        assert house.sources["platform"].out_of_use
        house.clock.advance(timedelta(minutes=10))
        await work(house)
        await end(house, ana, first)
        await work(house)
        assert [one.event for one in hook.heard] == ["person.paused", "person.paused"]
        await end(house, ana, second)
        await work(house)
    assert [one.event for one in hook.heard] == ["person.paused", "person.paused", "person.released"]
    assert len({one.reference for one in hook.heard}) == 3
    assert {one.accounts for one in hook.heard} == {("account-1",)}


async def test_a_webhook_that_is_not_set_up_is_a_persons_task(house: House) -> None:
    """The flag is set all the same, and nobody believes that the platform was told."""
    ana = await house.person()
    await KnownIdentifier(subject=ana.subject_id, kind="account_id", value="account-1").save()
    request = await pause(house, ana)
    await work(house)
    assert house.sources["platform"].out_of_use
    assert (await states(request.id))["platform"] == "failed"
    assert "refused" in [task.kind for task in await tasks_of(request.id)]
