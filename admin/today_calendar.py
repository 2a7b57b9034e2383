"""A calendar file of the days on which answers are due: RFC 5545, one event for each request.

Always true here: an event names a reference, a right and days, and no person; the same request has the same UID for
ever, so that a file taken again moves what is in a calendar and doubles nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from admin.today_words import title_of
from portal.rights.queue import Row
from portal.words import Words

LINE_BYTES = 75
"""Of one line without its end. Source: RFC 5545, 3.1."""


def calendar(rows: Sequence[Row], words: Words, *, public_url: str, at: datetime) -> bytes:
    """Return the file for open requests. `at` is when it was made."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Habeas//Today//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    for row in rows:
        lines += _event(row, words, public_url, at)
    return b"".join(folded(line) for line in [*lines, "END:VCALENDAR"])


def _event(row: Row, words: Words, public_url: str, at: datetime) -> Iterator[str]:
    """One event from the last working day on which to act to the day that counts, both as whole days."""
    title = title_of(words, row)
    yield "BEGIN:VEVENT"
    yield f"UID:{row.reference}@{urlsplit(public_url).hostname}"
    yield f"DTSTAMP:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"SEQUENCE:{1 if row.extended_on else 0}"
    yield f"DTSTART;VALUE=DATE:{row.act_by:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{row.due_day + timedelta(days=1):%Y%m%d}"
    answer = words("Answer {reference}", reference=row.reference)
    yield f"SUMMARY:{_text(words('{title}: {text}', title=answer, text=title))}"
    yield f"DESCRIPTION:{_text(_dates(row, words))}"
    yield f"URL:{public_url}/{words.language}/staff/desk/{row.reference}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _dates(row: Row, words: Words) -> str:
    due = words("Due on {day}.", day=words.day(row.due_day))
    if row.act_by == row.due_day:
        return due
    return f"{words('Act by {day}: after it nobody works until then.', day=words.day(row.act_by))} {due}"


def _text(text: str) -> str:
    """Escape a text. Source: RFC 5545, 3.3.11."""
    for plain in ("\\", ";", ","):
        text = text.replace(plain, f"\\{plain}")
    return text.replace("\n", "\\n")


def folded(line: str) -> bytes:
    """Return a line in UTF-8 with its end, folded between characters. Source: RFC 5545, 3.1."""
    parts, room = [b""], LINE_BYTES
    for character in line:
        encoded = character.encode()
        if len(parts[-1]) + len(encoded) > room:
            parts.append(b"")
            room = LINE_BYTES - 1
        parts[-1] += encoded
    return b"\r\n ".join(parts) + b"\r\n"
