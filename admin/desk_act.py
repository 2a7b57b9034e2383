"""One form that a member of staff sent about a request, and how its fields are read.

Always true here: a mistake names its field; nothing is read that the form does not have.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime

import msgspec
from multidict import MultiDict

from admin.who import Staff
from portal.errors import Invalid
from portal.policy.model import Policy
from portal.rights.decisions import Grounds
from portal.rights.four_eyes import Consent
from portal.rights.requests import RequestView
from portal.settings import Settings


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One form that a member of staff sent."""

    request: RequestView
    fields: MultiDict[str]
    policy: Policy
    settings: Settings
    at: datetime
    staff: Staff
    consent: Consent | None = None
    """A second person's, when the form is carried out because they agreed."""

    @property
    def actor(self) -> str:
        """Who it is, as evidence names them."""
        return self.staff.actor

    def text(self, name: str) -> str:
        """Return a field without blanks around it."""
        return self.fields.get(name, "").replace("\r\n", "\n").strip()

    def paragraphs(self, name: str) -> tuple[str, ...]:
        """Return a field by its lines; empty when there is nothing in it."""
        return tuple(line.strip() for line in self.text(name).split("\n") if line.strip())

    def day(self, name: str) -> date:
        """Return a day. Raises: Invalid."""
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            raise Invalid("Write the day as year, month and day, like 2026-03-06.", field=name) from None


type Verb = Callable[[Act], Awaitable[None]]


def one_of(act: Act, name: str, choices: tuple[str, ...]) -> str:
    """Return a field that is one of some choices. Raises: Invalid."""
    found = act.text(name)
    if found not in choices:
        raise Invalid("Choose one of them.", field=name)
    return found


def need(act: Act, *names: str) -> None:
    """Refuse empty fields. Raises: Invalid, naming the first."""
    for name in names:
        if not act.text(name):
            raise Invalid("Fill this in.", field=name)


def grounds_in(act: Act) -> Grounds:
    """Return the grounds of a refusal. Raises: Invalid, when the facts or the why are missing."""
    need(act, "facts", "why")
    return Grounds(
        reasons=tuple(act.fields.getall("reasons", [])), facts=act.paragraphs("facts"), why=act.paragraphs("why")
    )
