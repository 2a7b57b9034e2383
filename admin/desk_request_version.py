"""Two of staff at once: what a page showed is compared with what is so now, and whoever is second is told by whom.

Always true here: a form that was made before something else happened to its request changes nothing; what was typed is
kept. Reading, noting and giving a request to somebody move nothing on.
"""

from collections.abc import Iterable
from datetime import datetime

from piccolo.querystring import QueryString

from admin.desk_request_events import event_in_words
from admin.desk_request_timeline import Happened, Story, who
from portal.database import engine
from portal.policy.model import Policy
from portal.rights.lifecycle import OUTCOMES, NotPossible
from portal.rights.requests import RequestView
from portal.words import Words


class MovedOn(NotPossible):
    """Something happened to the request after the page was made."""


def version_of(happened: Iterable[Happened]) -> int:
    """Return the number of the last entry that moved a request on."""
    return max((one.seq for one in happened if moves_on(one)), default=0)


def moves_on(one: Happened) -> bool:
    """Tell whether an entry moves a request on: what its person reads, and every decision of staff."""
    if one.event.startswith("rights:request:"):
        return True
    return one.event.startswith("rights:") and one.actor.startswith("staff:")


def seen_in(typed: str) -> int | None:
    """Return the version that a form was made at; None for a form that carries none."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else None


async def need_unmoved(request: RequestView, seen: int | None) -> None:
    """Refuse a form that was made before something else happened. Raises: MovedOn."""
    if seen is None:
        return
    rows = await engine().run_querystring(
        QueryString(
            "SELECT EXISTS (SELECT FROM evidence WHERE reference = {} AND seq > {} AND (event LIKE 'rights:request:%'"
            " OR (event LIKE 'rights:%' AND actor LIKE 'staff:%'))) AS moved",
            request.reference, seen,
        )
    )  # fmt: skip
    if rows[0]["moved"]:
        raise MovedOn


def told(words: Words, policy: Policy, story: Story, seen: int | None, at: datetime) -> str:
    """Say who did what meanwhile: the decision, if there was one. Empty when nothing is known of it."""
    newer = [one for one in story.happened if moves_on(one) and one.seq > (seen or 0)]
    if seen is None:
        newer = newer[-1:]
    decided = [one for one in newer if one.details.get("to") in OUTCOMES]
    last = next(reversed(decided or newer), None)
    if last is None:
        return ""
    name = who(words, last.actor, story.names)
    when = _when(words, last.at, at)
    if decided and last.actor.startswith("staff:"):
        return words("{name} decided this: {when}.", name=name, when=when)
    what = event_in_words(words, policy, last.event, last.details)
    return words("{what}: {name}, {when}.", what=what, name=name, when=when)


def _when(words: Words, then: datetime, now: datetime) -> str:
    """Say the time alone on the same day."""
    same = then.astimezone(words.zone).date() == now.astimezone(words.zone).date()
    return words.time(then) if same else words.moment(then)
