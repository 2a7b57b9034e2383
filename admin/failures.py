"""The page of what failed: everything that waits for somebody, with what can be done about it.

Always true here: a failure is shown with the turn at which it was seen, and a form acts on that turn alone, so two
clicks or two people do it once. Who may not mend the system mends what belongs to a request.
"""

import re
from typing import Annotated, cast

from litestar import get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect, Template
from multidict import MultiDict

from admin.colleagues import names_of
from admin.failures_words import failure_in_words, how_in_words, kind_in_words
from admin.nav import staff_page
from admin.roles import Permission
from admin.who import Staff, need_staff
from portal.errors import Invalid, NotFound, Refused
from portal.identity.forms import form
from portal.rights.failures import Action, open_failures
from portal.rights.failures_found import ended
from portal.rights.failures_mend import Mended, mend
from portal.rights.requests import REFERENCE
from portal.web import Req, go, now, policy_of, settings_of, words_of

PATH = "/staff/failures"
TURN = re.compile(r"[0-9]{1,9}")
OF_ONE = f"{PATH}/{{reference:str}}"


@get(PATH)
async def show_all(request: Req, done: Annotated[str, QueryParameter(name="done")] = "") -> Template:
    """Show everything that failed."""
    staff = await need_staff(request, Permission.SYSTEM)
    return await _page(request, staff, done=bool(done))


@get(OF_ONE)
async def show_of_one(
    request: Req, reference: FromPath[str], done: Annotated[str, QueryParameter(name="done")] = ""
) -> Template:  # fmt: skip
    """Show what failed for one request. Raises: NotFound."""
    staff = await need_staff(request, Permission.TASKS, reference=_checked(reference))
    return await _page(request, staff, reference, done=bool(done))


@post(PATH, status_code=200)
async def act(request: Req) -> Template | Redirect:
    """Try again, skip or note what was done, whatever it belongs to."""
    return await _act(request, await need_staff(request, Permission.SYSTEM))


@post(OF_ONE, status_code=200)
async def act_for_one(request: Req, reference: FromPath[str]) -> Template | Redirect:
    """Do the same about something that belongs to one request. Raises: NotFound."""
    return await _act(request, await need_staff(request, Permission.TASKS, reference=_checked(reference)), reference)


async def _act(request: Req, staff: Staff, reference: str = "") -> Template | Redirect:
    fields = await form(request)
    id, turn, action = fields.get("failure", ""), fields.get("turn", ""), fields.get("do", "")
    seen = int(turn) if TURN.fullmatch(turn) else -1
    try:
        await mend(
            id, seen, cast(Action, action), reason=fields.get("reason", ""), policy=policy_of(request),
            settings=settings_of(request), at=now(request), actor=staff.actor, reference=reference,
        )  # fmt: skip
    except (Invalid, Mended) as wrong:
        return await _page(request, staff, reference, wrong=wrong, typed=fields)
    return go(request, f"{PATH}/{reference}?done=1" if reference else f"{PATH}?done=1")


async def _page(
    request: Req,
    staff: Staff,
    reference: str = "",
    *,
    done: bool = False,
    wrong: Refused | None = None,
    typed: MultiDict[str] | None = None,
) -> Template:
    policy, words, at = policy_of(request), words_of(request), now(request)
    history = [] if reference else await ended()
    return staff_page(
        request, staff, "staff/failures.html", status=wrong.status if wrong else 200, done=done,
        failures=await open_failures(policy, at=at, reference=reference), reference=reference,
        action=f"{PATH}/{reference}" if reference else PATH, today=at.astimezone(words.zone).date(),
        said=lambda one: failure_in_words(words, policy, one), history=history,
        how=lambda how: how_in_words(words, how),
        kind=lambda id: kind_in_words(words, id), names=await names_of(one.by for one in history),
        wrong=words(wrong.sentence) if wrong else "", wrong_field=wrong.field if isinstance(wrong, Invalid) else "",
        typed=typed or MultiDict(), may_open=staff.may(Permission.CASE),
    )  # fmt: skip


def _checked(reference: str) -> str:
    if not REFERENCE.fullmatch(reference):
        raise NotFound
    return reference


routes = [show_all, show_of_one, act, act_for_one]
