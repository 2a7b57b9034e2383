"""Looking for what is left of a person in a bucket: their prefixes wholly, and the name of every file there is.

Always true here: one page of the listing in memory at a time; what was not looked at is named as blind; a finding names
files by a digest, because a file's name may be a value.
"""

import hashlib
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from portal.errors import SourceRefused
from portal.sources.base import Needles, Searched
from portal.sources.s3_calls import Calls
from portal.sources.tally import Tally

UNREAD = "contents, metadata and tags of files (not read)"
OWN_PREFIX = "account"
"""The needle of a file that lies under the person's own prefix, when no needle is their account id itself."""


async def search(calls: Calls, needles: Needles, prefixes: list[str], *, limit: int) -> Searched:
    """List the person's `prefixes` to the end, and the whole bucket up to `limit` versions.

    Raises:
        SourceUnavailable, SourceRefused: when not even the prefixes can be listed.
    """
    tally = Tally(needles)
    kinds = {kind: f"{calls.bucket} {kind}" for kind in ("versions", "delete markers", "unfinished uploads")}
    account = _needle(needles)
    for prefix in prefixes:
        async for page in calls.versions(prefix):
            _own(tally, kinds["versions"], account, page.get("Versions"))
            _own(tally, kinds["delete markers"], account, page.get("DeleteMarkers"))
        async for uploads in calls.unfinished(prefix):
            _own(tally, kinds["unfinished uploads"], account, uploads.get("Uploads"))
    own = tuple(prefixes)
    blind = [f"{calls.bucket}: {UNREAD}"]
    try:
        seen = 0
        async for page in calls.versions(""):
            for kind, listed in (("versions", page.get("Versions")), ("delete markers", page.get("DeleteMarkers"))):
                keys = _keys(listed)
                seen += len(keys)
                _look(tally, kinds[kind], [key for key in keys if not key.startswith(own)])
            if seen >= limit and page.get("IsTruncated"):
                blind.append(f"{calls.bucket}: all beyond the first {seen} versions (scan_limit)")
                break
        async for uploads in calls.unfinished(""):
            keys = [key for key in _keys(uploads.get("Uploads")) if not key.startswith(own)]
            _look(tally, kinds["unfinished uploads"], keys)
    except SourceRefused:
        blind.append(f"{calls.bucket}: all outside the person's own prefixes (no right to list the bucket)")
    return Searched(findings=tally.findings(), places=tuple(kinds.values()), blind=tuple(blind))


def _needle(needles: Needles) -> str:
    """Return the needle that is an account id of the person's, for what lies under their prefix, whatever its name."""
    accounts = {account.lower() for account in needles.subject.account_ids}
    return next((id for id, text in needles.texts.items() if text.lower() in accounts), OWN_PREFIX)


def _own(tally: Tally, place: str, needle: str, listed: Iterable[Mapping[str, object]] | None) -> None:
    for key in _keys(listed):
        tally.add(place, needle, _digest(key))


def _look(tally: Tally, place: str, keys: list[str]) -> None:
    """Compare a page of names with every needle: first all names at once, which is nearly always the end of it."""
    page = "\n".join(keys).lower()
    if tally.any_in(page) or ("%" in page and tally.any_in(unquote(page))):
        for key in keys:
            tally.look(place, (key, unquote(key)), _digest(key))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _keys(listed: Iterable[Mapping[str, object]] | None) -> list[str]:
    return [str(one["Key"]) for one in listed or ()]
