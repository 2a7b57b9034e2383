"""What the desk shows of one request: everything about it.

Always true here: the whole of one request is read only by opening it, and that is evidence.
"""

# ruff: noqa: S608  The query is put together from texts of this file; values are arguments.

from collections.abc import Sequence
from datetime import datetime

import msgspec

from admin.desk_request_timeline import Happened, Story
from admin.desk_request_version import version_of
from admin.desk_request_who import Person
from admin.roles import Permission, permits, roles_of
from portal.database import engine
from portal.errors import NotFound
from portal.evidence.log import append
from portal.policy.model import Policy
from portal.rights import corrections
from portal.rights.corrections import CorrectionView, Values
from portal.rights.deadlines import Deadline, Inputs, deadline, from_json
from portal.rights.dossier import DOSSIER, Dossier
from portal.rights.intake_forms import FORMS, FormView
from portal.rights.looks import OPEN_FOR, LookView
from portal.rights.messages import MessageView
from portal.rights.notes import NoteView
from portal.rights.out_of_use import InPlace
from portal.rights.plan_shapes import Steps, steps_in
from portal.rights.requests import REFERENCE, RequestView
from portal.rights.stopped_uses import Stopped
from portal.rights.tables import SubjectRequest
from portal.rights.tasks import TaskView
from portal.settings import Settings
from portal.words import Words


class OfStaff(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff, active or not."""

    id: int
    name: str
    active: bool
    roles: Sequence[str]

    @property
    def works(self) -> bool:
        """True for whoever may be given a request."""
        return self.active and Permission.WRITE in permits(roles_of(self.roles))


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """What only staff see of a request, and of its person as it is stored."""

    clock: str
    """What its dates are computed from, as `clocks` stores it."""
    happened: tuple[Happened, ...]
    notes: tuple[NoteView, ...]
    looks: tuple[LookView, ...]
    staff: tuple[OfStaff, ...]
    person: Person | None
    form: FormView | None
    """The form that it came by; what came by the portal or by staff has none."""
    pause: InPlace | None
    """What is out of use because of it."""
    use: Stopped | None
    """The use that stands still because of it."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one request."""

    request: RequestView
    inputs: Inputs
    due: Deadline
    story: Story
    """What happened and what was written."""
    version: int
    """The number of the last entry that moved it on."""
    steps: Sequence[Steps]
    tasks: Sequence[TaskView]
    person: Person | None
    """As stored: only `desk_request_who` turns it into what is shown."""
    form: FormView | None
    colleagues: Sequence[OfStaff]
    """To whom it can be given."""
    open_until: datetime | None
    """Until when the person's data is open to whoever asks."""
    pause: InPlace | None
    use: Stopped | None
    correction: CorrectionView | None
    values: Values | None
    """What a correction is about; None while the data is shut."""
    erasing: bool
    """True while an erasure is planned or under way."""

    @property
    def messages(self) -> Sequence[MessageView]:
        """What was written, oldest first."""
        return self.story.messages


async def by_reference(reference: str) -> RequestView:
    """Return a request for staff. Raises: NotFound."""
    known = REFERENCE.fullmatch(reference)
    row = await SubjectRequest.select().where(SubjectRequest.reference == reference).first() if known else None
    if row is None:
        raise NotFound
    return msgspec.convert(row, RequestView)


async def open_file(
    request: RequestView, words: Words, policy: Policy, settings: Settings, *, at: datetime, staff: int
) -> File:
    """Return everything about a request, in one query; of a correction in two more.

    That it was read, and by whom, is evidence. Source: law S-19.
    """
    async with engine().transaction():
        await append("staff:request:opened", at=at, actor=f"staff:{staff}", reference=request.reference)
    dossier, extra = await _all_of(request, policy)
    inputs = from_json(extra.clock)
    correction = await corrections.of_request(request.id) if request.right == "rectification" else None
    until = _open_until(extra.looks, staff, at)
    values = await corrections.values_of(correction, settings) if correction and until else None
    names = {one.id: one.name for one in extra.staff}
    return File(
        request=request, inputs=inputs, due=deadline(inputs), version=version_of(extra.happened),
        story=Story(
            happened=extra.happened, messages=dossier.messages, notes=extra.notes, looks=extra.looks, names=names
        ),
        steps=steps_in(words, policy, request, dossier), tasks=dossier.tasks, person=extra.person,
        form=extra.form, colleagues=[one for one in extra.staff if one.works], open_until=until, pause=extra.pause,
        use=extra.use, correction=correction, values=values, erasing=dossier.plan("erase") is not None,
    )  # fmt: skip


async def extra_of(request: RequestView, policy: Policy) -> Extra:
    """Return what only staff see of a request, in one query. Raises: NotFound."""
    rows = await SubjectRequest.raw(f"SELECT {_EXTRA} AS extra {_OF_REQUEST}", policy.controller.zone, request.id)
    if not rows:
        raise NotFound
    return msgspec.json.decode(rows[0]["extra"], type=Extra)


async def _all_of(request: RequestView, policy: Policy) -> tuple[Dossier, Extra]:
    """Return what its person and what staff see of a request, in one query. Raises: NotFound."""
    rows = await SubjectRequest.raw(
        f"SELECT {DOSSIER} AS dossier, {_EXTRA} AS extra {_OF_REQUEST}", policy.controller.zone, request.id
    )
    if not rows:
        raise NotFound
    dossier = msgspec.json.decode(rows[0]["dossier"], type=Dossier)
    return dossier, msgspec.json.decode(rows[0]["extra"], type=Extra)


def _open_until(looks: Sequence[LookView], staff: int, at: datetime) -> datetime | None:
    """Return until when the data is open, as `looks.open_until` does, of looks that were read already."""
    own = [one.at for one in looks if one.staff == staff and at - OPEN_FOR < one.at <= at]
    return max(own) + OPEN_FOR if own else None


def _many(rows: str, order: str) -> str:
    return f"(SELECT coalesce(json_agg(to_json(x) ORDER BY {order}), '[]') FROM ({rows}) x)"


def _one(row: str) -> str:
    return f"(SELECT to_json(x) FROM ({row} LIMIT 1) x)"


_OFTEN = "('staff:request:opened', 'staff:data:counted', 'staff:data:read')"
_HAPPENED = (
    "SELECT e.seq, e.at, e.event, e.actor, e.details, 1 AS times FROM evidence e WHERE e.reference = r.reference"
    f" AND e.event NOT IN {_OFTEN} UNION ALL"
    " SELECT min(e.seq), min(e.at), e.event, e.actor, jsonb_build_object(), count(*)"
    f" FROM evidence e WHERE e.reference = r.reference AND e.event IN {_OFTEN}"
    " GROUP BY e.event, e.actor, (e.at AT TIME ZONE {})::date"
)
_PERSON = (
    "SELECT s.email, s.display_name AS name, s.language, "
    + _many("SELECT k.kind, k.value FROM known_identifier k WHERE k.subject = s.id", "x.kind, x.value")
    + " AS identifiers, (SELECT to_json(x) FROM (SELECT p.way, p.created_at, p.confirmed_at FROM person_session p"
    " WHERE p.subject = s.id AND p.created_at <= r.received_at ORDER BY p.created_at DESC LIMIT 1) x) AS signed_in"
    " FROM subject s WHERE s.id = r.subject"
)
_STAFF = (
    "SELECT u.id, coalesce(nullif(u.name, ''), split_part(u.email, '@', 1)) AS name, u.active, u.roles"
    " FROM staff_user u"
)
_FORM = f"(SELECT to_json(x) FROM ({FORMS}) x WHERE x.request = r.id)"
_PAUSE = "SELECT p.*, r.reference FROM restriction p WHERE p.request = r.id AND p.lifted_at IS NULL ORDER BY p.since"
_USE = "SELECT u.*, r.reference FROM stopped_use u WHERE u.request = r.id AND u.ended_at IS NULL ORDER BY u.since"
_EXTRA = (
    "json_build_object('clock', r.clock, 'happened', " + _many(_HAPPENED, "x.seq")
    + ", 'notes', " + _many("SELECT n.at, n.staff, n.text FROM request_note n WHERE n.request = r.id", "x.at")
    + ", 'looks', " + _many("SELECT l.at, l.staff, l.reason, l.why FROM request_look l WHERE l.request = r.id", "x.at")
    + ", 'staff', " + _many(_STAFF, "x.name, x.id")
    + ", 'person', " + _one(_PERSON) + ", 'form', " + _FORM
    + ", 'pause', " + _one(_PAUSE) + ", 'use', " + _one(_USE) + ")::text"
)  # fmt: skip
"""What is decoded as `Extra`, of a `subject_request r`."""
_OF_REQUEST = "FROM subject_request r WHERE r.id = {}"
