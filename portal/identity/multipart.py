"""Forms that carry a file: read as they come, with hard limits, and proven like every other form of ours.

Always true here: nothing is written to disk; the body, each field, the file and their number are bounded before they
are kept; a file's name and declared type are never even returned.
"""

import msgspec
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from multidict import MultiDict
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from portal.errors import Invalid
from portal.identity.forms import FORM_BYTES, need_proof, unreadable
from portal.web import Req

MOST_PARTS = 40


class FormWithFile(msgspec.Struct, frozen=True):
    """The fields of a form, and the content of its one file; None when none was chosen."""

    fields: MultiDict[str]
    file: bytes | None
    too_large: bool
    """True when the file was longer than allowed: it was not kept, the fields were."""


async def form_with_file(request: Req, name: str, *, largest_bytes: int) -> FormWithFile:
    """Return the fields of a form that one of our own pages sent to this visitor, and its file `name`.

    A file longer than `largest_bytes` is read to its end, if that is near, and thrown away, so that what was typed
    beside it is not lost.

    Raises:
        Forbidden: another site sent it, or its token is missing or wrong.
        Invalid: it is not such a form.
        RequestEntityTooLarge: it is far longer than it may be, or has too many parts.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise unreadable()
    reader = _Reader(name, largest_bytes)
    try:
        parser = PushMultipartParser(
            options["boundary"], max_segment_count=MOST_PARTS, max_segment_size=2 * largest_bytes, strict=True
        )
        with parser:
            async for chunk in request.stream():
                reader.count(len(chunk))
                for event in parser.parse(chunk):
                    reader.take(event)
    except ParserLimitReached:
        raise RequestEntityTooLarge from None
    except (MultipartError, UnicodeDecodeError):
        raise unreadable() from None
    found = reader.result()
    need_proof(request, found.fields)
    return found


class _Reader:
    """Collects parts as the parser tells of them."""

    def __init__(self, name: str, largest_bytes: int) -> None:
        self._name, self._largest = name, largest_bytes
        self._body = self._text = 0
        self._part = ""
        self._is_file = False
        self._piece = bytearray()
        self._fields: MultiDict[str] = MultiDict()
        self._file: bytes | None = None
        self._too_large = False

    def count(self, size_bytes: int) -> None:
        """Stop at a body that is longer than twice what it may hold."""
        self._body += size_bytes
        if self._body > 2 * self._largest + FORM_BYTES:
            raise RequestEntityTooLarge

    def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        """Take a part's beginning, some of its content, or its end."""
        if isinstance(event, MultipartSegment):
            self._part, self._is_file, self._piece = event.name or "", event.filename is not None, bytearray()
        elif event is None:
            self._end()
        elif self._is_file:
            if len(self._piece) + len(event) > self._largest:
                self._too_large, self._piece = True, bytearray()
            elif not self._too_large:
                self._piece += event
        else:
            self._text += len(event)
            if self._text > FORM_BYTES:
                raise RequestEntityTooLarge
            self._piece += event

    def _end(self) -> None:
        if not self._is_file:
            value = self._piece.decode()
            if "\0" in value or "\0" in self._part:
                raise unreadable()
            self._fields.add(self._part, value)
        elif self._piece or self._too_large:
            if self._part != self._name or self._file is not None:
                raise Invalid("Send one file at a time.", field=self._name)
            self._file = b"" if self._too_large else bytes(self._piece)

    def result(self) -> FormWithFile:
        """Return what was collected."""
        return FormWithFile(self._fields, self._file, self._too_large)
