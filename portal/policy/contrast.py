"""Can the brand's colours be read? If not: the nearest that can.

Always true here: contrast is counted as WCAG 2.2 counts it (relative luminance), and a proposal keeps the hue.
"""

import re
from collections.abc import Sequence

LEAST = 4.5
"""Source: WCAG 2.2, success criterion 1.4.3 (AA)."""
PAPER, DARK_PAPER = "#ffffff", "#12151f"

type Rgb = tuple[float, float, float]


def is_colour(text: str) -> bool:
    """Tell whether `text` is a colour as #rrggbb."""
    return re.fullmatch(r"#[0-9a-fA-F]{6}", text) is not None


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def nearest(colour: str, grounds: Sequence[str], *, towards: str) -> str:
    """Return the first colour on the way from `colour` to `towards` that can be read on every ground."""
    start, end = _rgb(colour), _rgb(towards)
    for step in range(256):
        mixed = tuple(round(a + (b - a) * step / 255) for a, b in zip(start, end, strict=True))
        candidate = "#{:02x}{:02x}{:02x}".format(*mixed)
        if all(contrast(candidate, ground) >= LEAST for ground in grounds):
            return candidate
    return towards


def _rgb(colour: str) -> Rgb:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def _luminance(rgb: Rgb) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
