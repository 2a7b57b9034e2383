"""Staff decide once, with a whole letter, a receipt and one mail; what takes two people is not decided by one."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import Invalid
from portal.rights import decisions, four_eyes, intake, letters, on_behalf, receipts, unidentified
from portal.rights.decisions import Grounds, OtherWay, Parts
from portal.rights.intake import Asked
from portal.rights.letters import NotComplete
from portal.rights.lifecycle import NotPossible, Right, move
from portal.rights.out_of_use import in_place
from portal.rights.receipt_file import Body
from portal.rights.requests import RequestView, find_by_id, timeline_of
from portal.rights.tables import RequestMessage
from portal.rights.tasks import open_task, tasks_of
from portal.words import Words
from tests.rights.conftest import Browser, House
from tests.rights.shop import events_of, mails_to

STAFF, OTHER = "staff:1", "staff:2"
ACCURATE = Grounds(reasons=("accurate",), facts=("We looked at your invoices.",), why=("The name is yours.",))
EXCESSIVE = Grounds(reasons=("excessive",), facts=("Forty requests in a week.",), why=("All ask for the same.",))


async def deciding(house: House, person: Browser, right: Right, text: str = "Please.") -> RequestView:
    """Open a request that waits for a decision, with its task."""
    at = house.clock()
    asked = Asked(right=right, subject=person.subject_id, language="en", text=text, received_at=at)
    opened = await intake.open_request(
        asked, policy=house.policy, public_url=house.settings.public_url, at=at
    )  # fmt: skip
    request = opened.request
    async with engine().transaction():
        await move(request.id, request.reference, "deciding", event="answered-at-once", at=at, actor="worker")
        await open_task(request.id, request.reference, "decide", right, due=request.due_day, at=at)
    return await find_by_id(request.id)


async def refuse(house: House, request: RequestView, grounds: Grounds, actor: str = STAFF) -> None:
    """Refuse now."""
    await decisions.refuse(
        request, grounds, policy=house.policy, settings=house.settings, at=house.clock(), actor=actor
    )  # fmt: skip


async def letters_of(request: RequestView) -> list[str]:
    """Return the texts of the letters of a request."""
    rows = await RequestMessage.select().where(
        (RequestMessage.request == request.id) & (RequestMessage.kind == "letter")
    )  # fmt: skip
    return [row["text"] for row in rows]


async def details_of(event: str) -> list[dict[str, object]]:
    """Return what the evidence says of an event."""
    rows = await engine().run_querystring(
        QueryString("SELECT details FROM evidence WHERE event = {} ORDER BY seq", event)
    )
    return [msgspec.json.decode(row["details"]) for row in rows]


async def body_of(house: House, request: RequestView) -> Body:
    """Return what the receipt of a request says."""
    found = await receipts.file_for(request.id)
    assert found is not None
    return receipts.read(found, house.settings)


async def test_a_refusal_is_a_letter_a_receipt_and_a_mail_at_once(house: House) -> None:
    """The letter has reasons and remedies, the task is done, and evidence knows the digest and no words."""
    ana = await house.person()
    request = await deciding(house, ana, "rectification")
    await refuse(house, request, ACCURATE)
    ended = await find_by_id(request.id)
    assert (ended.state, ended.outcome) == ("closed", "refused")
    letter = (await letters_of(request))[0]
    assert "We looked at your invoices." in letter and "Art. 16" in letter and "cnil.fr" in letter
    assert await mails_to(ana.email) == ["received", "refused"]
    assert (await body_of(house, request)).outcome == "refused"
    assert [task.state for task in await tasks_of(request.id)] == ["done"]
    written = (await details_of("rights:letter:written"))[0]
    assert written["letter"] == "refusal" and len(str(written["sha256"])) == 64
    assert "invoices" not in str(await details_of("rights:request:refused"))


async def test_an_empty_block_stops_the_refusal_and_changes_nothing(house: House) -> None:
    """No letter, no mail, no outcome."""
    ana = await house.person()
    request = await deciding(house, ana, "rectification")
    with pytest.raises(NotComplete) as refused:
        await refuse(house, request, msgspec.structs.replace(ACCURATE, why=(" ",)))
    assert refused.value.block == "why"
    assert await letters_of(request) == []
    assert (await find_by_id(request.id)).is_open
    assert await mails_to(ana.email) == ["received"]


@pytest.mark.parametrize("reasons", [(), ("accurate", "legal-duty"), ("unidentified",)])
async def test_a_ground_that_cannot_refuse_the_right_is_not_taken(house: House, reasons: tuple[str, ...]) -> None:
    """Every ground must be one for this right, and there must be one."""
    request = await deciding(house, await house.person(), "rectification")
    with pytest.raises(Invalid):
        await refuse(house, request, msgspec.structs.replace(ACCURATE, reasons=reasons))


async def test_two_who_decide_at_once_decide_once(house: House) -> None:
    """The second one is told that it has moved on; there is one letter."""
    request = await deciding(house, await house.person(), "rectification")
    both = await asyncio.gather(
        refuse(house, request, ACCURATE), refuse(house, request, ACCURATE, OTHER), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in both) == ["NoneType", "NotPossible"]
    assert len(await letters_of(request)) == 1


@pytest.mark.parametrize("partly", [False, True])
async def test_blaming_the_request_is_not_decided_alone(house: House, *, partly: bool) -> None:
    """Neither wholly nor in part, not even by asking oneself; nothing is written."""
    request = await deciding(house, await house.person(), "access")
    with pytest.raises(four_eyes.NeedsSecond):
        if partly:
            await decisions.refuse_partly(
                request, EXCESSIVE, Parts(done=("A",), not_done=("B",)), policy=house.policy, settings=house.settings,
                at=house.clock(), actor=STAFF,
            )  # fmt: skip
        else:
            await refuse(house, request, EXCESSIVE)
    assert await letters_of(request) == []
    assert (await find_by_id(request.id)).is_open


async def test_a_partial_refusal_names_both_halves(house: House) -> None:
    """The mail and the letter say what was done and what was not."""
    ana = await house.person()
    request = await deciding(house, ana, "rectification")
    await decisions.refuse_partly(
        request, ACCURATE, Parts(done=("Your name",), not_done=("Your invoices",)),
        policy=house.policy, settings=house.settings, at=house.clock(), actor=STAFF,
    )  # fmt: skip
    letter = (await letters_of(request))[0]
    assert "Your name" in letter and "Your invoices" in letter
    assert (await find_by_id(request.id)).outcome == "partly"
    assert "partly" in await mails_to(ana.email)


async def test_a_question_is_answered_with_its_own_words(house: House) -> None:
    """The letter holds what was asked and what we say; the mail says that there is an answer."""
    ana = await house.person()
    request = await deciding(house, ana, "inquiry", "Where are your servers?")
    letter = await decisions.answer_letter(request, ["In Paris."], house.policy, at=house.clock())
    await decisions.answer_with(
        request, letter, "fulfilled", policy=house.policy, settings=house.settings, at=house.clock(), actor=STAFF
    )
    text = (await letters_of(request))[0]
    assert "Where are your servers?" in text and "In Paris." in text
    assert "answered" in await mails_to(ana.email)
    assert [entry.event for entry in await timeline_of(request.id)][-1] == "answered"


async def test_a_complaint_says_who_looked(house: House) -> None:
    """Whoever decided before must be named as such."""
    request = await deciding(house, await house.person(), "complaint")
    same = await decisions.answer_letter(
        request, ["You are right."], house.policy, findings=["We were wrong."], same_person=True, at=house.clock()
    )
    assert "The same person as before" in letters.render(same, words(house), house.policy).text


async def test_the_worker_does_what_it_can_once_it_is_decided(house: House) -> None:
    """One job, however often it is clicked; the task to decide is done."""
    request = await deciding(house, await house.person(), "access")
    await decisions.have_it_done(request, at=house.clock(), actor=STAFF)
    await decisions.have_it_done(request, at=house.clock(), actor=STAFF)
    rows = await engine().run_querystring(
        QueryString("SELECT count(*) AS n FROM pgqueuer WHERE entrypoint = 'rights.begin'")
    )
    assert rows[0]["n"] == 1
    assert [task.state for task in await tasks_of(request.id)] == ["done"]
    with pytest.raises(NotPossible):
        await decisions.have_it_done(
            await deciding(house, await house.person("ben@person.example"), "inquiry"), at=house.clock(), actor=STAFF
        )


async def test_nobody_is_unidentified_whose_identity_is_not_in_question(house: House) -> None:
    """Only a request that waits for proof can end so; nothing is written otherwise."""
    request = await deciding(house, await house.person(), "access")
    with pytest.raises(NotPossible):
        await unidentified.unable_to_identify(
            request, facts=["We asked."], would_help=["Sign in."], policy=house.policy, settings=house.settings,
            at=house.clock(), actor=STAFF,
        )  # fmt: skip
    assert await letters_of(request) == []


async def test_a_pause_asked_for_in_words_is_put_in_place_and_then_not_refused_plainly(house: House) -> None:
    """What is in place ends with its own notice; only before it is, a plain refusal is right."""
    ana = await house.person()
    request = await deciding(house, ana, "restriction")
    await on_behalf.pause(request, ["prompts"], "accuracy", policy=house.policy, at=house.clock(), actor=STAFF)
    assert [one.categories for one in await in_place(ana.subject_id)] == [["prompts"]]
    no = Grounds(reasons=("no-pause",), facts=("We looked.",), why=("It is right.",))
    with pytest.raises(OtherWay):
        await refuse(house, request, no)
    with pytest.raises(NotPossible):
        await on_behalf.pause(request, ["prompts"], "accuracy", policy=house.policy, at=house.clock(), actor=STAFF)


@pytest.mark.parametrize("categories", [[], ["no-such"]])
async def test_only_what_can_be_paused_is_paused(house: House, categories: Sequence[str]) -> None:
    """A form with nothing ticked, or with nonsense, is sent back."""
    request = await deciding(house, await house.person(), "restriction")
    with pytest.raises(Invalid):
        await on_behalf.pause(request, categories, "accuracy", policy=house.policy, at=house.clock(), actor=STAFF)


async def test_a_use_said_no_to_in_words_is_stopped(house: House) -> None:
    """Once; then it is weighed like any other."""
    request = await deciding(house, await house.person(), "objection")
    purpose = next(one.id for one in house.policy.purposes if one.basis == "legitimate-interest")
    await on_behalf.stop_use(request, purpose, policy=house.policy, at=house.clock(), actor=STAFF)
    with pytest.raises(NotPossible):
        await on_behalf.stop_use(request, purpose, policy=house.policy, at=house.clock(), actor=STAFF)
    assert "rights:use:stopped" in await events_of(request.reference)


async def test_what_was_corrected_by_hand_is_answered_field_by_field(house: House) -> None:
    """Before and after stand in the letter, and nowhere in the evidence."""
    ana = await house.person()
    request = await deciding(house, ana, "rectification")
    await on_behalf.corrected(
        request, [letters.Change(field="Name", before="Anna", after="Ana")],
        policy=house.policy, settings=house.settings, at=house.clock(), actor=STAFF,
    )  # fmt: skip
    assert "“Anna” is now “Ana”" in (await letters_of(request))[0]
    assert (await find_by_id(request.id)).outcome == "fulfilled"
    rows = await engine().run_querystring(QueryString("SELECT details::text AS d FROM evidence"))
    assert not any("Anna" in row["d"] for row in rows)


def words(house: House) -> Words:
    """English words."""
    return Words("en", house.policy.controller.zone)
