"""The one cookie: a random id and its signature. What the id means is known to the server alone.

Always true here: an id without a right signature is no id; an answer sets at most this one cookie, and only when a
form is shown, somebody signs in or out, or what the browser sent was worthless.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode

from portal.settings import Settings

ID_BYTES = 32


def cookie_name(settings: Settings) -> str:
    """Return the cookie's name. `__Host-` makes browsers refuse it from subdomains, but only over HTTPS."""
    return "__Host-habeas" if settings.secure else "habeas"


def new_id() -> str:
    """Return a fresh random id of 256 bits."""
    return secrets.token_urlsafe(ID_BYTES)


class Cookie:
    """The visitor's cookie during one request: its id, and what the answer has to do about it."""

    def __init__(self, settings: Settings, sent: str | None, *, seconds: int) -> None:
        self._settings = settings
        self._key = settings.key("cookie")
        self._seconds = seconds
        self.id = self._read(sent or "")
        """Empty when the browser sent none, or one that we did not sign."""
        self._answer = "clear" if sent is not None and not self.id else ""

    def need(self) -> str:
        """Return the id; a visitor who has none gets one with this answer."""
        if not self.id:
            self.become(new_id())
        return self.id

    def become(self, id: str, *, seconds: int | None = None) -> None:
        """Give the browser another id, for `seconds` or the full life."""
        self.id, self._answer = id, "set"
        self._seconds = self._seconds if seconds is None else seconds

    def drop(self) -> None:
        """Take the cookie away from the browser."""
        self.id, self._answer = "", "clear"

    def header(self) -> bytes | None:
        """Return the value of Set-Cookie for this answer, None when nothing changes."""
        if not self._answer:
            return None
        value = f"{self.id}.{self._sign(self.id)}" if self._answer == "set" else ""
        seconds = self._seconds if self._answer == "set" else 0
        secure = "; Secure" if self._settings.secure else ""
        return (
            f"{cookie_name(self._settings)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        ).encode()

    def _read(self, sent: str) -> str:
        id, _, signature = sent.partition(".")
        right = id and hmac.compare_digest(signature.encode(), self._sign(id).encode())
        return id if right else ""

    def _sign(self, id: str) -> str:
        return urlsafe_b64encode(hmac.digest(self._key, id.encode(), "sha256")).decode().rstrip("=")
