"""A child's account: anyone reports it, it is out of use first, its own mailbox or a person of ours decides."""

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest

from portal.errors import SourceUnavailable
from portal.rights import intake_child
from portal.rights.erasure import GRACE
from portal.rights.four_eyes import NeedsSecond, Verb
from portal.rights.out_of_use import in_place
from portal.rights.requests import find_by_id
from portal.rights.tables import Plan, Restriction, Task
from portal.rights.tables_intake import IntakeForm
from portal.sources.base import Identifiers
from tests.rights.conftest import House, MemorySource
from tests.rights.intake_desk import ANA, BEN, Visitor, last_code, last_link, last_mail, mails_to, rows, work, workshop
from tests.rights.two_people import agreed, asked

REPORT = {"about": ANA, "name": "parent", "under": "yes", "text": "She is my daughter."}


class Knowing(MemorySource):
    """A platform that has one account."""

    async def identify(self, known: Identifiers) -> Identifiers:
        """Know Ana."""
        self._answer()
        if ANA not in known.emails:
            return known
        return Identifiers(emails=known.emails, account_ids=frozenset({"acc-1"}), subject_id=known.subject_id)


@pytest.fixture
def known(house: House) -> House:
    """The platform knows Ana."""
    for source in house.sources.values():
        source.__class__ = Knowing
    return house


async def report(house: House, fields: Mapping[str, str] = REPORT) -> Visitor:
    """Report Ana's account, and let the worker look."""
    visitor = Visitor(house)
    answer = await visitor.send("/en/ask/child", fields)
    assert answer.headers["location"] == "/en/ask/reported"
    await work(house)
    return visitor


async def test_known_and_unknown_accounts_get_the_same_answer(known: House) -> None:
    """Status and both pages are the same to the byte, whatever happens behind them."""
    seen = []
    for account in (ANA, BEN, "A child called Zoe"):
        visitor = Visitor(known)
        answer = await visitor.send("/en/ask/child", {**REPORT, "about": account, "email": "r@reporter.example"})
        page = (await visitor.get(answer.headers["location"])).text
        seen.append((answer.status_code, answer.headers["location"], answer.content, page))
        await work(known)
    assert seen[0] == seen[1] == seen[2]
    noted = await mails_to("r@reporter.example")
    assert noted == ["child-reporter"] * 3
    assert len(await Task.select().where(Task.kind == "child")) == 3


async def test_the_account_is_out_of_use_before_anyone_decides(known: House) -> None:
    """Everything is out of use, its own mailbox is written to, and a person looks by the next working day."""
    await report(known)
    [request] = await rows()
    [out] = await in_place(request["subject"])  # type: ignore[arg-type]
    assert (out.reason, out.categories, request["state"]) == ("child", [], "verifying")
    assert await mails_to(ANA) == ["child-report"]
    assert (await Task.select())[0]["due_day"].isoformat() == "2026-10-15"
    await intake_child.freeze(workshop(known), {"request": str(request["id"])})
    assert len(await in_place(request["subject"])) == 1  # type: ignore[arg-type]


async def test_a_place_that_is_down_is_asked_again(known: House) -> None:
    """Nobody is taken for unknown because a place is silent."""
    visitor = Visitor(known)
    await visitor.send("/en/ask/child", REPORT)
    for source in known.sources.values():
        source.down = True
    with pytest.raises(SourceUnavailable):
        await work(known)
    for source in known.sources.values():
        source.down = False
    await work(known)
    assert await Restriction.count() == 1


@pytest.mark.parametrize(("under", "wait"), [("yes", timedelta()), ("no", GRACE)])
async def test_the_parent_confirms_and_everything_goes(known: House, under: str, wait: timedelta) -> None:
    """Under the age there are no three days; the plan holds everything, and the account stays out of use."""
    await report(known)
    parent, code, link = Visitor(known), await last_code(known, "child-report"), await last_link("child-report")
    assert (await parent.get(link)).status_code == 200
    assert (await IntakeForm.select())[0]["said"] == ""
    assert (await parent.send(link, {"said": "yes", "under": under, "code": code})).status_code == 200
    at = known.clock()
    await work(known)
    [plan] = await Plan.select().where(Plan.kind == "erase")
    assert plan["whole"]
    assert plan["runs_at"] - at == wait
    assert (await rows())[0]["state"] == "working"
    assert (await parent.get(link)).status_code == 410


async def holder_of(house: House) -> Visitor:
    """Whoever reads the mail of Ana's account, signed in as that mailbox."""
    holder = Visitor(house)
    await holder.send("/en/ask/mine", {"email": ANA})
    await holder.confirm()
    return holder


async def test_a_mailbox_that_did_not_report_ends_no_report(known: House) -> None:
    """Whoever gave somebody else's address: that one is taken out of it, and the report is looked at all the same."""
    await report(known, {**REPORT, "email": BEN})
    ben, reference = Visitor(known), str((await rows())[0]["reference"])
    await ben.send("/en/ask/mine", {"email": BEN})
    await ben.confirm()
    assert "We look at it either way." in (await ben.get("/en/ask/mine")).text
    await ben.send("/en/ask/mine", {"reference": reference, "not-mine": "1"})
    assert reference not in (await ben.get("/en/ask/mine")).text
    assert ((await rows())[0]["state"], (await IntakeForm.select())[0]["email"]) == ("verifying", "")


async def test_the_holder_cannot_withdraw_what_somebody_else_reported(known: House) -> None:
    """No button and no other way: it would end the report and leave the account out of use for ever."""
    await report(known)
    holder = await holder_of(known)
    place = f"/en/requests/{(await rows())[0]['reference']}"
    page = (await holder.get(place)).text
    assert "Withdraw this request" not in page and "You asked on" not in page and "We decide by" in page
    assert (await holder.send(place, {}, to=f"{place}/withdraw")).headers["location"] == place
    assert (await rows())[0]["state"] == "verifying"


async def test_the_three_days_can_be_used_once_and_a_person_looks_again(known: House) -> None:
    """The mail and the page offer it; the account stays paused; what two people decide after that stands."""
    await report(known)
    code, link = await last_code(known, "child-report"), await last_link("child-report")
    answer = await Visitor(known).send(link, {"said": "yes", "under": "no", "code": code})
    assert "is erased in three days" in answer.text
    await work(known)
    assert "This page has a button to stop it" in await last_mail("child-erasure")
    holder, place = await holder_of(known), await last_link("child-erasure")
    assert "Stop the erasure" in (await holder.get(place)).text
    for _ in range(2):
        assert (await holder.send(place, {}, to=f"{place}/keep")).status_code == 303
    assert [plan["state"] for plan in await Plan.select().where(Plan.kind == "erase")] == ["cancelled"]
    assert (await rows())[0]["state"] == "verifying" and await Restriction.count(Restriction.lifted_at) == 0
    assert [row["about"] for row in await Task.select() if row["ended_at"] is None] == ["report", "disputed"]
    request = await find_by_id((await rows())[0]["id"])  # type: ignore[arg-type]
    consent = await agreed(known, await asked(known, Verb.CHILD_ERASE, request, {"under": ["no"]}))
    await intake_child.confirm(request, under=False, consent=consent, at=known.clock(), actor="staff:2")
    await work(known)
    assert "button to stop it" not in await last_mail("child-erasure")
    assert "Stop the erasure" not in (await holder.get(place)).text
    await holder.send(place, {}, to=f"{place}/keep")
    assert (await rows())[0]["state"] == "working"


async def test_a_wrong_code_does_not_change_the_age_that_was_chosen(known: House) -> None:
    """The reporter said under the age, the parent not: a slip must not turn three days into none."""
    await report(known)
    code, link = await last_code(known, "child-report"), await last_link("child-report")
    answer = await Visitor(known).send(link, {"said": "yes", "under": "no", "code": f"{(int(code) + 1) % 10**6:06d}"})
    assert re.search(r'id="under-no" value="no" checked', answer.text)


async def test_a_scanner_that_presses_buttons_decides_nothing(known: House) -> None:
    """Without the code from the mail no answer counts, and after five wrong ones none does."""
    await report(known)
    code, link = await last_code(known, "child-report"), await last_link("child-report")
    scanner = Visitor(known)
    assert (await scanner.send(link, {"said": "yes"})).status_code == 422
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        assert (await scanner.send(link, {"said": "yes", "code": wrong})).status_code == 422
    assert (await scanner.send(link, {"said": "yes", "code": code}, to=link)).status_code == 422
    assert (await IntakeForm.select())[0]["said"] == ""
    known.clock.advance(timedelta(hours=2))
    assert (await scanner.send(link, {"again": "1"})).status_code == 200
    link, code = await last_link("child-report"), await last_code(known, "child-report")
    assert (await scanner.send(link, {"said": "yes", "under": "no", "code": code})).status_code == 200


async def test_a_holder_who_says_no_is_looked_at_by_a_person(known: House) -> None:
    """The account stays paused until staff decide; then both are told before it works again."""
    await report(known, {**REPORT, "email": BEN})
    holder, code, link = Visitor(known), await last_code(known, "child-report"), await last_link("child-report")
    await holder.send(link, {"said": "no", "code": code})
    assert {row["about"] for row in await Task.select()} == {"report", "disputed"}
    request = await find_by_id((await rows())[0]["id"])  # type: ignore[arg-type]
    await intake_child.not_a_child(
        request, policy=known.policy, settings=known.settings, at=known.clock(), actor="staff:1",
        reason="We found that the account is not a child’s.",
    )  # fmt: skip
    [out] = await Restriction.select()
    assert out["lifted_at"] is None
    assert out["lifts_at"] > known.clock() + timedelta(days=2)
    assert (await mails_to(ANA))[-1] == "pause-ending"
    assert (await mails_to(BEN))[-1] == "answered"
    assert all(row["ended_at"] for row in await Task.select())


async def test_staff_confirm_with_two_people_and_without_keeping_any_proof(known: House) -> None:
    """One alone cannot; the word of two is evidence, and the erasure follows."""
    await report(known, {**REPORT, "under": "unsure"})
    request = await find_by_id((await rows())[0]["id"])  # type: ignore[arg-type]
    with pytest.raises(NeedsSecond):
        await intake_child.confirm(request, under=True, consent=None, at=known.clock(), actor="staff:1")
    consent = await agreed(known, await asked(known, Verb.CHILD_ERASE, request, {"under": ["yes"]}))
    await intake_child.confirm(request, under=True, consent=consent, at=known.clock(), actor="staff:2")
    await work(known)
    assert (await Plan.select().where(Plan.kind == "erase"))[0]["whole"]


async def test_the_reporter_follows_and_learns_nothing(known: House) -> None:
    """Their page says how far it is and the same for every account; the account's requests stay closed to them."""
    await report(known, {**REPORT, "email": BEN})
    reporter = Visitor(known)
    await reporter.send("/en/ask/mine", {"email": BEN})
    assert (await reporter.confirm()).status_code == 303
    page = (await reporter.get("/en/ask/mine")).text
    reference = str((await rows())[0]["reference"])
    assert reference in page
    assert ANA not in page
    assert (await reporter.get(f"/en/requests/{reference}")).status_code == 404
    assert not re.search("daughter", await last_mail("child-report"))


async def test_the_holder_does_not_read_who_reported_or_why(known: House) -> None:
    """Their request page tells of the report and the pause; the reporter's words are the reporter's."""
    await report(known, {**REPORT, "email": BEN})
    holder = await holder_of(known)
    page = await holder.get(f"/en/requests/{(await rows())[0]['reference']}")
    assert page.status_code == 200
    assert "The account was put out of use" in page.text
    assert "She is my daughter." not in page.text
    assert BEN not in page.text


async def test_many_reports_do_not_fill_the_mailbox(known: House) -> None:
    """The fourth mail of a day waits; each report counts and each keeps the account out of use."""
    for _ in range(5):
        await report(known)
    assert await mails_to(ANA) == ["child-report"] * 3
    assert await Restriction.count() == 5


async def test_what_is_missing_is_named(house: House) -> None:
    """Account, who you are, age and reason; an address only if it is given."""
    answer = await Visitor(house).send("/en/ask/child", {"text": "", "email": "nobody"})
    assert answer.status_code == 422
    for field in ("about", "name-parent", "under-yes", "text", "email"):
        assert f'href="#{field}"' in answer.text
    assert await rows() == []
