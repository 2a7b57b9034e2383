"""The right to erasure: asked for and confirmed by the person, out of use at once, three days to think again, gone.

Always true here: what was shown is what was approved, by its digest; nobody but the person is needed for it, and no
dispute stops it; after the three days nothing of it is called done before it was looked for.
Source: GDPR Art. 17, 18, 19; law S-02, S-17, S-20.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from portal.database import engine
from portal.errors import Refused
from portal.mail.messages import erasure_planned
from portal.mail.outbox import post
from portal.policy.model import Policy, PortalSource
from portal.rights import own_erasure, restriction
from portal.rights.answer import end
from portal.rights.erasure_plan import Drawn, draw
from portal.rights.intake import Asked, Opened, open_request
from portal.rights.lifecycle import NotPossible, move
from portal.rights.person import address_of, find_person
from portal.rights.plans import ItemView, PlanView, cancel, lay, plan_of
from portal.rights.platform_news import Event, tell_platform
from portal.rights.requests import RequestView, find
from portal.rights.walk import Did, LeftSomething
from portal.rights.workshop import Workshop
from portal.settings import Settings
from portal.sources.base import Erased, Erasing, Identifiers, Source
from portal.sources.registry import Identified, Sources
from portal.words import Words

GRACE = timedelta(days=3)
"""To change one's mind. Source: design/ux.md, section 13; law S-17 allows 72 hours at most."""


class Changed(Refused):
    """What would be erased is not what was shown any more: look again."""

    status = 409
    sentence = "Something changed since you looked. Nothing has been erased. Please look at the list again."


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """What a person confirmed, by typing the word on a page that showed it."""

    subject: UUID
    chosen: tuple[str, ...]
    digest: str
    language: str


async def draw_now(
    sources: Sources, policy: Policy, person: Identified, chosen: Collection[str], *, at: datetime
) -> Drawn:
    """Return what an erasure of these categories would do, from what is held now. Periods count from its day."""
    counts = await sources.count(person.identifiers)
    return draw(policy, chosen, counts, today=(at + GRACE).astimezone(ZoneInfo(policy.controller.zone)).date())


async def approve(approval: Approval, *, sources: Sources, policy: Policy, public_url: str, at: datetime) -> Opened:
    """Open the request with its plan, put the data out of use, and say how to cancel; one transaction.

    Raises:
        Changed: what is held is no longer what was shown.
    """
    person = await find_person(sources, approval.subject)
    drawn = await draw_now(sources, policy, person, approval.chosen, at=at)
    if drawn.digest != approval.digest:
        raise Changed

    async def plan(request: RequestView) -> None:
        await lay_erasure(
            request, drawn, approval.chosen, policy=policy, public_url=public_url, at=at, runs_at=at + GRACE,
            actor="person",
        )  # fmt: skip

    asked = Asked(
        right="erasure", subject=approval.subject, language=approval.language, received_at=at,
        categories=tuple(dict.fromkeys(line.category for line in drawn.lines if line.category)),
    )  # fmt: skip
    return await open_request(asked, policy=policy, public_url=public_url, at=at, then=plan, receipt=False)


async def lay_erasure(
    request: RequestView,
    drawn: Drawn,
    chosen: Collection[str],
    *,
    policy: Policy,
    public_url: str,
    at: datetime,
    runs_at: datetime,
    actor: str,
) -> None:
    """Plan an erasure, put its data out of use, and say how to cancel it, inside the caller's transaction.

    An account that was reported as a child's is out of use already; `intake_child` writes to its
    holder.

    Raises:
        NotPossible: the request has moved on, or has its plan.
    """
    if await plan_of(request.id, "erase") is not None:
        raise NotPossible
    await move(
        request.id, request.reference, "working", at=at, actor=actor,
        event="erasure-planned" if drawn.whole else "part-erasure-planned",
        details={"digest": drawn.digest, "whole": drawn.whole},
    )  # fmt: skip
    await lay(
        request.id, request.reference, "erase", drawn.lines, at=at, runs_at=runs_at, actor=actor,
        digest=drawn.digest, whole=drawn.whole,
    )  # fmt: skip
    if request.right == "child":
        return
    await restriction.put_out_of_use(
        request, policy, () if drawn.whole else tuple(chosen), reason="erasure", at=at, actor=actor
    )  # fmt: skip
    if runs_at > at:
        await _say_planned(request, policy, public_url, at=at, erase_at=runs_at, whole=drawn.whole)


async def keep_after_all(reference: str, subject: UUID, *, policy: Policy, settings: Settings, at: datetime) -> None:
    """Cancel an erasure that has not begun; the data is in use again.

    Raises:
        NotFound: it is not theirs.
        NotPossible: it has begun.
    """
    request = await find(reference, subject)
    plan = await plan_of(request.id, "erase")
    if not request.is_open or plan is None:
        return
    async with engine().transaction():
        await cancel(plan, at=at, actor="person")
        await end(
            request, "withdrawn", event="erasure-cancelled", policy=policy, settings=settings, at=at, actor="person"
        )  # fmt: skip
        await restriction.lift(request.id, reference, at=at, actor="person")


async def act(shop: Workshop, plan: PlanView, subject: Identifiers, source: Source, items: Sequence[ItemView]) -> Did:
    """Have one source do its rows, and count that nothing is left of what was to go."""
    if any(spec.id == source.id for spec in shop.policy.sources if isinstance(spec, PortalSource)):
        return await own_erasure.act(shop, plan, subject, items)
    erasing = [_erasing(shop.policy, item) for item in items]
    erased = await source.erase(subject, erasing, pseudonym=plan.pseudonym, handle=items[0].handle)
    if erased.done:
        left = {} if _stays_countable(plan, erased) else await source.count(subject)
        if any(left.get(item.category, 0) for item in items if item.action == "erase"):
            raise LeftSomething
        await tell_platform(shop, source, subject, Event.ERASED, str(plan.id))
    return Did(erased.done, _means(erased, items), erased.handle)


def _means(erased: Erased, items: Sequence[ItemView]) -> str:
    """Return how it was done. What we had counted and is there no more was done by an attempt that was killed.

    That one could not say so any more; without this the receipt would name nothing, and nobody would know what is held.
    """
    counted = any(item.expected for item in items)
    return "gone-before" if erased.means == "nothing" and counted else erased.means


def _stays_countable(plan: PlanView, erased: Erased) -> bool:
    """Return whether records may be counted after what a source did.

    Payments of a deleted customer stay listed at Stripe by its own duty. While the account stays, an emptied record
    stays where other data of the person refers to it. The search looks at both.
    """
    return erased.means == "customer-deleted" or (erased.means == "blanked" and not plan.whole)


def _erasing(policy: Policy, item: ItemView) -> Erasing:
    minimum = policy.category(item.category).erasure.minimum if item.action == "keep" else ()
    return Erasing(category=item.category, action=item.action, minimum=minimum)  # type: ignore[arg-type]


async def _say_planned(
    request: RequestView, policy: Policy, public_url: str, *, at: datetime, erase_at: datetime, whole: bool
) -> None:
    words = Words(request.language, policy.controller.zone)
    link = f"{public_url}/{request.language}/requests/{request.reference}"
    message = erasure_planned(words, policy, reference=request.reference, erase_at=erase_at, link=link, whole=whole)
    to = await address_of(request.owner)
    await post(message, to=to, language=request.language, reference=request.reference, at=at)
