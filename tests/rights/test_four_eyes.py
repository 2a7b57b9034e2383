"""What takes two people happens with two, once, exactly as it was asked for, or not at all."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import Invalid
from portal.evidence import seal as seals
from portal.rights import approvals, decisions, four_eyes, intake
from portal.rights.approvals_rows import find, of_request
from portal.rights.four_eyes import (
    ABOUT_NO_REQUEST,
    AlreadyAsked,
    Consent,
    NeedsSecond,
    NeedsTime,
    Overtaken,
    SamePerson,
    Verb,
)
from portal.rights.intake_staff import Entered, enter
from portal.rights.lifecycle import NotPossible, move
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables_desk import Approval
from tests.rights.conftest import House
from tests.rights.shop import events_of
from tests.rights.test_decisions import EXCESSIVE, deciding
from tests.rights.two_people import FIRST, SECOND, agreed, asked

FIELDS: Mapping[str, Sequence[str]] = {
    "reasons": ["excessive"], "facts": ["Forty requests in a week."], "why": ["All ask for the same."],
}  # fmt: skip
DAY = timedelta(hours=24)


async def refuse(house: House, request: RequestView, consent: Consent | None, actor: str = SECOND) -> None:
    """Carry out a refusal that two people agreed on."""
    await decisions.refuse(
        request, EXCESSIVE, consent=consent, policy=house.policy, settings=house.settings, at=house.clock(),
        actor=actor,
    )  # fmt: skip


async def evidence_of(event: str) -> list[dict[str, object]]:
    """Return the details of an event."""
    rows = await engine().run_querystring(
        QueryString("SELECT details FROM evidence WHERE event = {} ORDER BY seq", event)
    )
    return [msgspec.json.decode(row["details"]) for row in rows]


async def excessive(house: House) -> RequestView:
    """Open a request that somebody wants to refuse as excessive."""
    return await deciding(house, await house.person(), "access")


async def test_another_person_agrees_and_it_is_done(house: House) -> None:
    """The evidence names both, and says that they were two."""
    request = await excessive(house)
    id = await asked(house, Verb.REFUSE, request, FIELDS)
    await refuse(house, request, await agreed(house, id))
    assert (await find_by_id(request.id)).outcome == "refused"
    [said] = await evidence_of("rights:approval:approved")
    assert (said["asked_by"], said["one_person"]) == (FIRST, False)
    assert (await find(id)).decided_by == SECOND


async def test_nobody_agrees_with_themself(house: House) -> None:
    """However long they wait, where somebody else could be asked."""
    request = await excessive(house)
    id = await asked(house, Verb.REFUSE, request, FIELDS)
    house.clock.advance(DAY * 2)
    with pytest.raises(SamePerson):
        await agreed(house, id, FIRST)
    forged = Consent(approval=id, digest=(await find(id)).digest, alone=False, answer=None)
    with pytest.raises(SamePerson):
        await refuse(house, request, forged, FIRST)
    assert (await find_by_id(request.id)).is_open


async def test_one_person_alone_sleeps_on_it(house: House) -> None:
    """After 24 hours, not a microsecond earlier, and the evidence says for good that it was one person."""
    request = await excessive(house)
    id = await asked(house, Verb.REFUSE, request, FIELDS)
    house.clock.advance(DAY - timedelta(microseconds=1))
    with pytest.raises(NeedsTime):
        await agreed(house, id, FIRST, alone=True)
    house.clock.advance(timedelta(microseconds=1))
    await refuse(house, request, await agreed(house, id, FIRST, alone=True), FIRST)
    assert (await evidence_of("rights:approval:approved"))[0]["one_person"] is True


async def test_a_yes_is_used_once_and_for_its_verb_alone(house: House) -> None:
    """Not for another request, not for another verb, not twice, not with another digest."""
    request, other = await excessive(house), await deciding(house, await house.person("b@person.example"), "access")
    consent = await agreed(house, await asked(house, Verb.REFUSE, request, FIELDS))
    with pytest.raises(Overtaken):
        await refuse(house, other, consent)
    async with engine().transaction():
        with pytest.raises(Overtaken):
            await approvals.use(consent, Verb.BEGIN, request, at=house.clock(), actor=SECOND)
    with pytest.raises(Overtaken):
        await refuse(house, request, msgspec.structs.replace(consent, digest="0" * 64))
    await refuse(house, request, consent)
    async with engine().transaction():
        with pytest.raises(Overtaken):
            await approvals.use(consent, Verb.REFUSE, request, at=house.clock(), actor=SECOND)


async def test_what_was_not_on_the_page_is_not_agreed_to(house: House) -> None:
    """The digest of what they saw must be that of what was asked for."""
    id = await asked(house, Verb.REFUSE, await excessive(house), FIELDS)
    with pytest.raises(Overtaken):
        await agreed(house, id, seen="0" * 64)


async def test_of_two_who_agree_at_once_one_wins(house: House) -> None:
    """The other one is told; there is one letter and one entry."""
    request = await excessive(house)
    id = await asked(house, Verb.REFUSE, request, FIELDS)
    both = [await agreed(house, id, who) for who in (SECOND, "staff:3")]
    done = await asyncio.gather(
        refuse(house, request, both[0]), refuse(house, request, both[1], "staff:3"), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in done) in (["NoneType", "NotPossible"], ["NoneType", "Overtaken"])
    assert len(await evidence_of("rights:approval:approved")) == 1


@pytest.mark.parametrize("how", ["moved", "withdrawn"])
async def test_a_request_that_moved_on_takes_its_approval_with_it(house: House, how: str) -> None:
    """Nothing happens, also when it moved back to where it was; what was sealed is gone."""
    ana = await house.person()
    request = await deciding(house, ana, "access")
    id = await asked(house, Verb.REFUSE, request, FIELDS)
    consent = await agreed(house, id)
    if how == "withdrawn":
        await intake.withdraw(
            request.reference, ana.subject_id, policy=house.policy, settings=house.settings, at=house.clock()
        )
    else:
        async with engine().transaction():
            for to in ("verifying", "deciding"):
                await move(request.id, request.reference, to, event="passed-on", at=house.clock(), actor="worker")  # type: ignore[arg-type]
    with pytest.raises((Overtaken, NotPossible)):
        await refuse(house, request, consent)
    with pytest.raises(Overtaken):
        await agreed(house, id)
    assert ((await find(id)).state, (await find(id)).sealed) == ("overtaken", None)
    assert "rights:approval:overtaken" in await events_of(request.reference)
    assert await approvals.waiting() == []


async def test_a_no_keeps_both_reasons_and_nothing_else(house: House) -> None:
    """What was to be done is gone; another one can be asked for afterwards."""
    request = await excessive(house)
    id = await asked(house, Verb.REFUSE, request, FIELDS)
    with pytest.raises(AlreadyAsked):
        await asked(house, Verb.REFUSE, request, FIELDS)
    with pytest.raises(SamePerson):
        await approvals.decline(await find(id), "No.", settings=house.settings, at=house.clock(), actor=FIRST)
    await approvals.decline(await find(id), "No.", settings=house.settings, at=house.clock(), actor=SECOND)
    left = await approvals.read(await find(id), house.settings)
    assert left == approvals.What(values={}, reason="It is right.", answer="No.")
    with pytest.raises(Overtaken):
        await agreed(house, id, "staff:3")
    await asked(house, Verb.REFUSE, request, FIELDS)
    assert [one.state for one in await of_request(request.id)] == ["refused", "waiting"]


async def test_who_asked_takes_it_back_and_nobody_else(house: House) -> None:
    """It can be asked for again; nothing of it is left to read."""
    id = await asked(house, Verb.REFUSE, await excessive(house), FIELDS)
    with pytest.raises(NeedsSecond):
        await approvals.withdraw(await find(id), at=house.clock(), actor=SECOND)
    await approvals.withdraw(await find(id), at=house.clock(), actor=FIRST)
    assert await approvals.read(await find(id), house.settings) is None
    with pytest.raises(Overtaken):
        await approvals.withdraw(await find(id), at=house.clock(), actor=FIRST)


@pytest.mark.parametrize("reason", ["", " \r\n ", "x" * 1001])
async def test_a_reason_is_needed_to_ask_and_to_decide(house: House, reason: str) -> None:
    """And a short one."""
    request = await excessive(house)
    with pytest.raises(Invalid):
        await approvals.ask(
            Verb.REFUSE, request, FIELDS, reason, settings=house.settings, at=house.clock(), actor=FIRST
        )
    approval = await find(await asked(house, Verb.REFUSE, request, FIELDS))
    with pytest.raises(Invalid):
        await approvals.decline(approval, reason, settings=house.settings, at=house.clock(), actor=SECOND)
    with pytest.raises(Invalid):
        await approvals.agree(
            approval, approval.digest, reason, alone=False, settings=house.settings, at=house.clock(), actor=SECOND
        )


async def test_nothing_of_what_was_asked_stands_in_clear(house: House) -> None:
    """Neither in the table nor in the evidence; without the person's key nobody can agree any more."""
    request = await excessive(house)
    id = await asked(house, Verb.REFUSE, request, FIELDS)
    rows = await engine().run_querystring(QueryString("SELECT a::text AS all FROM approval a"))
    logged = await engine().run_querystring(QueryString("SELECT string_agg(e::text, '') AS all FROM evidence e"))
    for text in ("Forty", "It is right.", "excessive"):
        assert text not in rows[0]["all"] and text not in logged[0]["all"]
    async with engine().transaction():
        await seals.destroy_key(request.owner)
    with pytest.raises(Overtaken):
        await agreed(house, id)


async def test_the_list_is_ordered_by_the_day_of_the_request(house: House) -> None:
    """What would be late first comes first, and one person alone sees from when they can decide."""
    late = await excessive(house)
    house.clock.advance(timedelta(days=3))
    soon = await deciding(house, await house.person("b@person.example"), "access")
    await asked(house, Verb.REFUSE, soon, FIELDS)
    house.clock.advance(timedelta(hours=1))
    await asked(house, Verb.REFUSE, late, FIELDS)
    found = await approvals.waiting(alone=True)
    assert [one.reference for one in found] == [late.reference, soon.reference]
    assert found[0].act_by_day == late.act_by_day
    assert found[0].can_decide_from == house.clock() + DAY
    assert (await approvals.waiting())[0].can_decide_from == house.clock()


@pytest.mark.parametrize("verb", sorted(ABOUT_NO_REQUEST))
async def test_what_is_about_no_request_works_the_same(house: House, verb: Verb) -> None:
    """Later rooms ask for a change of their own, and use the yes up in their own transaction."""
    id = await asked(house, verb, None, {"period": ["90"]})
    approval = await find(id)
    what, consent = await approvals.agree(
        approval, approval.digest, "Yes.", alone=False, settings=house.settings, at=house.clock(), actor=SECOND
    )
    assert what.values == {"period": ["90"]}
    async with engine().transaction():
        await approvals.use(consent, verb, None, at=house.clock(), actor=SECOND)
    assert [row["state"] for row in await Approval.select()] == ["approved"]
    assert await approvals.waiting() == []


async def letter(house: House, right: str = "erasure", *, method: str = "in-person") -> RequestView:
    """Write a letter down that asks for everything to be erased."""
    entered = Entered(
        rights=(right,), channel="letter", received_at=house.clock(), text="Erase me.", method=method,  # type: ignore[arg-type]
        email=f"{uuid4().hex}@person.example", language="en", everything=True,
    )  # fmt: skip
    [request] = await enter(entered, policy=house.policy, settings=house.settings, at=house.clock(), actor=FIRST)
    return request


async def test_an_erasure_by_letter_waits_for_two_people(house: House) -> None:
    """It does not begin by itself, nor by one; with two the worker is asked, once."""
    request = await letter(house)
    assert request.state == "deciding"
    jobs = QueryString("SELECT count(*) AS n FROM pgqueuer WHERE entrypoint = 'rights.begin'")
    with pytest.raises(NeedsSecond):
        await decisions.have_it_done(request, at=house.clock(), actor=FIRST)
    assert (await engine().run_querystring(jobs))[0]["n"] == 0
    consent = await agreed(house, await asked(house, Verb.BEGIN, request))
    await decisions.have_it_done(request, consent=consent, at=house.clock(), actor=SECOND)
    assert (await engine().run_querystring(jobs))[0]["n"] == 1


async def test_what_a_person_asked_for_themself_needs_nobody(house: House) -> None:
    """Signed in, in their own words; and a copy by letter is no erasure."""
    own = await deciding(house, await house.person(), "erasure")
    assert not await four_eyes.erasure_takes_two(own)
    await decisions.have_it_done(own, categories=["prompts"], at=house.clock(), actor=FIRST)
    assert (await find_by_id(own.id)).categories == ["prompts"]
    assert not await four_eyes.erasure_takes_two(await letter(house, "access"))


async def test_an_erasure_of_nothing_is_not_begun(house: House) -> None:
    """Somebody has to say what goes."""
    own = await deciding(house, await house.person(), "erasure")
    with pytest.raises(Invalid):
        await decisions.have_it_done(own, at=house.clock(), actor=FIRST)


def test_only_grounds_that_blame_the_request_take_two() -> None:
    """Unfounded and excessive. Source: GDPR Art. 12(5)."""
    assert four_eyes.takes_two(["accurate", "excessive"]) and four_eyes.takes_two(["unfounded"])
    assert not four_eyes.takes_two(["accurate"])
