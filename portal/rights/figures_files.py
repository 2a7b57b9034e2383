"""The figures of a period as files: JSON for programs, CSV for spreadsheets.

Always true here: both say what they are about (organisation, period, which month counts, when they were made), and a
figure that cannot be known is null or empty, never zero.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime

import msgspec

from portal import sheet
from portal.policy.model import Policy
from portal.rights.figures import CHANNELS, Figures, Report, share
from portal.sheet import Value

FORMAT = "habeas-figures-1"
NUMBERS = (
    "received", "answered", "open", "late_now", "fulfilled", "partly", "refused", "no_data", "unidentified",
    "withdrawn", "joined", "extended", "median_days", "worst_days", "in_time", "promised", "in_time_promise", "bound",
    "in_time_law", "by_program", "by_staff",
)  # fmt: skip
"""The figures that are one number each, in the order of the columns."""
SHARES = ("in_time_percent", "in_time_promise_percent", "in_time_law_percent")
COLUMNS = ("month", "right", *NUMBERS, *SHARES, *(f"channel_{channel}" for channel in CHANNELS), "grounds")
ALL = "all"


def as_json(report: Report, policy: Policy, *, at: datetime) -> bytes:
    """Return the figures as one JSON object: in total, by right, by month, and by both."""
    body = {
        "format": FORMAT,
        "organisation": policy.controller.name,
        "zone": policy.controller.zone,
        "made_at": at,
        "from": _month(report.first),
        "to": _month(report.last),
        "months_of": report.by,
        "behind": report.behind,
        "total": _whole(report.total),
        "rights": {right: _whole(found) for right, found in report.rights.items()},
        "months": {_month(month): _whole(found) for month, found in report.months.items()},
        "rows": [{"month": _month(row.month), "right": row.right, **_whole(row.figures)} for row in report.rows],
    }
    return msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"


def as_csv(report: Report) -> bytes:
    """Return one row for each month and right, then one for each right, then one for all."""
    return sheet.MARK + sheet.rows([COLUMNS, *_rows(report)])


def _rows(report: Report) -> Iterator[tuple[Value, ...]]:
    for row in report.rows:
        yield _month(row.month), row.right, *_values(row.figures)
    for right, found in report.rights.items():
        yield ALL, right, *_values(found)
    yield ALL, ALL, *_values(report.total)


def _values(found: Figures) -> Iterator[Value]:
    yield from (getattr(found, name) for name in NUMBERS)
    yield from _shares(found).values()
    yield from (found.channels.get(channel, 0) for channel in CHANNELS)
    yield " ".join(f"{ground}={times}" for ground, times in found.grounds.items())


def _whole(found: Figures) -> dict[str, object]:
    numbers = {name: getattr(found, name) for name in NUMBERS}
    return {**numbers, **_shares(found), "channels": found.channels, "grounds": found.grounds}


def _shares(found: Figures) -> Mapping[str, float | None]:
    return dict(
        zip(
            SHARES,
            (
                share(found.in_time, found.answered), share(found.in_time_promise, found.promised),
                share(found.in_time_law, found.bound),
            ),
            strict=True,
        )
    )  # fmt: skip


def _month(month: date) -> str:
    return f"{month:%Y-%m}"
