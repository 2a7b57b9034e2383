"""Find a signed-in person in every source, and remember what each source calls them.

Always true here: what is remembered only ever helps to find this person again when one source is down.
"""

from uuid import UUID

from portal.database import engine
from portal.errors import NotFound
from portal.identity.tables import KnownIdentifier, Subject
from portal.policy.model import Policy, PortalSource, PostgresSource, SourceSpec
from portal.sources.base import Identifiers
from portal.sources.registry import Identified, Sources


class Forgotten(NotFound):
    """This person was erased, and their address with them: nobody can be written to."""


async def find_person(sources: Sources, subject_id: UUID) -> Identified:
    """Return everything this person is known by, and which sources did not answer."""
    known = await _remembered(subject_id)
    found = await sources.identify(known)
    await _remember(subject_id, known, found.identifiers)
    return found


def cannot_tell(spec: SourceSpec, policy: Policy, person: Identified) -> bool:
    """Return whether `spec` needs an identifier that only a source which is down could have told us.

    Without it the source would truthfully answer "nothing", and our page or copy would lie.
    """
    if spec.id in person.unreachable:
        return True
    lookup_down = any(isinstance(other, PostgresSource) and other.id in person.unreachable for other in policy.sources)
    needs_account = not isinstance(spec, PostgresSource | PortalSource)
    return lookup_down and needs_account and not person.identifiers.account_ids


async def address_of(subject_id: UUID) -> str:
    """Return the address that mail to this person goes to. Raises: NotFound, Forgotten."""
    row = await Subject.select(Subject.email).where(Subject.id == subject_id).first()
    if row is None:
        raise NotFound
    if row["email"] is None:
        raise Forgotten
    return str(row["email"])


async def _remembered(subject_id: UUID) -> Identifiers:
    rows = await Subject.raw(
        "SELECT s.email, s.display_name, s.language, k.kind, k.value FROM subject s"
        " LEFT JOIN known_identifier k ON k.subject = s.id WHERE s.id = {}",
        subject_id,
    )
    values: dict[str, set[str]] = {"email": {rows[0]["email"]} - {None}, "account_id": set(), "stripe_customer": set()}
    for row in rows:
        if row["kind"]:
            values[row["kind"]].add(row["value"])
    return Identifiers(
        emails=frozenset(values["email"]),
        account_ids=frozenset(values["account_id"]),
        stripe_customers=frozenset(values["stripe_customer"]),
        subject_id=str(subject_id),
        display_name=rows[0]["display_name"],
        language=rows[0]["language"],
    )


async def _remember(subject_id: UUID, known: Identifiers, found: Identifiers) -> None:
    new = [
        *(("email", value) for value in found.emails - known.emails),
        *(("account_id", value) for value in found.account_ids - known.account_ids),
        *(("stripe_customer", value) for value in found.stripe_customers - known.stripe_customers),
    ]
    if not new and (not found.display_name or found.display_name == known.display_name):
        return
    async with engine().transaction():
        await Subject.update({Subject.display_name: found.display_name}).where(Subject.id == subject_id)
        for kind, value in new:
            await KnownIdentifier.raw(
                "INSERT INTO known_identifier (subject, kind, value) VALUES ({}, {}, {})"
                " ON CONFLICT (subject, kind, value) DO NOTHING",
                subject_id, kind, value,
            )  # fmt: skip
