"""What the worker does for rights: one kind of job, and two things by the clock."""

from functools import partial

from portal.jobs import Schedule, Work
from portal.rights import access, outcome
from portal.rights.workshop import Workshop


def works(shop: Workshop) -> list[Work]:
    """Return the jobs of this room."""
    return [Work(name="rights.export", handler=partial(access.fulfil, shop), tries=6, at_once=2)]


def schedules(shop: Workshop) -> list[Schedule]:
    """Return what is done by the clock: delete expired parcels, remind of unopened ones."""

    async def expire() -> None:
        await outcome.delete_expired(shop.storage, at=shop.clock())

    async def remind() -> None:
        await outcome.remind_unopened(shop.policy, shop.settings.public_url, at=shop.clock())

    return [
        Schedule("rights.expire", "*/10 * * * *", expire),
        Schedule("rights.remind", "5 * * * *", remind),
    ]
