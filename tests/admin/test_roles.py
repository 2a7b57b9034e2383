"""Every page and verb of the staff is open to the roles of one table and to nobody else; a refusal changes nothing."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from piccolo.querystring import QueryString

from admin.desk_verbs import VERBS as DESK_VERBS
from admin.roles import PERMITS, Permission, Role, permits, roles_of
from admin.tables import StaffSession, StaffUser
from admin.who import COOKIE
from portal.app import create_app
from portal.clock import system_clock
from portal.database import engine
from portal.evidence.log import append
from portal.identity.cookie import Cookie, new_id
from portal.identity.tables import Subject
from portal.identity.visitor import Visitor
from portal.rights import approvals, intake
from portal.rights.four_eyes import Verb
from portal.rights.intake import Asked
from portal.rights.lifecycle import Right, move
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tasks import open_task
from portal.sources.registry import Sources
from tests.admin.roles_table import ROUTES, VERBS, read
from tests.rights.conftest import MemorySource, MemoryStorage
from tests.web_app import HERE, browsing, organisation, settings

ONE_BY_ONE = [frozenset({role}) for role in Role]
TOGETHER = [frozenset({Role.INTAKE, Role.APPROVER}), frozenset({Role.AUDITOR, Role.ADMIN}), frozenset[Role]()]


@cache
def app() -> Litestar:
    """The whole application, with places that hold nothing."""
    policy = organisation()
    sources = Sources([MemorySource(spec) for spec in policy.sources])
    return create_app(policy, settings(), system_clock, sources=sources, storage=cast(Any, MemoryStorage()))


class Office:
    """Requests, a task and something that waits for a second person; and browsers of whoever works there."""

    def __init__(self, browser: httpx.AsyncClient) -> None:
        self.browser = browser
        self.token = ""

    async def hire(self, roles: Sequence[Role] | frozenset[Role], *, active: bool = True) -> int:
        """Let somebody with these roles begin. Returns who it is."""
        name = f"{'-'.join(sorted(roles)) or 'nobody'}-{uuid4().hex[:6]}@staff.example"
        user = StaffUser(username=name, email=name, active=active, admin=True, roles=sorted(roles))
        await user.save()
        return int(user.id)

    async def sit_down(self, staff: int, *, confirmed: bool = True) -> None:
        """Put somebody before the browser."""
        token = await StaffSession.begin(staff, at=system_clock(), confirmed=confirmed)
        self.browser.cookies.set(COOKIE, token, domain="127.0.0.1")
        cookie = Cookie(settings(), None, seconds=86_400)
        cookie.become(new_id())
        name, value = (cookie.header() or b"").decode().split(";")[0].split("=", 1)
        self.browser.cookies.set(name, value, domain="127.0.0.1")
        self.token = Visitor(cookie=cookie, session=None, settings=settings()).csrf

    async def asked(self, right: Right, about: UUID | None = None) -> RequestView:
        """Have a person of their own ask for something that waits for a decision, with a task."""
        at, subject = system_clock(), uuid4()
        await Subject(id=subject, email=f"{subject.hex}@person.example", created_at=at).save()
        asked = Asked(right=right, subject=subject, language="en", text="Please.", received_at=at, about=about)
        opened = await intake.open_request(asked, policy=organisation(), public_url=HERE, at=at)
        id, reference = opened.request.id, opened.request.reference
        async with engine().transaction():
            await move(id, reference, "deciding", event="answered-at-once", at=at, actor="worker")
            await open_task(id, reference, "tell", "stripe", due=opened.request.due_day, at=at)
        return await find_by_id(id)

    async def closed(self) -> RequestView:
        """A request that has ended."""
        request = await self.asked("access")
        await intake.withdraw(
            request.reference, request.owner, policy=organisation(), settings=settings(), at=system_clock()
        )
        return await find_by_id(request.id)

    async def waits(self, request: RequestView, by: int) -> UUID:
        """Have somebody ask for a refusal that takes two."""
        fields = {"reasons": ["excessive"], "facts": ["Forty."], "why": ["The same."]}
        return await approvals.ask(
            Verb.REFUSE, request, fields, "Why.", settings=settings(), at=system_clock(), actor=f"staff:{by}"
        )

    async def send(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> httpx.Response:
        """Open a page, or send a form of ours."""
        body = {"csrf": self.token, **(fields or {})} if method == "POST" else None
        return await self.browser.request(method, path, data=body)


@pytest.fixture
async def office(database: str) -> AsyncIterator[Office]:
    """The application in memory."""
    async with app().lifespan(), browsing(app()) as browser:
        yield Office(browser)


def staff_routes() -> set[str]:
    """Return every method and path of the staff's rooms, without the language; Piccolo Admin is walked elsewhere."""
    return {
        f"{method} {route.path.removeprefix('/{language:str}')}"
        for route in app().routes
        if isinstance(route, HTTPRoute) and "/staff/" in f"{route.path}/"
        for method in route.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}
    }


async def everything() -> dict[str, str | None]:
    """Return what is in every table, as one number each; but for the evidence, and when sessions were last used."""
    tables = await engine().run_querystring(
        QueryString("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    )
    names = sorted({row["name"] for row in tables} - {"evidence", "staff_session"})
    whole = " UNION ALL ".join(
        f"SELECT '{name}' AS name, md5(string_agg(t::text, '' ORDER BY t::text)) AS sum FROM \"{name}\" t"
        for name in names
    )
    return {row["name"]: row["sum"] for row in await engine().run_querystring(QueryString(whole))}


async def refusals() -> list[tuple[str, str, dict[str, object]]]:
    """Return who was refused what so far: actor, reference, details."""
    rows = await engine().run_querystring(
        QueryString("SELECT actor, reference, details FROM evidence WHERE event = 'staff:refused' ORDER BY seq")
    )
    return [(row["actor"], row["reference"], msgspec.json.decode(row["details"])) for row in rows]


def test_every_page_of_the_staff_has_its_row() -> None:
    """Whoever adds a page says in tests/admin/roles_table.py to whom it is open."""
    rows = set(read(ROUTES))
    assert staff_routes() - rows == set(), "add a row for each to ROUTES in tests/admin/roles_table.py"
    assert rows - staff_routes() == set(), "these rows of tests/admin/roles_table.py have no page any more"


def test_every_verb_has_its_row() -> None:
    """Whoever adds a verb says in tests/admin/roles_table.py to whom it is open."""
    assert set(DESK_VERBS) == set(read(VERBS)), "VERBS in tests/admin/roles_table.py has a row for each verb"


def filled(path: str, objects: Mapping[str, str]) -> str:
    """Return a path with its parameters filled: with ours where there is one, else with what is not there."""
    unknown = {"uuid": str(uuid4()), "int": "999999", "str": "nothing"}
    return "/en" + re.sub(r"\{(\w+):(\w+)\}", lambda found: objects.get(found[1]) or unknown[found[2]], path)


async def objects_of(office: Office) -> dict[str, str]:
    """Return one of each thing that a page is about."""
    request = await office.asked("access")
    rows = await engine().run_querystring(QueryString("SELECT id FROM task LIMIT 1"))
    waits = await office.waits(request, await office.hire([Role.DPO]))
    return {"reference": request.reference, "task": str(rows[0]["id"]), "approval": str(waits)}


@pytest.mark.parametrize("roles", [*ONE_BY_ONE, *TOGETHER], ids=lambda roles: "+".join(sorted(roles)) or "none")
async def test_a_page_is_open_to_the_roles_of_its_row(office: Office, roles: frozenset[Role]) -> None:
    """What one of their roles may, they may; all else is refused with 403, changes nothing and is evidence."""
    objects, staff = await objects_of(office), await office.hire(roles)
    await office.sit_down(staff)
    rows = {name: row for name, row in read(ROUTES).items() if "door" not in row.values()}
    allowed = {name for name, row in rows.items() if {row[role] for role in roles} & {"yes", "own"}}
    allowed |= {name for name, row in rows.items() if "own" in row.values()}
    before = await everything()
    for name in sorted(set(rows) - allowed):
        method, path = name.split()
        answer, tried = await office.send(method, filled(path, objects)), await refusals()
        assert answer.status_code == 403, f"{name} let {sorted(roles)} in with {answer.status_code}"
        assert tried[-1][0] == f"staff:{staff}", name
        assert Permission(str(tried[-1][2]["permission"])) not in permits(roles)
        if "{reference" in path or "{approval" in path:
            assert tried[-1][1] == objects["reference"], name
    assert len(await refusals()) == len(set(rows) - allowed)
    assert await everything() == before
    for name in sorted(allowed):
        method, path = name.split()
        answer = await office.send(method, filled(path, objects))
        assert answer.status_code in {200, 303, 400, 404, 409, 422}, (
            f"{name} refused {sorted(roles)}: {answer.status_code}"
        )
        assert "/staff/sign-in" not in answer.headers.get("location", ""), name


@pytest.mark.parametrize("who", ["a stranger", "who left", "who showed no second factor"])
async def test_nobody_else_comes_further_than_the_door(office: Office, who: str) -> None:
    """Not without a session, not when no longer active, not before the second factor; nothing changes."""
    objects = await objects_of(office)
    if who != "a stranger":
        staff = await office.hire([Role.DPO], active=who != "who left")
        await office.sit_down(staff, confirmed=who != "who showed no second factor")
    before = await everything()
    for name, row in read(ROUTES).items():
        if "door" in row.values():
            continue
        method, path = name.split()
        answer = await office.send(method, filled(path, objects))
        assert answer.status_code == 303, f"{name} let {who} in with {answer.status_code}"
        assert "/staff/sign-in" in answer.headers["location"], name
    assert await everything() == before


@pytest.mark.parametrize("role", list(Role))
async def test_a_verb_is_open_to_the_roles_of_its_row(office: Office, role: Role) -> None:
    """On an open request; on one that has ended nothing changes whoever tries, and nothing breaks."""
    request, ended = await office.asked("access"), await office.closed()
    staff = await office.hire([role])
    await office.sit_down(staff)
    before, no = await everything(), 0
    for verb, row in read(VERBS).items():
        for one in (request, ended):
            answer = await office.send("POST", f"/en/staff/desk/{one.reference}", {"do": verb, **IN_FULL.get(verb, {})})
            if row[role] == "-":
                no += 1
                assert answer.status_code == 403, f"{verb} let {role} do it"
                tried = await refusals()
                assert (len(tried), *tried[-1][:2]) == (no, f"staff:{staff}", one.reference)
            else:
                assert answer.status_code in ({303, 409, 422} if one is request else {409, 422}), f"{verb} by {role}"
        if row[role] == "-":
            assert await everything() == before, verb
        before = await everything()
    assert (await find_by_id(ended.id)) == ended


IN_FULL: Mapping[str, Mapping[str, str]] = {"write": {"text": "Hello."}, "ask": {"text": "Which?", "kind": "none"}}
"""Fields of some verbs that would do something."""


async def test_an_ended_request_stays_as_it_is(office: Office) -> None:
    """Every verb of the data protection officer, who may do everything, with all its fields."""
    ended = await office.closed()
    await office.sit_down(await office.hire([Role.DPO]))
    fields = {
        "text": "A.", "kind": "none", "doubt": "A.", "ground": "complexity", "why": "A.", "facts": "A.", "help": "A.",
        "reasons": "excessive", "findings": "A.", "account": "a@person.example", "method": "in-person", "because": "A.",
        "categories": "prompts", "reason": "accuracy", "ends_on": "2030-01-01", "yours": "A.", "ours": "A.",
        "balance": "A.", "purpose": "analytics", "field": "A", "after": "B", "under": "yes",
    }  # fmt: skip
    before = await everything()
    for verb in DESK_VERBS:
        answer = await office.send("POST", f"/en/staff/desk/{ended.reference}", {**fields, "do": verb})
        assert answer.status_code in {404, 409, 422}, f"{verb}: {answer.status_code}"
        assert await everything() == before, verb


@pytest.mark.parametrize(("who", "do", "status"), [
    ("asker", "approve", 409), ("asker", "refuse", 409), ("asker", "withdraw", 303),
    ("approver", "approve", 303), ("approver", "refuse", 303), ("approver", "withdraw", 403),
    ("dpo", "approve", 303), ("dpo", "refuse", 303), ("dpo", "withdraw", 409),
    ("handler", "approve", 403), ("handler", "refuse", 403), ("handler", "withdraw", 409),
    ("auditor", "approve", 403), ("auditor", "refuse", 403), ("auditor", "withdraw", 403),
])  # fmt: skip
async def test_who_may_say_what_about_what_waits(office: Office, who: str, do: str, status: int) -> None:
    """Whoever asked takes it back and nothing else; another who may says yes or no; the rest is refused."""
    request, asker = await office.asked("access"), await office.hire([Role.DPO])
    waits = await office.waits(request, asker)
    await office.sit_down(asker if who == "asker" else await office.hire([Role(who)]))
    page = (await office.send("GET", f"/en/staff/approvals/{waits}")).text
    seen = re.findall(r'name="seen" value="([^"]+)"', page)
    before = await everything()
    fields = {"do": do, "because": "I looked.", "seen": seen[0] if seen else ""}
    answer = await office.send("POST", f"/en/staff/approvals/{waits}", fields)
    assert answer.status_code == status
    assert (await everything() == before) is (status != 303)
    assert (await find_by_id(request.id)).is_open is ((do, status) != ("approve", 303))


async def test_a_second_factor_that_was_shown_long_ago_decides_nothing(office: Office) -> None:
    """The page asks for it again and keeps what was typed."""
    request, asker = await office.asked("access"), await office.hire([Role.DPO])
    waits = await office.waits(request, asker)
    await office.sit_down(await office.hire([Role.DPO]))
    await engine().run_querystring(QueryString("UPDATE staff_session SET confirmed_at = now() - interval '6 minutes'"))
    seen = re.findall(r'name="seen" value="([^"]+)"', (await office.send("GET", f"/en/staff/approvals/{waits}")).text)
    fields = {"do": "approve", "because": "I looked.", "seen": seen[0]}
    answer = await office.send("POST", f"/en/staff/approvals/{waits}", fields)
    assert answer.status_code == 403 and "/staff/confirm?next=" in answer.text and "I looked." in answer.text
    asking = {"do": "begin", "categories": "prompts", "because": "By letter."}
    other = await office.asked("erasure")
    await engine().run_querystring(QueryString(
        "UPDATE subject_request SET channel = 'letter' WHERE id = {}", other.id
    ))  # fmt: skip
    async with engine().transaction():
        await append("rights:request:entered", at=system_clock(), actor=f"staff:{asker}", reference=other.reference)
    answer = await office.send("POST", f"/en/staff/desk/{other.reference}", asking)
    assert answer.status_code == 403 and "By letter." in answer.text
    assert (await find_by_id(request.id)).is_open
    assert len(await approvals.waiting()) == 1


async def test_a_complaint_is_not_answered_by_who_decided_before(office: Office) -> None:
    """While somebody else may decide; when nobody else can, it is answered, and the letter says who looked."""
    mine, other = await office.hire([Role.HANDLER]), await office.hire([Role.HANDLER])
    await office.sit_down(mine)
    first = await office.asked("inquiry")
    assert (await office.send("POST", f"/en/staff/desk/{first.reference}", ANSWER)).status_code == 303
    complaint = await office.asked("complaint", about=first.id)
    refused = await office.send("POST", f"/en/staff/desk/{complaint.reference}", ANSWER)
    assert refused.status_code == 409 and "give the request to a colleague" in refused.text
    assert (await find_by_id(complaint.id)).is_open
    await office.sit_down(other)
    again = await office.asked("complaint", about=first.id)
    assert (await office.send("POST", f"/en/staff/desk/{again.reference}", ANSWER)).status_code == 303
    await StaffUser.update({StaffUser.active: False}, force=True).where(StaffUser.id == other)
    await office.sit_down(mine)
    assert (await office.send("POST", f"/en/staff/desk/{complaint.reference}", ANSWER)).status_code == 303


ANSWER = {"do": "answer", "text": "We looked.", "findings": "This."}


async def test_a_form_of_another_site_is_refused(office: Office) -> None:
    """Forged origin, forged fetch site, a stale token, none: 403, nothing changes, and each is evidence."""
    objects, staff = await objects_of(office), await office.hire([Role.DPO])
    await office.sit_down(staff)
    path = f"/en/staff/desk/{objects['reference']}"
    before = await everything()
    for headers, token in (
        ({"Origin": "https://evil.example"}, office.token), ({"Sec-Fetch-Site": "cross-site"}, office.token),
        ({}, "0" * 64), ({}, ""),
    ):  # fmt: skip
        fields = {"do": "write", "text": "Hello.", "csrf": token}
        answer = await office.browser.post(path, data=fields, headers=headers)
        assert answer.status_code == 403, (headers, token)
    assert await everything() == before
    assert await refusals() == []
    noted = await engine().run_querystring(
        QueryString("SELECT actor, reference FROM evidence WHERE event = 'staff:form:refused'")
    )
    assert [(row["actor"], row["reference"]) for row in noted] == [(f"staff:{staff}", objects["reference"])] * 4


async def test_a_session_that_somebody_planted_opens_nothing(office: Office) -> None:
    """A cookie that we never gave out is no session, also after its holder has signed in."""
    await office.hire([Role.DPO])
    office.browser.cookies.set(COOKIE, "planted", domain="127.0.0.1")
    assert (await office.browser.get("/en/staff/desk")).status_code == 303
    await office.sit_down(await office.hire([Role.DPO]))
    assert office.browser.cookies[COOKIE] != "planted"
    office.browser.cookies.set(COOKIE, "planted", domain="127.0.0.1")
    assert (await office.browser.get("/en/staff/desk")).status_code == 303


def test_roles_add_up_and_names_that_are_none_add_nothing() -> None:
    """Two roles permit what each permits; nobody's role permits nothing."""
    assert permits([Role.INTAKE, Role.APPROVER]) == PERMITS[Role.INTAKE] | PERMITS[Role.APPROVER]
    assert permits([]) == frozenset()
    assert roles_of(["dpo", "owner", "DPO"]) == {Role.DPO}


def test_the_administrator_sees_no_case_and_the_auditor_changes_nothing() -> None:
    """Source: law S-18."""
    assert not PERMITS[Role.ADMIN] & {Permission.QUEUE, Permission.CASE, Permission.DATA, Permission.RECORDS}
    reads = {Permission.QUEUE, Permission.CASE, Permission.TABLES, Permission.FIGURES, Permission.RECORDS}
    assert PERMITS[Role.AUDITOR] <= reads
