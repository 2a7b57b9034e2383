"""When a needle is in a text: in one place for every system that is searched.

Always true here: what only might be the person's counts as found; what is surely a longer word, so somebody else's,
does not.
"""

import re

_ESCAPE = re.compile(r"(?:\\[nrtbfv0]|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|%[0-9a-f]{2}|=[0-9a-f]{2})\Z")
"""An escaped character before a word, whose last letter is no part of that word: `\\nana@…`, `%3Aana@…`, `=3Dana@…`."""
ESCAPE_CHARACTERS = 6
BEFORE_SQL = r"((?<![[:alnum:]])|(?<=\\[nrtbfv0]|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|%[0-9a-f]{2}|=[0-9a-f]{2}))"
AFTER_SQL = r"(?![[:alnum:]])"
"""The same as PostgreSQL says it, before and after a needle whose special characters are escaped."""


def found(text: str, needle: str, *, whole: bool) -> bool:
    """Tell whether `needle` is in `text`, both in lower case; with `whole` only where it stands by itself."""
    at = text.find(needle)
    while at >= 0:
        if not whole or stands(text, at, at + len(needle)):
            return True
        at = text.find(needle, at + 1)
    return False


def stands(text: str, start: int, end: int) -> bool:
    """Tell whether text[start:end] is no part of a longer word. Dots, dashes and underscores end a word."""
    if text[end : end + 1].isalnum():
        return False
    return not text[max(start - 1, 0) : start].isalnum() or bool(
        _ESCAPE.search(text[max(start - ESCAPE_CHARACTERS, 0) : start])
    )
