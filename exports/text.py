"""Text of people's, made harmless for paper and spreadsheets. The JSON keeps it exactly as it is.

Always true here: nothing that comes out can move, hide or end what stands around it.
"""

import re

_PICTURES = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"}
_BIDI = {code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_OTHERS = {0x7F: "\N{SYMBOL FOR DELETE}", 0x2028: "\n", 0x2029: "\n", 0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
_C1 = dict.fromkeys(range(0x80, 0xA0), "\ufffd")
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")

_CONTROLS = _PICTURES | _C1 | _SURROGATES | {0x7F: "\N{SYMBOL FOR DELETE}"}
_TRICKS = _CONTROLS | _BIDI | _OTHERS

_CELL_TRICKS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
FORMULA_STARTS = frozenset("=+-@\t\r\n\x00\u2400＝＋－＠﹢﹣﹦﹫")
"""What makes a spreadsheet calculate, the full-width and small forms included."""
_STARTS_FORMULA = re.compile(rf"(?:^|(?<=[;\t\r\n]))(?=[{re.escape(''.join(sorted(FORMULA_STARTS)))}])")
_NUMBER = re.compile(r"-\d+(?:\.\d+)?", re.ASCII)


def visible(text: str) -> str:
    """Return `text` for paper: control characters as pictures, bidi overrides spelt out, one kind of line break."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_TRICKS)


def one_line(text: str) -> str:
    """Return `text` for paper, on one line."""
    return " ".join(visible(text).split())


def cell(text: str) -> str:
    """Return `text` for a spreadsheet, where it can never be a formula.

    `'` goes before whatever a spreadsheet might calculate, also after a semicolon or a line break: some split cells
    there. A plain negative number stays a number.
    Source: OWASP, CSV Injection; ASVS 5.0 1.2.10.
    """
    if _CELL_TRICKS.search(text):
        text = text.translate({**_CONTROLS, 0x0D: 0x0D})
    if _NUMBER.fullmatch(text):
        return text
    return _STARTS_FORMULA.sub("'", text)
