"""Who sees which table in Piccolo Admin, and the note that somebody looked.

Always true here: what a table needs is asked of every address that names it; who reads rows about people is evidence
before the first row leaves; a row and its note come from one transaction, or no row leaves.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from admin.captured import Captured, capture, json_answer
from admin.desk_words import right_in_words
from admin.records_words import choices_in_words, group_in_words, help_in_words, next_in_words
from admin.roles import Permission
from admin.views import GROUPS, VIEWS
from admin.views.view import View
from admin.who import NotPermitted, Staff, note_refusal
from portal.database import engine
from portal.evidence.log import Details, append
from portal.mail.wording import ASKED
from portal.policy.model import Policy
from portal.rights.reference import EDITABLE
from portal.settings import Settings
from portal.words import Words

TABLE = re.compile(r"/api/tables/([a-z_]+)/(?:([\w.@+-]{1,200})/)?")
"""One table: its list, or with a second part a row or one of `PARTS`."""
PARTS = {"schema", "count", "new", "references"}
"""`ids` is not among them: it would give all keys of a table at once, and no page of Piccolo Admin asks for it."""
WRITES = {"POST", "PATCH", "DELETE"}
KEY = "habeas"
"""Where in the scope of a request Piccolo Admin finds `Asking`."""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Who of the staff asks, and what it takes to answer."""

    staff: Staff
    policy: Policy
    settings: Settings
    at: datetime
    words: Words
    """In the browser's language: Piccolo Admin speaks that one, too."""


def open_to(staff: Staff) -> dict[str, View]:
    """Return the views that somebody may see, by name."""
    return {name: view for name, view in VIEWS.items() if staff.may(view.needs)}


def table_list(asking: Asking) -> list[str]:
    """Return what Piccolo Admin asks for as `/api/tables/`."""
    return sorted(open_to(asking.staff))


def table_groups(asking: Asking) -> dict[str, object]:
    """Return what Piccolo Admin asks for as `/api/tables/grouped/`; a group of which nothing is open is not there."""
    seen = open_to(asking.staff)
    found = {
        group_in_words(asking.words, group): [view.name for view in views if view.name in seen]
        for group, views in GROUPS.items()
    }
    return {"grouped": {group: names for group, names in found.items() if names}, "ungrouped": []}


async def on_table(method: str, path: str, asking: Asking, inner: ASGIApp, scope: Scope, receive: Receive) -> Captured:
    """Answer what is asked of one table, by Piccolo Admin where that is allowed."""
    found, words = TABLE.fullmatch(path), asking.words
    view = VIEWS.get(found[1]) if found else None
    if found is None or view is None or found[2] == "ids":
        return json_answer(404, {"detail": "Not Found"})
    if not asking.staff.may(view.needs):
        return await refused(asking, view.needs)
    if method in {"GET", "HEAD"}:
        return await _read(view, found[2] or "", asking, inner, scope, receive)
    if view.name not in EDITABLE or method not in WRITES or (method == "POST") is not (found[2] is None):
        return json_answer(405, {"detail": words("This table cannot be changed here.")})
    if not asking.staff.may(Permission.REFERENCE):
        return await refused(asking, Permission.REFERENCE)
    return await capture(inner, scope, receive)


async def refused(asking: Asking, permission: Permission) -> Captured:
    """Refuse, and note that somebody tried."""
    await note_refusal(asking.staff, permission, at=asking.at)
    return json_answer(403, {"detail": asking.words(NotPermitted.sentence)})


async def _read(
    view: View, part: str, asking: Asking, inner: ASGIApp, scope: Scope, receive: Receive
) -> Captured:  # fmt: skip
    """Let Piccolo Admin read, and note it, in one transaction.

    A column or a value that does not fit is the asker's mistake; Piccolo Admin would make a 500 of it.
    """
    try:
        async with engine().transaction():
            await _say_what_day_it_is(asking)
            answer = await capture(inner, scope, receive)
            if view.personal and answer.status == 200:
                await _note(view, part, answer, asking, scope["query_string"])
    except (asyncpg.DataError, OverflowError, ValueError):
        return json_answer(400, {"detail": "Bad Request"})
    return _with_help(view, answer, asking) if part == "schema" and answer.status == 200 else answer


async def _say_what_day_it_is(asking: Asking) -> None:
    """Tell the views the day and the words of this question: a view knows neither our clock nor languages."""
    zone, words = asking.policy.controller.zone, asking.words
    said = {f"right:{right}": right_in_words(words, right) for right in ASKED} | next_in_words(words)
    await engine().connection.execute(
        "SELECT set_config('habeas.today', $1, true), set_config('habeas.zone', $2, true),"
        " set_config('habeas.words', $3, true)",
        asking.at.astimezone(ZoneInfo(zone)).date().isoformat(), zone, msgspec.json.encode(said).decode(),
    )  # fmt: skip


async def _note(view: View, part: str, answer: Captured, asking: Asking, query: bytes) -> None:
    """Note one look: which table, how many rows, filtered by which columns, never by which values. Source: law S-19."""
    names = {name.partition("__")[0].removesuffix("[]") for name, _ in parse_qsl(query.decode("latin-1"))}
    filters = sorted(names & view.columns)
    if part in PARTS and not (part == "count" and filters):
        return
    body = msgspec.json.decode(answer.body)
    rows = _rows_in(part, body)
    single = part not in PARTS and part != ""
    reference = str(body.get("reference") or "") if single else ""
    details: Details = {"table": view.name, "rows": rows, "filters": ",".join(filters)}
    await append("staff:records:read", at=asking.at, actor=asking.staff.actor, reference=reference, details=details)


def _rows_in(part: str, body: Mapping[str, object]) -> int:
    match body:
        case {"rows": list() as rows} if part == "":
            return len(rows)
        case {"count": int() as count} if part == "count":
            return count
        case _:
            return 1


def _with_help(view: View, answer: Captured, asking: Asking) -> Captured:
    """Add to its schema what the table is for, and what a column offers to choose from."""
    schema, words = msgspec.json.decode(answer.body), asking.words
    schema.setdefault("extra", {})["help_text"] = help_in_words(words, view.name)
    for column, choices in choices_in_words(words, asking.policy, view.name).items():
        offered = {value: {"value": value, "display_name": said} for value, said in choices.items()}
        schema["properties"][column].setdefault("extra", {})["choices"] = offered
    return json_answer(200, schema, headers=answer.headers)


async def send_answer(answer: Captured, send: Send, *, head: bool) -> None:
    """Send what was kept back."""
    headers: Sequence[tuple[bytes, bytes]] = answer.headers
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body, "more_body": False})
