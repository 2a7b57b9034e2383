"""The numbers that California asks of large businesses, from our rights.

Always true here: it says whom it counts. We do not know who lives in California, so it counts everybody and says so;
no number is guessed. Source: 11 CCR § 7102(a).
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import msgspec

from portal import sheet
from portal.policy.model import Policy
from portal.rights.figures import Report, median

FORMAT = "habeas-ccpa-7102-1"
EVERYBODY = "all people, wherever they live"
MAPPING: Mapping[str, tuple[str, ...]] = {
    "know": ("access", "portability"),
    "delete": ("erasure",),
    "correct": ("rectification",),
    "opt-out": ("objection", "consent"),
    "limit": ("restriction",),
}
"""What California calls a request -> our rights. The others (Art. 22, questions, complaints, reports) have no place."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request. Days are to the answer, counted from the day of receipt."""

    request: str
    rights: tuple[str, ...]
    received: int
    complied: int
    """In whole or in part; "we hold nothing about you" is an answer in whole."""
    denied: int
    denied_unverified: int
    """Of those denied: because we could not tell who it is. Source: § 7102(b)(1)."""
    median_days: float | None
    mean_days: float | None


def metrics(report: Report) -> list[Metric]:
    """Return the numbers of a period, one line for each kind of request."""
    return [_metric(request, rights, report) for request, rights in MAPPING.items()]


def as_json(report: Report, policy: Policy, *, at: datetime) -> bytes:
    """Return the set as one JSON object."""
    body = {
        "format": FORMAT,
        "organisation": policy.controller.name,
        "made_at": at,
        "from": f"{report.first:%Y-%m}",
        "to": f"{report.last:%Y-%m}",
        "people": EVERYBODY,
        "behind": report.behind,
        "requests": metrics(report),
    }
    return msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"


def as_csv(report: Report) -> bytes:
    """Return the set as rows; whom they count stands in each."""
    rows = [
        (
            one.request, " ".join(one.rights), EVERYBODY, one.received, one.complied, one.denied,
            one.denied_unverified, one.median_days, one.mean_days,
        )
        for one in metrics(report)
    ]  # fmt: skip
    heading = (
        "request", "rights", "people", "received", "complied", "denied", "denied_unverified", "median_days",
        "mean_days",
    )  # fmt: skip
    return sheet.MARK + sheet.rows([heading, *rows])


def _metric(request: str, rights: tuple[str, ...], report: Report) -> Metric:
    found = [report.rights[right] for right in rights if right in report.rights]
    spread = Counter[int]()
    for one in found:
        spread.update(one.days)
    answers = sum(spread.values())
    return Metric(
        request=request, rights=rights, received=sum(one.received for one in found),
        complied=sum(one.fulfilled + one.partly + one.no_data for one in found),
        denied=sum(one.refused + one.unidentified for one in found),
        denied_unverified=sum(one.unidentified for one in found), median_days=median(spread),
        mean_days=round(sum(days * times for days, times in spread.items()) / answers, 1) if answers else None,
    )  # fmt: skip
