"""Finds signs of other people in a text: e-mail addresses and telephone numbers that are not the person's own.

Always true here: time grows with the text and never faster; a sign is where somebody should look, not a judgement.
"""

import re
from collections.abc import Collection, Iterator

import msgspec

_LOCAL = re.compile(r"[\w.+%'’&-]{1,64}\Z")
_DOMAIN = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_BEFORE_LOCAL = ".-'’&%"
_GAP = r"[ .\-/()\u00a0\u202f]{0,2}"
_DATE = r"(?!\d{2}[./-]\d{2}[./-]\d{4}(?!\d))"
_PHONE = re.compile(
    rf"(?<![\w+])(?<!\d[.,])(?:(?:\+|00)[1-9](?:{_GAP}\d){{6,13}}"
    rf"|{_DATE}\(?0[1-9](?:{_GAP}\d){{7,10}}"
    r"|\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4})(?!\w)"
)
"""With the country's code; with the national 0; as North America writes it."""
_UUID = re.compile(r"[\da-fA-F]{8}-(?:[\da-fA-F]{4}-){3}[\da-fA-F]{12}")
_UUID_MASK = "_" * 36
"""As long as what it hides, so that places stay; the digits of a record's number are no telephone's."""
_OTHER_THAN_DIGITS = re.compile(r"\D")


class Sign(msgspec.Struct, frozen=True):
    """Where in a text somebody may be named: characters from `start`, `length` of them."""

    start: int
    length: int
    kind: str
    """email or phone"""


def signs(text: str, known: Collection[str]) -> Iterator[Sign]:
    """Yield what may name somebody else. `known` is the person's own, in small letters; numbers as digits alone."""
    yield from _addresses(text, known)
    for found in _PHONE.finditer(_UUID.sub(_UUID_MASK, text)):
        if _OTHER_THAN_DIGITS.sub("", found[0]) not in known:
            yield Sign(found.start(), found.end() - found.start(), "phone")


def _addresses(text: str, known: Collection[str]) -> Iterator[Sign]:
    """Look at each @ and what stands around it: a single pattern would take its time with a text made for that."""
    at = text.find("@")
    while at >= 0:
        before, after = _LOCAL.search(text, max(0, at - 64), at), _DOMAIN.match(text, at + 1)
        name = before[0].lstrip(_BEFORE_LOCAL) if before else ""
        if name and after and f"{name}@{after[0]}".lower() not in known:
            yield Sign(at - len(name), len(name) + 1 + len(after[0]), "email")
        at = text.find("@", at + 1)
