"""A request's page for staff: masked until there is a reason, one timeline, and whoever is second is told it."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
from piccolo.querystring import QueryString

from admin.desk_request_events import event_in_words
from admin.desk_request_who import mask
from admin.desk_verbs import VERBS
from admin.roles import Role
from admin.tables import StaffUser
from portal.app import create_app
from portal.clock import SetClock, system_clock
from portal.database import engine
from portal.identity.tables import KnownIdentifier, Subject
from portal.policy.model import Basis
from portal.rights import approvals
from portal.rights.approvals_rows import find
from portal.rights.corrections import Values, make
from portal.rights.events import events_in_words
from portal.rights.four_eyes import Verb
from portal.rights.looks import OPEN_FOR
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables_desk import RequestNote
from portal.rights.tables_looks import RequestLook
from portal.rights.tasks import open_task
from portal.sources.registry import Sources
from portal.words import Words
from tests.admin.test_desk import TOKEN, Desk, events
from tests.rights.conftest import MemorySource
from tests.rights.test_pages_cost import counted
from tests.web_app import browsing, organisation, settings

ADDRESS, NAME, NUMBER = "margot@person.example", "Margot Lemaire", "cus_42margot"
QUERIES, MOST_QUERIES = 5, 8
"""The session, the request, what belongs to it, what waits for two, what we know beside it; at most three for what is
sealed: the correction, its values, the reasons of two people."""
REFUSAL: Mapping[str, str | list[str]] = {"facts": "We looked.", "why": "It is right.", "reasons": ["accurate"]}


class Room(Desk):
    """A desk whose sources can be broken, and whose clock can be set."""

    sources: dict[str, MemorySource]
    clock: SetClock
    token = ""

    async def become(self, name: str, role: Role) -> None:
        """Sign in as somebody with this role."""
        await self.sign_in(name)
        await StaffUser.update({StaffUser.roles: [role.value]}).where(StaffUser.email == f"{name}@casagbic.example")

    async def margot(self, request: RequestView) -> RequestView:
        """Give the person of a request a name, an address and a number."""
        about = Subject.id == request.owner
        await Subject.update({Subject.email: ADDRESS, Subject.display_name: NAME}).where(about)
        await KnownIdentifier(subject=request.owner, kind="stripe_customer", value=NUMBER).save()
        return request

    async def send(self, path: str, fields: Mapping[str, str]) -> httpx.Response:
        """Send a form to a page of the desk."""
        return await self.client.post(f"/en/staff/desk/{path}", data={"csrf": self.token, **fields})


@pytest.fixture
async def room(database: str) -> AsyncIterator[Room]:
    """The whole application with sources in memory, and a data protection officer before it."""
    policy, clock = organisation(), SetClock(system_clock())
    sources = {spec.id: MemorySource(spec) for spec in policy.sources}
    app = create_app(
        policy, settings(), clock, sources=Sources(list(sources.values())), storage=cast(Any, None)
    )  # fmt: skip
    async with browsing(app) as client:
        room = Room(client, policy, settings())
        room.sources, room.clock = sources, clock
        await room.become("nadia", Role.DPO)
        room.token = TOKEN.findall((await client.get("/en/staff/requests/new")).text)[0]
        yield room


async def opened(room: Room, request: RequestView, reason: str = "decide", why: str = "") -> httpx.Response:
    """Give a reason for a look."""
    return await room.send(f"{request.reference}/data", {"reason": reason, "why": why})


def test_a_mask_leaves_the_first_letter_and_the_place() -> None:
    """Whatever is masked, no more than that is left."""
    assert [mask(text) for text in (ADDRESS, NAME, NUMBER, "", "x")] == [
        "m•••@person.example",
        "M•••",
        "c•••",
        "",
        "x•••",
    ]
    assert mask("@") == "@•••" and mask("a@b") == "a•••"


async def test_nobody_sees_who_it_is_without_a_reason(room: Room) -> None:
    """Neither page shows a name, an address or a number; a look without a reason shows and notes nothing."""
    request = await room.margot(await room.asked("inquiry"))
    for page in (await room.open(request), (await room.client.get(f"/en/staff/desk/{request.reference}/data")).text):
        assert "m•••@person.example" in page and "M•••" in page
        assert not [secret for secret in (ADDRESS, NAME, NUMBER) if secret in page]
    refused = await opened(room, request, reason="")
    assert refused.status_code == 422 and 'href="#see-reason"' in refused.text and ADDRESS not in refused.text
    kept = await opened(room, request, reason="other", why="")
    assert kept.status_code == 422 and 'value="other" checked' in kept.text
    assert await RequestLook.count() == 0


async def test_a_reason_opens_it_for_a_quarter_of_an_hour(room: Room) -> None:
    """To whoever gave it, for this request; rows, counts and both dates; then it is shut again."""
    request, other = await room.margot(await room.asked("inquiry")), await room.asked("access")
    field = next(one.id for one in room.policy.category("prompts").fields if one.main and one.kind != "moment")
    source = room.sources[room.policy.sources_of("prompts")[0].id]
    source.put(ADDRESS, "prompts", [{field: f"<i>wish {number}</i>"} for number in range(7)])
    assert (await opened(room, request)).headers["location"] == f"/en/staff/desk/{request.reference}/data"
    page = (await room.client.get(f"/en/staff/desk/{request.reference}/data")).text
    assert ADDRESS in page and NAME in page and NUMBER in page
    assert "7 records" in page and "&lt;i&gt;wish 4&lt;/i&gt;" in page and "wish 5" not in page
    assert ADDRESS in await room.open(request) and ADDRESS not in await room.open(other)
    await room.become("tom", Role.HANDLER)
    assert ADDRESS not in await room.open(request)
    await room.become("nadia", Role.DPO)
    room.clock.advance(OPEN_FOR)
    assert ADDRESS not in await room.open(request)
    assert "wish" not in (await room.client.get(f"/en/staff/desk/{request.reference}/data")).text
    said = [event for event, _ in await events(request.reference)]
    assert [said.count(f"staff:{what}") for what in ("person:looked", "data:read", "data:counted")] == [1, 1, 1]


async def test_a_silent_place_is_named_and_the_others_are_shown(room: Room) -> None:
    """With a look and without."""
    request = await room.margot(await room.asked("inquiry"))
    room.sources[room.policy.sources_of("prompts")[0].id].down = True
    for _ in range(2):
        page = await room.client.get(f"/en/staff/desk/{request.reference}/data")
        assert page.status_code == 200 and "It does not answer just now." in page.text
        await opened(room, request)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.INTAKE])
async def test_who_may_open_the_case_may_not_open_the_data(room: Room, role: Role) -> None:
    """They see how much there is; asking for more is refused and noted."""
    request = await room.margot(await room.asked("inquiry"))
    await room.become("ada", role)
    assert "see-form" not in await room.open(request)
    assert "Your role sees how much is held" in (await room.client.get(f"/en/staff/desk/{request.reference}/data")).text
    assert (await opened(room, request)).status_code == 403
    assert await RequestLook.count() == 0 and "staff:refused" in [event for event, _ in await events(request.reference)]


async def test_nobody_is_shown_a_button_that_is_shut_to_them(room: Room) -> None:
    """Who may not do tasks reads what they are; who may is led to what failed, too."""
    request = await room.asked("inquiry")
    async with engine().transaction():
        await open_task(request.id, request.reference, "tell", "stripe", due=request.due_day, at=room.clock())
    failed = f"/en/staff/failures/{request.reference}"
    page = await room.open(request)
    assert "/en/staff/tasks/" in page and failed in page
    assert (await room.client.get(failed)).status_code == 200
    for role in (Role.INTAKE, Role.APPROVER, Role.AUDITOR):
        await room.become(f"some-{role}", role)
        for text in (await room.open(request), (await room.client.get("/en/staff/desk")).text):
            assert "Tell Stripe" in text and "/en/staff/tasks/" not in text and failed not in text


async def test_an_address_that_two_people_decide_on_is_for_those_two(room: Room) -> None:
    """Whoever may only read sees that there is one: it is the person's, and nobody looked for a reason."""
    request = await room.asked("inquiry")
    asked = await approvals.ask(
        Verb.NEW_ADDRESS, request, {"email": ["new@person.example"]}, "Lost.", settings=room.settings, at=room.clock(),
        actor="staff:99",
    )  # fmt: skip
    path = f"/en/staff/approvals/{asked}"
    assert "new@person.example" in (await room.client.get(path)).text
    for role in (Role.AUDITOR, Role.INTAKE):
        await room.become(f"some-{role}", role)
        page = (await room.client.get(path)).text
        assert "new@" not in page and "n•••@person.example" in page


async def test_what_can_only_be_refused_is_said_to_be(room: Room) -> None:
    """Nothing rests on consent here: no worker ends it, so the page does not say that one does."""
    assert not any(one.basis is Basis.CONSENT for one in room.policy.purposes)
    page = await room.open(await room.asked("consent"))
    assert "Refuse it, with the reason why it cannot be done." in page and 'href="#refuse-form"' in page


async def test_a_correction_shows_its_values_to_whoever_looked(room: Room) -> None:
    """Before, the page says that they are there."""
    request = await room.margot(await room.asked("rectification"))
    page = await room.open(request)
    assert "Waits for a decision" in page and "Correct it by hand and say so, or refuse it." in page


async def test_a_note_stands_in_the_timeline_and_an_empty_one_comes_back(room: Room) -> None:
    """By name, for staff; whoever may not write has no form for it."""
    request = await room.asked("inquiry")
    assert (await room.send(f"{request.reference}/notes", {"text": "She <b>rang</b>."})).status_code == 303
    page = await room.open(request)
    assert "She &lt;b&gt;rang&lt;/b&gt;." in page and "nadia" in page
    endless = await room.send(f"{request.reference}/notes", {"text": "x" * 2001})
    assert endless.status_code == 422 and "x" * 2001 in endless.text and 'href="#note-text"' in endless.text
    assert await RequestNote.count() == 1
    await room.become("ada", Role.AUDITOR)
    assert "note-form" not in await room.open(request)
    assert (await room.send(f"{request.reference}/notes", {"text": "Hm."})).status_code == 403


async def test_a_request_is_given_and_who_takes_it_second_is_told(room: Room) -> None:
    """To oneself, to a colleague who works on requests, to nobody."""
    request, path = await room.asked("inquiry"), ""
    path = f"{request.reference}/owner"
    await room.become("ada", Role.AUDITOR)
    await room.become("tom", Role.HANDLER)
    ids = {row["email"][:3]: row["id"] for row in await StaffUser.select(StaffUser.id, StaffUser.email)}
    assert (await room.send(path, {"to": "me", "before": ""})).status_code == 303
    await room.become("nadia", Role.DPO)
    late = await room.send(path, {"to": "me", "before": ""})
    assert late.status_code == 409 and "Somebody gave this request" in late.text
    for to in ("99", str(ids["ada"]), "", "x"):
        assert (await room.send(path, {"to": to, "before": str(ids["tom"])})).status_code == 422, to
    assert (await room.send(path, {"to": "nobody", "before": str(ids["tom"])})).status_code == 303
    assert (await find_by_id(request.id)).assignee is None
    assert "Given to nobody" in await room.open(request) and "Given to tom" in await room.open(request)


def seen_on(page: str) -> str:
    """The version that a page was made at."""
    return str(re.findall(r'name="seen" value="(\d+)"', page)[0])


async def test_who_decides_second_is_told_who_was_first_and_keeps_the_words(room: Room) -> None:
    """Two saw the same page; the second gets the name, the time and what they typed, and nothing is done twice."""
    request = await room.asked("rectification")
    seen = seen_on(await room.open(request))
    first = {"do": "refuse", "seen": seen, **REFUSAL}
    assert (await room.send(request.reference, cast(Any, first))).status_code == 303
    await room.become("tom", Role.HANDLER)
    second = {"do": "corrected", "seen": seen, "field": "Name", "before": "Anna", "after": "My careful words"}
    told = await room.send(request.reference, second)
    assert told.status_code == 409
    assert re.search(r"nadia decided this: \d\d:\d\d\.", told.text) and "My careful words" in told.text
    assert (await find_by_id(request.id)).outcome == "refused"
    assert (await room.send(request.reference, {**second, "seen": seen_on_closed(told.text)})).status_code == 409


def seen_on_closed(page: str) -> str:
    """A page without forms carries no version: whoever sends one all the same has seen everything."""
    return str((re.findall(r'name="seen" value="(\d+)"', page) or ["999999"])[0])


async def test_what_happened_meanwhile_is_said_before_anything_is_sent(room: Room) -> None:
    """A message of a colleague in between: the form comes back filled in, with the newer version in it."""
    request = await room.asked("inquiry")
    seen = seen_on(await room.open(request))
    await room.become("tom", Role.HANDLER)
    assert (await room.send(request.reference, {"do": "write", "seen": seen, "text": "Soon."})).status_code == 303
    await room.become("nadia", Role.DPO)
    stale = await room.send(request.reference, {"do": "answer", "seen": seen, "text": "In Paris."})
    assert stale.status_code == 409 and "In Paris." in stale.text
    assert re.search(r"Message to the person: tom, \d\d:\d\d\.", stale.text)
    again = await room.send(request.reference, {"do": "answer", "seen": seen_on(stale.text), "text": "In Paris."})
    assert again.status_code == 303 and (await find_by_id(request.id)).outcome == "fulfilled"


async def test_a_part_is_refused_with_what_was_done(room: Room) -> None:
    """Art. 15(4) never refuses all of a copy; in part it does, and the outcome is `partly`."""
    request = await room.asked("access")
    whole = await room.send(request.reference, cast(Any, {"do": "refuse", **REFUSAL, "reasons": ["others-copy"]}))
    assert whole.status_code == 422 and "never refuses all of it" in whole.text and "Art. 12(4)" in whole.text
    part = {"do": "partly", **REFUSAL, "reasons": ["others-copy"], "done": "The account.", "not_done": "Two messages."}
    empty = await room.send(request.reference, cast(Any, {**part, "not_done": ""}))
    assert empty.status_code == 422 and 'href="#partly-not_done"' in empty.text
    shown = await room.send(request.reference, cast(Any, {**part, "preview": "1"}))
    assert "Two messages." in shown.text and (await find_by_id(request.id)).is_open
    assert (await room.send(request.reference, cast(Any, part))).status_code == 303
    assert (await find_by_id(request.id)).outcome == "partly"


async def test_the_letter_is_in_the_language_of_the_person(room: Room) -> None:
    """Staff who read English are told that it is French, and see it as it is sent."""
    request = await room.asked("inquiry")
    await engine().run_querystring(QueryString("UPDATE subject_request SET language = 'fr'"))
    assert "The person reads French: write to them in French." in await room.open(request)
    shown = await room.send(request.reference, {"do": "answer", "text": "À Paris.", "preview": "1"})
    assert "It is in French, because the person reads it so." in shown.text
    assert 'lang="fr"' in shown.text and "Vous" in shown.text


async def test_the_clock_is_stopped_only_where_a_law_lets_it(room: Room) -> None:
    """Under the profile `none` there is no button, and the page says why; a forged form is refused."""
    request = await room.asked("inquiry")
    page = await room.open(request)
    assert "The clock keeps running" in page and "rule D11" in page and "stop-clock-form" not in page
    assert "has to be told by" in page and "rule D9" in page
    forged = await room.send(request.reference, {"do": "stop-clock", "kind": "identity", "text": "Who?", "doubt": "?"})
    assert forged.status_code == 422 and "rule D11" in forged.text
    assert not (await find_by_id(request.id)).waits


async def test_where_the_law_lets_it_the_clock_stands_still(room: Room) -> None:
    """Under UK law asking what they mean stops it; the page shows the form, and the day as it was."""
    request = await room.asked("inquiry")
    await engine().run_querystring(
        QueryString('UPDATE subject_request SET clock = replace(clock, \'"profiles":["eu"]\', \'"profiles":["uk"]\')')
    )
    page = await room.open(request)
    assert "stop-clock-form" in page and "The clock keeps running" not in page
    asked = {"do": "stop-clock", "kind": "clarification", "text": "Which account?", "seen": seen_on(page)}
    assert (await room.send(request.reference, asked)).status_code == 303
    assert "The clock stands still; the day was" in await room.open(request)


@pytest.mark.parametrize("right", ["access", "restriction", "objection"])
async def test_nonsense_is_refused_and_never_breaks_the_page(room: Room, right: str) -> None:
    """Every verb with every field missing or absurd, on an open request: a sentence, and the request as it was."""
    request = await room.asked(cast(Any, right))
    names = "kind text doubt ground why facts reasons done not_done findings account method categories reason ends_on"
    for value in ("", "nonsense"):
        fields = dict.fromkeys([*names.split(), "purpose", "field", "after", "yours", "record", "under"], value)
        for verb in sorted(set(VERBS) - {"begin", "use-stop", "pause-keep", "write"}):
            answer = await room.send(request.reference, {"do": verb, **fields, "seen": value})
            assert answer.status_code in {200, 303, 403, 404, 409, 422}, (verb, value[:9], answer.status_code)
            if not (await find_by_id(request.id)).is_open:
                request = await room.asked(cast(Any, right))


async def test_the_page_costs_the_same_whatever_has_happened(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes, looks and messages: not one query more."""
    request = await room.asked("inquiry")
    with counted(monkeypatch) as few:
        await room.open(request)
    for number in range(5):
        await RequestNote(request=request.id, at=room.clock() + timedelta(seconds=number), staff=1, text="n").save()
        await room.send(request.reference, {"do": "write", "text": f"Message {number}"})
        await opened(room, request, "other", f"Reason {number}")
    with counted(monkeypatch) as many:
        await room.open(request)
    assert len(many) == len(few) == QUERIES, few


async def test_the_dearest_page_costs_three_queries_more(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A correction with its values open, and the reasons of two people, however often they were asked."""
    request = await room.margot(await room.asked("rectification"))
    for number in range(3):
        values = Values(old="Margot", new=f"Marguerite {number}")
        async with engine().transaction():
            await make(
                request, "account", "display_name", "decide", "deciding", values, settings=room.settings,
                at=room.clock(), actor="person",
            )  # fmt: skip
        id = await approvals.ask(
            Verb.REFUSE, request, {"reasons": ["excessive"]}, f"Reason {number}", settings=room.settings,
            at=room.clock(), actor="staff:99",
        )  # fmt: skip
        if number < 2:
            await approvals.withdraw(await find(id), at=room.clock(), actor="staff:99")
    assert (await opened(room, request)).status_code == 303
    with counted(monkeypatch) as queries:
        page = await room.open(request)
    assert "Marguerite 2" in page and "Reason 2" in page
    assert len(queries) == MOST_QUERIES, queries


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_event_has_words_of_ours_or_those_of_the_person(language: str) -> None:
    """What is new is called as its person reads it; only what nobody ever names keeps its own name."""
    words, policy = Words(language, "Europe/Paris"), organisation()
    for event, said in events_in_words(words).items():
        shown = event_in_words(words, policy, f"rights:request:{event}", {})
        assert shown and not shown.startswith("rights:"), event
        assert shown != said or event not in {"received", "withdrawn", "answered", "refused", "asked"}, event
    assert event_in_words(words, policy, "rights:nobody:knows", {}) == "rights:nobody:knows"
