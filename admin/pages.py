"""Every page of the staff's, put together.

Always true here: a page that is missing here does not exist; what each one needs is its own business.
"""

from litestar import get
from litestar.response import Redirect

from admin import (
    approvals_pages,
    desk,
    failures,
    figures,
    intake,
    invitation_pages,
    me_pages,
    openid_pages,
    people_pages,
    redaction,
    registers,
    reminders_pages,
    sign_in_factor,
    sign_in_pages,
    today,
    today_bulk,
    today_extend,
    today_find,
)
from admin.sign_in_pages import door
from portal.web import Req, policy_of


@get("/staff/desk", name="staff-desk-door")
async def desk_door(request: Req) -> Redirect:
    """Lead to the desk in the organisation's first language."""
    return Redirect(f"/{policy_of(request).languages[0]}/staff/desk", status_code=303)


doors = [door, desk_door]
"""Addresses without a language."""
routes = [
    *sign_in_pages.routes, *sign_in_factor.routes, *openid_pages.routes,
    *invitation_pages.routes, *me_pages.routes, *people_pages.routes,
    *intake.routes, *today.routes, *today_find.routes, *today_bulk.routes, *today_extend.routes,
    *approvals_pages.routes, *failures.routes, *reminders_pages.routes, *figures.routes, *registers.routes,
    *redaction.routes, *desk.routes,
]  # fmt: skip
