"""How staff are reminded: in which language each is written to, and whether all that reminds them still works.

Always true here: everybody chooses for themselves alone.
"""

from typing import Annotated

from litestar import get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Template

from admin.nav import staff_page
from admin.reminders import language_of
from admin.roles import Permission
from admin.tables_reminders import StaffChoice
from admin.who import need_staff
from portal.identity.forms import form
from portal.rights.beats import beats
from portal.web import OWN_NAMES, Req, go, now, policy_of, words_of
from portal.words import Words

PATH = "/staff/reminders"


@get(PATH)
async def show(request: Req, done: Annotated[str, QueryParameter(name="done")] = "") -> Template:
    """Show the choice, and when everything last ran."""
    staff = await need_staff(request, Permission.QUEUE)
    policy, words = policy_of(request), words_of(request)
    return staff_page(
        request, staff, "staff/reminders.html", done=bool(done), chosen=await language_of(staff.id, policy),
        languages=[(one, OWN_NAMES[one]) for one in policy.languages], email=staff.email,
        beats=[(_title(words, one.name), one) for one in await beats(at=now(request))],
    )  # fmt: skip


@post(PATH)
async def choose(request: Req) -> Redirect:
    """Remember the language; one that the organisation does not speak changes nothing."""
    staff = await need_staff(request, Permission.QUEUE)
    chosen = (await form(request)).get("language", "")
    if chosen in policy_of(request).languages:
        await StaffChoice.raw(
            'INSERT INTO staff_choice ("user", language) VALUES ({}, {})'
            ' ON CONFLICT ("user") DO UPDATE SET language = excluded.language',
            staff.id, chosen,
        )  # fmt: skip
    return go(request, f"{PATH}?done=1")


def _title(words: Words, name: str) -> str:
    return {
        "rights.clock": words("Clocks of all requests"),
        "staff.reminders": words("Reminders to staff"),
        "staff.daily": words("Daily mail to staff"),
        "evidence.anchor": words("Log anchored outside the database"),
        "worker": words("Worker"),
        "mail": words("Oldest mail that waits"),
        "backup": words("Last habeas backup"),
    }[name]


routes = [show, choose]
