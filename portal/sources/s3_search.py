"""Looking for what is left of a person in a bucket: their prefixes wholly, and the name of every file there is.

Always true here: one page of the listing in memory at a time; what was not looked at is named as blind; a finding names
files by a digest, because a file's name may be a value.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from portal.errors import SourceRefused
from portal.sources.base import Finding, Needles, Searched
from portal.sources.s3_calls import Calls

KEYS = 20
"""How many files a finding names at most."""
UNREAD = "contents, metadata and tags of files (not read)"
OWN_PREFIX = "account"
"""The needle of a file that lies under the person's own prefix, when no needle is their account id itself."""

type Place = str


class Tally:
    """What was found, by place and needle; each file is counted once for each needle."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = {id: text.lower() for id, text in texts.items()}
        self._numbers: Counter[tuple[Place, str]] = Counter()
        self._keys: dict[tuple[Place, str], list[str]] = {}

    def own(self, place: Place, accounts: Iterable[str], keys: Iterable[str]) -> None:
        """Count what lies under the person's prefix, whatever it is called."""
        lowered = {account.lower() for account in accounts}
        needle = next((id for id, text in self._texts.items() if text in lowered), OWN_PREFIX)
        for key in keys:
            self._add(place, needle, key)

    def look(self, place: Place, keys: list[str]) -> None:
        """Compare a page of names with every needle: first all names at once, which is nearly always the end of it."""
        page = "\n".join(keys).lower()
        page = f"{page}\n{unquote(page)}" if "%" in page else page
        for needle, text in self._texts.items():
            if text in page:
                for key in keys:
                    low = key.lower()
                    if text in low or text in unquote(low):
                        self._add(place, needle, key)

    def _add(self, place: Place, needle: str, key: str) -> None:
        self._numbers[place, needle] += 1
        keys = self._keys.setdefault((place, needle), [])
        if len(keys) < KEYS:
            keys.append(hashlib.sha256(key.encode()).hexdigest()[:16])

    def findings(self) -> tuple[Finding, ...]:
        """Return them in a lasting order."""
        return tuple(
            Finding(place=place, needle=needle, number=number, keys=tuple(self._keys[place, needle]))
            for (place, needle), number in sorted(self._numbers.items())
        )


async def search(calls: Calls, needles: Needles, prefixes: list[str], *, limit: int) -> Searched:
    """List the person's `prefixes` to the end, and the whole bucket up to `limit` versions.

    Raises:
        SourceUnavailable, SourceRefused: when not even the prefixes can be listed.
    """
    tally = Tally(needles.texts)
    kinds = {kind: f"{calls.bucket} {kind}" for kind in ("versions", "delete markers", "unfinished uploads")}
    for prefix in prefixes:
        async for page in calls.versions(prefix):
            tally.own(kinds["versions"], needles.subject.account_ids, _keys(page.get("Versions")))
            tally.own(kinds["delete markers"], needles.subject.account_ids, _keys(page.get("DeleteMarkers")))
        async for uploads in calls.unfinished(prefix):
            tally.own(kinds["unfinished uploads"], needles.subject.account_ids, _keys(uploads.get("Uploads")))
    own = tuple(prefixes)
    blind = [f"{calls.bucket}: {UNREAD}"]
    try:
        seen = 0
        async for page in calls.versions(""):
            for kind, listed in (("versions", page.get("Versions")), ("delete markers", page.get("DeleteMarkers"))):
                keys = _keys(listed)
                seen += len(keys)
                tally.look(kinds[kind], [key for key in keys if not key.startswith(own)])
            if seen >= limit and page.get("IsTruncated"):
                blind.append(f"{calls.bucket}: all beyond the first {seen} versions (scan_limit)")
                break
        async for uploads in calls.unfinished(""):
            tally.look(kinds["unfinished uploads"], [k for k in _keys(uploads.get("Uploads")) if not k.startswith(own)])
    except SourceRefused:
        blind.append(f"{calls.bucket}: all outside the person's own prefixes (no right to list the bucket)")
    return Searched(findings=tally.findings(), places=tuple(kinds.values()), blind=tuple(blind))


def _keys(listed: Iterable[Mapping[str, object]] | None) -> list[str]:
    return [str(one["Key"]) for one in listed or ()]
