"""Whether what works by itself still does: the clocks, the worker, the mail; and how much of it needed nobody.

Always true here: numbers and instants only; it reads what happened lately and no more, however much there ever was.
"""

from datetime import datetime, timedelta

import msgspec
from piccolo.querystring import QueryString

from portal.database import engine
from portal.rights import clock_round

CLOCKS_SILENT = timedelta(minutes=15)
"""Clocks that nobody has looked at for so long are not looked at."""
WORKER_SILENT_SECONDS = 180
"""A worker that has not moved its schedules for so long is not there: they move every minute."""
MAIL_STUCK = timedelta(minutes=15)
"""A mail that has waited for so long is not on its way."""
MOST_MAILS, MOST_ANSWERS = 10_000, 1_000
"""Of more, that there are more is enough to know."""


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    """How everything that works by itself is doing."""

    at: datetime
    clocks_at: datetime | None
    """When the clocks of all requests were last looked at."""
    worker_silent_seconds: float | None
    """Since a worker last moved its schedules; None when none ever did."""
    oldest_mail_at: datetime | None
    """Since when the oldest mail that could leave has waited."""
    mails: int
    """That left, or failed to, in the last 24 hours; of more than `MOST_MAILS` the newest."""
    delivered: int
    """Of those, the ones that the other side has taken."""
    returned: int
    """Of those, the ones that came back or could not leave."""
    by_themselves: int
    """Requests of the last seven days that ended with an answer and without a member of staff; at most one more than
    `MOST_ANSWERS`."""

    @property
    def clocks_stopped(self) -> bool:
        """True when a reminder or a "late" could fail to leave."""
        return self.clocks_at is None or self.at - self.clocks_at > CLOCKS_SILENT

    @property
    def worker_stopped(self) -> bool:
        """True when no worker is there."""
        return self.worker_silent_seconds is None or self.worker_silent_seconds > WORKER_SILENT_SECONDS

    @property
    def mail_stuck(self) -> bool:
        """True when mail does not leave."""
        return self.oldest_mail_at is not None and self.at - self.oldest_mail_at > MAIL_STUCK

    @property
    def well(self) -> bool:
        """True when nothing stands still."""
        return not (self.clocks_stopped or self.worker_stopped or self.mail_stuck)


async def pulse(at: datetime) -> Pulse:
    """Return how it is at `at`, in one query."""
    day, week = at - timedelta(days=1), at - timedelta(days=7)
    rows = await engine().run_querystring(
        QueryString(_PULSE, day, MOST_MAILS, day, clock_round.NAME, at, week, MOST_ANSWERS + 1)
    )
    return msgspec.convert({**rows[0], "at": at}, Pulse)


# As NOT EXISTS, the last part would read the whole log once in place of a thousand requests' entries.
_PULSE = """
WITH mails AS (
    (SELECT state FROM mail WHERE accepted_at > {} ORDER BY accepted_at DESC LIMIT {})
    UNION ALL SELECT state FROM mail WHERE state = 'failed' AND accepted_at IS NULL AND created_at > {}
)
SELECT (SELECT at FROM heartbeat WHERE name = {}) AS clocks_at,
       (SELECT extract(epoch FROM now() - max(greatest(heartbeat, last_run)))::float8 FROM pgqueuer_schedules)
           AS worker_silent_seconds,
       (SELECT min(created_at) FROM mail WHERE state = 'waiting' AND (expires_at IS NULL OR expires_at > {}))
           AS oldest_mail_at,
       (SELECT count(*) FROM mails) AS mails,
       (SELECT count(*) FROM mails WHERE state = 'delivered') AS delivered,
       (SELECT count(*) FROM mails WHERE state IN ('bounced', 'complained', 'failed')) AS returned,
       (SELECT count(*) FROM (
            SELECT FROM subject_request r WHERE r.closed_at > {} AND r.outcome IN ('fulfilled', 'partly', 'no-data')
               AND (SELECT true FROM evidence e WHERE e.reference = r.reference AND e.actor LIKE 'staff:%'
                    AND e.event NOT IN ('staff:request:opened', 'staff:person:looked') LIMIT 1) IS NULL LIMIT {}
        ) r) AS by_themselves"""
