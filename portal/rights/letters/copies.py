"""Letters that go with a copy: what Art. 15 wants told beside it, and what was taken along under Art. 20.

Always true here: everything comes from the policy file, filtered to this person's categories; where we looked and what
was left out is said, even when nothing was. Source: GDPR Art. 15(1)-(3), 20; law/rules.md, 2c.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, ClassVar

from portal.policy.model import Category, Policy
from portal.rights.grounds import outside_eea, recipients_in_words, why
from portal.rights.letters.blocks import (
    Answer,
    Case,
    Content,
    Line,
    Rule,
    asked,
    complaint_block,
    content,
    court_block,
    late,
)
from portal.rights.order import tool_in_words
from portal.words import Words


class AccessAnswer(Answer, frozen=True, kw_only=True):
    """What we hold, and everything Art. 15(1) and (2) want told with it."""

    kind: ClassVar[str] = "access"
    snapshot_at: Annotated[datetime, Rule("2c")]
    scope: Annotated[Content, Rule("2c")]
    redactions: Annotated[Content, Rule("Art. 15(4)")]
    categories: Annotated[Content, Rule("Art. 15(1)(b)")]
    purposes: Annotated[Content, Rule("Art. 15(1)(a)")]
    recipients: Annotated[Content, Rule("Art. 15(1)(c)")]
    periods: Annotated[Content, Rule("Art. 15(1)(d)")]
    rights: Annotated[Content, Rule("Art. 15(1)(e)")]
    origins: Annotated[Content, Rule("Art. 15(1)(g)")]
    decisions: Annotated[Content, Rule("Art. 15(1)(h)")]
    transfers: Annotated[Content, Rule("Art. 15(2)")]
    further: Annotated[Content, Rule("Art. 15(3)")]


class PortabilityAnswer(Answer, frozen=True, kw_only=True):
    """What can be taken along, in what form, and what is not in it."""

    kind: ClassVar[str] = "portability"
    snapshot_at: Annotated[datetime, Rule("2c")]
    included: Annotated[Content, Rule("Art. 20(1)")]
    form: Annotated[Content, Rule("Art. 20(1)")]
    excluded: Annotated[Content, Rule("2f")]
    direct: Annotated[Content, Rule("Art. 20(2)")]


def access(
    words: Words,
    policy: Policy,
    case: Case,
    *,
    categories: Sequence[str],
    snapshot_at: datetime,
    places: Sequence[str],
    redactions: Sequence[str | Line] = (),
) -> AccessAnswer:
    """Tell what Art. 15 wants told about `categories` (ids of the policy: those in which something is held).

    `places` are the titles of the systems searched; `redactions` say what was left out and why.
    """
    held = [policy.category(id) for id in categories]
    return AccessAnswer(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        snapshot_at=snapshot_at,
        scope=scope(words, policy, places),
        redactions=content(redactions or (words("Nothing was left out."),)),
        categories=_rows(words, held, lambda category: category.explanation[words.language]),
        purposes=_rows(words, held, lambda category: why(words, policy, category)),
        recipients=_rows(words, held, lambda category: recipients_in_words(words, policy, category)),
        periods=_rows(words, held, lambda category: category.retention.text[words.language]),
        rights=(_rights(words, policy),),
        origins=_origins(words, held),
        decisions=(policy.automated_decisions[words.language],),
        transfers=_transfers(words, policy, held),
        further=(
            words("This is what we held at the moment above. A new copy is free whenever you ask for one."),
        ),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )  # fmt: skip


def portability(
    words: Words,
    policy: Policy,
    case: Case,
    *,
    categories: Sequence[str],
    snapshot_at: datetime,
    schema_url: str,
    direct: Sequence[str] = (),
) -> PortabilityAnswer:
    """Say what of `categories` (ids) can be taken along and what cannot; `direct` answers a wish to send it on."""
    held = [policy.category(id) for id in categories]
    portable = [category for category in held if category.portable]
    nothing = words("None of the data we hold about you falls under this right. You can still have a copy of it.")
    usual = words("You can send the file on yourself. If another company can take it from us directly, tell us which.")
    return PortabilityAnswer(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        snapshot_at=snapshot_at,
        included=_rows(words, portable, lambda category: category.explanation[words.language]) or (nothing,),
        form=(
            words("JSON, and tables in CSV. Any program can read both, and people can, too."),
            Line(words("How the file is built"), schema_url),
        ),
        excluded=_excluded(words, held),
        direct=content(direct or (usual,)),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def scope(words: Words, policy: Policy, places: Sequence[str]) -> Content:
    """Say where we looked, archives and backups included in what is said."""
    looked = tuple(Line(place, words("searched, its archive included")) for place in places)
    if not looked:
        return ()
    if policy.backups is None:
        backups = words("Older copies of the same data, kept for repairs. We do not search them.")
    else:
        backups = words.plural(
            "Copies of the same data, overwritten after {count} day. We do not search them.",
            "Copies of the same data, overwritten after {count} days. We do not search them.",
            policy.backups.days,
        )
    return (*looked, Line(words("Backups"), backups))


def _rows(words: Words, categories: Sequence[Category], said: Callable[[Category], str]) -> Content:
    return tuple(Line(category.title[words.language], said(category)) for category in categories)


def _rights(words: Words, policy: Policy) -> str:
    return words(
        "You can ask to see, take, correct or erase your data, to pause its use, and to say no to a use based "
        "on our own interest. Where we rely on your consent you can take it back at any time. It is free. "
        "Use this portal or write to {contact}.",
        contact=policy.controller.contact,
    )


def _origins(words: Words, held: Sequence[Category]) -> Content:
    elsewhere = tuple(
        Line(category.title[words.language], category.origin[words.language]) for category in held if category.origin
    )
    return elsewhere or (words("All of it comes from you, or from your use of the service."),)


def _transfers(words: Words, policy: Policy, held: Sequence[Category]) -> Content:
    wanted = {id for category in held for id in category.recipients}
    abroad = [one for one in policy.recipients if one.id in wanted and outside_eea(one)]
    if not abroad:
        return (words("None of it is sent outside the European Economic Area."),)
    rows = tuple(
        Line(
            words("{name}, {country}", name=one.name, country=words.country(one.country)),
            tool_in_words(words, one.transfer.tool) if one.transfer else words("no tool on record"),
        )
        for one in abroad
    )
    return (*rows, policy.copy_of_safeguards[words.language])


def _excluded(words: Words, held: Sequence[Category]) -> Content:
    left = tuple(
        Line(
            category.title[words.language],
            words("not given by you under a contract or with your consent; you can have a copy of it"),
        )
        for category in held
        if not category.portable
    )
    return left or (words("Nothing was left out."),)
