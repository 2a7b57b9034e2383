"""Everything there is about one request, for its page, in one query.

Always true here: it is asked for a request that was found to be the person's; keys and sealed names stay behind.
"""

# ruff: noqa: S608  The query is put together from texts of this file; the request is an argument.

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from portal.errors import NotFound
from portal.rights.messages import MessageView
from portal.rights.plans import ItemView, Kind
from portal.rights.receipts import grouped
from portal.rights.requests import ParcelView, TimelineView
from portal.rights.tables import SubjectRequest
from portal.rights.tasks import TaskView


class PlanOnPage(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with its rows, as pages need it."""

    id: UUID
    kind: Kind
    whole: bool
    state: str
    runs_at: datetime
    approved_at: datetime
    items: tuple[ItemView, ...]


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to one request, oldest first."""

    timeline: tuple[TimelineView, ...]
    messages: tuple[MessageView, ...]
    parcel: ParcelView | None
    """The newest, deleted or not."""
    plans: tuple[PlanOnPage, ...]
    """Cancelled ones too."""
    tasks: tuple[TaskView, ...]
    receipt_number: str

    @property
    def receipt(self) -> str:
        """The number of the newest receipt in groups; empty while there is none."""
        return grouped(self.receipt_number) if self.receipt_number else ""

    @property
    def task_of(self) -> Mapping[UUID, TaskView]:
        """Row of a plan -> the task that stands for it."""
        return {task.item: task for task in self.tasks if task.item}

    def plan(self, kind: Kind) -> PlanOnPage | None:
        """Return the living plan of a kind."""
        return next((plan for plan in self.plans if plan.kind == kind and plan.state != "cancelled"), None)


async def dossier_of(request: UUID) -> Dossier:
    """Return everything about a request. Raises: NotFound."""
    rows = await SubjectRequest.raw(f"SELECT {DOSSIER} AS dossier FROM subject_request r WHERE r.id = {{}}", request)
    if not rows:
        raise NotFound
    return msgspec.json.decode(rows[0]["dossier"], type=Dossier)


def _many(rows: str, order: str) -> str:
    return f"(SELECT coalesce(json_agg(to_json(x) ORDER BY {order}), '[]') FROM ({rows}) x)"


_HAPPENED = (
    "SELECT t.at, t.event, '' AS why FROM timeline_entry t WHERE t.request = r.id UNION ALL"
    " SELECT l.at, 'person-looked-' || l.reason, l.why FROM request_look l WHERE l.request = r.id"
)
"""What happened, with who looked: dates and purposes, no names. Source: C-579/21."""
_ITEMS = _many("SELECT i.* FROM plan_item i WHERE i.plan = p.id", "x.position")
_PLANS = (
    "SELECT p.id, p.kind, p.whole, p.state, p.runs_at, p.approved_at, "
    + _ITEMS
    + " AS items FROM plan p WHERE p.request = r.id"
)
DOSSIER = (
    "json_build_object("
    "'timeline', " + _many(_HAPPENED, "x.at") + ","
    "'messages', "
    + _many("SELECT m.at, m.author, m.kind, m.text FROM request_message m WHERE m.request = r.id", "x.at")
    + ",'parcel', (SELECT to_json(c) FROM parcel c WHERE c.request = r.id ORDER BY c.ready_at DESC LIMIT 1),"
    "'plans', " + _many(_PLANS, "x.approved_at, x.kind DESC") + ","
    "'tasks', " + _many("SELECT k.* FROM task k WHERE k.request = r.id", "x.opened_at") + ","
    "'receipt_number', coalesce((SELECT c.number FROM receipt c WHERE c.request = r.id"
    " ORDER BY c.supplement DESC LIMIT 1), '')"
    ")::text"
)
"""What is decoded as `Dossier`, of a `subject_request r`."""
