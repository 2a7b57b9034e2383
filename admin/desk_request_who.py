"""Who a request is about: masked until somebody looks for a reason, and how it was proven that it is them.

Always true here: what is masked is masked before a template gets it; without a look nothing else leaves this file.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from admin.desk_request_timeline import Happened, who
from admin.desk_words import method_in_words
from portal.rights.intake_forms import FormView
from portal.rights.intake_lost import METHODS
from portal.rights.requests import RequestView
from portal.words import Words

DOTS = "•••"


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The session in which a request was made."""

    way: str
    created_at: datetime
    confirmed_at: datetime


class Identifier(msgspec.Struct, frozen=True, kw_only=True):
    """What one system calls the person."""

    kind: str
    """email, account_id or stripe_customer"""
    value: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What our own tables know of the person, as it is stored."""

    email: str | None = None
    """None once it was erased."""
    name: str = ""
    language: str = ""
    identifiers: Sequence[Identifier] = ()
    signed_in: SignedIn | None = None


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """The same as a page shows it: masked, or open to whoever looked for a reason."""

    known: bool
    """False while it is not proven whose request it is."""
    erased: bool
    name: str
    email: str
    identifiers: Sequence[tuple[str, str]]
    """What it is, in words, and its value. Empty while it is shut."""
    proof: str


def mask(text: str) -> str:
    """Hide all of an address but its first letter and its place, and of anything else all but its first letter."""
    name, at, place = text.partition("@")
    if not text:
        return ""
    return f"{name[:1]}{DOTS}{at}{place}" if at and "." in place else f"{text[:1]}{DOTS}"


def who_of(
    words: Words, request: RequestView, person: Person | None, form: FormView | None, *,
    happened: Sequence[Happened], names: Mapping[int, str], is_open: bool,
) -> Who:  # fmt: skip
    """Return what a page may show of the person."""
    show = str if is_open else mask
    found = person or Person()
    kinds = {
        "email": words("Address on the platform"),
        "account_id": words("Account number on the platform"),
        "stripe_customer": words("Customer number at Stripe"),
    }
    return Who(
        known=person is not None, erased=person is not None and person.email is None, name=show(found.name),
        email=show(found.email or ""), proof=proof(words, request, found, form, happened, names),
        identifiers=[(kinds.get(one.kind, one.kind), one.value) for one in found.identifiers] if is_open else (),
    )  # fmt: skip


def shown_form(form: FormView | None, *, is_open: bool) -> FormView | None:
    """Return a form with its names and addresses masked, unless the data is open."""
    if form is None or is_open:
        return form
    return msgspec.structs.replace(form, name=mask(form.name), email=mask(form.email), about=mask(form.about))


def proof(
    words: Words,
    request: RequestView,
    person: Person,
    form: FormView | None,
    happened: Sequence[Happened],
    names: Mapping[int, str],
) -> str:
    """Say how and when it was proven who it is; what is not proven is said to be so. Source: GDPR Art. 12(6)."""
    if request.subject is None or request.state == "verifying":
        return words("Not proven")
    by_staff = next((one for one in reversed(happened) if _method(one)), None)
    if by_staff is not None:
        return words(
            "{method}: {name}, {when}", method=method_in_words(words, _method(by_staff)),
            name=who(words, by_staff.actor, names), when=words.moment(by_staff.at),
        )  # fmt: skip
    if form is not None and form.confirmed_at is not None:
        return words("Their mailbox was confirmed with a code: {when}", when=words.moment(form.confirmed_at))
    if request.channel == "portal" and person.signed_in is not None:
        return words(
            "{way}: {when}. Last confirmed with a code: {last}", way=way_in_words(words, person.signed_in.way),
            when=words.moment(person.signed_in.created_at), last=words.moment(person.signed_in.confirmed_at),
        )  # fmt: skip
    return words("Signed in when they asked; that session is forgotten") if request.channel == "portal" else words(
        "By the person of that account themself"
    )  # fmt: skip


def way_in_words(words: Words, way: str) -> str:
    """Say how somebody signed in."""
    return {
        "code": words("Signed in by code"),
        "link": words("Signed in by link"),
        "google": words("Signed in with Google"),
        "microsoft": words("Signed in with Microsoft"),
    }.get(way, way)


def _method(one: Happened) -> str:
    """Return how staff found out who it is; empty when an entry is not about that."""
    method = str(one.details.get("method", ""))
    about = one.event in {"rights:identity:established", "rights:request:entered"}
    return method if about and method in METHODS else ""
