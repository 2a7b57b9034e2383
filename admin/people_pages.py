"""The people page: who is staff, with which roles and keys; invite, change, end, reset.

Always true here: every change needs a second factor shown just now, is evidence, and is mailed to the person concerned.
"""

from collections.abc import Collection

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from multidict import MultiDict

from admin import people
from admin.invitations import invite
from admin.nav import staff_page
from admin.people_notices import PEOPLE, invitation_link
from admin.people_words import roles_in_words
from admin.roles import Permission, Role, roles_of
from admin.sign_in_factor import office_of
from admin.who import Staff, need_fresh_staff, need_staff
from portal.errors import Invalid, NotFound
from portal.identity.forms import form
from portal.web import Req, go, now, words_of

INVITE = f"{PEOPLE}/invite"


@get(PEOPLE)
async def show_people(request: Req) -> Template:
    """List everybody."""
    staff = await need_staff(request, Permission.PEOPLE)
    return staff_page(
        request, staff, "staff/people.html", members=await people.members(), names=roles_in_words(words_of(request)),
        done=request.query_params.get("done", ""),
    )  # fmt: skip


@get(INVITE)
async def show_invite(request: Req) -> Template:
    """Ask whom to invite."""
    return _invite_page(request, await need_fresh_staff(request, Permission.PEOPLE))


@post(INVITE, status_code=200)
async def send_invite(request: Req) -> Template:
    """Invite somebody, and show the link once: the mail may not arrive."""
    staff = await need_fresh_staff(request, Permission.PEOPLE, back=INVITE)
    fields = await form(request)
    email, name, roles = fields.get("email", ""), fields.get("name", ""), _roles(fields)
    office = office_of(request)
    try:
        token = await invite(email, roles, name=name, by=staff.actor, inviter=staff.id, office=office, at=now(request))
    except Invalid as wrong:
        return _invite_page(request, staff, email=email, name=name, roles=roles, wrong=wrong)
    return staff_page(request, staff, "staff/people_invited.html", link=invitation_link(token, office), again=False)


@get(f"{PEOPLE}/{{user:int}}")
async def show_member(request: Req, user: FromPath[int]) -> Template:
    """Show one of the staff, with what can be changed."""
    staff = await need_fresh_staff(request, Permission.PEOPLE)
    return await _member_page(request, staff, user)


@post(f"{PEOPLE}/{{user:int}}", status_code=200)
async def change_member(request: Req, user: FromPath[int]) -> Template | Redirect:
    """Do what the pressed button says."""
    staff = await need_fresh_staff(request, Permission.PEOPLE, back=f"{PEOPLE}/{user}")
    fields = await form(request)
    try:
        token = await _do(request, staff, user, fields)
    except Invalid as wrong:
        return await _member_page(request, staff, user, wrong=wrong, roles=_roles(fields))
    if token:
        link = invitation_link(token, office_of(request))
        return staff_page(request, staff, "staff/people_invited.html", link=link, again=True)
    return go(request, f"{PEOPLE}?done=1")


async def _do(request: Req, staff: Staff, user: int, fields: MultiDict[str]) -> str:
    """Change one of the staff. Returns an invitation's token, if there is a new one. Raises: Invalid, NotFound."""
    office, at = office_of(request), now(request)
    match fields.get("do", ""):
        case "roles":
            await people.change_roles(user, _roles(fields), by=staff, office=office, at=at)
        case "deactivate":
            await people.set_active(user, active=False, by=staff, office=office, at=at)
        case "activate":
            await people.set_active(user, active=True, by=staff, office=office, at=at)
        case "end":
            await people.end_sessions(user, by=staff, office=office, at=at)
        case "reset":
            return await people.reset(user, by=staff, office=office, at=at)
        case _:
            raise NotFound
    return ""


def _invite_page(
    request: Req, staff: Staff, *, email: str = "", name: str = "", roles: Collection[Role] = (),
    wrong: Invalid | None = None,
) -> Template:  # fmt: skip
    return staff_page(
        request, staff, "staff/people_invite.html", status=wrong.status if wrong else 200, email=email, name=name,
        chosen=roles, wrong=wrong, names=roles_in_words(words_of(request)),
    )  # fmt: skip


async def _member_page(
    request: Req, staff: Staff, user: int, *, wrong: Invalid | None = None, roles: Collection[Role] = ()
) -> Template:
    one = await people.member(user)
    return staff_page(
        request, staff, "staff/people_one.html", status=wrong.status if wrong else 200, member=one, wrong=wrong,
        chosen=roles or one.roles, names=roles_in_words(words_of(request)),
    )  # fmt: skip


def _roles(fields: MultiDict[str]) -> frozenset[Role]:
    return roles_of(fields.getall("roles", []))


routes = [show_people, show_invite, send_invite, show_member, change_member]
