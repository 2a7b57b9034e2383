"""Who of the staff may do what: seven roles, and one table of what each permits.

Always true here: a page or verb names one permission, never a role; what is in no role's row is open to nobody; the
auditor changes nothing and the administrator sees no request's content. Source: law S-18; ASVS 5.0.0 8.1.1, 8.2.3.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody is trusted with. One person may have several."""

    INTAKE = "intake"
    HANDLER = "handler"
    APPROVER = "approver"
    DPO = "dpo"
    BREACH = "breach"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """One kind of thing that staff do."""

    QUEUE = "queue"
    """See Today: references, dates and what is next, no content."""
    CASE = "case"
    """Open a request: the person's words, what was found, the dates; the person's own data stays masked."""
    DATA = "data"
    """See the person's data unmasked, for a reason that the person can read afterwards."""
    ENTER = "enter"
    """Write down a letter, a call or a visit."""
    IDENTIFY = "identify"
    """Find out who somebody is."""
    WRITE = "write"
    """Write to the person, ask them, keep notes."""
    ASSIGN = "assign"
    """Say who has a request."""
    DECIDE = "decide"
    """Carry out, correct, refuse, extend: everything that changes what becomes of a request."""
    APPROVE = "approve"
    """Be the second of two people."""
    TASKS = "tasks"
    """Note what was done by hand, and mend what failed for one request."""
    SYSTEM = "system"
    """Mend what failed and belongs to nobody's request: jobs, mail, places that are silent."""
    FIGURES = "figures"
    """Read figures and registers, and take them as files."""
    RECORDS = "records"
    """Browse the tables that hold rows about people."""
    TABLES = "tables"
    """Browse the tables that do not."""
    REFERENCE = "reference"
    """Change reference tables: letter templates, reasons, recipients' contacts."""
    PEOPLE = "people"
    """Invite staff, change their roles, end their sessions."""
    BREACH = "breach"
    """Work in the breach room."""


P = Permission
_SEES = frozenset({P.QUEUE, P.CASE, P.TABLES})

PERMITS: Mapping[Role, frozenset[Permission]] = {
    Role.INTAKE: _SEES | {P.ENTER, P.IDENTIFY, P.WRITE, P.ASSIGN},
    Role.HANDLER: _SEES | {P.DATA, P.ENTER, P.IDENTIFY, P.WRITE, P.ASSIGN, P.DECIDE, P.TASKS, P.RECORDS},
    Role.APPROVER: _SEES | {P.DATA, P.WRITE, P.ASSIGN, P.APPROVE, P.FIGURES, P.RECORDS},
    Role.DPO: frozenset(P),
    Role.BREACH: _SEES | {P.BREACH, P.FIGURES},
    Role.AUDITOR: _SEES | {P.FIGURES, P.RECORDS},
    Role.ADMIN: frozenset({P.TABLES, P.SYSTEM, P.PEOPLE}),
}
"""The data protection officer may do everything, but not alone where two are needed."""


def permits(roles: Iterable[Role]) -> frozenset[Permission]:
    """Return everything that these roles permit together."""
    return frozenset[Permission]().union(*(PERMITS[role] for role in roles))


def roles_of(names: Iterable[str]) -> frozenset[Role]:
    """Return the roles of these names. A name that is none of ours permits nothing."""
    return frozenset(Role(name) for name in names if name in Role)
