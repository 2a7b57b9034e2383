"""The round that is made every few minutes: who is late, who must be reminded, who cannot be told from others.

Always true here: everything in it is done once, whoever makes the round and however often; that it came to its end is
written down, so that a clock nobody looks at is noticed.
"""

from datetime import datetime

from portal.rights import beats, late, reminders
from portal.rights.beats import CLOCKS as NAME
from portal.rights.tables_clock import Heartbeat
from portal.rights.workshop import Workshop

__all__ = ["NAME", "last_round", "make_round"]


async def make_round(shop: Workshop) -> None:
    """Do what is due now, and note that it was looked at. Idempotent."""
    await reminders.look_at_unidentified(shop)
    await reminders.remind_due(shop)
    await late.say_late(shop)
    await beats.beat(NAME, at=shop.clock())


async def last_round() -> datetime | None:
    """Return when a round last came to its end; None when none ever did."""
    row = await Heartbeat.select(Heartbeat.at).where(Heartbeat.name == NAME).first()
    return row["at"] if row else None
