"""Begin what somebody asked for who was not signed in: look for them, then copy, erase, or say that there is nothing.

Always true here: a place that does not answer is never counted as empty; running it again does nothing twice.
Source: GDPR Art. 12(3), 15(1), 17; law S-04.
"""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import SourceUnavailable
from portal.jobs import Payload
from portal.policy.model import Policy, PortalSource
from portal.rights import letters
from portal.rights.erasure import GRACE, draw_now, lay_erasure
from portal.rights.intake import begin_copy
from portal.rights.lifecycle import NotPossible
from portal.rights.person import find_person
from portal.rights.replies import reply, words_for
from portal.rights.requests import RequestView, find_by_id
from portal.rights.workshop import Workshop
from portal.settings import Settings
from portal.sources.registry import Counts, Identified


async def begin_proven(shop: Workshop, payload: Payload) -> None:
    """Begin one request whose person is known now. Idempotent.

    Raises:
        SourceUnavailable: a place is silent, so that "nothing" would not be true; the job is tried again.
    """
    request = await find_by_id(UUID(payload["request"]))
    if request.state != "deciding" or request.subject is None:
        return
    person = await find_person(shop.sources, request.subject)
    counts = await shop.sources.count(person.identifiers)
    with suppress(NotPossible):
        if _nothing(shop.policy, person, counts):
            async with engine().transaction():
                await _say_nothing(request, shop.policy, shop.settings, at=shop.clock())
        elif request.right == "erasure":
            await _erase(shop, request, person)
        else:
            async with engine().transaction():
                await begin_copy(request)


def _nothing(policy: Policy, person: Identified, counts: Counts) -> bool:
    """Tell whether every place but our own tables was looked through and is empty.

    Raises:
        SourceUnavailable: nothing was found, and a place did not answer.
    """
    places = [spec.id for spec in policy.sources if not isinstance(spec, PortalSource)]
    if any(number for place in places for number in (counts[place] or {}).values()):
        return False
    silent = [place for place in places if counts[place] is None or place in person.unreachable]
    if silent:
        raise SourceUnavailable(silent[0], "could not be looked through")
    return True


async def _say_nothing(request: RequestView, policy: Policy, settings: Settings, *, at: datetime) -> None:
    words = words_for(request, policy)
    letter = letters.no_data(
        words, policy, letters.case_of(request, policy, at=at),
        places=[spec.title[request.language] for spec in policy.sources],
        searched_with=(words("With the e-mail address that you confirmed."),),
    )  # fmt: skip
    own = words("Since you wrote, this portal holds your address and this request, and nothing else.")
    letter = msgspec.structs.replace(letter, more=(own,))
    await reply(
        request, letter, "no-data", event="nothing-held", policy=policy, settings=settings, at=at, actor="worker"
    )  # fmt: skip


async def _erase(shop: Workshop, request: RequestView, person: Identified) -> None:
    drawn = await draw_now(shop.sources, shop.policy, person, request.categories, at=shop.clock())
    at = shop.clock()
    async with engine().transaction():
        await lay_erasure(
            request, drawn, request.categories, policy=shop.policy, public_url=shop.settings.public_url, at=at,
            runs_at=at + GRACE, actor="worker",
        )  # fmt: skip
