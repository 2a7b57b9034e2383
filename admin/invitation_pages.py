"""The page behind an invitation: say who you are, make a passkey or take the single sign-on, and you are in.

Always true here: opening the page uses nothing up; the invitation is over only when the person has something to get in
with; recovery codes are in the answer that makes them, and never again.
"""

from litestar import get, post
from litestar.response import Redirect, Template

from admin import passkeys
from admin.invitations import Accepted, Invited, accept, invited_by
from admin.me_pages import codes_page
from admin.openid import sign_on_name
from admin.people_words import roles_in_words
from admin.sign_in_factor import asker_of, office_of
from admin.sign_in_pages import Token, door_of
from admin.who import give_session
from portal.errors import Invalid
from portal.identity.forms import form
from portal.web import Req, now, page, policy_of, settings_of, words_of

PATH = "/staff/invitation/{token:str}"


@get(PATH)
async def show_invitation(request: Req, token: Token) -> Template:
    """Offer to make a passkey, or to take the single sign-on."""
    invited = await invited_by(token, at=now(request))
    return await invitation_page(request, invited, token)


@post(PATH, status_code=200)
async def accept_invitation(request: Req, token: Token) -> Template | Redirect:
    """Keep the passkey, use the invitation up, open a session and show the recovery codes."""
    fields = await form(request)
    invited = await invited_by(token, at=now(request))
    if invited is None:
        return await invitation_page(request, None, token)
    name = fields.get("name", "")
    try:
        made = await passkeys.check_made(asker_of(request, invited.user), fields.get("passkey", ""))
        accepted = await accept(
            invited, name=name, keys=made, called=fields.get("called", ""), label=door_of(request).label,
            office=office_of(request), at=now(request),
        )  # fmt: skip
    except Invalid as wrong:
        return await invitation_page(request, invited, token, wrong=wrong, name=name)
    return await let_in(request, accepted, token)


async def let_in(request: Req, accepted: Accepted | None, token: str) -> Template:
    """Answer with the recovery codes and the session's cookie."""
    if accepted is None:
        return await invitation_page(request, None, token)
    answer = codes_page(request, accepted.codes)
    give_session(request, answer, accepted.session)
    return answer


async def invitation_page(
    request: Req, invited: Invited | None, token: str, *, wrong: Invalid | None = None, name: str = ""
) -> Template:
    """Show an invitation; one that is used, over or unknown looks the same: 410 Gone."""
    if invited is None:
        return page(request, "staff/people_invitation_gone.html", status=410)
    names, settings = roles_in_words(words_of(request)), settings_of(request)
    options = await passkeys.offer_making(
        asker_of(request, invited.user), email=invited.email, name=invited.name,
        organisation=policy_of(request).controller.name,
    )  # fmt: skip
    return page(
        request, "staff/people_invitation.html", status=wrong.status if wrong else 200, invited=invited, token=token,
        roles=[names[role] for role in names if role in invited.roles], options=options, wrong=wrong,
        name=name or invited.name, usable=passkeys.usable(settings), single_sign_on=sign_on_name(request),
    )  # fmt: skip


routes = [show_invitation, accept_invitation]
