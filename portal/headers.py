"""The headers that every answer carries, whoever made it: pages, files, errors, the admin.

Always true here: nothing may be loaded from another site, nothing may frame us, no address leaks through a referrer,
and an answer that says nothing about caching is never stored.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from portal.policy.model import Policy, Way
from portal.settings import Settings

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
)
ADMIN = STRICT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").format(forms="'self'")
"""Piccolo Admin 1.14 writes style attributes; without them its icons fill the screen."""

ALWAYS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "no-store",
}
TWO_YEARS = "max-age=63072000; includeSubDomains"


def secured(app: ASGIApp, policy: Policy, settings: Settings) -> ASGIApp:
    """Wrap `app` so that each of its answers carries the headers; what a handler set itself stays."""
    strict = STRICT.format(forms=" ".join(["'self'", *sign_in_origins(policy, settings)]))
    always = {**ALWAYS, "Strict-Transport-Security": TWO_YEARS} if settings.secure else ALWAYS

    async def with_headers(scope: Scope, receive: Receive, send: Send) -> None:
        admin = scope["path"] == "/admin" or scope["path"].startswith("/admin/")
        headers = {**always, "Content-Security-Policy": ADMIN if admin else strict}
        await app(scope, receive, _adding(send, headers))

    return with_headers


def _adding(send: Send, added: Mapping[str, str]) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableScopeHeaders.from_message(message)
            for name, value in added.items():
                headers.setdefault(name, value)
        await send(message)

    return answer


def sign_in_origins(policy: Policy, settings: Settings) -> Sequence[str]:
    """Return where a sign-in form may lead: browsers apply form-action to the redirect that answers a form too."""
    issuers = {
        Way.GOOGLE: settings.environment.get("GOOGLE_ISSUER") or "https://accounts.google.com",
        Way.MICROSOFT: settings.environment.get("MICROSOFT_ISSUER") or "https://login.microsoftonline.com",
    }
    found = [urlsplit(issuers[way]) for way in policy.sign_in.ways if way in issuers]
    if staff := settings.environment.get("HABEAS_STAFF_OIDC_ISSUER"):
        found.append(urlsplit(staff))
    return [f"{address.scheme}://{address.netloc}" for address in found]
