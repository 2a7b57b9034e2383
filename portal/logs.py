"""What is written down about running: one JSON object a line, or readable lines in a terminal.

Always true here: no address, query, cookie, body, IP or name of a person. A request is logged by the pattern of its
route. Of other people's libraries and of errors only the kind and the place in the code are kept: their words may
hold anything.
"""

import logging
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("portal.requests")

type Seen = Callable[[str, str, int, float], None]
"""Told of each request: method, route, status, seconds."""

NO_ROUTE = "none"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ROOT = Path(__file__).parent.parent
FRAMES = 6
"""How many of the innermost places of an error are kept."""


def configure_logs(stream: TextIO = sys.stdout) -> None:
    """Set logging up for this process. Call it once, before anything logs."""
    renderer = structlog.dev.ConsoleRenderer() if stream.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_words,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Foreign()]
    root.setLevel(logging.WARNING)
    for logger in map(logging.getLogger, list(logging.root.manager.loggerDict)):
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)


def logged(app: ASGIApp, seen: Seen) -> ASGIApp:
    """Wrap `app` so that each request is logged and counted, also one that ends in an error."""

    async def with_log(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "other"
        status, began = 500, time.perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - began
            route = scope.get("path_template") or NO_ROUTE
            seen(method, route, status, seconds)
            reference = scope.get("state", {}).get("reference")
            more = {"reference": reference} if reference else {}
            log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), **more)

    return with_log


def places(error: BaseException) -> list[str]:
    """Return where an error happened, innermost last: file, line and function, never a value."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _short(file: str) -> str:
    """Return a file's name without where this machine keeps it."""
    return file.rpartition("site-packages/")[2].removeprefix(f"{ROOT}/")


def _without_words(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace an error that came along by its kind and its places."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event.update(error=type(error).__name__, places=places(error))
    return event


class _Foreign(logging.Handler):
    """Passes on that a library complained, and where; not what it said."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger("portal.libraries").log(
            record.levelno, "a library complained", library=record.name,
            place=f"{record.module}:{record.lineno}", **({"exc_info": error} if error else {}),
        )  # fmt: skip
