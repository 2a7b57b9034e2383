"""What can be written in Piccolo Admin is checked, is evidence, is really used, and is refused everywhere else."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from piccolo_admin.endpoints import AdminRouter
from starlette.routing import Mount

from admin import views
from admin.forms import FORMS
from admin.roles import PERMITS, Permission, Role
from admin.views import VIEWS
from portal.clock import Clock, SetClock, system_clock
from portal.database import engine
from portal.rights import reference
from portal.rights.intake_staff import Entered, enter
from portal.rights.letters import NotComplete
from portal.rights.letters.blocks import case_of
from portal.rights.letters.replies import inquiry_answer
from portal.rights.lifecycle import Right
from portal.rights.reference import EDITABLE, KINDS, digest
from portal.rights.replies import enclose, words_for
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import RequestMessage, SubjectRequest
from portal.rights.tables_reference import RecipientContact
from portal.rights.tasks import open_task
from tests.admin.records import REFERENCE, evidence, fill, fingerprint, proof, sign_in
from tests.admin.reminding import somebody
from tests.web_app import browsing, make_app, organisation, settings

WRITES = ["POST", "PUT", "PATCH", "DELETE"]
UNMOVED = ("evidence", "staff_session")
"""A refusal is noted, and whoever asks is there for a quarter of an hour more."""
CONTACT = {"recipient": "resend", "name": "Privacy desk", "email": "dpo@resend.example", "url": ""}
ADDITION = {"kind": "inquiry", "language": "en", "text": "Kind regards,\n\nthe <b>team</b> of Casagbic"}


@pytest.mark.parametrize("role", Role)
async def test_every_route_refuses_every_way_to_write_but_those_named(
    client: httpx.AsyncClient, clock: SetClock, role: Role
) -> None:
    """The walk: each route of Piccolo Admin and its API, each verb, with a valid form token; nothing has changed."""
    await fill(clock)
    await sign_in(client, clock, role)
    before = await fingerprint(but=UNMOVED)
    for path in sorted(every_path()):
        for method in WRITES:
            if not named(method, path, role):
                answer = await client.request(method, f"/admin{path}", headers=proof(client), json={"state": "closed"})
                assert answer.status_code in {403, 404, 405}, (method, path, answer.text)
    assert await fingerprint(but=UNMOVED) == before


async def test_the_walk_leaves_out_what_may_be_written_and_nothing_else(database: str) -> None:
    """The list of exceptions: signing out, three tables and three forms."""
    left_out = {(method, path) for path in every_path() for method in WRITES if named(method, path, Role.DPO)}
    assert left_out == {
        ("POST", "/public/logout/"),
        *(("POST", f"/api/tables/{table}/") for table in EDITABLE),
        *((method, f"/api/tables/{table}/{REFERENCE}/") for table in EDITABLE for method in ("PATCH", "DELETE")),
        *(("POST", f"/api/forms/{slug}/") for slug in FORMS),
    }


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-CSRFToken": "guessed"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
     {"Origin": "null"}],
)  # fmt: skip
async def test_another_site_writes_nothing(
    client: httpx.AsyncClient, clock: SetClock, headers: Mapping[str, str]
) -> None:
    """Without Piccolo's token, or with a foreign origin, neither a row nor a form nor signing out works."""
    await fill(clock)
    await sign_in(client, clock, Role.DPO)
    sent = {**proof(client), **headers} if "Origin" in headers or "Sec-Fetch-Site" in headers else headers
    before = await fingerprint()
    for path in ("api/tables/recipient_contact/", "api/forms/assign/", "public/logout/"):
        answer = await client.post(f"/admin/{path}", headers=sent, json=CONTACT)
        assert answer.status_code in {403, 404}, path
    after = await fingerprint()
    assert {table for table in before if before[table] != after[table]} <= {"evidence", "staff_session"}
    from_elsewhere = headers.get("Origin") == "https://evil.example" or "Sec-Fetch-Site" in headers
    assert bool(await evidence("staff:form:refused")) is (from_elsewhere or headers.get("Origin") == "null")
    assert (await client.get("/admin/")).status_code == 200


async def test_a_body_is_not_read_past_its_limit(client: httpx.AsyncClient, clock: SetClock) -> None:
    """Piccolo Admin itself would read any length."""
    await sign_in(client, clock, Role.DPO)
    answer = await client.post(
        "/admin/api/tables/recipient_contact/", headers=proof(client), json={**CONTACT, "name": "x" * 70_000}
    )
    assert answer.status_code == 413


async def test_a_reference_row_is_made_changed_and_taken_away_as_evidence(
    client: httpx.AsyncClient, clock: SetClock
) -> None:
    """Each change tells who did it and the digests of before and after, never a value."""
    me = await sign_in(client, clock, Role.DPO)
    address = "/admin/api/tables/recipient_contact/"
    made = await client.post(address, headers=proof(client), json=CONTACT)
    assert made.status_code == 201
    id = made.json()[0]["id"]
    changed = await client.patch(f"{address}{id}/", headers=proof(client), json={"name": "Somebody else"})
    assert changed.status_code == 200
    assert (await reference.known()).contacts["resend"].name == "Somebody else"
    assert (await client.get(f"{address}{id}/")).json()["email"] == "dpo@resend.example"
    assert (await client.delete(f"{address}{id}/", headers=proof(client))).status_code == 204
    assert await RecipientContact.count() == 0
    first, second = digest(CONTACT), digest({**CONTACT, "name": "Somebody else"})
    mine = {"actor": f"staff:{me}", "reference": "", "table": "recipient_contact", "row": id}
    assert await evidence("staff:reference:changed") == [
        {**mine, "before": "", "after": first}, {**mine, "before": first, "after": second},
        {**mine, "before": second, "after": ""},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "row", "field"),
    [
        ("recipient_contact", {**CONTACT, "recipient": "nobody"}, "recipient"),
        ("recipient_contact", {**CONTACT, "email": ""}, "email"),
        ("recipient_contact", {**CONTACT, "email": "no address"}, "email"),
        ("recipient_contact", {**CONTACT, "url": "http://plain.example"}, "url"),
        ("recipient_contact", {**CONTACT, "url": "https://[oh"}, "url"),
        ("recipient_contact", {**CONTACT, "url": "javascript:alert(1)"}, "url"),
        ("recipient_contact", {**CONTACT, "name": "two\x07bells"}, "name"),
        ("letter_addition", {**ADDITION, "kind": "nothing"}, "kind"),
        ("letter_addition", {**ADDITION, "language": "de"}, "language"),
        ("letter_addition", {**ADDITION, "text": "  "}, "text"),
        ("letter_addition", {**ADDITION, "text": "x" * 1001}, "text"),
        ("letter_addition", {**ADDITION, "text": ["a", "list"]}, "form"),
        ("letter_addition", ["no", "row"], "form"),
        ("reason_hint", {"reason": "because", "text": "x"}, "reason"),
        ("reason_hint", {"reason": "unfounded", "text": None}, "text"),
    ],
)
async def test_what_does_not_fit_is_refused_at_its_field(
    client: httpx.AsyncClient, clock: SetClock, table: str, row: object, field: str
) -> None:
    """A mistake is told where Piccolo Admin shows mistakes, and nothing is written."""
    await sign_in(client, clock, Role.DPO)
    answer = await client.post(f"/admin/api/tables/{table}/", headers=proof(client), json=row)
    assert answer.status_code == 422
    (detail,) = answer.json()["detail"]
    assert detail["loc"][-1] == field
    assert detail["msg"]
    assert await EDITABLE[table].count() == 0
    assert await evidence("staff:reference:changed") == []


async def test_there_is_one_row_about_each_thing(client: httpx.AsyncClient, clock: SetClock) -> None:
    """A second row for the same letter and language is refused, also when another row is changed into it."""
    await sign_in(client, clock, Role.DPO)
    address = "/admin/api/tables/letter_addition/"
    assert (await client.post(address, headers=proof(client), json=ADDITION)).status_code == 201
    assert (await client.post(address, headers=proof(client), json=ADDITION)).status_code == 422
    french = await client.post(address, headers=proof(client), json={**ADDITION, "language": "fr"})
    id = french.json()[0]["id"]
    assert (await client.patch(f"{address}{id}/", headers=proof(client), json={"language": "en"})).status_code == 422
    for gone in (uuid4(), "no-id"):
        answer = await client.patch(f"{address}{gone}/", headers=proof(client), json=ADDITION)
        assert answer.status_code == 404


async def test_the_fields_offer_what_can_be_chosen(client: httpx.AsyncClient, clock: SetClock) -> None:
    """Letters by their titles, recipients of the policy by their names, in the browser's language."""
    await sign_in(client, clock, Role.DPO)
    schema = (await client.get("/admin/api/tables/letter_addition/schema/")).json()["properties"]
    kinds = schema["kind"]["extra"]["choices"]
    assert {one["value"] for one in kinds.values()} == set(KINDS)
    assert kinds["extension"]["display_name"] == "We need more time"
    schema = (await client.get("/admin/api/tables/recipient_contact/schema/")).json()["properties"]
    offered = {one["value"] for one in schema["recipient"]["extra"]["choices"].values()}
    assert offered == {one.id for one in organisation().recipients}


async def test_an_addition_stands_in_the_letter_as_plain_text(client: httpx.AsyncClient, clock: SetClock) -> None:
    """It is escaped, comes before the remedies, only in its own kind and language, and fills no empty block."""
    policy, request = organisation(), await answered(clock)
    await reference.write("letter_addition", ADDITION, policy=policy, at=clock(), actor="staff:1")
    letter = inquiry_answer(
        words_for(request, policy), policy, case_of(request, policy, at=clock()), question=("Why?",), answer=("Yes.",)
    )
    async with engine().transaction():
        written = await enclose(request, letter, policy, at=clock(), actor="staff:1")
    assert "Kind regards,\n" in written.text
    assert "the <b>team</b> of Casagbic" in written.text
    assert "the &lt;b&gt;team&lt;/b&gt; of Casagbic" in written.html
    assert written.text.index("Kind regards") < written.text.index("If you want to complain")
    stored = await RequestMessage.select(RequestMessage.text).where(RequestMessage.kind == "letter").first()
    assert stored == {"text": written.text}
    assert await reference.with_addition(letter, "fr") == letter
    empty = inquiry_answer(
        words_for(request, policy), policy, case_of(request, policy, at=clock()), question=("Why?",), answer=()
    )
    with pytest.raises(NotComplete):
        async with engine().transaction():
            await enclose(request, empty, policy, at=clock(), actor="staff:1")


async def test_hints_and_contacts_are_shown_where_they_are_needed(database: str) -> None:
    """The hint stands beside its ground, the contact on the task to tell its recipient, on both pages of the desk."""
    policy, at = organisation(), system_clock()
    request = await answered(system_clock, "erasure")
    await reference.write("recipient_contact", CONTACT, policy=policy, at=at, actor="staff:1")
    hint = {"reason": "legal-duty", "text": "Ask the <accountant> first."}
    await reference.write("reason_hint", hint, policy=policy, at=at, actor="staff:1")
    async with engine().transaction():
        for recipient in ("resend", "stripe"):
            await open_task(request.id, request.reference, "tell", recipient, due=request.due_day, at=at)
    await SubjectRequest.update({SubjectRequest.state: "deciding"}).where(SubjectRequest.id == request.id)
    async with browsing(make_app()) as client:
        await sign_in(client, system_clock, Role.DPO)
        one = (await client.get(f"/en/staff/desk/{request.reference}")).text
        today = (await client.get("/en/staff/desk")).text
    for page in (one, today):
        assert page.count("Privacy desk, dpo@resend.example") == 1
        assert page.count("No contact is noted for this recipient") == 1
    assert "Ask the &lt;accountant&gt; first." in one


async def test_a_form_assigns_a_request(client: httpx.AsyncClient, clock: SetClock) -> None:
    """By name or address, to nobody, and never to somebody who is not there."""
    await fill(clock)
    me = await sign_in(client, clock, Role.INTAKE)
    assert await sent(client, "assign", reference=REFERENCE, colleague="intake") == (200, f"{REFERENCE} is given.")
    assert await assignee() == me
    status, sentence = await sent(client, "assign", reference=REFERENCE, colleague="Nobody Known")
    assert status == 422
    assert sentence.startswith("Write the name")
    await somebody("auditor@staff.example", Role.AUDITOR)
    assert (await sent(client, "assign", reference=REFERENCE, colleague="auditor@staff.example"))[0] == 422
    assert await assignee() == me
    assert await sent(client, "assign", reference=f" {REFERENCE} ", colleague="") == (200, f"{REFERENCE} is given.")
    assert await assignee() is None
    assert (await sent(client, "assign", reference="DR-2026-9999", colleague=""))[0] == 422
    given = await evidence("staff:request:given")
    assert [(one["actor"], one["to"]) for one in given] == [(f"staff:{me}", me), (f"staff:{me}", None)]


async def test_a_form_extends_a_request_by_the_desks_own_verb(client: httpx.AsyncClient, clock: SetClock) -> None:
    """The law's own sentence comes back when it is not possible; the person is told when it is."""
    request = await answered(clock)
    await sign_in(client, clock, Role.HANDLER)
    status, sentence = await sent(client, "extend", reference=request.reference, ground="complexity", why="")
    assert (status, sentence) == (422, "Fill this in.")
    status, sentence = await sent(client, "extend", reference=request.reference, ground="complexity", why="Much.")
    assert status == 200, sentence
    assert (await find_by_id(request.id)).extended_on is not None
    status, sentence = await sent(client, "extend", reference=request.reference, ground="complexity", why="Much.")
    assert status == 422
    assert "once" in sentence


async def test_a_form_records_what_was_received(client: httpx.AsyncClient, clock: SetClock) -> None:
    """The request is open with the instant of its receipt, by the very verb of the desk."""
    me = await sign_in(client, clock, Role.INTAKE)
    values = {"right": "access", "channel": "letter", "day": "2026-10-12", "time": "18:00", "text": "Please."}
    status, sentence = await sent(client, "record", **values)
    assert status == 200, sentence
    row = await SubjectRequest.select(SubjectRequest.reference, SubjectRequest.channel).first()
    assert row is not None
    assert (row["reference"] in sentence, row["channel"]) == (True, "letter")
    (entered,) = await evidence("rights:request:entered")
    assert entered["actor"] == f"staff:{me}"
    for wrong in ({"day": "2026-12-24"}, {"right": "child"}, {"channel": "pigeon"}, {"language": "de"}):
        assert (await sent(client, "record", **{**values, **wrong}))[0] == 422, wrong
    assert await SubjectRequest.count() == 1


@pytest.mark.parametrize("role", Role)
async def test_a_form_asks_for_the_permission_that_the_desk_asks_for(
    client: httpx.AsyncClient, clock: SetClock, role: Role
) -> None:
    """Who may not send a form is not offered it, and is refused as evidence."""
    await sign_in(client, clock, role)
    offered = [form["slug"] for form in (await client.get("/admin/api/forms/")).json()]
    assert offered == [slug for slug, form in FORMS.items() if form.needs in PERMITS[role]]
    for slug in FORMS.keys() - set(offered):
        for method, part in (("GET", ""), ("GET", "schema/"), ("POST", "")):
            answer = await client.request(method, f"/admin/api/forms/{slug}/{part}", headers=proof(client), json={})
            assert answer.status_code == 403
    assert len(await evidence("staff:refused")) == 3 * (len(FORMS) - len(offered))
    editable = (await client.get("/admin/editable.json")).json()
    assert editable == (sorted(EDITABLE) if Permission.REFERENCE in PERMITS[role] else [])


async def sent(client: httpx.AsyncClient, slug: str, **values: str) -> tuple[int, str]:
    """Send a form; return the status and what it says."""
    answer = await client.post(f"/admin/api/forms/{slug}/", headers=proof(client), json=values)
    return answer.status_code, next(iter(answer.json().values()))


async def answered(clock: Clock, right: Right = "inquiry") -> RequestView:
    """A request of a known person, with a clock of its own."""
    entered = Entered(
        rights=(right,), channel="letter", received_at=clock() - timedelta(days=1), text="Why?",
        email="somebody@person.example", method="account-details", language="en",
    )  # fmt: skip
    (request,) = await enter(entered, policy=organisation(), settings=settings(), at=clock(), actor="staff:1")
    return request


async def assignee() -> int | None:
    """Who has the request."""
    row = await SubjectRequest.select(SubjectRequest.assignee).where(SubjectRequest.reference == REFERENCE).first()
    assert row is not None
    found: int | None = row["assignee"]
    return found


def named(method: str, path: str, role: Role) -> bool:
    """True for what may be written: not refused because of its address, but because of what is sent, if at all."""
    may = PERMITS[role]
    parts = path.strip("/").split("/")
    match parts:
        case ["public", "logout"]:
            return method == "POST"
        case ["api", "tables", table]:
            return method == "POST" and table in EDITABLE and Permission.REFERENCE in may
        case ["api", "tables", table, row] if row == REFERENCE:
            return method in {"PATCH", "DELETE"} and table in EDITABLE and Permission.REFERENCE in may
        case ["api", "forms", slug]:
            return method == "POST" and slug in FORMS and FORMS[slug].needs in may
        case _:
            return False


def every_path() -> set[str]:
    """Every address of Piccolo Admin with the tables and forms of ours, whatever our own list says."""
    found = {"/public/login/", "/public/logout/", "/api/change-password/", "/api/media/", "/api/mfa-setup/"}
    writable = AdminRouter(*views.configs(), forms=[form.config() for form in FORMS.values()], read_only=False)
    stack: list[tuple[str, object]] = [("", route) for route in writable.routes]
    while stack:
        prefix, route = stack.pop()
        path = prefix + getattr(route, "path", "")
        if isinstance(route, Mount):
            # The private part is wrapped in the middleware that checks the session.
            app = getattr(route.app, "app", route.app)
            stack += [(path, inner) for inner in getattr(app, "routes", [])]
        elif "{form_slug:str}" in path:
            found |= {path.replace("{form_slug:str}", slug) for slug in FORMS}
        else:
            found.add(path.replace("{row_id:str}", REFERENCE).replace("{row_id}", REFERENCE))
    assert {f"/api/tables/{name}/" for name in VIEWS} <= found
    assert {f"/api/forms/{slug}/" for slug in FORMS} <= found
    return found
