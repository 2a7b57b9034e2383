"""What to look for after an erasure: all that a person was known by, in every form that systems make of it.

Always true here: an id says what kind of thing it is and never which; what is too short to be told from other
people's is no needle, and `unseen` names it, so that nobody calls it looked for. Keyed hashes of ours are none
either: without the key they are about nobody.
"""

import base64
import hashlib
import html
import json
import quopri
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote
from uuid import UUID

from portal.sources.base import Identifiers, Needles
from portal.sources.matching import found

SHORTEST = 6
SHORTEST_NUMBER = 9
"""Fewer digits stand in too many numbers, moments and digests of other people."""
SHORTEST_BASE64 = 8
SHORTEST_NAME, NAME_WORDS = 24, 3
"""Most names are other people's too. One as long as this is looked for; a false alarm costs a person's time only."""
HASHES = ("md5", "sha1", "sha256", "sha512")
DOTLESS = frozenset({"gmail.com", "googlemail.com"})
"""Where dots and all after a plus lead to the same mailbox. Source: support.google.com/mail/answer/7436150."""

type Form = tuple[str, str]
"""The name of a form, empty for the thing as it is, and its text."""


def of(identifiers: Identifiers) -> Needles:
    """Return everything to look for. A text that is found wherever a shorter one is found is left out."""
    whole: dict[str, str] = {}
    parts: dict[str, str] = {}
    for id, value in _searched(identifiers):
        for form, text in _written(id, value):
            _add(whole if _is_word(value) else parts, f"{id}:{form}" if form else id, text, SHORTEST)
        for form, text in _coded(id, value):
            shortest = SHORTEST_BASE64 if form.startswith("base64") else SHORTEST
            _add(parts, f"{id}:{form}", text, shortest)
    texts = _least(whole, parts)
    return Needles(texts=texts, whole=frozenset(whole) & frozenset(texts), subject=identifiers)


def unseen(identifiers: Identifiers) -> tuple[str, ...]:
    """Return the ids of what may stand somewhere and not be noticed: too short, or a number among numbers.

    It is found through the columns alone that the policy file declares.
    """
    return tuple(id for id, value in _all(identifiers) if value.isdecimal() or not _long_enough(id, value))


def _all(identifiers: Identifiers) -> Iterator[tuple[str, str]]:
    kinds: tuple[tuple[str, Iterable[str]], ...] = (
        ("email", identifiers.emails),
        ("account", identifiers.account_ids),
        ("stripe", identifiers.stripe_customers),
        ("subject", [identifiers.subject_id]),
        ("name", [identifiers.display_name]),
    )
    for kind, values in kinds:
        for number, value in enumerate(sorted(filter(None, (value.strip() for value in values))), 1):
            yield f"{kind}-{number}", value


def _searched(identifiers: Identifiers) -> Iterator[tuple[str, str]]:
    return ((id, value) for id, value in _all(identifiers) if _long_enough(id, value))


def _long_enough(id: str, value: str) -> bool:
    if id.startswith("name"):
        return len(value) >= SHORTEST_NAME and len(value.split()) >= NAME_WORDS
    return len(value) >= (SHORTEST_NUMBER if value.isdecimal() else SHORTEST)


def _is_word(value: str) -> bool:
    """Tell whether a longer word may hold it by chance: a UUID is in nothing but itself."""
    return _uuid(value) is None


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


# --- The forms -----------------------------------------------------------------------------------------------------


def _written(id: str, value: str) -> Iterator[Form]:
    """Yield what people and programs write for it, each as plain text and as it is escaped."""
    for spelling, text in _spellings(id, value):
        for form, written in _escaped(text):
            yield "-".join(filter(None, (spelling, form))), written


def _spellings(id: str, value: str) -> Iterator[Form]:
    yield "", value
    if number := _uuid(value):
        yield "uuid", str(number)
    if not value.isascii():
        for form in ("NFC", "NFD"):
            normal = unicodedata.normalize(form, value)
            yield form.lower(), normal
            yield f"{form.lower()}-lower", normal.lower()
            yield f"{form.lower()}-upper", normal.upper()
    if id.startswith("email"):
        yield from _addresses(value.lower())


def _addresses(address: str) -> Iterator[Form]:
    """Yield other addresses of the same mailbox."""
    local, at, domain = address.rpartition("@")
    if not at:
        return
    for name, other in (("punycode", _punycode(domain)), ("unicode", _unicode(domain))):
        if other != domain:
            yield name, f"{local}@{other}"
    bare = local.partition("+")[0]
    if bare and bare != local:
        yield "untagged", f"{bare}@{domain}"
    if domain in DOTLESS:
        for host in sorted(DOTLESS):
            yield f"undotted-{host.partition('.')[0]}", f"{bare.replace('.', '')}@{host}"


def _punycode(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def _unicode(domain: str) -> str:
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def _escaped(text: str) -> Iterator[Form]:
    yield "", text
    quoted = quote(text, safe="")
    yield "url", quoted
    yield "url-but-at", quote(text, safe="@")
    yield "url-but-plus", quote(text, safe="+")
    yield "url-twice", quote(quoted, safe="")
    yield "html", html.escape(text)
    for name, at in (("html-number", "&#64;"), ("html-hex", "&#x40;"), ("html-name", "&commat;")):
        yield name, html.escape(text).replace("@", at)
    ascii_only = json.dumps(text)[1:-1]
    yield "json", ascii_only
    yield "json-twice", json.dumps(ascii_only)[1:-1]
    yield "json-slash", json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/")
    yield "json-ascii-slash", ascii_only.replace("/", "\\/")
    # How .NET writes JSON, and how careful writers of JavaScript do.
    yield "json-plus", ascii_only.replace("+", "\\u002b")
    yield "json-all", ascii_only.replace("+", "\\u002b").replace("@", "\\u0040")
    yield "quoted-printable", quopri.encodestring(text.encode()).decode()
    yield "quoted-printable-at", quopri.encodestring(text.encode()).decode().replace("@", "=40")


def _coded(id: str, value: str) -> Iterator[Form]:
    """Yield what hides it from the eye: hex, base64, and digests without a key."""
    for number, text in enumerate(_unique((value, value.lower(), value.upper()))):
        case = ("", "-2", "-3")[number]
        raw = unicodedata.normalize("NFC", text).encode()
        yield f"hex{case}", raw.hex()
        for shift in range(3):
            for form, code in _both(_within_base64(raw, shift)):
                yield f"base64{form}-{shift}{case}", code
    for number, text in enumerate(_digested(id, value)):
        raw = text.encode()
        for name in HASHES:
            digest = hashlib.new(name, raw, usedforsecurity=False)
            yield f"{name}-{number}", digest.hexdigest()
        for form, code in _both(base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")):
            yield f"base64{form}-sha256-{number}", code
    if number_ := _uuid(value):
        for name, raw in (("bytes", number_.bytes), ("bytes-le", number_.bytes_le)):
            yield f"hex-{name}", raw.hex()
            for form, code in _both(base64.b64encode(raw).decode().rstrip("=")):
                yield f"base64{form}-{name}", code


def _digested(id: str, value: str) -> list[str]:
    """Return the texts that others take digests of: as it is, as it is compared, and for Gravatar in lower case."""
    texts = [value, value.lower(), value.upper()]
    if id.startswith("email"):
        texts += [address for _, address in _addresses(value.lower())]
    return _unique([*texts, *(unicodedata.normalize("NFC", text) for text in texts)])


def _within_base64(raw: bytes, shift: int) -> str:
    """Return the characters that stand for `raw` wherever it begins `shift` bytes into a group of three."""
    coded = base64.b64encode(b"\0" * shift + raw)
    first = (shift * 8 + 5) // 6
    last = (shift + len(raw)) * 8 // 6
    return coded[first:last].decode()


def _both(code: str) -> Iterator[Form]:
    """Yield base64 in both alphabets."""
    yield "", code
    yield "url", code.replace("+", "-").replace("/", "_")


# --- As few as will do ---------------------------------------------------------------------------------------------

_UPPER = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}


def _add(forms: dict[str, str], id: str, text: str, shortest: int) -> None:
    if len(text) >= shortest:
        forms[id] = text


def _least(whole: dict[str, str], parts: dict[str, str]) -> dict[str, str]:
    """Leave out what another needle finds too. Letters beyond ASCII keep their case: not all stores fold them."""
    kept: dict[str, tuple[str, bool]] = {}
    forms = [*((id, text, True) for id, text in whole.items()), *((id, text, False) for id, text in parts.items())]
    for id, text, word in sorted(forms, key=lambda form: (len(form[1]), form[2])):
        folded = text.translate(_UPPER)
        if not any(found(folded, shorter, whole=is_word) for shorter, is_word in kept.values()):
            kept[id] = folded, word
    originals = {**whole, **parts}
    return {id: originals[id] for id in originals if id in kept}


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
