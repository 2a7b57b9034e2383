"""What a person corrects stands everywhere or nowhere, can be put back for 30 days, and is proven without its value."""

import asyncio
from datetime import timedelta

import pytest
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import Invalid, NotFound
from portal.identity.tables import Subject
from portal.rights import correcting, correction_decisions, corrections, restriction
from portal.rights.intake import withdraw
from portal.rights.lifecycle import NotPossible
from portal.rights.out_of_use import OutOfUse
from portal.rights.pauses import Wish as Pause
from portal.rights.pauses import pause
from portal.rights.plans import items_of, plan_of
from portal.rights.rectification import Wish, correct, note, undo
from portal.rights.requests import RequestView, find, find_by_id, timeline_of
from portal.rights.tables import RequestMessage
from portal.rights.tables_rectification import Correction
from portal.rights.tasks import asked, end_task, tasks_of
from portal.rights.walk import walk
from portal.rights.works import CRAFTS
from portal.sources.registry import Sources
from tests.rights.conftest import Browser, House
from tests.rights.shop import events_of, mails_to, shop_of, work

STAFF = "staff:1"


async def person(house: House) -> Browser:
    """Return somebody whose account is on the platform."""
    browser = await house.person()
    row = {"display_name": "Ana", "language": "en", "email": browser.email, "account_id": "7"}
    house.sources["platform"].put(browser.email, "account", [row])
    house.sources["stripe"].put(browser.email, "payments", [{"name": "Ana", "email": browser.email}])
    return browser


def name_of(house: House, browser: Browser, field: str = "display_name") -> object:
    """Return what the platform holds now."""
    return house.sources["platform"].rows[browser.email, "account"][0][field]


async def wish(
    house: House, browser: Browser, value: str, *, field: str = "display_name", category: str = "account", why: str = ""
) -> RequestView:  # fmt: skip
    """Correct a field as the page does."""
    opened = await correct(
        Wish(subject=browser.subject_id, category=category, field=field, value=value, why=why, language="en"),
        sources=Sources(list(house.sources.values())), policy=house.policy, settings=house.settings, at=house.clock(),
    )  # fmt: skip
    return opened.request


async def put_back(house: House, browser: Browser, request: RequestView) -> RequestView:
    """Undo a correction as the page does."""
    opened = await undo(
        request.reference, browser.subject_id, policy=house.policy, settings=house.settings, at=house.clock()
    )
    return opened.request


async def accept(house: House, request: RequestView) -> None:
    """Accept a correction as staff do."""
    await correction_decisions.accept(
        request.id, policy=house.policy, settings=house.settings, at=house.clock(), actor=STAFF
    )


async def states(request: RequestView) -> dict[str, str]:
    """Return how far each place is with a correction."""
    plan = await plan_of(request.id, "rectify")
    return {item.source: item.state for item in await items_of(plan.id)} if plan else {}


async def everything_stored() -> str:
    """Return all text of evidence, jobs and plans: where no value may ever be."""
    rows = await engine().run_querystring(
        QueryString(
            "SELECT string_agg(t, ' ') AS t FROM (SELECT e::text AS t FROM evidence e UNION ALL SELECT q::text FROM"
            " pgqueuer q UNION ALL SELECT i::text FROM plan_item i UNION ALL SELECT c::text FROM correction c) x"
        )
    )
    return str(rows[0]["t"])


async def test_a_name_is_written_everywhere_at_once(house: House) -> None:
    """The platform and our own row hold it when the worker has been; the request is closed with a receipt."""
    ana = await person(house)
    request = await wish(house, ana, "  Ana María ")
    await work(house)
    assert name_of(house, ana) == "Ana María"
    own = await Subject.select(Subject.display_name).where(Subject.id == ana.subject_id).first()
    assert own == {"display_name": "Ana María"}
    assert (await find_by_id(request.id)).outcome == "fulfilled"
    assert [entry.event for entry in await timeline_of(request.id)] == ["received", "correction-begun", "corrected"]


async def test_no_value_is_in_evidence_jobs_or_plans(house: House) -> None:
    """Evidence proves old and new value by keyed digests that anybody with the key can compute again."""
    ana = await person(house)
    await wish(house, ana, "Wilhelmina")
    await work(house)
    stored = await everything_stored()
    assert "Wilhelmina" not in stored
    digest = corrections.digest(house.settings, ana.subject_id, "account.display_name", "Wilhelmina")
    assert digest in stored


async def test_the_old_value_comes_back_for_30_days_and_is_forgotten_then(house: House) -> None:
    """Putting back is a correction of its own; after 30 days only the digest is left, and nothing can be put back."""
    ana = await person(house)
    first = await wish(house, ana, "Bea")
    await work(house)
    await put_back(house, ana, first)
    await work(house)
    assert name_of(house, ana) == "Ana"
    second = await wish(house, ana, "Cleo")
    await work(house)
    house.clock.advance(timedelta(days=30))
    assert await corrections.forget_values(at=house.clock()) == 3
    with pytest.raises(NotPossible):
        await put_back(house, ana, second)
    row = await Correction.select().where(Correction.request == second.id).first()
    assert row is not None
    assert row["sealed"] is None
    assert row["new_digest"]


async def test_putting_back_twice_is_one_request(house: House) -> None:
    """The second press finds the first one's request; a correction that was changed again is not put back over it."""
    ana = await person(house)
    first = await wish(house, ana, "Bea")
    await work(house)
    newer = await wish(house, ana, "Cleo")
    await work(house)
    with pytest.raises(NotPossible):
        await put_back(house, ana, first)
    back = await put_back(house, ana, newer)
    assert (await put_back(house, ana, newer)).id == back.id


async def test_a_double_click_is_one_request(house: House) -> None:
    """Two tabs with the same value find the same request, before and after the worker."""
    ana = await person(house)
    both = await asyncio.gather(wish(house, ana, "Bea"), wish(house, ana, "Bea"))
    assert both[0].id == both[1].id
    await work(house)
    assert (await wish(house, ana, "Bea")).id == both[0].id


async def test_the_later_word_wins_whichever_worker_comes_first(house: House) -> None:
    """A place that was down when the first was said never gets it after the second."""
    ana = await person(house)
    house.sources["platform"].down = True
    first = await wish(house, ana, "Bea")
    await work(house)
    house.sources["platform"].down = False
    second = await wish(house, ana, "Cleo")
    plan = await plan_of(second.id, "rectify")
    assert plan is not None
    await walk(shop_of(house), CRAFTS, {"plan": str(plan.id)})
    assert name_of(house, ana) == "Cleo"
    house.clock.advance(timedelta(hours=7))
    await work(house)
    assert name_of(house, ana) == "Cleo"
    assert [(await find_by_id(one.id)).outcome for one in (first, second)] == ["withdrawn", "fulfilled"]


async def test_a_place_that_is_down_is_asked_again_and_said(house: House) -> None:
    """Nothing is called corrected meanwhile."""
    ana = await person(house)
    house.sources["platform"].down = True
    request = await wish(house, ana, "Bea")
    await work(house)
    assert (await states(request))["platform"] == "failed"
    assert (await find_by_id(request.id)).is_open
    house.sources["platform"].down = False
    house.clock.advance(timedelta(hours=7))
    await work(house)
    assert name_of(house, ana) == "Bea"
    assert not (await find_by_id(request.id)).is_open


async def test_what_a_place_refuses_is_taken_back_and_a_person_looks(house: House) -> None:
    """Our own row does not keep what the platform did not take; the person is told and can write another value."""
    ana = await person(house)
    await Subject.update({Subject.display_name: "Ana"}).where(Subject.id == ana.subject_id)
    house.sources["platform"].refuses = True
    request = await wish(house, ana, "Bea")
    await work(house)
    await work(house)
    own = await Subject.select(Subject.display_name).where(Subject.id == ana.subject_id).first()
    assert own == {"display_name": "Ana"}
    now = await find_by_id(request.id)
    assert (now.state, now.is_open) == ("deciding", True)
    assert await RequestMessage.exists().where(RequestMessage.request == request.id)
    assert "message" in await mails_to(ana.email)
    assert [task.kind for task in await tasks_of(request.id) if task.ended_at is None] == ["decide"]
    house.sources["platform"].refuses = False
    await wish(house, ana, "Cleo")
    await work(house)
    assert name_of(house, ana) == "Cleo"
    assert (await find_by_id(request.id)).outcome == "withdrawn"


async def test_a_place_without_means_is_a_task_and_the_answer_waits(house: House) -> None:
    """A person of ours does it there; only then is it corrected, and the person hears by mail."""
    ana = await person(house)
    house.sources["platform"].hands = False
    request = await wish(house, ana, "Bea")
    await work(house)
    task = next(task for task in await tasks_of(request.id) if task.kind == "by-hand")
    assert (await find_by_id(request.id)).is_open
    await end_task(task.id, "done", at=house.clock(), actor=STAFF)
    house.clock.advance(timedelta(hours=7))
    await work(house)
    assert (await find_by_id(request.id)).outcome == "fulfilled"
    assert "answered" in await mails_to(ana.email)


async def test_killed_after_the_platform_took_it_nothing_is_done_twice(house: House) -> None:
    """The value stands there, our note of it was lost: asked again, the outcome and the receipt are the same."""
    ana = await person(house)
    request = await wish(house, ana, "Bea")
    house.sources["platform"].rows[ana.email, "account"][0] = {"display_name": "Bea", "email": ana.email}
    await work(house)
    await work(house)
    assert name_of(house, ana) == "Bea"
    assert (await events_of(request.reference)).count("rights:request:corrected") == 1


@pytest.mark.parametrize("value", ["a" * 101, "Ana\u202eevil", "Ana\x07", "An\na"])
async def test_what_does_not_fit_is_said_and_nothing_happens(house: House, value: str) -> None:
    """Too long, invisible or turning signs, line breaks: the person can mend it."""
    ana = await person(house)
    with pytest.raises(Invalid):
        await wish(house, ana, value)
    assert not await Correction.exists()


async def test_only_what_the_list_names_is_chosen(house: House) -> None:
    """A language is one of the policy's; our own pages write in it afterwards."""
    ana = await person(house)
    with pytest.raises(Invalid):
        await wish(house, ana, "xx", field="language")
    await wish(house, ana, "fr", field="language")
    await work(house)
    own = await Subject.select(Subject.language).where(Subject.id == ana.subject_id).first()
    assert own == {"language": "fr"}


async def test_what_is_not_the_persons_to_change_is_refused(house: House) -> None:
    """Numbers of systems, addresses without a code and fields that do not exist never reach a place."""
    ana = await person(house)
    for field in ("account_id", "email", "picture_url"):
        with pytest.raises(ValueError, match="not corrected here"):
            await wish(house, ana, "x", field=field)
    with pytest.raises(NotFound):
        await wish(house, ana, "x", field="shoe_size")


async def test_what_needs_a_decision_waits_for_one_with_a_date(house: House) -> None:
    """The person's words are with the request, staff have a task, and nothing is written before they agree."""
    ana = await person(house)
    request = await wish(house, ana, "Ana García", field="name", category="payments", why="I married.")
    await work(house)
    assert (request.state, request.right) == ("deciding", "rectification")
    assert house.sources["stripe"].rows[ana.email, "payments"][0]["name"] == "Ana"
    task = (await tasks_of(request.id))[0]
    assert (task.kind, task.about) == ("decide", "rectification")
    assert "received" in await mails_to(ana.email)
    _, values = await correction_decisions.look(request.id, house.settings)
    assert values is not None
    assert (values.old, values.new) == ("Ana", "Ana García")


async def test_what_staff_accept_is_written_and_answered_with_a_letter(house: House) -> None:
    """Stripe holds it, the letter says before and after, and it is decided once."""
    ana = await person(house)
    request = await wish(house, ana, "Ana García", field="name", category="payments")
    await accept(house, request)
    with pytest.raises(NotPossible):
        await accept(house, request)
    await work(house)
    assert house.sources["stripe"].rows[ana.email, "payments"][0]["name"] == "Ana García"
    assert (await find_by_id(request.id)).outcome == "fulfilled"
    letter = await RequestMessage.select().where(RequestMessage.request == request.id).first()
    assert letter is not None
    assert "“Ana” is now “Ana García”" in letter["text"]


async def test_many_records_are_never_changed_by_one_word(house: House) -> None:
    """An amount that is accepted without naming its record is left to a person, who sees which one is meant."""
    ana = await person(house)
    rows = [{"amount": "10.00"}, {"amount": "20.00"}]
    house.sources["platform"].put(ana.email, "payments", rows)
    request = await wish(house, ana, "15.00", field="amount", category="payments")
    _, values = await correction_decisions.look(request.id, house.settings)
    assert values is not None
    assert values.old is None
    await accept(house, request)
    await work(house)
    assert house.sources["platform"].rows[ana.email, "payments"] == rows
    assert (await states(request))["platform"] == "by-hand"


async def test_a_refusal_says_why(house: House) -> None:
    """The letter names facts, article and reasons; the request ends refused, with its mail."""
    ana = await person(house)
    request = await wish(house, ana, "Ana García", field="name", category="payments")
    await correction_decisions.refuse(
        request.id, reasons=["accurate"], facts=["Invoice 12 says Ana."], why=["It was Ana on that day."],
        policy=house.policy, settings=house.settings, at=house.clock(), actor=STAFF,
    )  # fmt: skip
    assert (await find_by_id(request.id)).outcome == "refused"
    assert "refused" in await mails_to(ana.email)
    row = await Correction.select().where(Correction.request == request.id).first()
    assert row is not None
    assert row["state"] == "refused"


async def test_a_note_is_answered_by_a_person(house: House) -> None:
    """What cannot be rewritten can have a note beside it; saying nothing is no note."""
    ana = await person(house)
    said = Wish(subject=ana.subject_id, category="prompts", why="I meant blue.", language="en")
    opened = await note(said, policy=house.policy, settings=house.settings, at=house.clock())
    await accept(house, opened.request)
    assert (await find_by_id(opened.request.id)).outcome == "fulfilled"
    with pytest.raises(Invalid):
        await note(
            Wish(subject=ana.subject_id, category="", language="en"), policy=house.policy, settings=house.settings,
            at=house.clock(),
        )  # fmt: skip


async def test_what_is_paused_is_corrected_only_when_it_is_paused_for_that(house: House) -> None:
    """A pause over the accuracy is about just this; any other keeps every use off, this one too. Art. 18(2)."""
    ana = await person(house)
    for reason in ("accuracy", "claims"):
        said = Pause(subject=ana.subject_id, categories=("account",), reason=reason, language="en")  # type: ignore[arg-type]
        paused = await pause(said, policy=house.policy, settings=house.settings, at=house.clock())
        if reason == "accuracy":
            await wish(house, ana, "Bea")
            await work(house)
            assert name_of(house, ana) == "Bea"
            async with engine().transaction():
                await restriction.lift(paused.request.id, paused.request.reference, at=house.clock(), actor="person")
    with pytest.raises(OutOfUse):
        await wish(house, ana, "Cleo")


async def test_who_else_has_it_is_told_and_the_person_hears_when_all_were(house: House) -> None:
    """A person of ours writes to each; the mail leaves once, when the last was written to. Art. 19."""
    ana = await person(house)
    request = await wish(house, ana, "Bea")
    await work(house)
    told = [task for task in await tasks_of(request.id) if task.kind == "tell"]
    assert [task.about for task in told] == ["resend"]
    assert await correcting.tell_due(shop_of(house)) == 0
    await asked(told[0].id, at=house.clock(), actor=STAFF)
    assert [await correcting.tell_due(shop_of(house)) for _ in range(2)] == [1, 0]
    assert "recipients-told" in await mails_to(ana.email)


async def test_what_was_withdrawn_in_time_is_never_written(house: House) -> None:
    """Taken back before the worker came, nothing changes anywhere, and it can be asked for again."""
    ana = await person(house)
    request = await wish(house, ana, "Bea")
    await withdraw(
        request.reference, ana.subject_id, policy=house.policy, settings=house.settings, at=house.clock()
    )  # fmt: skip
    await work(house)
    assert name_of(house, ana) == "Ana"
    await wish(house, ana, "Bea")
    await work(house)
    assert name_of(house, ana) == "Bea"


async def test_somebody_elses_correction_is_not_there(house: House) -> None:
    """Nobody puts back what another person corrected."""
    ana, eve = await person(house), await house.person("eve@person.example")
    request = await wish(house, ana, "Bea")
    await work(house)
    with pytest.raises(NotFound):
        await put_back(house, eve, request)
    assert (await find(request.reference, ana.subject_id)).id == request.id
