"""What Habeas itself holds about a person, told like any other source: our own tables are no exception.

Always true here: every table of ours is declared or ignored with a reason (a test compares this file with the live
schema), and no hash, token or code is ever shown.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from uuid import UUID

import msgspec

from exports.order import Batch, StoredFile
from portal.errors import SourceError, SourceUnsupported
from portal.policy.model import Column, Join, Lookup, PortalSource, PostgresSource, Subject, Table
from portal.sources.base import (
    Correction,
    Erased,
    Erasing,
    Fault,
    Held,
    Identifiers,
    Needles,
    Page,
    Restricted,
    Searched,
)
from portal.sources.postgres import Postgres
from portal.sources.postgres_search import search

ADDRESS = Subject(column="email", equals="email")
PERSON = Subject(column="email", equals="email", via=(Join(column="subject", table="subject", key="id"),))
REQUEST = Subject(
    column="email",
    equals="email",
    via=(Join(column="request", table="subject_request", key="id"), Join(column="subject", table="subject", key="id")),
)
HASH = "A keyed hash of a secret: of no use to the person, and of use to a thief."
EARLIER = "due_day is the one that counts."
INTERNAL = "A number of ours that says nothing about the person."
WORKING = "Working data of a request that is told here itself."
PENDING = "Waits some minutes for the code to be typed, and is told as outside-identity from then on."
STAFF = "About staff, who are no subjects of this policy."
STAFF_NUMBER = "Who of the staff: the person is told what was done, when and why."
MACHINE = "Holds references and numbers of the machinery, and nobody's data."
REFERENCE = "Words of ours for letters and for colleagues; about nobody."
SPOKEN_OF = "About the person the form speaks of, who is somebody else."
IGNORED = {
    "export_part": WORKING,
    "parcel": WORKING,
    "timeline_entry": WORKING,
    "plan": WORKING,
    "plan_item": WORKING,
    "task": WORKING,
    "approval": "What two of the staff must agree on: sealed until they have, and then told by the request itself.",
    "held_item": "What an erasure had to leave somewhere, under a number that is about nobody.",
    "mail_body": "The words of a mail, deleted when it leaves; they may hold a code.",
    "mail_event": "What the mail provider said became of a mail that is told here itself.",
    "outside_attempt": "A sign-in under way: hashes, gone within minutes.",
    "evidence": "References and digests, never names or values; kept to prove what was done.",
    "scan_report": "Names of places and numbers of what an erasure left or kept there; never a value.",
    "seal_key": "A key that is sealed itself: of no use to the person, and of use to a thief.",
    "sealed": "Sealed copies of what was told and decided, which a request tells of itself.",
    "known_tombstone": "Numbers of erasures that are done; about nobody by themselves.",
    "stopped_use": "Which uses a person stopped, which the request of that day tells.",
    "suppression": "A keyed hash of an address that asked not to be written to: of no use to anybody but that wish.",
    "receipt": "What was done for a request, without a name; the request's own page hands it over.",
    "receipt_key": MACHINE,
    "request_tally": "How many requests ended how, about nobody.",
    "tally_mark": MACHINE,
    "heartbeat": MACHINE,
    "reminder": MACHINE,
    "failure_end": MACHINE,
    "upload": "A mandate, kept encrypted until it is decided upon; the request it belongs to is told itself.",
    "copy_look": WORKING,
    "redaction": "Where something was left out of a copy and why, as numbers and digests; the copy tells it.",
    "correction": "Digests, and values sealed for as long as they can be put back; the request tells of itself.",
    "address_change": "Digests and sealed addresses of a change that its request tells.",
    "staff_user": STAFF,
    "staff_session": STAFF,
    "staff_invitation": STAFF,
    "staff_passkey": STAFF,
    "staff_challenge": STAFF,
    "staff_recovery_code": STAFF,
    "staff_identity": STAFF,
    "staff_choice": STAFF,
    "letter_addition": REFERENCE,
    "reason_hint": REFERENCE,
    "recipient_contact": "Whom we write to at companies that get data: about their staff, who are no subjects here.",
    "migration": MACHINE,
    "pgqueuer": MACHINE,
    "pgqueuer_log": MACHINE,
    "pgqueuer_schedules": MACHINE,
    "pgqueuer_statistics": MACHINE,
}
"""Our other tables, each with the reason why it is not told."""


def own_tables(spec: PortalSource) -> PostgresSource:
    """Return our own tables as a source like any other. Fills `PORTAL_FIELDS` of the policy model."""

    def table(
        name: str, kind: str, newest: str, subject: Subject, columns: Mapping[str, str], leave_out: Mapping[str, str]
    ) -> Table:
        return Table(
            name=name, category=spec.category, kind=kind, subject=subject, newest=newest,
            columns=tuple(Column(name=here, field=field) for here, field in columns.items()),
            leave_out={"id": INTERNAL, **leave_out},
        )  # fmt: skip

    ours = {"subject": INTERNAL}
    return PostgresSource(
        id=spec.id,
        title=spec.title,
        url_variable="DATABASE_URL",
        lookup=Lookup(table="subject", display_name="display_name", language="language"),
        tables=(
            table(
                "subject", "profile", "created_at", ADDRESS,
                {"created_at": "at", "email": "email", "display_name": "display_name", "language": "language"}, {},
            ),
            table("known_identifier", "identifier", "", PERSON, {"kind": "what", "value": "reference"}, ours),
            table(
                "outside_identity", "outside-identity", "created_at", PERSON,
                {"created_at": "at", "issuer": "what", "identifier": "reference"}, ours,
            ),
            table(
                "person_session", "session", "created_at", PERSON,
                {"created_at": "at", "way": "what", "browser_label": "browser", "ended_at": "ended_at"},
                {**ours, "token_hash": HASH, "expires_at": "It follows from the beginning.",
                 "confirmed_at": "It is the moment of the last code, which is told as a sign-in code."},
            ),
            table(
                "sign_in_attempt", "sign-in-code", "created_at", ADDRESS,
                {"created_at": "at", "purpose": "what", "used_at": "ended_at", "email": "email",
                 "language": "language"},
                {"browser": HASH, "token_hash": HASH, "code_hash": HASH, "tries": INTERNAL, "next_path": INTERNAL,
                 "expires_at": "It follows from the beginning.", "sent_at": "The mail is told with its own moment.",
                 "outside_issuer": PENDING, "outside_identifier": PENDING},
            ),
            table(
                "subject_request", "request", "received_at", PERSON,
                {"received_at": "at", "right": "what", "state": "state", "reference": "reference", "due_day": "due_day",
                 "outcome": "outcome", "closed_at": "ended_at", "language": "language"},
                {**ours, "categories": WORKING, "format": WORKING, "channel": WORKING, "about": INTERNAL,
                 "assignee": STAFF_NUMBER, "promise_day": EARLIER, "law_day": EARLIER, "act_by_day": EARLIER,
                 "extended_on": EARLIER,
                 "waits": WORKING, "clock": "What due_day was computed from, as the request's page explains it."},
            ),
            table(
                "request_message", "message", "at", REQUEST, {"at": "at", "author": "state", "text": "text"},
                {"request": INTERNAL, "kind": "Question or answer: the text says so itself."},
            ),
            table(
                "request_note", "note", "at", REQUEST, {"at": "at", "text": "text"},
                {"request": INTERNAL, "staff": STAFF_NUMBER},
            ),
            table(
                "request_look", "look", "at", REQUEST, {"at": "at", "reason": "what", "why": "text"},
                {"request": INTERNAL, "staff": STAFF_NUMBER},
            ),
            table(
                "restriction", "pause", "since", PERSON, {"since": "at", "reason": "what", "lifted_at": "ended_at"},
                {**ours, "request": INTERNAL, "categories": WORKING, "lifts_at": "It becomes ended_at.",
                 "noticed_at": "The mail is told with its own moment."},
            ),
            table(
                "intake_form", "form", "sent_at", ADDRESS,
                {"sent_at": "at", "kind": "what", "email": "email", "name": "display_name",
                 "confirmed_at": "ended_at"},
                {"request": INTERNAL, "about": SPOKEN_OF, "under": SPOKEN_OF, "said": SPOKEN_OF, "said_at": SPOKEN_OF,
                 "browser": HASH, "token_hash": HASH, "mails": INTERNAL, "mailed_at": INTERNAL, "tries": INTERNAL},
            ),
            table(
                "mail", "mail", "created_at", Subject(column="to_address", equals="email"),
                {"created_at": "at", "kind": "what", "state": "state", "reference": "reference", "to_address": "email",
                 "language": "language"},
                {"tries": INTERNAL, "provider_id": INTERNAL, "error": INTERNAL, "accepted_at": INTERNAL,
                 "expires_at": INTERNAL, "unsure_since": INTERNAL},
            ),
        ),
        ignored_tables=IGNORED,
    )  # fmt: skip


class OwnTables:
    """The adapter: our own tables behind the reader of everybody else's, with addresses as they are normalised."""

    def __init__(self, spec: PortalSource, dsn: str) -> None:
        self.id = spec.id
        self._dsn = dsn
        self._reader = Postgres(own_tables(spec), dsn, fold=False)

    async def check(self) -> list[Fault]:
        """See that we can be read. That nothing of ours is forgotten is a matter of tests, not of an installation."""
        try:
            await self.count(Identifiers())
        except SourceError as error:
            remedy = "Run habeas migrate, and see that DATABASE_URL is right."
            return [Fault(source=self.id, place="connection", what=str(error), remedy=remedy)]
        return []

    async def identify(self, known: Identifiers) -> Identifiers:
        """Add our own id of the person. It is no account of the platform's, so it stays out of `account_ids`.

        Whoever has it already read our own row to get it, which holds nothing more.
        """
        if known.subject_id:
            return known
        found = await self._reader.identify(msgspec.structs.replace(known, account_ids=frozenset()))
        return msgspec.structs.replace(
            known,
            subject_id=next(iter(sorted(found.account_ids)), ""),
            display_name=found.display_name,
            language=found.language,
        )

    async def count(self, subject: Identifiers) -> Mapping[str, int]:
        """Return how many records we hold."""
        return await self._reader.count(subject)

    async def page(self, subject: Identifiers, category: str, *, offset: int, limit: int) -> Page:
        """Return some of them, newest first."""
        return await self._reader.page(subject, category, offset=offset, limit=limit)

    def snapshot(self) -> AbstractAsyncContextManager[Postgres]:
        """Open a view of one moment."""
        return self._reader.snapshot()

    def collect(self, subject: Identifiers, category: str) -> AsyncIterator[Batch]:
        """Stream all of them."""
        return self._reader.collect(subject, category)

    def files(self, subject: Identifiers, category: str) -> AsyncIterator[StoredFile]:
        """Yield nothing: parcels are copies of what is told elsewhere."""
        return self._reader.files(subject, category)

    async def erase(
        self,
        subject: Identifiers,  # noqa: ARG002  a protocol
        items: Sequence[Erasing],  # noqa: ARG002
        *,
        pseudonym: UUID,  # noqa: ARG002
        handle: str = "",  # noqa: ARG002
    ) -> Erased:
        """Refuse: our own tables know rules that no policy file can say; `rights.own_erasure` keeps them."""
        raise SourceUnsupported(self.id, "our own tables are erased by rights.own_erasure")

    async def erase_held(self, pseudonym: UUID, items: Sequence[Held]) -> int:  # noqa: ARG002  a protocol
        """Refuse, for the same reason."""
        raise SourceUnsupported(self.id, "our own tables are erased by rights.own_erasure")

    async def rectify(self, subject: Identifiers, correction: Correction) -> int:  # noqa: ARG002  a protocol
        """Refuse: what we hold is what was asked and answered, and the address is the platform's to change."""
        raise SourceUnsupported(self.id, f"{correction.category}.{correction.field} is not changed here")

    async def restrict(self, subject: Identifiers, *, on: bool) -> Restricted:  # noqa: ARG002  a protocol
        """Answer that our own pages and jobs keep to it: they ask before they use anything."""
        return Restricted(means="own")

    async def search(self, needles: Needles) -> Searched:
        """Look through every table of ours: evidence, mail, jobs and their log among them."""
        return await search(self.id, self._dsn, needles)

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        await self._reader.close()
