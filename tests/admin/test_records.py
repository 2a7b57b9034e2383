"""Piccolo Admin lets staff read what their role permits, and nobody change anything but the reference tables."""

from datetime import timedelta

import httpx
import pytest

from admin.records import open_to
from admin.roles import Permission, Role
from admin.views import GROUPS, LEFT_OUT, VIEWS
from admin.who import Staff
from portal.clock import SetClock
from portal.database import engine
from portal.rights.reference import EDITABLE
from portal.rights.tables import SubjectRequest
from tests.admin.records import REFERENCE, evidence, fill, proof, sign_in, tables

PERSONAL = sorted(name for name, view in VIEWS.items() if view.needs is Permission.RECORDS)
IMPERSONAL = sorted(name for name, view in VIEWS.items() if view.needs is Permission.TABLES)


async def test_every_table_is_told_or_left_out_with_a_reason(database: str) -> None:
    """Whoever adds a table decides what staff may see of it."""
    told = {table for view in VIEWS.values() for table in view.tables}
    assert sorted(told | LEFT_OUT.keys()) == await tables()
    assert not told & LEFT_OUT.keys()
    assert all(LEFT_OUT.values())


async def test_the_views_hold_no_column_that_the_migration_lacks(database: str) -> None:
    """Each table that Piccolo Admin reads is exactly its SQL view."""
    for view in VIEWS.values():
        rows = await view.table.raw(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'staff' AND table_name = {}",
            view.name,
        )
        assert {row["column_name"] for row in rows} == view.columns, view.name
    assert engine().current_transaction.get() is None


async def test_without_a_session_the_page_leads_to_sign_in(client: httpx.AsyncClient) -> None:
    """Neither the page nor the records are there for strangers."""
    answer = await client.get("/admin/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff/sign-in")
    for table in VIEWS:
        assert (await client.get(f"/admin/api/tables/{table}/")).status_code == 401


async def test_the_address_without_a_slash_leads_to_the_one_with(client: httpx.AsyncClient) -> None:
    """Piccolo Admin's own files are relative to it."""
    answer = await client.get("/admin")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/")


async def test_staff_see_the_page_and_its_files(client: httpx.AsyncClient, clock: SetClock) -> None:
    """The page, its script and our own load."""
    await sign_in(client, clock, Role.DPO)
    page = await client.get("/admin/")
    assert page.status_code == 200
    assert "records.js" in page.text
    script = page.text.partition('src="./')[2].partition('"')[0]
    assert (await client.get(f"/admin/{script}")).status_code == 200
    assert "javascript" in (await client.get("/admin/records.js")).headers["content-type"]
    assert "css" in (await client.get("/admin/records.css")).headers["content-type"]


async def test_staff_read_every_view_without_a_secret(client: httpx.AsyncClient, clock: SetClock) -> None:
    """No list, no single row, no schema holds a name, an address, a body, a place or a digest of a parcel."""
    await fill(clock)
    await sign_in(client, clock, Role.DPO)
    for table, view in VIEWS.items():
        listed = await client.get(f"/admin/api/tables/{table}/")
        assert listed.status_code == 200, listed.text
        for row in listed.json()["rows"]:
            key = row[view.table._meta.primary_key._meta.name]
            single = await client.get(f"/admin/api/tables/{table}/{key}/")
            assert single.status_code == 200, single.text
            assert "planted" not in single.text.lower()
        assert "planted" not in listed.text.lower()
        schema = (await client.get(f"/admin/api/tables/{table}/schema/")).json()
        assert schema["extra"]["help_text"]
    (mail,) = (await client.get("/admin/api/tables/mail/")).json()["rows"]
    assert mail["to_address"] == "p…@private.example"
    (form,) = (await client.get("/admin/api/tables/form_received/")).json()["rows"]
    assert form["address"] == "p…@private.example"
    (request,) = (await client.get(f"/admin/api/tables/request/?reference={REFERENCE}")).json()["rows"]
    assert request["right"] == "access"


@pytest.mark.parametrize("role", Role)
async def test_each_role_is_offered_and_given_exactly_what_is_open_to_it(
    client: httpx.AsyncClient, clock: SetClock, role: Role
) -> None:
    """The menu, the list, a row, the count, the schema: all say the same; a refusal is evidence."""
    await fill(clock)
    me = await sign_in(client, clock, role)
    staff = Staff(id=me, email="", name="", roles=frozenset({role}), confirmed_at=clock())
    mine = open_to(staff)
    assert (await client.get("/admin/api/tables/")).json() == sorted(mine)
    grouped = (await client.get("/admin/api/tables/grouped/")).json()["grouped"]
    assert sorted(name for names in grouped.values() for name in names) == sorted(mine)
    assert grouped.keys() <= GROUPS.keys()
    questions = [f"{table}/" for table in VIEWS]
    for table in ("open_request", "request", "job", "colleague", "letter_addition"):
        questions += [f"{table}/{part}" for part in ("schema/", "count/", "new/", "references/", f"{REFERENCE}/")]
    for question in questions:
        answer = await client.get(f"/admin/api/tables/{question}")
        assert (answer.status_code == 403) is (question.partition("/")[0] not in mine), question
        assert answer.status_code < 500
    refused = await evidence("staff:refused")
    assert len(refused) == sum(question.partition("/")[0] not in mine for question in questions)
    assert {entry["actor"] for entry in refused} <= {f"staff:{me}"}


async def test_the_administrator_sees_nothing_about_people_who_ask(client: httpx.AsyncClient, clock: SetClock) -> None:
    """Whoever runs the server sees the machinery and the staff, no request."""
    await sign_in(client, clock, Role.ADMIN)
    seen = set((await client.get("/admin/api/tables/")).json())
    assert not seen & {*PERSONAL, "open_request"}
    assert seen >= {"job", "heartbeat", "colleague", *IMPERSONAL}


async def test_a_look_at_rows_about_people_is_evidence(client: httpx.AsyncClient, clock: SetClock) -> None:
    """Table, number of rows, columns of the filter and who; never a value."""
    await fill(clock)
    me = await sign_in(client, clock, Role.AUDITOR)
    for question in (
        "request/", "request/?state=deciding&state__match=exact&nonsense-planted=1", f"request/{REFERENCE}/",
        "mail/count/", "mail/count/?kind=received", "mail/schema/", "request/DR-2026-9999/", "job/",
        "open_request/", "letter_addition/",
    ):  # fmt: skip
        await client.get(f"/admin/api/tables/{question}")
    mine = {"actor": f"staff:{me}", "reference": "", "filters": "", "rows": 1}
    noted = await evidence("staff:records:read")
    assert noted == [
        {**mine, "table": "request"},
        *([{**mine, "table": "request", "filters": "state"}] if len(noted) == 4 else []),
        {**mine, "table": "request", "reference": REFERENCE},
        {**mine, "table": "mail", "filters": "kind"},
    ]


async def test_no_row_leaves_when_the_look_cannot_be_noted(client: httpx.AsyncClient, clock: SetClock) -> None:
    """The note and the rows come from one transaction."""
    await fill(clock)
    await sign_in(client, clock, Role.AUDITOR)
    await SubjectRequest.raw("ALTER TABLE evidence RENAME TO elsewhere")
    answer = await client.get("/admin/api/tables/request/")
    assert answer.status_code == 500
    assert REFERENCE not in answer.text


async def test_what_is_open_can_be_triaged(client: httpx.AsyncClient, clock: SetClock) -> None:
    """Days left by the clock of the organisation, the right and what is next in the browser's language, by day."""
    await fill(clock)
    later = SubjectRequest(
        reference="DR-2026-0200", right="erasure", categories=[], language="fr", received_at=clock(), waits=True,
        law_day=clock().date() + timedelta(9), due_day=clock().date() + timedelta(9), state="verifying",
    )  # fmt: skip
    await later.save()
    me = await sign_in(client, clock, Role.INTAKE)
    await SubjectRequest.update({SubjectRequest.assignee: me}).where(SubjectRequest.id == later.id)
    clock.advance(timedelta(days=3))
    await sign_in(client, clock, Role.HANDLER)
    order = (await client.get("/admin/api/tables/open_request/schema/")).json()["extra"]["order_by"]
    assert [one["column"] for one in order] == ["due_day", "reference"]
    address = "/admin/api/tables/open_request/?__order=due_day,reference"
    first, second = (await client.get(address)).json()["rows"]
    assert (first["reference"], first["days_left"], first["owner"]) == (REFERENCE, -3, "")
    assert (first["right"], first["next_action"]) == ("A copy of their data", "Decide what the person asked for")
    assert (second["days_left"], second["owner"], second["waiting"]) == (6, "Intake", True)
    french = (await client.get(address, headers={"Accept-Language": "fr"})).json()["rows"][1]
    assert (french["right"], french["next_action"]) == ("Un effacement", "Trouver de qui il s’agit")
    late = (await client.get("/admin/api/tables/open_request/?days_left=0&days_left__operator=lt")).json()["rows"]
    assert [row["reference"] for row in late] == [REFERENCE]


async def test_the_menu_speaks_the_language_of_the_browser(client: httpx.AsyncClient, clock: SetClock) -> None:
    """Groups, links, forms, fields and help."""
    await sign_in(client, clock, Role.DPO)
    client.headers["Accept-Language"] = "fr-FR,fr;q=0.9"
    assert "Demandes" in (await client.get("/admin/api/tables/grouped/")).json()["grouped"]
    assert (await client.get("/admin/api/links/")).json() == {"Aujourd’hui": "/staff/desk"}
    assert (await client.get("/admin/api/forms/assign/")).json()["name"] == "Attribuer une demande"
    fields = (await client.get("/admin/api/forms/assign/schema/")).json()["properties"]
    assert fields["colleague"]["title"].startswith("Collègue")
    schema = (await client.get("/admin/api/tables/job/schema/")).json()
    assert schema["extra"]["help_text"].startswith("Ce que")


@pytest.mark.parametrize(
    "path",
    ["/openapi.json", "/api/openapi.json", "/public/openapi.json", "/api/docs/", "/public/docs/", "/public/login/",
     "/api/change-password/", "/api/mfa-setup/", "/api/media/", "/../healthz", "/assets/../index.html", "/%00",
     "/assets/%2e%2e/index.html", "//", "/api/tables/subject/", "/api/tables/staff_user/", "/api/forms/nothing/",
     "/api/tables/request/ids/", "/api/tables/mail_body/", "/api/tables/request/a/b/"],
)  # fmt: skip
async def test_what_is_not_named_does_not_exist(client: httpx.AsyncClient, clock: SetClock, path: str) -> None:
    """API pages, the password login, odd paths and tables without a view answer 404."""
    await sign_in(client, clock, Role.DPO)
    assert (await client.get(f"/admin{path}")).status_code == 404


@pytest.mark.parametrize(
    "question",
    ["request/?due_day=never", "request/?nothing=1", "evidence/99999999999999999999999/", "mail/not-an-id/",
     "request/?__page_size=100000", "request/?__order=nothing", "evidence/?details=%7B",
     "plan_step/?tries=99999999999999", "job/99999999999999999999/"],
)  # fmt: skip
async def test_a_question_that_makes_no_sense_is_the_askers_fault(
    client: httpx.AsyncClient, clock: SetClock, question: str
) -> None:
    """Never a 500, and no word of PostgreSQL's."""
    await sign_in(client, clock, Role.DPO)
    answer = await client.get(f"/admin/api/tables/{question}")
    assert 400 <= answer.status_code < 500, answer.text


async def test_signing_out_ends_the_session(client: httpx.AsyncClient, clock: SetClock) -> None:
    """The cookie's old value opens nothing afterwards."""
    await sign_in(client, clock, Role.DPO)
    old = client.cookies["id"]
    assert (await client.post("/admin/public/logout/", headers=proof(client))).status_code == 200
    client.cookies.set("id", old)
    assert (await client.get("/admin/")).status_code == 303


async def test_only_tables_that_are_views_of_ours_can_be_edited(database: str) -> None:
    """The list of what may be written names views that everybody with tables may read."""
    assert EDITABLE.keys() <= VIEWS.keys()
    assert {VIEWS[name].needs for name in EDITABLE} == {Permission.TABLES}
