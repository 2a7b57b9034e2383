"""What a form has to prove before it is read: that one of our own pages sent it.

Always true here: no state changes on a form without the visitor's own token; a body is never read past its limit;
what is read is text that PostgreSQL can hold.
"""

import hmac
import re
from urllib.parse import parse_qsl, urlsplit

from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from multidict import MultiDict

from portal.errors import Forbidden, Invalid
from portal.web import Req, settings_of

FORM_BYTES = 64 * 1024
FORM_FIELDS = 500
LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}")
"""A path of ours with its query: printable ASCII, one leading slash, no backslash."""


async def form(request: Req) -> MultiDict[str]:
    """Return the fields of a form that one of our own pages sent to this visitor.

    The token in the field `csrf` is always needed. Sec-Fetch-Site and Origin are checked where a browser sends them;
    a request with neither stands on its token. `Origin: null` counts as none: our pages ask for
    `Referrer-Policy: no-referrer`, which makes browsers send it with our own forms.

    Raises:
        Forbidden: another site sent it, or its token is missing or wrong.
        Invalid: it is not a form.
        RequestEntityTooLarge: it is longer than any form of ours.
    """
    if not _from_here(request):
        raise Forbidden
    fields = _fields(await _body(request))
    need_proof(request, fields)
    return fields


def need_proof(request: Req, fields: MultiDict[str]) -> None:
    """Refuse fields that none of our own pages sent to this visitor, however they were encoded.

    Raises:
        Forbidden: another site sent them, or their token is missing or wrong.
    """
    visitor = request.state.visitor
    sent = fields.get("csrf", "").encode()
    if not _from_here(request):
        raise Forbidden
    if not visitor.cookie.id or not hmac.compare_digest(sent, visitor.csrf.encode()):
        # Signed out or in again in another tab: nobody's words are lost by that.
        raise Forbidden(_words(fields) if request.headers.get("sec-fetch-site") == "same-origin" else "")


async def unproven(request: Req) -> MultiDict[str]:
    """Return the fields of a form that proves nothing: to be shown again after signing in, never to be acted upon.

    Raises:
        Invalid: it is not a form.
        RequestEntityTooLarge: it is longer than any form of ours.
    """
    return _fields(await _body(request))


def unreadable() -> Invalid:
    """Return the error of a form that is none."""
    return Invalid("This form could not be read. Go back, reload the page and try again.")


def local(path: str) -> str:
    """Return `path` when it is one of ours, else the home page: nobody is sent to another site."""
    return path if LOCAL.fullmatch(path) else "/"


def _words(fields: MultiDict[str]) -> str:
    """Return what somebody wrote: every value of several words."""
    return "\n\n".join(value.strip() for value in fields.values() if len(value.split()) > 1)


def _from_here(request: Req) -> bool:
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", "null")
    return site == "same-origin" and (origin == "null" or _ours(origin, request))


def _ours(origin: str, request: Req) -> bool:
    """True for the public address, and for whatever name the browser itself used to reach us."""
    public = urlsplit(settings_of(request).public_url)
    return origin in {
        f"{public.scheme}://{public.netloc}",
        f"{public.scheme}://{request.headers.get('host', public.netloc)}",
    }


async def _body(request: Req) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES:
            raise RequestEntityTooLarge
    return bytes(body)


def _fields(body: bytes) -> MultiDict[str]:
    """Read `application/x-www-form-urlencoded`, strictly UTF-8 and without NUL, which PostgreSQL refuses."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FORM_FIELDS)
    except ValueError:
        raise unreadable() from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise unreadable()
    return MultiDict(pairs)
