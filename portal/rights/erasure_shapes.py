"""Turn a drawn erasure into what its pages print: what goes, what stays and why, until when.

Always true here: what could not be counted is said to be uncounted; nothing stays without a reason and a day, where
the policy names one.
"""

import asyncio
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from portal.errors import SourceError
from portal.policy.model import Category, Policy
from portal.rights.erasure_plan import Drawn
from portal.rights.person import cannot_tell
from portal.rights.plans import Line
from portal.sources.registry import PATIENCE_SECONDS, Identified, Sources
from portal.words import Words

WORDS = {"en": "erase", "fr": "effacer"}
"""What is typed to confirm; either language will do."""


class Goes(msgspec.Struct, frozen=True, kw_only=True):
    """One category that is erased or made anonymous."""

    title: str
    why: str
    count: int | None
    """None when a place could not be counted."""
    anonymised: bool
    recipients: tuple[str, ...]
    """Who else is asked to erase it, by name."""


class Stays(msgspec.Struct, frozen=True, kw_only=True):
    """One category of which the law makes us keep something."""

    title: str
    why: str
    ground: str
    until: date | None
    count: int | None


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """All that an erasure would do."""

    goes: tuple[Goes, ...]
    stays: tuple[Stays, ...]
    erase_at: datetime
    backups_until: date | None
    digest: str
    whole: bool

    @property
    def records(self) -> int:
        """How many records go, as far as they could be counted."""
        return sum(one.count or 0 for one in self.goes)

    @property
    def uncounted(self) -> bool:
        """True when a place did not answer."""
        return any(one.count is None for one in self.goes) or any(one.count is None for one in self.stays)


def review(words: Words, policy: Policy, drawn: Drawn, *, erase_at: datetime) -> Review:
    """Return the pages' view of a drawn erasure."""
    scope = [category for category in policy.categories if drawn.of(category.id)]
    told = frozenset(drawn.told)
    zone = ZoneInfo(policy.controller.zone)
    backups = (erase_at.astimezone(zone) + timedelta(days=policy.backups.days)).date() if policy.backups else None
    return Review(
        goes=tuple(_goes(words, policy, one, drawn, told) for one in scope if one.erasure.action != "keep"),
        stays=tuple(_stays(words, one, drawn) for one in scope if one.erasure.action == "keep"),
        erase_at=erase_at,
        backups_until=backups,
        digest=drawn.digest,
        whole=drawn.whole,
    )


def confirms(typed: str) -> bool:
    """Return whether what was typed is the word, in either language; capitals, accents and spaces do not matter."""
    plain = unicodedata.normalize("NFKD", typed.strip()).casefold()
    return "".join(one for one in plain if not unicodedata.combining(one)) in WORDS.values()


async def unused(sources: Sources, policy: Policy, person: Identified) -> int:
    """Return how much was paid for and not used yet; 0 when nobody can tell. It never stands in the way."""
    balance = policy.paid_balance
    if balance is None:
        return 0
    total = 0
    for spec in policy.sources_of(balance.category):
        if cannot_tell(spec, policy, person):
            continue
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await sources.get(spec.id).page(person.identifiers, balance.category, offset=0, limit=50)
        except (SourceError, TimeoutError):
            continue
        total += sum(value for row in found.rows if isinstance(value := row.get(balance.field), int))
    return max(total, 0)


def _goes(words: Words, policy: Policy, category: Category, drawn: Drawn, told: frozenset[str]) -> Goes:
    names = tuple(policy.recipient(id).name for id in category.recipients if id in told)
    return Goes(
        title=category.title[words.language],
        why=category.erasure.why[words.language],
        count=_count(drawn.of(category.id)),
        anonymised=category.erasure.action == "anonymise",
        recipients=names,
    )


def _stays(words: Words, category: Category, drawn: Drawn) -> Stays:
    lines = drawn.of(category.id)
    return Stays(
        title=category.title[words.language],
        why=category.erasure.why[words.language],
        ground=category.erasure.ground,
        until=max((line.until for line in lines if line.until), default=None),
        count=_count(lines),
    )


def _count(lines: Sequence[Line]) -> int | None:
    counts = [line.expected for line in lines]
    return None if None in counts else sum(count or 0 for count in counts)
