"""Give back what a member of staff had typed when their session ended while they wrote.

Always true here: nothing is kept and nothing is done; only a form that proves to be one of our own pages' comes back;
sent again after signing in it is checked like any other, and refused if its request moved on meanwhile.
"""

from contextlib import suppress

from litestar.response import Template
from multidict import MultiDict

from portal.errors import Forbidden, Invalid
from portal.identity.forms import form
from portal.web import Req, page


async def typed_in(request: Req) -> MultiDict[str]:
    """Return the fields of a form in which somebody had typed words; empty for all else."""
    if request.method == "POST":
        with suppress(Forbidden, Invalid):
            fields = await form(request)
            if _texts(fields):
                return fields
    return MultiDict()


def give_back(request: Req, fields: MultiDict[str], *, back: str) -> Template:
    """Show the words, the way to sign in again, and the button that sends the form again as it was."""
    return page(
        request, "staff/signed_out.html", status=403, texts=_texts(fields), fields=_without_proof(fields), back=back,
        action=request.scope["path"],
    )  # fmt: skip


def _texts(fields: MultiDict[str]) -> list[str]:
    """Return what was typed and not chosen: no value of a choice has a blank in it."""
    return [value.strip() for value in fields.values() if len(value.split()) > 1]


def _without_proof(fields: MultiDict[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in fields.items() if name != "csrf"]
