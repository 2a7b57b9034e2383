"""The desk lets staff in and nobody else, shows what is due, and does every verb once, as evidence."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from piccolo.querystring import QueryString

from admin.desk_verbs import VERBS
from admin.sign_in import make_link, use_link
from admin.who import COOKIE
from portal.clock import system_clock
from portal.database import engine
from portal.identity.tables import Subject
from portal.policy.model import Policy
from portal.rights import intake, intake_child, messages, objection, pauses
from portal.rights.intake import Asked
from portal.rights.intake_forms import Sent
from portal.rights.intake_staff import Entered, enter
from portal.rights.lifecycle import Right, move
from portal.rights.out_of_use import in_place
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import RequestMessage
from portal.rights.tasks import open_task, tasks_of
from portal.settings import Settings, read_settings
from tests.web_app import SECRET, browsing, make_app, organisation

TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
SEEN = re.compile(r'name="seen" value="([^"]+)"')


class Desk:
    """A browser of a member of staff, and requests to look at."""

    def __init__(self, client: httpx.AsyncClient, policy: Policy, settings: Settings) -> None:
        self.client = client
        self.policy = policy
        self.settings = settings
        self.subject = uuid4()

    async def sign_in(self, name: str = "desk") -> None:
        """Become a member of staff."""
        token = await make_link(f"{name}@casagbic.example", at=system_clock())
        self.client.cookies.set(COOKIE, await use_link(token, at=system_clock()) or "", domain="127.0.0.1")

    async def asked(self, right: Right, *, decide: bool = True, text: str = "Please.") -> RequestView:
        """Take a request of one person in, ready to be decided."""
        at = system_clock()
        if not await Subject.exists().where(Subject.id == self.subject):
            await Subject(id=self.subject, email=f"{self.subject.hex}@person.example", created_at=at).save()
        asked = Asked(right=right, subject=self.subject, language="en", text=text, received_at=at)
        opened = await intake.open_request(asked, policy=self.policy, public_url=self.settings.public_url, at=at)
        id, reference = opened.request.id, opened.request.reference
        if decide:
            async with engine().transaction():
                await move(id, reference, "deciding", event="answered-at-once", at=at, actor="worker")
                await open_task(id, reference, "decide", right, due=opened.request.due_day, at=at)
        return await find_by_id(id)

    async def open(self, request: RequestView, language: str = "en") -> str:
        """Open a request. Returns the page."""
        page = await self.client.get(f"/{language}/staff/desk/{request.reference}")
        assert page.status_code == 200
        return page.text

    async def do(self, request: RequestView, verb: str, fields: Mapping[str, str | list[str]]) -> httpx.Response:
        """Send one of the forms of the page, which must be there."""
        text = await self.open(request)
        assert f'name="do" value="{verb}"' in text, verb
        form = {"csrf": TOKEN.findall(text)[0], "do": verb, **fields}
        return await self.client.post(f"/en/staff/desk/{request.reference}", data=form)


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    """The whole application, and a browser that is signed in as staff."""
    async with browsing(make_app()) as client:
        settings = read_settings({"HABEAS_SECRET_KEY": SECRET})
        desk = Desk(client, organisation(), settings)
        await desk.sign_in()
        yield desk


async def events(reference: str) -> list[tuple[str, str]]:
    """Return what the evidence says about a request: event and actor."""
    rows = await engine().run_querystring(
        QueryString("SELECT event, actor FROM evidence WHERE reference = {} ORDER BY seq", reference)
    )
    return [(row["event"], row["actor"]) for row in rows]


async def test_nobody_but_staff_gets_in(desk: Desk) -> None:
    """Without a session every page and every form leads to the door, and nothing changes."""
    request = await desk.asked("inquiry")
    desk.client.cookies.clear()
    task = (await tasks_of(request.id))[0]
    for method, path in (
        ("GET", "/en/staff/desk"), ("GET", f"/en/staff/desk/{request.reference}"),
        ("POST", f"/en/staff/desk/{request.reference}"), ("POST", f"/en/staff/tasks/{task.id}"),
    ):  # fmt: skip
        answer = await desk.client.request(
            method, path, data={"do": "write", "text": "x"} if method == "POST" else None
        )
        back = quote("/staff/desk" if "/tasks/" in path else path.removeprefix("/en"), safe="")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/en/staff/sign-in?next={back}"), path
    assert "staff:request:opened" not in [event for event, _ in await events(request.reference)]


async def test_a_form_of_another_site_does_nothing(desk: Desk) -> None:
    """Every form proves that our own page sent it."""
    request = await desk.asked("inquiry")
    answer = await desk.client.post(f"/en/staff/desk/{request.reference}", data={"do": "write", "text": "x"})
    assert answer.status_code == 403
    assert await RequestMessage.count().where(RequestMessage.author == "staff") == 0


async def test_what_was_typed_when_a_session_ended_is_not_lost(desk: Desk) -> None:
    """It comes back whole, does nothing until somebody signs in, and is sent again by one button."""
    request = await desk.asked("inquiry")
    form = {"do": "answer", "text": "We keep them in Paris.", "seen": SEEN.findall(await desk.open(request))[0]}
    form["csrf"], path = TOKEN.findall(await desk.open(request))[0], f"/en/staff/desk/{request.reference}"
    desk.client.cookies.delete(COOKIE)
    back = await desk.client.post(path, data=form)
    assert back.status_code == 403 and '<p class="said box">We keep them in Paris.</p>' in back.text
    assert f"next={quote(path.removeprefix('/en'), safe='')}" in back.text and f'action="{path}"' in back.text
    assert (await find_by_id(request.id)).is_open
    forged = await desk.client.post(path, data={**form, "csrf": "0" * 64})
    assert forged.status_code == 303 and "Paris" not in forged.text
    await desk.sign_in()
    fields = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', back.text.partition("<main")[2]))
    assert (await desk.client.post(path, data=fields)).status_code == 303
    assert (await find_by_id(request.id)).outcome == "fulfilled"


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_list_shows_requests_and_tasks_without_a_person(desk: Desk, language: str) -> None:
    """The reference leads to the page; no words are on the list, and of an address the first letter and the host."""
    request = await desk.asked("inquiry", text="My secret question")
    page = (await desk.client.get(f"/{language}/staff/desk")).text
    assert f'href="/{language}/staff/desk/{request.reference}"' in page
    assert "My secret question" not in page and desk.subject.hex not in page
    assert f"{desk.subject.hex[0]}•••@person.example" in page


async def test_the_list_says_who_has_written_since(desk: Desk) -> None:
    """Until one of ours writes."""
    request = await desk.asked("inquiry")
    at = system_clock()
    how: Mapping[str, object] = {"policy": desk.policy, "settings": desk.settings}
    assert "The person has written" not in (await desk.client.get("/en/staff/desk")).text
    await messages.write(request, author="person", text="Well?", at=at, actor="person", **how)
    assert "The person has written" in (await desk.client.get("/en/staff/desk")).text
    assert (await desk.do(request, "write", {"text": "Soon."})).status_code == 303
    assert "The person has written" not in (await desk.client.get("/en/staff/desk")).text


async def test_opening_a_request_is_evidence(desk: Desk) -> None:
    """Who read it, and when; the page shows the person's words and the rules of the dates."""
    request = await desk.asked("inquiry", text="Where are your servers?")
    page = await desk.open(request)
    assert "Where are your servers?" in page and "D3" in page and "D6" in page
    opened = [actor for event, actor in await events(request.reference) if event == "staff:request:opened"]
    assert len(opened) == 1 and opened[0].startswith("staff:")


async def test_a_request_that_is_not_there_is_not_found(desk: Desk) -> None:
    """Nonsense as well."""
    for reference in ("DR-2026-9999", "nonsense", "DR-2026-0101'--"):
        assert (await desk.client.get(f"/en/staff/desk/{reference}")).status_code == 404


async def test_a_question_is_previewed_and_answered(desk: Desk) -> None:
    """The preview changes nothing; the button below it sends the same words."""
    request = await desk.asked("inquiry", text="Where are your servers?")
    shown = await desk.do(request, "answer", {"text": "In Paris.", "preview": "1"})
    assert "This is the letter. It has not been sent." in shown.text
    assert (await find_by_id(request.id)).is_open
    sent = await desk.do(request, "answer", {"text": "In Paris."})
    assert (sent.status_code, sent.headers["location"]) == (303, f"/en/staff/desk/{request.reference}?done=1")
    assert (await find_by_id(request.id)).outcome == "fulfilled"
    assert ("rights:request:answered", "staff:1") in await events(request.reference)


async def test_a_refusal_keeps_what_was_typed_until_it_is_whole(desk: Desk) -> None:
    """Without a ground the page names the field, and the words stay."""
    request = await desk.asked("rectification")
    missing = await desk.do(request, "refuse", {"facts": "We looked.", "why": "It is right."})
    assert missing.status_code == 422
    assert 'href="#refuse-reasons"' in missing.text and "It is right." in missing.text
    assert (await find_by_id(request.id)).is_open
    fields = {"facts": "We looked.", "why": "It is right.", "reasons": ["accurate"]}
    shown = await desk.do(request, "refuse", {**fields, "preview": "1"})
    assert "We will not do what you asked" in shown.text
    assert (await desk.do(request, "refuse", fields)).status_code == 303
    assert (await find_by_id(request.id)).outcome == "refused"


async def test_what_takes_two_is_asked_for_by_one_and_decided_by_another(desk: Desk) -> None:
    """The page says so, and offers to ask; the other one sees the letter, and it is sent with their yes."""
    request = await desk.asked("access")
    fields = {"facts": "Forty in a week.", "why": "All the same.", "reasons": ["excessive"]}
    alone = await desk.do(request, "refuse", fields)
    assert alone.status_code == 409 and 'name="propose"' in alone.text
    why = await desk.do(request, "refuse", {**fields, "propose": "1"})
    assert why.status_code == 422 and 'href="#refuse-because"' in why.text and "Forty in a week." in why.text
    asking = {**fields, "propose": "1", "because": "Nobody can want this."}
    assert (await desk.do(request, "refuse", asking)).status_code == 303
    await desk.sign_in("other")
    path = re.findall(r"/en/staff/approvals/[0-9a-f-]{36}", await desk.open(request))[0]
    page = (await desk.client.get(path)).text
    assert "Forty in a week." in page and "Nobody can want this." in page
    fields = {"csrf": TOKEN.findall(page)[0], "seen": SEEN.findall(page)[0], "do": "approve", "because": "Yes."}
    assert (await desk.client.post(path, data=fields)).status_code == 303
    assert (await find_by_id(request.id)).outcome == "refused"


async def test_a_question_to_the_person_and_more_time(desk: Desk) -> None:
    """Both forms work, once; afterwards the page says why not again."""
    request = await desk.asked("inquiry")
    assert (await desk.do(request, "ask", {"text": "Which account?", "kind": "none"})).status_code == 303
    assert 'value="ask"' not in await desk.open(request)
    assert (await desk.do(request, "extend", {"ground": "complexity", "why": "Three archives."})).status_code == 303
    assert "extended only once" in await desk.open(request)
    doubted = await desk.asked("access")
    empty = await desk.do(doubted, "ask", {"text": "Who?", "kind": "identity", "doubt": ""})
    assert empty.status_code == 422 and 'href="#ask-doubt"' in empty.text


async def test_a_pause_is_confirmed_ended_after_a_notice_and_kept(desk: Desk) -> None:
    """Each form appears when it makes sense."""
    await desk.asked("inquiry")
    wish = pauses.Wish(subject=desk.subject, categories=("prompts",), reason="accuracy", text="", language="en")
    opened = await pauses.pause(wish, policy=desk.policy, settings=desk.settings, at=system_clock())
    request = opened.request
    assert (await desk.do(request, "pause-confirm", {})).status_code == 303
    day = (system_clock() + timedelta(days=9)).date().isoformat()
    soon = await desk.do(request, "pause-end", {"reason": "checked", "ends_on": system_clock().date().isoformat()})
    assert soon.status_code == 422
    assert (await desk.do(request, "pause-end", {"reason": "checked", "ends_on": "tomorrow"})).status_code == 422
    assert (await desk.do(request, "pause-end", {"reason": "checked", "ends_on": day})).status_code == 303
    assert (await desk.do(request, "pause-keep", {})).status_code == 303


@pytest.mark.parametrize("verb", ["use-stop", "use-weigh"])
async def test_an_objection_is_decided(desk: Desk, verb: str) -> None:
    """For the person, or with both sides and the balance."""
    await desk.asked("inquiry")
    use = next(one for one in desk.policy.purposes if objection.answer_of(one) == "refuse" and not one.marketing)
    no = objection.Refusal(subject=desk.subject, purpose=use.id, text="I mind.", language="en")
    opened = await objection.say_no(no, policy=desk.policy, settings=desk.settings, at=system_clock())
    fields = {"yours": "I mind.", "ours": "Attacks.", "balance": "Attacks weigh more."} if verb == "use-weigh" else {}
    assert (await desk.do(opened.request, verb, fields)).status_code == 303
    ended = await find_by_id(opened.request.id)
    assert ended.outcome == ("refused" if verb == "use-weigh" else "fulfilled")


async def test_what_came_in_words_can_be_put_in_place_and_decided(desk: Desk) -> None:
    """A letter that asks for a pause, a correction, or says no, does not dead-end."""
    pause = await desk.asked("restriction")
    assert (await desk.do(pause, "pause-place", {"reason": "claims"})).status_code == 422
    placed = await desk.do(pause, "pause-place", {"reason": "claims", "categories": ["prompts"]})
    assert placed.status_code == 303
    assert len(await in_place(desk.subject)) == 1
    assert (await desk.do(pause, "pause-confirm", {})).status_code == 303
    correction = await desk.asked("rectification")
    fields = {"field": "Name", "before": "Anna", "after": "Ana"}
    assert (await desk.do(correction, "corrected", fields)).status_code == 303
    refusal = await desk.asked("objection")
    use = next(one for one in desk.policy.purposes if objection.answer_of(one) == "refuse")
    assert (await desk.do(refusal, "use-place", {"purpose": use.id})).status_code == 303
    assert (await desk.do(refusal, "use-stop", {})).status_code == 303


async def test_a_copy_is_begun_and_an_unproven_one_is_answered(desk: Desk) -> None:
    """The worker is asked once; whoever cannot be told is told so."""
    copy = await desk.asked("access")
    assert (await desk.do(copy, "begin", {})).status_code == 303
    page = await desk.open(copy)
    assert 'value="begin"' not in page and "Nothing: the worker does it." in page
    assert "Is being carried out" in page and "Waits for a decision of yours" not in page
    file = await desk.asked("portability")
    assert (await desk.do(file, "ask", {"text": "A code?", "kind": "identity", "doubt": "New."})).status_code == 303
    assert (await desk.do(file, "unidentified", {"facts": "Nothing.", "help": "Sign in."})).status_code == 303
    assert (await find_by_id(file.id)).outcome == "unidentified"


async def reported(desk: Desk, text: str = "He is nine.") -> RequestView:
    """Have somebody report a child's account, by a name that no machine finds."""
    sent = Sent(
        kind="child", right="child", language="en", email="", text=text, name="A neighbour", about="Tim",
        channel="report", author="reporter",
    )  # fmt: skip
    form = await intake_child.report(sent, policy=desk.policy, settings=desk.settings, at=system_clock())
    return await find_by_id(form.request)


async def test_a_report_about_a_child_is_tied_checked_and_lifted(desk: Desk) -> None:
    """The account is found and out of use; either it is erased, or it works again after both were told."""
    request = await reported(desk)
    assert "He is nine." in await desk.open(request)
    assert (await desk.do(request, "child-account", {"account": "nobody"})).status_code == 422
    assert (await desk.do(request, "child-account", {"account": "tim@person.example"})).status_code == 303
    tied = await find_by_id(request.id)
    assert [one.reason for one in await in_place(tied.owner)] == ["child"]
    assert (await desk.do(request, "child-erase", {"under": ""})).status_code == 422
    assert (await desk.do(request, "child-erase", {"under": "yes"})).status_code == 422
    assert (await desk.do(request, "child-erase", {"under": "yes", "because": "School photo."})).status_code == 303
    assert "Waits for a second person" in await desk.open(request)
    other = await reported(desk, "He is ten.")
    assert (await desk.do(other, "child-account", {"account": "tom@person.example"})).status_code == 303
    assert (await desk.do(other, "child-lift", {"reason": "We know the holder."})).status_code == 303
    assert (await find_by_id(other.id)).outcome == "refused"


async def test_a_letter_of_somebody_unknown_is_given_to_its_person_or_answered(desk: Desk) -> None:
    """Staff say whose account it is and how they know, or that they cannot tell."""
    for verb, fields, outcome in (
        ("identified", {"account": "lou@person.example", "method": "in-person"}, ""),
        ("unidentified", {"facts": "No name.", "help": "The account’s address."}, "unidentified"),
    ):
        entered = Entered(
            rights=("inquiry",), channel="letter", received_at=system_clock(), text="Hello?", email="", method="none",
            language="en",
        )  # fmt: skip
        request = (
            await enter(entered, policy=desk.policy, settings=desk.settings, at=system_clock(), actor="staff:1")
        )[0]
        assert (await desk.do(request, verb, fields)).status_code == 303
        after = await find_by_id(request.id)
        assert (after.subject is not None, after.outcome) == (verb == "identified", outcome)


async def test_a_task_is_ended_with_its_reason_or_not_at_all(desk: Desk) -> None:
    """Not needed wants a why; done is done once."""
    request = await desk.asked("inquiry")
    async with engine().transaction():
        for about in ("stripe", "openai"):
            await open_task(request.id, request.reference, "tell", about, due=request.due_day, at=system_clock())
    first, second = [task for task in await tasks_of(request.id) if task.kind == "tell"]
    token = TOKEN.findall(await desk.open(request))[0]
    back = {"csrf": token, "back": request.reference}
    why = await desk.client.post(f"/en/staff/tasks/{first.id}", data={**back, "do": "not-needed", "reason": " "})
    assert why.headers["location"].endswith(f"?why={first.id}")
    shown = (await desk.client.get(why.headers["location"])).text
    assert "Say why it is not needed." in shown
    for do, reason in (("asked", ""), ("not-needed", "It holds no address.")):
        await desk.client.post(f"/en/staff/tasks/{first.id}", data={**back, "do": do, "reason": reason})
    await desk.client.post(f"/en/staff/tasks/{second.id}", data={**back, "do": "done"})
    again = await desk.client.post(f"/en/staff/tasks/{second.id}", data={**back, "do": "done"})
    assert again.status_code == 409
    states = {task.about: (task.state, task.reason) for task in await tasks_of(request.id) if task.kind == "tell"}
    assert states == {"stripe": ("not-needed", "It holds no address."), "openai": ("done", "")}


async def test_what_asks_for_a_decision_is_not_noted_as_done(desk: Desk) -> None:
    """It ends with the decision: nobody takes a request out of sight with a form that no page has."""
    request = await desk.asked("inquiry")
    (task,) = await tasks_of(request.id)
    token = TOKEN.findall(await desk.open(request))[0]
    for do in ("done", "asked", "not-needed"):
        fields = {"csrf": token, "do": do, "reason": "I do not feel like it."}
        assert (await desk.client.post(f"/en/staff/tasks/{task.id}", data=fields)).status_code == 409
    assert [one.state for one in await tasks_of(request.id)] == ["open"]


async def test_every_verb_has_a_form(desk: Desk) -> None:
    """No verb can be sent that no form offers; `propose` is a button of the refusal."""
    from tests.web_app import POLICIES

    forms = (POLICIES.parent / "portal" / "templates" / "staff" / "desk_forms.html").read_text()
    assert [verb for verb in VERBS if f'"{verb}"' not in forms and verb != "propose"] == []
