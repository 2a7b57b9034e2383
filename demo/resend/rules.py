"""What Resend refuses: checked against the SDK's own types, and the limits that its documentation names.

Always true here: a refusal has a status, a name and a message, as the real one's have.
"""

import re
from collections import deque
from collections.abc import Callable
from email.utils import parseaddr
from math import ceil
from typing import Any, get_type_hints

import resend
from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict


class Refusal(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name, self.message = status, name, message


_Params = TypedDict("_Params", get_type_hints(resend.Emails.SendParams, include_extras=True))  # type: ignore[misc]
_Params.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
PARAMS: TypeAdapter[Any] = TypeAdapter(_Params)
"""The SDK's own parameters, with a key that it does not know refused."""

TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


def check_mail(params: object) -> dict[str, Any]:
    """Return the parameters of one mail as they are. Raises: Refusal."""
    try:
        found: dict[str, Any] = PARAMS.validate_python(params, strict=True)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Refusal(422, "validation_error", f"Invalid `{place}` field.") from None
    for field in ("from", "subject"):
        if not found.get(field):
            raise Refusal(422, "missing_required_field", f"Missing `{field}` field.")
    if not found.get("html") and not found.get("text"):
        raise Refusal(422, "missing_required_field", "Missing `html` or `text` field.")
    _check_addresses(found)
    if any(letter in found["subject"] for letter in "\r\n"):
        raise Refusal(422, "validation_error", "The `subject` must not contain line breaks.")
    for tag in found.get("tags", ()):
        if not (TAG.fullmatch(tag["name"]) and TAG.fullmatch(tag["value"])):
            raise Refusal(422, "validation_error", "Tags take ASCII letters, numbers, underscores and dashes only.")
    return found


def addresses(value: str | list[str] | None) -> list[str]:
    """Return one or several addresses as a list."""
    return [value] if isinstance(value, str) else list(value or ())


def _check_addresses(found: dict[str, Any]) -> None:
    if not 1 <= len(addresses(found["to"])) <= 50:
        raise Refusal(422, "validation_error", "The `to` field takes 1 to 50 addresses.")
    for field in ("from", "to", "cc", "bcc", "reply_to"):
        for text in addresses(found.get(field)):
            local, _, domain = parseaddr(text, strict=True)[1].rpartition("@")
            if not local or "." not in domain or "\r" in text or "\n" in text:
                raise Refusal(422, "validation_error", f"Invalid `{field}` field. Write `name@example.com`.")


class Limiter:
    """So many calls in a sliding window, told in the headers of every answer."""

    def __init__(self, limit: int, window_seconds: float, monotonic: Callable[[], float]) -> None:
        self.limit, self.window_seconds = limit, window_seconds
        self._monotonic = monotonic
        self._calls: deque[float] = deque()

    def call(self) -> tuple[bool, dict[str, str]]:
        """Count one call: whether it is allowed, and what the headers say."""
        now = self._monotonic()
        while self._calls and self._calls[0] <= now - self.window_seconds:
            self._calls.popleft()
        allowed = len(self._calls) < self.limit
        if allowed:
            self._calls.append(now)
        reset = str(ceil(self._calls[0] + self.window_seconds - now)) if self._calls else "0"
        headers = {
            "ratelimit-limit": str(self.limit),
            "ratelimit-remaining": str(self.limit - len(self._calls)),
            "ratelimit-reset": reset,
        }
        return allowed, headers if allowed else headers | {"retry-after": reset}
