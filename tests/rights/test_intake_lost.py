"""A mailbox that is lost: staff find out who it is, the clock goes on, and the answer stays in the account's portal."""

from datetime import timedelta

import pytest

from portal.errors import Invalid
from portal.rights import intake_lost, messages
from portal.rights.intake_clock import tend
from portal.rights.lifecycle import NotPossible
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import RequestMessage, Task
from tests.rights.conftest import House
from tests.rights.intake_desk import ANA, BEN, Visitor, mails_to, rows, work, workshop

FORM = {"wish": "see", "email": BEN, "text": "Opened in May 2024; I paid 20 euro twice."}


async def lost(house: House) -> tuple[Visitor, RequestView]:
    """Somebody who wrote from another mailbox and confirmed it."""
    visitor = Visitor(house)
    assert (await visitor.send("/en/ask/lost", FORM)).headers["location"] == "/en/ask/sent"
    await visitor.confirm()
    return visitor, await find_by_id((await rows())[0]["id"])  # type: ignore[arg-type]


async def test_staff_get_a_task_and_nothing_is_known_yet(house: House) -> None:
    """It counts from the form; the reply mailbox owns nothing."""
    visitor, request = await lost(house)
    assert (request.state, request.subject, request.right) == ("verifying", None, "access")
    assert [row["kind"] for row in await Task.select()] == ["identify"]
    assert await mails_to(BEN) == ["mailbox", "received"]
    assert (await visitor.get(f"/en/requests/{request.reference}")).status_code == 404
    assert "finds out whether the account is yours" in (await visitor.get("/en/ask/mine")).text


async def test_the_answer_goes_to_the_account_and_not_to_the_form(house: House) -> None:
    """Identified as Ana, the copy is made for Ana's portal; the reply mailbox hears that there is news, no more."""
    source = house.sources[house.policy.sources[0].id]
    source.put(ANA, next(iter(source.categories)), [{"a": 1}])
    visitor, request = await lost(house)
    settled = await intake_lost.identified(
        request, "ANA@person.example", method="payment-details", policy=house.policy, settings=house.settings,
        at=house.clock(), actor="staff:1",
    )  # fmt: skip
    ana = await house.person("other@person.example")
    await work(house)
    assert "rights.export" in await work(house)
    assert settled.subject is not None
    assert settled.received_at == request.received_at
    assert (await visitor.get(f"/en/requests/{request.reference}")).status_code == 404
    assert (await ana.get(f"/en/requests/{request.reference}")).status_code == 404
    assert (await mails_to(BEN))[-1] == "message"
    assert (await mails_to(ANA))[-1] == "received"
    assert all(row["ended_at"] for row in await Task.select().where(Task.kind == "identify"))


async def test_what_is_written_after_the_account_was_found_stays_in_its_portal(house: House) -> None:
    """S-01: neither our letters nor the holder's own words reach the mailbox that a form named."""
    visitor, request = await lost(house)
    assert "I paid 20 euro twice." in (await visitor.get("/en/ask/mine")).text
    settled = await intake_lost.identified(
        request, ANA, method="payment-details", policy=house.policy, settings=house.settings, at=house.clock(),
        actor="staff:1",
    )  # fmt: skip
    for author in ("staff", "person"):
        await messages.write(
            settled, author=author, text=f"{author} writes of 248 prompts", policy=house.policy,  # type: ignore[arg-type]
            settings=house.settings, at=house.clock(), actor="staff:1",
        )  # fmt: skip
    page = (await visitor.get("/en/ask/mine")).text
    assert "We found the account. Our answer is in its own portal, not here." in page
    assert "248 prompts" not in page


async def test_a_question_is_read_on_the_page_and_the_clock_goes_on(house: House) -> None:
    """The mail holds no question; the due day stays; the answer ends the waiting."""
    visitor, request = await lost(house)
    await intake_lost.ask_more(
        request, "Which card did you use, its last four digits?", policy=house.policy, settings=house.settings,
        at=house.clock(), actor="staff:1",
    )  # fmt: skip
    asked = await find_by_id(request.id)
    assert (asked.waits, asked.due_day) == (True, request.due_day)
    assert "Which card did you use" in (await visitor.get("/en/ask/mine")).text
    answer = await visitor.send("/en/ask/mine", {"reference": request.reference, "text": "4242"})
    assert answer.status_code == 303
    assert not (await find_by_id(request.id)).waits
    assert "<p>4242</p>" in (await visitor.get("/en/ask/mine")).text
    await visitor.send("/en/ask/mine", {"reference": request.reference, "text": "4242"})
    kinds = [row["kind"] for row in await RequestMessage.select().order_by(RequestMessage.at)]
    assert kinds == ["message", "question", "answer"]
    for wrong in (" ", "x" * 5_001):
        answer = await visitor.send("/en/ask/mine", {"reference": request.reference, "text": wrong})
        assert (answer.status_code, wrong.strip() in answer.text) == (422, True)


async def test_nobody_answers_for_another(house: House) -> None:
    """A reference of somebody else's form is not found."""
    _, request = await lost(house)
    stranger = Visitor(house)
    await stranger.send("/en/ask/person", {"email": "s@person.example", "text": "Hello?"})
    await stranger.confirm()
    answer = await stranger.send("/en/ask/mine", {"reference": request.reference, "text": "4242"})
    assert answer.status_code == 404


async def test_unable_to_identify_says_why_and_what_would_help(house: House) -> None:
    """The letter is on the page of the confirmed mailbox; it cannot be said twice."""
    visitor, request = await lost(house)
    told = {
        "facts": "Nothing you told us fits one account alone.", "would_help": "The day you opened it.",
        "policy": house.policy, "settings": house.settings, "at": house.clock(), "actor": "staff:1",
    }  # fmt: skip
    await intake_lost.unable(request, **told)  # type: ignore[arg-type]
    assert (await rows())[0]["outcome"] == "unidentified"
    assert "The day you opened it." in (await visitor.get("/en/ask/mine")).text
    with pytest.raises(NotPossible):
        await intake_lost.unable(request, **told)  # type: ignore[arg-type]


async def test_no_answer_for_thirty_days_ends_it_honestly(house: House) -> None:
    """D13: it ends as unidentified when the engine says so, and not a day before."""
    _, request = await lost(house)
    await intake_lost.ask_more(
        request, "Which card?", policy=house.policy, settings=house.settings, at=house.clock(), actor="staff:1"
    )  # fmt: skip
    house.clock.advance(timedelta(days=20))
    await tend(workshop(house))
    assert (await rows())[0]["state"] == "verifying"
    house.clock.advance(timedelta(days=12))
    await tend(workshop(house))
    assert (await rows())[0]["outcome"] == "unidentified"
    assert (await mails_to(BEN))[-1] == "answered"


async def test_how_staff_know_must_be_said(house: House) -> None:
    """Without a method nothing changes."""
    _, request = await lost(house)
    with pytest.raises(Invalid):
        await intake_lost.identified(
            request, ANA, method="", policy=house.policy, settings=house.settings, at=house.clock(), actor="staff:1"
        )  # fmt: skip
    assert (await find_by_id(request.id)).state == "verifying"
