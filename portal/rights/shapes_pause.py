"""Turn what is out of use into what pages print: since when, what, until when, and where to follow it.

Always true here: a freeze is not called a pause; it is said who began it.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from portal.policy.model import Policy
from portal.rights.out_of_use import ASKED_FOR, InPlace, in_place
from portal.rights.pauses import stops_account
from portal.rights.requests import RequestView
from portal.rights.shapes import category_title
from portal.rights.stopped_uses import Stopped, stopped
from portal.words import Words


class PauseView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is out of use."""

    reference: str
    titles: tuple[str, ...]
    """What is out of use; empty: everything."""
    categories: tuple[str, ...]
    own: bool
    """True for a pause that the person asked for and may end."""
    why: str
    since: datetime
    ends_at: datetime | None
    stops_account: bool
    """True when a place could only stop the whole account."""

    def covers(self, category: str) -> bool:
        """Return whether a category is out of use by it."""
        return not self.categories or category in self.categories


def pause_views(words: Words, policy: Policy, now: Sequence[InPlace]) -> list[PauseView]:
    """Return what is out of use, oldest first."""
    account = stops_account(policy)
    return [
        PauseView(
            reference=one.reference,
            titles=tuple(category_title(words, policy, id) for id in one.categories),
            categories=tuple(one.categories),
            own=one.reason in ASKED_FOR,
            why=reason_in_words(words, one.reason),
            since=one.since,
            ends_at=one.lifts_at,
            stops_account=bool(account) if not one.categories else not account.isdisjoint(one.categories),
        )
        for one in now
    ]


async def pause_of(words: Words, policy: Policy, request: RequestView) -> PauseView | None:
    """Return the pause that a request is for, while it counts."""
    if request.right != "restriction" or request.subject is None:
        return None
    views = pause_views(words, policy, await in_place(request.subject))
    return next((one for one in views if one.reference == request.reference), None)


async def use_of(request: RequestView) -> Stopped | None:
    """Return the use that a request is about, while it stands still."""
    if request.right not in {"objection", "consent"} or request.subject is None:
        return None
    return next((one for one in await stopped(request.subject) if one.request == request.id), None)


def reason_in_words(words: Words, reason: str) -> str:
    """Say why something is out of use. Raises: KeyError."""
    return {
        "accuracy": words("You say that it is wrong, and we are checking."),
        "unlawful": words("You say that we should not have it, and want it kept."),
        "claims": words("You need it for a legal claim."),
        "objection": words("You said no to a use, and wait for our answer."),
        "erasure": words("You asked us to erase it."),
        "child": words("Somebody told us that this may be a child’s account."),
    }[reason]
