"""Give back what somebody typed when their sign-in ended while they wrote.

Always true here: nothing is kept and nothing is sent; the words are shown to the browser that sent them, once.
"""

from litestar.response import Template

from portal.errors import SignInNeeded
from portal.identity.forms import unproven
from portal.web import Req, page


async def give_back(request: Req, *fields: str, back: str) -> Template:
    """Show the words of a form that came without a session, with the way to sign in again.

    Raises:
        SignInNeeded: there are no words, or another site sent them: then signing in is all there is to do.
    """
    typed = await unproven(request)
    written = [typed.get(field, "").strip() for field in fields]
    return show_back(request, "\n\n".join(filter(None, written)), back=back)


def show_back(request: Req, text: str, *, back: str) -> Template:
    """Show the same for a form that was read already. Raises: SignInNeeded, as above."""
    if not text.strip() or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise SignInNeeded(back)
    return page(request, "rights/signed_out_text.html", status=403, text=text.strip(), back=back)
