"""What a person sees when something does not work: what happened, what it means for them, and whom to write to.

Always true here: an error page needs neither a database nor a session; its reference is random and stands in the
log beside the kind of the error, never beside its words.
"""

import secrets
from collections.abc import Mapping
from typing import cast

import structlog
from litestar.exceptions import HTTPException
from litestar.response import Response, Template
from litestar.types import ExceptionHandler

from portal.errors import Forbidden, HabeasError, TooManyTries
from portal.logs import places
from portal.web import Req, language_for, now, policy_of, render
from portal.words import Words

log = structlog.get_logger()

TITLES = {
    400: "We could not read that",
    403: "That did not go through",
    404: "There is nothing here",
    405: "This page cannot be opened in that way",
    413: "That is too large",
    422: "Something needs changing",
    429: "Slow down a moment",
    503: "This is not available just now",
}
SENTENCES = {
    400: "What your browser sent is not something this page understands.",
    404: "This page does not exist, or it is not yours.",
    405: "Go back and use the buttons on the page.",
    413: "Send less at once, or write to us.",
    503: "Please try again in a few minutes.",
}
BROKEN = "Something went wrong on our side"
MACHINES = ("/webhooks/", "/schema/", "/healthz", "/readyz")


def known(request: Req, error: HabeasError) -> Response[object] | Template:
    """Answer one of our own errors with its own status and sentence."""
    headers = {}
    if isinstance(error, TooManyTries):
        headers["Retry-After"] = str(max(1, round((error.until - now(request)).total_seconds())))
    sentence = error.sentence if error.status < 500 else SENTENCES.get(error.status, "")
    typed = error.typed if isinstance(error, Forbidden) else ""
    return _answer(request, error, error.status, sentence, headers, typed=typed)


def refused(request: Req, error: HTTPException) -> Response[object] | Template:
    """Answer what Litestar refuses: no such page, wrong method, unreadable input."""
    status = 404 if error.status_code == 401 else error.status_code
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() in {"allow", "retry-after"}}
    return _answer(request, error, status, SENTENCES.get(status, ""), headers)


def broken(request: Req, error: Exception) -> Response[object] | Template:
    """Answer an error that nobody expected."""
    return _answer(request, error, 500, "", {})


handlers = cast(
    "Mapping[int | type[Exception], ExceptionHandler[Exception]]",
    {HabeasError: known, HTTPException: refused, Exception: broken},
)


def _answer(
    request: Req, error: Exception, status: int, sentence: str, headers: Mapping[str, str], *, typed: str = ""
) -> Response[object] | Template:
    reference = _reference()
    request.state.reference = reference
    title = TITLES.get(status, BROKEN if status >= 500 else TITLES[400])
    if status >= 500:
        log.error("request failed", reference=reference, error=type(error).__name__, places=places(error))
    language = language_for(request)
    if not _reads_pages(request):
        return _problem(status, Words(language, policy_of(request).controller.zone)(title), reference, headers)
    context = {
        "title": title, "sentence": sentence, "reference": reference, "unsure": _unsure(request, status), "here": "",
        "typed": typed,
    }  # fmt: skip
    answer = render(request, language, "errors/error.html", status, context)
    answer.headers.update(headers)
    return answer


def _problem(status: int, title: str, reference: str, headers: Mapping[str, str]) -> Response[object]:
    """Answer a program. Source: RFC 9457."""
    body = {"type": "about:blank", "title": title, "status": status, "instance": f"urn:habeas:error:{reference}"}
    return Response(body, status_code=status, media_type="application/problem+json", headers=dict(headers))


def _reads_pages(request: Req) -> bool:
    accepts = request.headers.get("accept", "")
    if request.scope["path"].startswith(MACHINES):
        return False
    return "text/html" in accepts or "json" not in accepts


def _unsure(request: Req, status: int) -> bool:
    """Tell whether the person must look before they try again: something they sent broke on our side."""
    return status >= 500 and request.method not in {"GET", "HEAD", "OPTIONS"}


def _reference() -> str:
    """Return eight random digits in two groups: easy to read out."""
    return f"{secrets.randbelow(10_000):04d}-{secrets.randbelow(10_000):04d}"
