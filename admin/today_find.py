"""Find a request by its reference, or a person's requests by their whole e-mail address.

Always true here: an address comes by POST and stands in no address bar and no log; that somebody searched for one is
evidence with a keyed hash of it, so that a search can be proven and nobody can be read from it.
"""

import hmac
import re
from datetime import date
from zoneinfo import ZoneInfo

from litestar import get, post
from litestar.response import Redirect, Template

from admin.nav import staff_page
from admin.roles import Permission
from admin.today import PATH, rows_in_words, today_page
from admin.today_owners import owners
from admin.who import Staff, need_staff
from portal.database import engine
from portal.errors import Invalid
from portal.evidence.log import append
from portal.identity.address import normalise
from portal.identity.forms import form
from portal.rights.queue import Chosen, Row, group_of, rows_of
from portal.rights.tables import SubjectRequest
from portal.settings import Settings
from portal.web import Req, go, now, policy_of, settings_of, words_of

FIRST_YEAR = 2018
"""No reference is older: the GDPR applies since then."""
TYPED = re.compile(r"(?:DR)?[-\s]*(?:([0-9]{4})[-\s]+)?([0-9]{1,12})", re.IGNORECASE)
KINDS = {"late": "late", "soon": "soon", "week": "ok", "later": "ok", "waiting": "wait"}


@get("/staff/find")
async def look_again(request: Req) -> Redirect:
    """Lead back to Today: what was found is not kept."""
    await need_staff(request, Permission.CASE)
    return go(request, PATH)


@post("/staff/find", status_code=200)
async def find(request: Req) -> Template | Redirect:
    """Lead to the one request with this reference, or show those of the person with this address."""
    staff = await need_staff(request, Permission.CASE)
    typed = (await form(request)).get("find", "").strip()
    if "@" in typed:
        return await _by_address(request, staff, typed)
    today = now(request).astimezone(ZoneInfo(policy_of(request).controller.zone)).date()
    found = await _existing(references(typed, today))
    if len(found) == 1:
        return go(request, f"{PATH}/{found[0]}")
    if not found:
        return await _nothing(request, staff, typed)
    return await _show(request, staff, await rows_of("r.reference = ANY({})", found))


def references(typed: str, today: date) -> list[str]:
    """Return every reference that may be meant: DR-2026-0118, 2026-118, or 118 of any year; the newest first."""
    match = TYPED.fullmatch(typed)
    if match is None:
        return []
    year, number = match.groups()
    years = [int(year)] if year else range(today.year, FIRST_YEAR - 1, -1)
    return [f"DR-{one}-{int(number):04d}" for one in years]


def hash_of(address: str, settings: Settings) -> str:
    """Return what evidence keeps of an address that was searched for: HMAC-SHA-256 under a key of its own."""
    return hmac.digest(settings.key("staff-search"), address.encode(), "sha256").hex()


async def _by_address(request: Req, staff: Staff, typed: str) -> Template:
    try:
        address = normalise(typed)
    except Invalid as wrong:
        return await today_page(
            request, staff, Chosen(), status=422, wrong=words_of(request)(wrong.sentence), find=typed
        )
    rows = await rows_of(
        "r.subject IN (SELECT id FROM subject WHERE email = {})"
        " OR r.id IN (SELECT request FROM intake_form WHERE email = {})",
        address, address,
    )  # fmt: skip
    async with engine().transaction():
        await append(
            "staff:address:searched", at=now(request), actor=staff.actor,
            details={"address": hash_of(address, settings_of(request)), "found": len(rows)},
        )  # fmt: skip
    return await _show(request, staff, rows) if rows else await _nothing(request, staff, typed)


async def _nothing(request: Req, staff: Staff, typed: str) -> Template:
    wrong = words_of(request)("Nothing found. Write a whole reference, like DR-2026-0118, or a whole e-mail address.")
    return await today_page(request, staff, Chosen(), status=422, wrong=wrong, find=typed)


async def _existing(wanted: list[str]) -> list[str]:
    rows = await SubjectRequest.select(SubjectRequest.reference).where(SubjectRequest.reference.is_in(wanted or [""]))
    return [row["reference"] for row in rows]


async def _show(request: Req, staff: Staff, rows: list[Row]) -> Template:
    today = now(request).astimezone(ZoneInfo(policy_of(request).controller.zone)).date()

    def kind_of(row: Row) -> str:
        return "wait" if row.closed_at else KINDS[group_of(row.due_day, today, waits=row.waits)]

    context = {**rows_in_words(request, staff, await owners()), "rows": rows, "kind_of": kind_of, "today": today}
    return staff_page(request, staff, "staff/today_found.html", status=200, **context)


routes = [look_again, find]
