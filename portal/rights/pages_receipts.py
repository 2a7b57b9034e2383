"""Receipts: the page that checks one for whoever holds it, the person's own download, and the keys to check with.

Always true here: a number opens status and dates and nothing else; a number that is wrong and one that never was get
the same answer; nothing is kept of what somebody has checked.
"""

from datetime import timedelta

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Template

from portal.errors import NotFound, TooManyTries
from portal.identity.limits import Rule
from portal.identity.mount import limits_of
from portal.identity.visitor import need_session
from portal.rights.receipt_file import Body, NotGenuine, check, pem, signing_key, trusted_keys
from portal.rights.receipts import by_number, file_for, grouped, published_key, read
from portal.rights.requests import find
from portal.web import Req, page, settings_of

CHECK_PEER = Rule("receipt-peer", 30, timedelta(minutes=10))
KEYS = "/.well-known/habeas-receipt-keys"
FOR_A_DAY = "public, max-age=86400"


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What the page found out."""

    verdict: str
    """genuine, false, or unknown (no such number)"""
    body: Body | None = None
    whole: bool = False
    """True when the file itself was shown to us, so that all of it may be read back."""
    newer: str = ""
    """The number of a later supplement."""


@get("/receipt")
async def ask(request: Req) -> Template:
    """Ask for the file or the number."""
    return page(request, "rights/receipt.html", shown=None, empty=False)


@post("/receipt", status_code=200)
async def look(request: Req) -> Template:
    """Say whether a receipt is ours and unchanged. Nothing changes here, so no form token is needed.

    Raises:
        TooManyTries: slower, please.
    """
    limits = limits_of(request)
    if until := limits.take((CHECK_PEER, limits.peer(request))):
        raise TooManyTries(until)
    file, number = await _sent(request)
    if not file and not number:
        return page(request, "rights/receipt.html", status=422, shown=None, empty=True)
    shown = await _by_file(request, file) if file else await _by_number(request, number)
    return page(request, "rights/receipt.html", shown=shown, empty=False)


@get("/requests/{reference:str}/receipt")
async def download(request: Req, reference: FromPath[str]) -> Response[bytes]:
    """Hand over the newest receipt of one's own request. Raises: NotFound."""
    asked = await find(reference, need_session(request).subject_id)
    found = await file_for(asked.id)
    if found is None:
        raise NotFound
    name = f"{reference}.receipt.json" if not found.supplement else f"{reference}.receipt-{found.supplement}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(found.file, media_type="application/json", headers=headers)


@get("/.well-known/habeas-receipt-key.pem", sync_to_thread=False)
def present_key(request: Req) -> Response[str]:
    """Publish the key that signs now."""
    return _key(pem(signing_key(settings_of(request)).public_key()))


@get(f"{KEYS}/{{name:str}}")
async def any_key(request: Req, name: FromPath[str]) -> Response[str]:
    """Publish a key that signs or once signed, as `<id>.pem`. Raises: NotFound."""
    found = await published_key(name.removesuffix(".pem"), settings_of(request)) if name.endswith(".pem") else None
    if found is None:
        raise NotFound
    return _key(found)


routes = [ask, look, download]
public_routes = [present_key, any_key]
"""Those without a language."""


async def _sent(request: Req) -> tuple[bytes, str]:
    """Return the receipt that was uploaded or pasted, and the number that was typed; either may be empty."""
    fields = await request.form()
    upload, pasted, number = fields.get("file"), fields.get("text", ""), fields.get("number", "")
    file = await upload.read() if isinstance(upload, UploadFile) else b""
    if not file and isinstance(pasted, str):
        file = pasted.strip().encode()
    return file, number.strip() if isinstance(number, str) else ""


async def _by_file(request: Req, file: bytes) -> Shown:
    try:
        body = check(file, trusted_keys(settings_of(request)))
    except NotGenuine:
        return Shown(verdict="false")
    stored = await by_number(body.number)
    newer = grouped(stored.number) if stored and stored.supplement > body.supplement else ""
    return Shown(verdict="genuine", body=body, whole=True, newer=newer)


async def _by_number(request: Req, number: str) -> Shown:
    found = await by_number(number)
    if found is None:
        return Shown(verdict="unknown")
    try:
        return Shown(verdict="genuine", body=read(found, settings_of(request)))
    except NotGenuine:
        return Shown(verdict="false")


def _key(text: str) -> Response[str]:
    return Response(text, media_type="application/x-pem-file", headers={"Cache-Control": FOR_A_DAY})
