"""Erasing: what was shown is what happens, in every place or named, once, and nothing is called done before it is."""

import pytest

from portal.evidence.tables import Evidence
from portal.identity.tables import KnownIdentifier, Session, Subject
from portal.mail.tables import Mail, MailBody
from portal.rights import erasure_end, held, intake, plans, receipts
from portal.rights.erasure import Changed, keep_after_all
from portal.rights.intake import open_access
from portal.rights.late import say_late
from portal.rights.lifecycle import NotPossible
from portal.rights.out_of_use import in_place
from portal.rights.requests import timeline_of
from portal.rights.tables import HeldItem, Plan, SubjectRequest
from portal.rights.tasks import end_task, tasks_of
from tests.rights.erasing import EMAIL, SOME, Bench, bench

__all__ = ["bench"]


async def events(reference: str) -> list[str]:
    rows = await Evidence.select(Evidence.event).where(Evidence.reference == reference).order_by(Evidence.seq)
    return [row["event"] for row in rows]


async def mails(kind: str) -> list[dict[str, object]]:
    return await Mail.select(Mail.to_address, Mail.state).where(Mail.kind == kind)


async def test_the_plan_names_every_place_and_keeps_only_with_a_ground(bench: Bench) -> None:
    """Every source and category of the policy is in it, outside systems first; what stays names article and day."""
    drawn, policy = await bench.drawn(), bench.house.policy
    assert drawn.whole
    expected = {(spec.id, one.id) for one in policy.categories for spec in policy.sources_of(one.id)}
    assert {(line.source, line.category) for line in drawn.lines if line.category} == expected
    order = [line.source for line in drawn.lines if line.category]
    assert order.index("stripe") < order.index("platform") < order.index("portal")
    kept = [line for line in drawn.lines if line.action == "keep"]
    assert kept and all(line.ground.startswith("Art. 17(3)") for line in kept)
    assert {line.until.isoformat() for line in kept if line.category == "payments" and line.until} == {"2036-12-31"}
    assert {"anthropic", "openai"} <= set(drawn.told)


async def test_an_erasure_waits_three_days_with_the_data_out_of_use(bench: Bench) -> None:
    """Nothing is touched before; everything is frozen at once; one mail says how to cancel."""
    reference = await bench.approve()
    await bench.work(reference, "restrict")
    bench.later(days=2, hours=23)
    await bench.work(reference)
    assert len(bench.left()) == len(bench.sources) and bench.sources["platform"].out_of_use
    assert [one.reason for one in await in_place(bench.subject)] == ["erasure"]
    assert [mail["to_address"] for mail in await mails("erasure-planned")] == [EMAIL]
    request = await bench.request(reference)
    assert (request.right, request.state, request.is_open) == ("erasure", "working", True)


async def test_an_erasure_is_cancelled_without_a_trace_in_the_data(bench: Bench) -> None:
    """Until it begins: in use again everywhere, closed as withdrawn, with a receipt; afterwards it is refused."""
    reference = await bench.approve()
    await bench.work(reference, "restrict")
    before = bench.left()
    at, policy, settings = bench.house.clock(), bench.house.policy, bench.shop.settings
    await keep_after_all(reference, bench.subject, policy=policy, settings=settings, at=at)
    await keep_after_all(reference, bench.subject, policy=policy, settings=settings, at=at)
    await bench.work(reference, "lift")
    bench.later(days=4)
    await bench.work(reference)
    assert bench.left() == before and not bench.sources["platform"].out_of_use and not await in_place(bench.subject)
    request = await bench.request(reference)
    assert (request.outcome, bool(await receipts.number_of(request.id))) == ("withdrawn", True)
    assert (await bench.plan(reference)).state == "cancelled" and (await bench.plan(reference)).begun_at is None


async def test_a_planned_erasure_is_not_withdrawn_behind_its_own_back(bench: Bench) -> None:
    """Withdrawn and still carried out would be a lie: it is kept by its own button, or goes on."""
    reference = await bench.approve()
    at, policy, settings = bench.house.clock(), bench.house.policy, bench.shop.settings
    with pytest.raises(NotPossible):
        await intake.withdraw(reference, bench.subject, policy=policy, settings=settings, at=at)
    assert (await bench.request(reference)).is_open


async def test_an_erasure_that_has_begun_cannot_be_cancelled(bench: Bench) -> None:
    """A place that has no means keeps it under way; cancelling is refused and changes nothing."""
    bench.sources["stripe"].hands = False
    reference = await bench.erased()
    with pytest.raises(NotPossible):
        await keep_after_all(
            reference, bench.subject, policy=bench.house.policy, settings=bench.shop.settings, at=bench.house.clock()
        )  # fmt: skip
    assert (await bench.request(reference)).is_open


async def test_after_an_erasure_nothing_is_left_and_the_person_is_told_once(bench: Bench) -> None:
    """All sources, our own tables, the way to sign in; the receipt says so; the address goes when the mail has left."""
    reference = await bench.erased()
    await bench.work(reference)
    assert bench.left() == {}
    assert not await Session.exists() and not await KnownIdentifier.exists()
    assert [row["email"] for row in await Subject.select(Subject.email)] == [None]
    request = await bench.request(reference)
    assert (request.state, request.outcome) == ("closed", "partly")
    found = await receipts.file_for(request.id)
    assert found is not None
    body = receipts.read(found, bench.shop.settings)
    what = {(one.source, one.category): (one.what, one.records) for one in body.done}
    assert what["platform", "prompts"] == ("erased", 3) and what["stripe", "payments"] == ("kept", 3)
    assert [mail["to_address"] for mail in await mails("erasure-done")] == [EMAIL]
    assert await erasure_end.forget_addresses(bench.shop) == 0
    await Mail.update({Mail.state: "accepted"}).where(Mail.kind == "erasure-done")
    assert await erasure_end.forget_addresses(bench.shop) == 1
    assert await erasure_end.forget_addresses(bench.shop) == 0
    assert not await Mail.exists().where(Mail.to_address != "") and not await MailBody.exists()
    assert (await bench.plan(reference)).known is None
    assert (await events(reference)).count("rights:request:erased") == 1


async def test_what_changed_since_it_was_shown_is_shown_again(bench: Bench) -> None:
    """A new prompt after the page was opened: nothing is opened, nothing is frozen."""
    digest = (await bench.drawn()).digest
    bench.sources["platform"].put(EMAIL, "prompts", [*SOME, {"kind": "row", "id": "3"}])
    with pytest.raises(Changed):
        await bench.approve(digest=digest)
    assert not await SubjectRequest.exists() and not await in_place(bench.subject)


async def test_a_second_click_finds_the_first_ones_request(bench: Bench) -> None:
    """One request, one plan, one mail."""
    first, second = await bench.approve(), await bench.approve()
    assert first == second and await Plan.count().where(Plan.kind == "erase") == 1
    assert len(await mails("erasure-planned")) == 1


async def test_a_place_that_is_down_is_asked_again_and_stops_no_other(bench: Bench) -> None:
    """The others are erased; ours last, so that the person can still follow; when it is back, all ends by itself."""
    uploads = bench.sources["uploads"]
    uploads.refuses = True
    reference = await bench.erased()
    assert set(bench.left()) == {"uploads"} and await Session.exists()
    items = await plans.items_of((await bench.plan(reference)).id)
    assert {item.error for item in items if item.source == "uploads"} == {"refused"}
    uploads.refuses, uploads.down = False, True
    bench.later(minutes=5)
    await bench.work(reference)
    assert (await bench.request(reference)).is_open
    uploads.down = False
    bench.later(hours=6)
    await bench.work(reference)
    await bench.work(reference)
    assert bench.left() == {} and not (await bench.request(reference)).is_open


async def test_a_place_without_means_becomes_a_task_and_nothing_is_done_before(bench: Bench) -> None:
    """The request stays open until a person of ours has done it; then it goes on by itself."""
    bench.sources["uploads"].hands = False
    reference = await bench.erased()
    await bench.work(reference)
    request = await bench.request(reference)
    by_hand = [task for task in await tasks_of(request.id) if task.kind == "by-hand"]
    assert request.is_open and {task.about for task in by_hand} == {"uploads"}
    assert await Session.exists()
    bench.sources["uploads"].rows.clear()
    for task in by_hand:
        await end_task(task.id, "done", at=bench.house.clock(), actor="staff:1")
    await bench.work(reference)
    await bench.work(reference)
    request = await bench.request(reference)
    assert request.outcome == "partly" and not await Session.exists()


async def test_a_source_that_forgets_to_erase_is_found_out_and_done_again(bench: Bench) -> None:
    """It says done and still counts records: that is a failure, not an erasure."""
    bench.sources["platform"].forgetful = 1
    reference = await bench.erased()
    assert (await bench.request(reference)).is_open
    items = await plans.items_of((await bench.plan(reference)).id)
    assert {item.error for item in items if item.source == "platform" and item.state == "failed"} == {"left"}
    bench.later(minutes=10)
    await bench.work(reference)
    await bench.work(reference)
    assert not (await bench.request(reference)).is_open and "platform" not in bench.left()


async def test_a_part_is_erased_and_the_account_stays(bench: Bench) -> None:
    """Only what was chosen goes; sessions, sign-in and everything else stay; the mail is not the last."""
    reference = await bench.erased("prompts")
    assert "prompts" not in bench.left()["platform"] and "account" in bench.left()["platform"]
    assert await Session.exists() and not bench.sources["platform"].out_of_use
    request = await bench.request(reference)
    assert request.outcome == "fulfilled" and not await in_place(bench.subject)
    assert not await HeldItem.exists()
    assert await erasure_end.forget_addresses(bench.shop) == 0
    told = await MailBody.select(MailBody.text).where(MailBody.mail.kind == "erasure-planned")
    assert all("your account goes on" in row["text"] and "Nobody uses" not in row["text"] for row in told) and told


async def test_other_open_requests_end_with_the_account(bench: Bench) -> None:
    """Nobody can be answered whose address is forgotten; the request says so, with a receipt."""
    opened = await intake.open_access(
        subject_id=bench.subject, categories=("prompts",), format="all", language="en", policy=bench.house.policy,
        public_url="http://127.0.0.1:8000", at=bench.house.clock(),
    )  # fmt: skip
    reference = await bench.erased()
    await bench.work(reference)
    other = await bench.request(opened.request.reference)
    assert other.outcome == "withdrawn" and (await timeline_of(other.id))[-1].event == "ended-by-erasure"


async def test_whoever_else_is_late_hears_of_it_while_an_erasure_is_late_whose_address_is_gone(bench: Bench) -> None:
    """Nobody can be written to about the one: that must not stop the letters to all the others."""
    other = await bench.house.person("ben@person.example")
    opened = await open_access(
        subject_id=other.subject_id, categories=("account",), format="all", language="en", policy=bench.house.policy,
        public_url=bench.house.settings.public_url, at=bench.house.clock(),
    )  # fmt: skip
    await bench.approve()
    await Subject.update({Subject.email: None}).where(Subject.id == bench.subject)
    bench.later(days=60)
    assert await say_late(bench.shop) == 1
    rows = await Mail.select(Mail.reference, Mail.to_address).where(Mail.kind == "late")
    assert rows == [{"reference": opened.request.reference, "to_address": "ben@person.example"}]


async def test_what_is_held_goes_on_its_day_and_not_before(bench: Bench) -> None:
    """Invoices stay ten business years under a pseudonym, our own record of the request five."""
    reference = await bench.erased()
    await bench.work(reference)
    rows = await HeldItem.select(HeldItem.category, HeldItem.until)
    until = {row["category"]: row["until"].isoformat() for row in rows}
    assert until["payments"] == "2036-12-31" and until["requests"] == "2031-10-17"
    bench.house.clock.now = bench.house.clock.now.replace(year=2036, month=12, day=31, hour=3)
    await held.release_due(bench.shop)
    assert await HeldItem.exists().where(HeldItem.erased_at.is_null())
    assert (await bench.request(reference)).reference == reference  # something is still held, so the record stays
    bench.later(days=1)
    await held.release_due(bench.shop)
    bench.later(days=1)
    await held.release_due(bench.shop)
    assert not await HeldItem.exists() and not await SubjectRequest.exists() and not await Subject.exists()


async def test_signing_up_again_afterwards_is_a_new_beginning(bench: Bench) -> None:
    """The same address is a new person to us; the old erasure does not touch what came after it."""
    reference = await bench.erased()
    await bench.work(reference)
    browser = await bench.house.person(EMAIL)
    bench.sources["platform"].put(EMAIL, "account", SOME)
    bench.later(days=1)
    await bench.work(reference)
    assert browser.subject_id != bench.subject and bench.left()["platform"] == ["account"]


async def test_a_recipient_who_answers_later_is_in_a_supplement_of_the_receipt(bench: Bench) -> None:
    """Asked again without news it is the same receipt; with news, who has the first number is shown the newest."""
    reference = await bench.erased()
    await bench.work(reference)
    request = await bench.request(reference)
    policy, settings = bench.house.policy, bench.shop.settings
    first = await receipts.number_of(request.id)
    await erasure_end.supplement(request, policy=policy, settings=settings, at=bench.house.clock())
    assert await receipts.number_of(request.id) == first
    task = next(task for task in await tasks_of(request.id) if task.kind == "tell" and task.about == "openai")
    bench.later(days=5)
    await end_task(task.id, "done", at=bench.house.clock(), actor="staff:1")
    await erasure_end.after_task(task.id, policy=policy, settings=settings, at=bench.house.clock())
    found = await receipts.by_number(first)
    assert found is not None and found.supplement == 1
    states = {one.name: one.state for one in receipts.read(found, settings).recipients}
    assert (states["OpenAI"], states["Anthropic"]) == ("confirmed", "to-be-asked")


async def test_a_place_that_is_silent_for_a_day_is_told_to_a_person_once(bench: Bench) -> None:
    """Before the work begins as well as after: nobody finds out on the last day."""
    reference = await bench.approve()
    bench.later(days=3)
    bench.sources["uploads"].down = True
    for hours in (0, 23, 2, 1):
        bench.later(hours=hours)
        await bench.work(reference)
    request = await bench.request(reference)
    assert [(task.kind, task.about) for task in await tasks_of(request.id)] == [("silent", "uploads")]
    assert (await bench.plan(reference)).begun_at is None and "uploads" in bench.left()
    bench.sources["uploads"].down = False
    for _ in range(3):
        bench.later(hours=1)
        await bench.work(reference)
    assert bench.left() == {} and not (await bench.request(reference)).is_open
    silent = [task for task in await tasks_of(request.id) if task.kind == "silent"]
    assert [task.state for task in silent] == ["not-needed"]
