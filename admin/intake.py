"""Staff write down a letter, a call, an e-mail or a visit: what was asked, in the person's words, and when it came.

Always true here: only an active member of staff reaches it; the moment of receipt is asked for and never taken from the
clock; a mistake keeps everything that was typed. Source: law D2, Z4, CG-25.
"""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Template
from multidict import MultiDict

from admin.desk_shapes import by_reference
from admin.desk_words import right_in_words
from admin.nav import staff_page
from admin.roles import Permission
from admin.who import Staff, need_staff
from portal.errors import Invalid
from portal.identity.address import normalise
from portal.identity.forms import form
from portal.rights.intake_staff import CHANNELS, ENTERED, METHODS, Entered, checked, enter, received_instant
from portal.rights.requests import RequestView
from portal.web import Req, go, language_of, now, policy_of, settings_of, words_of

PATH = "/staff/requests/new"


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed, as it was typed."""

    rights: tuple[str, ...] = ()
    everything: str = ""
    channel: str = ""
    day: str = ""
    time: str = ""
    which: str = ""
    text: str = ""
    email: str = ""
    method: str = ""
    spoken: str = ""
    """The language the person wrote or spoke in."""


@get(PATH)
async def show(request: Req, ref: Annotated[list[str] | None, QueryParameter(name="ref")] = None) -> Template:
    """Show the empty form, and the dates of what was written down just now: `ref` are its references."""
    staff = await need_staff(request, Permission.ENTER)
    opened = [await by_reference(one) for one in ref or []]
    return _page(request, staff, Typed(spoken=language_of(request)), [], opened)


@post(PATH, status_code=200)
async def take(request: Req) -> Template | Redirect:
    """Open what was asked for, counted from when it came, and lead to its dates: a reload sends nothing again."""
    staff = await need_staff(request, Permission.ENTER)
    typed = _read(await form(request))
    try:
        entered = _entered(request, typed)
    except Invalid as mistake:
        return _page(request, staff, typed, [mistake])
    opened = await enter(
        entered, policy=policy_of(request), settings=settings_of(request), at=now(request), actor=staff.actor
    )  # fmt: skip
    return go(request, f"{PATH}?{urlencode([('ref', one.reference) for one in opened])}")


def _entered(request: Req, typed: Typed) -> Entered:
    """Return what holds together. Raises: Invalid, naming the field."""
    policy = policy_of(request)
    return checked(
        Entered(
            rights=tuple(typed.rights), channel=typed.channel,  # type: ignore[arg-type]
            received_at=received_instant(typed.day, typed.time, typed.which, policy=policy, at=now(request)),
            text=typed.text.replace("\r\n", "\n").strip(), method=typed.method, everything=bool(typed.everything),
            email=normalise(typed.email) if typed.email.strip() else "",
            language=typed.spoken if typed.spoken in policy.languages else policy.languages[0],
        )
    )  # fmt: skip


def _read(fields: MultiDict[str]) -> Typed:
    rights = tuple(right for right in ENTERED if right in fields.getall("rights", []))
    plain = {name: fields.get(name, "") for name in Typed.__struct_fields__ if name != "rights"}
    return Typed(rights=rights, **plain)


def _page(
    request: Req, staff: Staff, typed: Typed, wrong: Sequence[Invalid], opened: Sequence[RequestView] = ()
) -> Template:
    words = words_of(request)
    return staff_page(
        request, staff, "staff/intake.html", status=422 if wrong else 200, typed=typed, wrong=wrong, opened=opened,
        rights=ENTERED, title_of=lambda one: right_in_words(words, one),
        channels=CHANNELS, methods=METHODS, twice=bool(typed.which) or any(one.field == "which" for one in wrong),
    )  # fmt: skip


routes = [show, take]
