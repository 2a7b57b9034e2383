"""Staff of each role before Piccolo Admin, rows that hold what they must not see, and what is in every table."""

import hashlib
from collections.abc import Sequence

import httpx
import msgspec
from piccolo.querystring import QueryString

from admin.roles import Role
from admin.tables import StaffSession, StaffUser
from admin.who import COOKIE
from portal.clock import Clock, SetClock
from portal.database import engine
from portal.identity.tables import KnownIdentifier, Subject
from portal.mail.tables import Mail, MailBody
from portal.rights.tables import Parcel, RequestMessage, SubjectRequest
from portal.rights.tables_intake import IntakeForm

REFERENCE = "DR-2026-0147"


async def sign_in(client: httpx.AsyncClient, clock: Clock, *roles: Role) -> int:
    """Sign a browser in as somebody with these roles, and fetch Piccolo's form token. Returns who it is."""
    name = "-".join(roles) or "nobody"
    user = StaffUser(
        username=f"{name}@casagbic.example", email=f"{name}@casagbic.example", name=name.capitalize(), active=True,
        admin=True, roles=[str(role) for role in roles],
    )  # fmt: skip
    await user.save()
    client.cookies.clear()
    client.cookies.set(COOKIE, await StaffSession.begin(user.id, at=clock(), confirmed=True))
    await client.get("/admin/")
    return int(user.id)


def proof(client: httpx.AsyncClient) -> dict[str, str]:
    """What Piccolo Admin's own page sends with a form."""
    return {"X-CSRFToken": client.cookies.get("csrftoken", ""), "Origin": str(client.base_url)}


async def fill(clock: SetClock) -> None:
    """One request with a message, a mail, a form and a parcel, all holding words that staff must not see."""
    now = clock()
    person = Subject(email="planted.person@private.example", display_name="Planted Name", created_at=now)
    await person.save()
    request = SubjectRequest(
        reference=REFERENCE, subject=person.id, right="access", categories=["account"], language="en",
        received_at=now, law_day=now.date(), due_day=now.date(), state="deciding",
    )  # fmt: skip
    await request.save()
    await KnownIdentifier(subject=person.id, kind="account_id", value="planted-account").save()
    await RequestMessage(request=request.id, at=now, author="person", text="planted words").save()
    await IntakeForm(
        request=request.id, kind="lost", email=person.email, name="Planted", about="planted", sent_at=now
    ).save()
    mail = Mail(kind="received", to_address=person.email, language="en", created_at=now)
    await mail.save()
    await MailBody.insert(MailBody(mail=mail.id, subject="planted subject", text="planted text", html="planted html"))
    await Parcel(
        request=request.id, place="planted-place", size_bytes=1, sha256="planted-digest", records=1, files=0,
        complete=True, snapshot_at=now, ready_at=now, expires_at=now,
    ).save()  # fmt: skip


async def tables() -> list[str]:
    """Every table of the database, the queue's among them."""
    rows = await _rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    return sorted(str(row["table_name"]) for row in rows)


async def fingerprint(*, but: Sequence[str] = ()) -> dict[str, str]:
    """A digest of all rows of each table."""
    found = {}
    for table in await tables():
        if table not in but:
            rows = await _rows(f'SELECT t::text AS row FROM "{table}" t ORDER BY 1')
            found[table] = hashlib.sha256(repr([row["row"] for row in rows]).encode()).hexdigest()
    return found


async def evidence(event: str) -> list[dict[str, object]]:
    """The details of every entry of one kind, oldest first, with its actor and reference."""
    rows = await _rows("SELECT actor, reference, details FROM evidence WHERE event = {} ORDER BY seq", event)
    return [
        {"actor": row["actor"], "reference": row["reference"], **msgspec.json.decode(str(row["details"]))}
        for row in rows
    ]


async def _rows(query: str, *values: object) -> list[dict[str, object]]:
    found: list[dict[str, object]] = await engine().run_querystring(QueryString(query, *values))
    return found
