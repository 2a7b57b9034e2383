"""The SQL that looks for texts in whole tables of any schema; text in, text out, no connection.

Always true here: each table is read once, nothing that was found leaves the server but which needle it was, how often
and the keys of some rows, and a key is a number or a UUID, never a word.
"""
# ruff: noqa: S608  Building SQL is what this file is for: every name is quoted and every value is an argument.

import re
import unicodedata
from collections.abc import Iterable, Sequence

import msgspec

from portal.sources.base import Needles
from portal.sources.matching import AFTER_SQL, BEFORE_SQL
from portal.sources.postgres_sql import column, quoted

SKIPPED = {
    "smallint", "integer", "bigint", "real", "double precision", "numeric", "money", "boolean", "date", "interval",
    "timestamp with time zone", "timestamp without time zone", "time with time zone", "time without time zone", "oid",
    "bit", "bit varying",
}  # fmt: skip
"""Types that hold no text of at least six characters; whole numbers are found by nobody's address."""
KEYS = {"smallint", "integer", "bigint", "uuid"}
BETWEEN = r"E'\x1f'"
MOST_KEYS = 20


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A table to look through, with the columns that our role may read."""

    schema: str
    table: str
    partitioned: bool
    columns: tuple[tuple[str, str, str], ...]
    """Name, type, and the type of an array's elements."""
    key: tuple[str, ...]
    """The primary key, when it is made of numbers and UUIDs."""
    whole: bool
    """Our role may read the table and not only some columns."""

    @property
    def name(self) -> str:
        """Return the name as one reads it."""
        return self.table if self.schema == "public" else f"{self.schema}.{self.table}"


class Patterns(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for: LIKE patterns, each with the id of its needle and, where it must stand alone, a regex."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    alone: tuple[str, ...]

    def values(self) -> list[Sequence[str]]:
        """Return them as the arguments that the queries take."""
        return [list(self.texts), list(self.ids), list(self.alone)]

    def first(self) -> list[Sequence[str]]:
        """Return the patterns for a first look: those that need each text, and those that need a long word in it."""
        long = [text for text in self.texts if re.search(LONG_WORD, text)]
        return [sorted(set(self.texts) - set(long)), long]


LONG_WORD = "[a-z0-9]{13}"
"""Digests and codings hold such a word, and most texts do not, not even a UUID: that halves the work."""


def patterns(needles: Needles) -> Patterns:
    """Return every way in which a needle may stand in a lower-cased text or in escaped bytes."""
    pairs = [(id, text) for id, needle in needles.texts.items() for text in dict.fromkeys(_forms(needle))]
    return Patterns(
        ids=tuple(id for id, _ in pairs),
        texts=tuple(f"%{re.sub(r'([%_\\])', r'\\\1', text)}%" for _, text in pairs),
        alone=tuple(_alone(text) if id in needles.whole else "" for id, text in pairs),
    )


def _alone(text: str) -> str:
    """Return the regex of a text that is no part of a longer word; in escaped bytes three digits are no word."""
    escaped = re.sub(r"([^\w\s])", r"\\\1", text)
    return rf"({BEFORE_SQL}|(?<=\\[0-7]{{3}})){escaped}{AFTER_SQL}"


HIT = "{0} LIKE u.pattern AND (u.alone = '' OR {0} ~ u.alone OR {1} LIKE u.pattern)"
"""Whether a text holds a needle; of bytes, the second, whatever stands before it: its length may look like a letter."""
NEEDLES = "unnest($1::text[], $2::text[], $3::text[]) AS u(pattern, id, alone)"


def _forms(needle: str) -> Iterable[str]:
    """Yield a needle as the server may have lower-cased it: a server of locale C leaves É as it is."""
    for text in (needle, needle.lower(), needle.upper()):
        for form in ("NFC", "NFD"):
            lowered = _ascii_lower(unicodedata.normalize(form, text))
            yield lowered
            if not lowered.isascii() or "\\" in lowered:
                yield _escaped(lowered.encode())


def _ascii_lower(text: str) -> str:
    return "".join(sign.lower() if sign.isascii() else sign for sign in text)


def _escaped(text: bytes) -> str:
    """Write bytes as PostgreSQL's `encode(…, 'escape')` does."""
    return "".join("\\\\" if byte == 0x5C else chr(byte) if 0 < byte < 0x80 else f"\\{byte:03o}" for byte in text)


def query(place: Place, wanted: Patterns) -> tuple[str, list[Sequence[str]]]:
    """Return the query for (needle, number of rows, some keys), and its arguments. "" when nothing can hold text."""
    parts = [_text(f"t.{column(name)}", kind, element) for name, kind, element in place.columns if kind not in SKIPPED]
    if not parts:
        return "", []
    # One text a row, so that one look finds any needle. The collation is said because columns may differ in theirs.
    body = f'lower(concat_ws({BETWEEN}, {", ".join(parts)}) COLLATE "default")'
    raw = [_text(f"t.{column(name)}", kind, of) for name, kind, of in place.columns if "bytea" in (kind, of)]
    raws = f"lower(concat_ws({BETWEEN}, {', '.join(raw)}))" if raw else "''"
    named = f"concat_ws(',', {', '.join(f't.{column(name)}' for name in place.key)})"
    key = named if place.key else "t.ctid::text" if place.whole else "NULL"
    table = ("" if place.partitioned else "ONLY ") + quoted(place.schema) + "." + column(place.table)
    first = f"{body} LIKE ANY($4::text[]) OR ({body} ~ '{LONG_WORD}' AND {body} LIKE ANY($5::text[]))"
    statement = (
        f"SELECT n.id, count(*) AS number, (array_agg(r.key) FILTER (WHERE r.key IS NOT NULL))[1:{MOST_KEYS}] AS keys"
        f" FROM (SELECT {key} AS key, {body} AS body, {raws} AS raw FROM {table} t WHERE {first}) r"
        f" CROSS JOIN LATERAL (SELECT DISTINCT u.id FROM {NEEDLES} WHERE {HIT.format('r.body', 'r.raw')}) n"
        " GROUP BY n.id ORDER BY n.id"
    )
    return statement, [*wanted.values(), *wanted.first()]


def _text(value: str, kind: str, element: str) -> str:  # noqa: PLR0911  One return per type reads as a table.
    """Return a column's value as text in which a needle stands as it is."""
    match kind:
        case "bytea":
            return _bytes(value)
        case "array" if element == "bytea":
            return f"array_to_string(ARRAY(SELECT {_bytes('b')} FROM unnest({value}) b), {BETWEEN})"
        case "array" if element in {"json", "jsonb", "composite"}:
            return _unescaped(f"to_json({value})::text")
        case "array":
            return f"array_to_string({value}, {BETWEEN})"
        case "composite":
            return _unescaped(f"to_json({value})::text")
        case "json" | "jsonb":
            return _unescaped(f"{value}::text")
        case "hstore":
            return f"replace({value}::text, '\\', '')"
        case _:
            return f"{value}::text"


def _bytes(value: str) -> str:
    """Return bytes as text; where they hold zeros, as UTF-16 does, also without them."""
    text = f"encode({value}, 'escape')"
    return rf"concat({text}, CASE WHEN strpos({text}, '\000') > 0 THEN replace({text}, '\000', '') END)"


def _unescaped(text: str) -> str:
    r"""Return JSON as it is and, where it holds a backslash, also with its \u and \/ undone.

    jsonb refuses \u0000 and halves of surrogate pairs, so they are taken out first; no needle holds them.
    """
    harmless = rf"replace({text}, '\\', '\u005c')"
    harmless = rf"regexp_replace({harmless}, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{{2}})', '', 'g')"
    whole = rf"{harmless}::jsonb::text"
    # Quotes and backslashes of the values themselves still stand escaped in JSON, so it is told without that, too.
    plain = rf"""replace(replace({whole}, '\"', '"'), '\\', '\')"""
    more = f"concat_ws({BETWEEN}, {whole}, {plain})"
    return rf"concat_ws({BETWEEN}, {text}, CASE WHEN strpos({text}, '\') > 0 THEN {more} END)"
