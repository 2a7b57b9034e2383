"""What letters are made of: blocks, each with the rule that wants it, and the check that none of them is empty.

Always true here: a block that carries a `Rule` is required; what cannot be said truthfully is said so in words, never
by leaving the block out. Source: law/rules.md, 2f.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, ClassVar, get_args, get_type_hints
from zoneinfo import ZoneInfo

import msgspec

from portal.errors import Refused
from portal.mail.remedies import complaint, court
from portal.mail.wording import asked_in_words
from portal.policy.model import Policy
from portal.rights.requests import RequestView
from portal.words import Words


class NotComplete(Refused):
    """A letter that must not leave yet. The message names letter, block and rule, never what any block says."""

    status = 422

    def __init__(self, kind: str, block: str, rule: str, problem: str = "is empty") -> None:
        super().__init__(f"{kind}: the {block} block {problem} ({rule})")
        self.kind = kind
        self.block = block
        self.rule = rule


class Rule(msgspec.Struct, frozen=True):
    """Marks a required block with the rule that wants it, e.g. Art. 12(4)."""

    article: str


class Line(msgspec.Struct, frozen=True):
    """One row of a list: what it is about, and what is said of it."""

    title: str
    text: str


type Content = tuple[str | Line, ...]
"""Paragraphs and rows, in order, in the person's language."""
type Value = str | date | datetime | Content | None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What every letter carries. Blocks are shown in the order of the fields, those of `LAST` at the end."""

    kind: ClassVar[str] = ""
    reference: Annotated[str, Rule("Art. 12(1)")]
    written_on: Annotated[date, Rule("Art. 12(3)")]
    contact: Annotated[str, Rule("Art. 12(2)")]
    more: Content = ()
    """What staff want to add in their own words."""


class Answer(Letter, frozen=True, kw_only=True):
    """What every letter with an outcome carries, too: what was asked, and both remedies. Source: CG-26, CT-23."""

    asked: Annotated[str, Rule("Art. 12(3)")]
    late: Content = ()
    complaint: Annotated[Content, Rule("Art. 12(4), 77")]
    court: Annotated[Content, Rule("Art. 12(4), 79")]


HEAD = ("reference", "written_on")
"""Shown above the letter, not as blocks."""
FIRST = ("asked", "late")
LAST = ("more", "complaint", "court", "contact")


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What every letter about one request is told. All days are days in the controller's zone."""

    reference: str
    right: str
    """One of `lifecycle.RIGHTS`."""
    received_on: date
    due_day: date
    written_on: date
    country: str | None = None
    """The person's country (ISO 3166 alpha-2), None when it is not known: it picks the authority."""


class Block(msgspec.Struct, frozen=True):
    """One block of a kind of letter; `rule` is empty when it may be left out."""

    name: str
    rule: str


def case_of(request: RequestView, policy: Policy, *, at: datetime, country: str | None = None) -> Case:
    """Return the case of a request, for a letter written at `at`."""
    zone = ZoneInfo(policy.controller.zone)
    return Case(
        reference=request.reference,
        right=request.right,
        received_on=request.received_at.astimezone(zone).date(),
        due_day=request.due_day,
        written_on=at.astimezone(zone).date(),
        country=country,
    )


def blocks(kind: type[Letter]) -> tuple[Block, ...]:
    """Return the blocks of a kind of letter in the order in which they are read."""
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in msgspec.structs.fields(kind)]
    own = [name for name in names if name not in (*HEAD, *FIRST, *LAST)]
    ordered = [*HEAD, *FIRST, *own, *LAST]
    return tuple(Block(name, _rule(hints[name])) for name in ordered if name in names)


def check(letter: Letter) -> None:
    """Refuse a letter with an empty required block.

    Raises:
        NotComplete: naming the first one.
    """
    for block in blocks(type(letter)):
        if block.rule and is_empty(getattr(letter, block.name)):
            raise NotComplete(letter.kind, block.name, block.rule)


def is_empty(value: Value) -> bool:
    """Tell whether a block says nothing: nothing at all, blanks, or a row with one of its halves missing."""
    match value:
        case None:
            return True
        case str():
            return not value.strip()
        case tuple():
            return not value or any(_says_nothing(part) for part in value)
        case _:
            return False


def content(texts: Sequence[str | Line]) -> Content:
    """Return paragraphs and rows as a block."""
    return tuple(texts)


def asked(words: Words, case: Case) -> str:
    """Say what was asked and when it reached us."""
    return words("{what} (received on {day})", what=asked_in_words(words, case.right), day=words.day(case.received_on))


def late(words: Words, case: Case) -> Content:
    """Apologise when the letter leaves after its day; empty when it does not."""
    if case.written_on <= case.due_day:
        return ()
    return (words("You should have had this answer on {day}. We are sorry.", day=words.day(case.due_day)),)


def complaint_block(words: Words, policy: Policy, case: Case) -> Content:
    """Return the block on complaining, for the person's country."""
    return complaint(words, policy, case.country, answered=case.right == "complaint")


def court_block(words: Words, policy: Policy, case: Case) -> Content:
    """Return the block on going to court, for the person's country."""
    return court(words, policy, case.country)


def _rule(hint: object) -> str:
    return next((extra.article for extra in get_args(hint)[1:] if isinstance(extra, Rule)), "")


def _says_nothing(part: str | Line) -> bool:
    return not (part.title.strip() and part.text.strip()) if isinstance(part, Line) else not part.strip()
