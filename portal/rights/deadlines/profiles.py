"""What each jurisdiction grants and demands, as dated data.

Always true here: a row is never changed once a release held it; a new law is a new row with a later `since`, so that
what was computed from the old one comes out the same.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from portal.policy.model import Jurisdiction

type Asked = Literal["identity", "clarification", "fee"]
"""What may be asked of the person before an answer: who they are, what they mean, or a fee."""

type Effect = Literal["runs", "stops", "restarts"]
"""What asking does to the clock: nothing, the days until the answer do not count, or it begins anew with the answer."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One jurisdiction's clock from one day on. Exactly one of `months` and `days` is set."""

    title: str
    since: date
    months: int | None = None
    days: int | None = None
    extra_months: int = 0
    """What one extension adds, counted from receipt. Neither this nor `extra_days`: there is none."""
    extra_days: int = 0
    rolls: bool = False
    """Whether the last day moves to the next working day."""
    calendar: str = ""
    """The holiday calendar; empty: the controller's own."""
    asking: Mapping[Asked, Effect] = {}
    """What is not named here runs on."""
    ack_working_days: int | None = None
    """Weekdays in which to acknowledge a request. Holidays are counted too: too early is safe."""
    ack_complaint_days: int | None = None
    source: str

    @property
    def extends(self) -> bool:
        """Whether one extension is possible."""
        return bool(self.extra_months or self.extra_days)


_UK = Profile(
    title="United Kingdom", since=date(2018, 5, 25), months=1, extra_months=2, rolls=True, calendar="GB-ENG",
    asking={"identity": "restarts", "fee": "restarts", "clarification": "stops"},
    source="UK GDPR Art. 12(3), 12A; DPA 2018 s. 54",
)  # fmt: skip

PROFILES: Mapping[Jurisdiction, tuple[Profile, ...]] = {
    "eu": (
        Profile(
            title="European Union", since=date(2018, 5, 25), months=1, extra_months=2, rolls=True,
            source="GDPR Art. 12(3); Reg. 1182/71 Art. 3",
        ),
    ),
    "uk": (
        _UK,
        msgspec.structs.replace(
            _UK, since=date(2026, 6, 19), ack_complaint_days=30,
            source="UK GDPR Art. 12(3), 12A; DPA 2018 s. 54, 164A",
        ),
    ),
    "california": (
        Profile(
            title="California", since=date(2020, 1, 1), days=45, extra_days=45, ack_working_days=10,
            source="Cal. Civ. Code 1798.130; 11 CCR 7021",
        ),
    ),
    "brazil": (Profile(title="Brazil", since=date(2020, 9, 18), days=15, source="LGPD Art. 19"),),
    "brazil-small": (
        Profile(
            title="Brazil (small agent)", since=date(2022, 1, 28), days=30,
            source="LGPD Art. 19; ANPD Res. 2/2022",
        ),
    ),
}  # fmt: skip
"""By name, oldest row first."""


def profile_on(name: str, day: date) -> Profile:
    """Return the row in force on `day`; before the oldest one, that one.

    Raises:
        LookupError: when there is no such profile.
    """
    rows = next((rows for known, rows in PROFILES.items() if known == name), None)
    if rows is None:
        raise LookupError(f"there is no jurisdiction profile {name}; there are {', '.join(PROFILES)}")
    return next((row for row in reversed(rows) if row.since <= day), rows[0])
