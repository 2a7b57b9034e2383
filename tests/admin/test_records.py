"""Piccolo Admin lets staff read a little, and nobody change anything."""

import httpx
import pytest
from piccolo_admin.endpoints import AdminRouter
from starlette.routing import Mount

from admin.views import VIEWS
from portal.clock import SetClock
from portal.database import engine
from portal.identity.tables import Subject
from portal.mail.tables import Mail, MailBody
from portal.rights.tables import Parcel, SubjectRequest

WRITES = ["POST", "PUT", "PATCH", "DELETE"]
TABLES = [config.table_class._meta.tablename for config in VIEWS]


async def fill(clock: SetClock) -> None:
    """One request with a mail and a parcel, all holding words that staff must not see."""
    now = clock()
    person = Subject(email="planted.person@private.example", display_name="Planted Name", created_at=now)
    await person.save()
    request = SubjectRequest(
        reference="DR-2026-0147", subject=person.id, right="access", categories=["account"], language="en",
        received_at=now, law_day=now.date(), due_day=now.date(),
    )  # fmt: skip
    await request.save()
    mail = Mail(kind="received", to_address=person.email, language="en", created_at=now)
    await mail.save()
    await MailBody.insert(MailBody(mail=mail.id, subject="planted subject", text="planted text", html="planted html"))
    await Parcel(
        request=request.id, place="planted-place", size_bytes=1, sha256="planted-digest", records=1, files=0,
        complete=True, snapshot_at=now, ready_at=now, expires_at=now,
    ).save()  # fmt: skip


async def test_without_a_session_the_page_leads_to_sign_in(client: httpx.AsyncClient) -> None:
    """Neither the page nor the records are there for strangers."""
    answer = await client.get("/admin/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff/sign-in")
    for table in TABLES:
        assert (await client.get(f"/admin/api/tables/{table}/")).status_code == 401


async def test_the_address_without_a_slash_leads_to_the_one_with(client: httpx.AsyncClient) -> None:
    """Piccolo Admin's own files are relative to it."""
    answer = await client.get("/admin")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/")


async def test_staff_see_the_page_and_its_files(staff: httpx.AsyncClient) -> None:
    """The page, its script and our own load."""
    page = await staff.get("/admin/")
    assert page.status_code == 200
    assert "signed_out.js" in page.text
    script = page.text.partition('src="./')[2].partition('"')[0]
    assert (await staff.get(f"/admin/{script}")).status_code == 200
    assert "javascript" in (await staff.get("/admin/signed_out.js")).headers["content-type"]


async def test_staff_read_every_view_without_a_secret(staff: httpx.AsyncClient, clock: SetClock) -> None:
    """No list, no single row, no schema holds a name, an address, a body, a place or a digest of a parcel."""
    await fill(clock)
    for table in TABLES:
        listed = await staff.get(f"/admin/api/tables/{table}/")
        assert listed.status_code == 200, listed.text
        for row in listed.json()["rows"]:
            key = next(iter(row.values()))
            single = await staff.get(f"/admin/api/tables/{table}/{key}/")
            assert single.status_code == 200, single.text
            assert "planted" not in single.text.lower()
        assert "planted" not in listed.text.lower()
    (mail,) = (await staff.get("/admin/api/tables/mail/")).json()["rows"]
    assert mail["to_address"] == "p…@private.example"
    (request,) = (await staff.get("/admin/api/tables/request/?reference=DR-2026-0147")).json()["rows"]
    assert request["right"] == "access"


@pytest.mark.parametrize("method", WRITES)
async def test_staff_can_change_nothing(staff: httpx.AsyncClient, clock: SetClock, method: str) -> None:
    """Every address that Piccolo Admin knows refuses every way to write, with a valid form token."""
    await fill(clock)
    token = (await staff.get("/admin/")).cookies.get("csrftoken", "")
    headers = {"X-CSRFToken": token, "Origin": str(staff.base_url), "Referer": str(staff.base_url)}
    for path in sorted(every_path()):
        if (method, path) != ("POST", "/public/logout/"):
            answer = await staff.request(method, f"/admin{path}", headers=headers, json={"state": "closed"})
            assert answer.status_code in {404, 405}, path
    assert await SubjectRequest.exists().where(SubjectRequest.state == "received")


@pytest.mark.parametrize(
    "path",
    ["/openapi.json", "/api/openapi.json", "/public/openapi.json", "/api/docs/", "/public/docs/", "/public/login/",
     "/api/change-password/", "/api/mfa-setup/", "/api/media/", "/../healthz", "/assets/../index.html", "/%00",
     "/assets/%2e%2e/index.html", "//", "/api/tables/subject/", "/api/tables/staff_user/"],
)  # fmt: skip
async def test_what_is_not_named_does_not_exist(staff: httpx.AsyncClient, path: str) -> None:
    """API pages, the password login, odd paths and tables without a view answer 404."""
    assert (await staff.get(f"/admin{path}")).status_code == 404


async def test_signing_out_ends_the_session(staff: httpx.AsyncClient) -> None:
    """The cookie's old value opens nothing afterwards."""
    old = staff.cookies["id"]
    token = (await staff.get("/admin/")).cookies["csrftoken"]
    answer = await staff.post("/admin/public/logout/", headers={"X-CSRFToken": token, "Origin": str(staff.base_url)})
    assert answer.status_code == 200
    staff.cookies.set("id", old)
    assert (await staff.get("/admin/")).status_code == 303


async def test_the_views_hold_no_column_that_the_migration_lacks(database: str) -> None:
    """Each table that Piccolo Admin reads is exactly its SQL view."""
    for config in VIEWS:
        table = config.table_class
        rows = await table.raw(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'staff' AND table_name = {}",
            table._meta.tablename,
        )
        assert {row["column_name"] for row in rows} == {column._meta.name for column in table._meta.columns}
    assert engine().current_transaction.get() is None


def every_path() -> set[str]:
    """Return every address of Piccolo Admin with the tables of ours, whatever our own list says."""
    found = {"/public/login/", "/public/logout/", "/api/change-password/", "/api/media/", "/api/mfa-setup/"}
    stack: list[tuple[str, object]] = [("", route) for route in AdminRouter(*VIEWS).routes]
    while stack:
        prefix, route = stack.pop()
        path = prefix + getattr(route, "path", "")
        if isinstance(route, Mount):
            # The private part is wrapped in the middleware that checks the session.
            app = getattr(route.app, "app", route.app)
            stack += [(path, inner) for inner in getattr(app, "routes", [])]
        else:
            found.add(path.replace("{row_id}", "DR-2026-0147"))
    assert any("/api/tables/request/" in path for path in found)
    return found
