"""Counting what a search finds, by place and needle.

Always true here: no text that was looked at is kept; of each place and needle only a number and a few keys are.
"""

from collections import Counter
from collections.abc import Iterable

from portal.sources.base import Finding, Needles
from portal.sources.matching import found

KEYS = 20
"""How many keys a finding names at most."""


class Tally:
    """What was found so far."""

    def __init__(self, needles: Needles) -> None:
        self._texts = {id: text.lower() for id, text in needles.texts.items()}
        self._whole = needles.whole
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._keys: dict[tuple[str, str], list[str]] = {}

    def any_in(self, page: str) -> bool:
        """Tell whether any needle is in a text in lower case, to pass over many texts at once."""
        return any(text in page for text in self._texts.values())

    def look(self, place: str, texts: Iterable[str], key: str) -> None:
        """Compare the forms of one text with every needle; each needle counts once."""
        lowered = [text.lower() for text in texts]
        for needle, wanted in self._texts.items():
            if any(found(text, wanted, whole=needle in self._whole) for text in lowered):
                self.add(place, needle, key)

    def add(self, place: str, needle: str, key: str) -> None:
        """Count one."""
        self._numbers[place, needle] += 1
        keys = self._keys.setdefault((place, needle), [])
        if len(keys) < KEYS and key not in keys:
            keys.append(key)

    def findings(self) -> tuple[Finding, ...]:
        """Return them in a lasting order."""
        return tuple(
            Finding(place=place, needle=needle, number=number, keys=tuple(self._keys[place, needle]))
            for (place, needle), number in sorted(self._numbers.items())
        )
