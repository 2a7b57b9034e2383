"""Say no to a use: those that can be refused, each with our reason and one button; the others with why they cannot be.

Always true here: which is which follows from the legal basis in the policy file; no reason is asked for advertising.
"""

from litestar import get, post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from portal.errors import Invalid, NotFound, SignInNeeded
from portal.identity.visitor import Visitor, form, need_session, visitor_of
from portal.rights.consent import consents, give_consent, withdraw_consent
from portal.rights.messages import LONGEST
from portal.rights.objection import Refusal, say_no, uses
from portal.rights.pages_signed_out import give_back
from portal.rights.stopped_uses import categories_for, stopped
from portal.web import Req, go, language_of, now, page, policy_of, settings_of


@get("/say-no")
async def look(request: Req) -> Template:
    """Show every use and how it stands."""
    return await _show(request, need_session(request))


@post("/say-no", status_code=200)
async def refuse(request: Req) -> Template | Redirect:
    """Stop one use now. A second click finds the first one's request; what is too long comes back as it was typed.

    Raises:
        NotFound: for a use that cannot be refused.
    """
    if not visitor_of(request).signed_in:
        return await give_back(request, "text", back="/say-no")
    visitor, fields = visitor_of(request), await form(request)
    purpose, text = fields.get("use", ""), fields.get("text", "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST:
        wrong = Invalid("This is too long. Shorten it to 5,000 characters.")
        return await _show(request, visitor, wrong=wrong.sentence, at=purpose, typed=text)
    refusal = Refusal(subject=visitor.subject_id, purpose=purpose, text=text, language=language_of(request))
    try:
        opened = await say_no(refusal, policy=policy_of(request), settings=settings_of(request), at=now(request))
    except ValueError:
        raise NotFound from None
    return go(request, f"/requests/{opened.request.reference}")


@get("/consent")
async def consent(request: Req) -> Template:
    """Show every use that rests on consent, with its switch.

    Raises:
        NotFound: there is none.
    """
    visitor, policy = need_session(request), policy_of(request)
    every = consents(policy, await stopped(visitor.subject_id))
    if not every:
        raise NotFound
    return page(request, "rights/consent.html", uses=every, titles=_titles(request))


@post("/consent")
async def switch(request: Req) -> Redirect:
    """Take a consent back or give it again, as the button says.

    Raises:
        NotFound: the use does not rest on consent.
    """
    if not visitor_of(request).signed_in:
        raise SignInNeeded("/consent")
    fields, subject = await form(request), visitor_of(request).subject_id
    policy, settings, at = policy_of(request), settings_of(request), now(request)
    purpose = fields.get("use", "")
    try:
        if fields.get("to") == "on":
            await give_consent(subject, purpose, policy=policy, settings=settings, at=at)
        else:
            await withdraw_consent(
                subject, purpose, language=language_of(request), policy=policy, settings=settings, at=at
            )
    except ValueError:
        raise NotFound from None
    return go(request, "/consent")


async def _show(
    request: Req, visitor: Visitor, *, wrong: str = "", at: str = "", typed: str = ""
) -> Template:  # fmt: skip
    every = uses(policy_of(request), await stopped(visitor.subject_id))
    return page(
        request,
        "rights/say_no.html",
        can=[use for use in every if use.answer == "refuse"],
        cannot=[use for use in every if use.answer != "refuse"],
        titles=_titles(request),
        wrong=wrong,
        wrong_at=at,
        typed=typed,
    )


def _titles(request: Req) -> dict[str, list[str]]:
    """Return, for each use, what data it uses."""
    policy, language = policy_of(request), language_of(request)
    return {
        purpose.id: [category.title[language] for category in categories_for(policy, purpose.id)]
        for purpose in policy.purposes
    }


routes: list[ControllerRouterHandler] = [look, refuse, consent, switch]
