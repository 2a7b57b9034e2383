"""Letters after a correction and after an erasure: what changed, what stays, who was told, what is out of reach.

Always true here: nothing is called erased everywhere while one recipient has not answered; what stays has its article
and its day. Source: GDPR Art. 16, 17, 19; law/rules.md, 2f, 5.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, Literal

import msgspec

from portal.policy.model import Policy
from portal.rights.letters.blocks import (
    Answer,
    Case,
    Content,
    Line,
    NotComplete,
    Rule,
    asked,
    complaint_block,
    court_block,
    late,
)
from portal.rights.letters.reasons import article_in_words
from portal.words import Words


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One corrected field: its title, and both values as they are shown."""

    field: str
    before: str
    after: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient, by name, and how far telling it is. `why` is required for `not-needed` and `failed`."""

    name: str
    state: Literal["confirmed", "asked", "failed", "not-needed"]
    why: str = ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did to one category (its id). `ground` and `until` are required for `keep`."""

    category: str
    action: Literal["erase", "anonymise", "keep", "nothing"]
    number: int | None = None
    ground: str = ""
    until: date | None = None


class RectificationAnswer(Answer, frozen=True, kw_only=True):
    """We have corrected it."""

    kind: ClassVar[str] = "rectification"
    changes: Annotated[Content, Rule("2f")]
    told: Annotated[Content, Rule("Art. 19")]


class ErasureAnswer(Answer, frozen=True, kw_only=True):
    """It is erased, but for what stays."""

    kind: ClassVar[str] = "erasure"
    results: Annotated[Content, Rule("2f")]
    stays: Annotated[Content, Rule("Art. 17(3)")]
    told: Annotated[Content, Rule("Art. 19")]
    out_of_reach: Annotated[Content, Rule("CG-18")]
    backups: Annotated[Content, Rule("2f")]
    receipt: Annotated[str, Rule("Art. 5(2)")]


def rectification(
    words: Words, policy: Policy, case: Case, *, changes: Sequence[Change], told: Sequence[Told]
) -> RectificationAnswer:
    """Show each corrected field before and after, and who else was told."""
    return RectificationAnswer(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        changes=tuple(
            Line(
                change.field,
                words("“{before}” is now “{after}”", before=change.before, after=change.after)
                if change.before.strip()
                else words("“{after}” is new; nothing stood there", after=change.after),
            )
            for change in changes
        ),
        told=told_in_words(words, told),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def erasure(
    words: Words,
    policy: Policy,
    case: Case,
    *,
    results: Sequence[Result],
    told: Sequence[Told],
    receipt: str,
    backups_until: date | None,
    out_of_reach: Sequence[str | Line] = (),
) -> ErasureAnswer:
    """Give the result of each category, what stays and why, who was told, what we cannot erase, and backups.

    `backups_until` is the day by which the last backup with the data is overwritten; None when the policy sets none.

    Raises:
        NotComplete: when something is kept without an article or without a day.
    """
    return ErasureAnswer(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        results=tuple(
            Line(policy.category(result.category).title[words.language], _done(words, result)) for result in results
        ),
        stays=_stays(words, policy, results),
        told=told_in_words(words, told),
        out_of_reach=_out_of_reach(words, policy, results, out_of_reach),
        backups=_backups(words, backups_until),
        receipt=receipt,
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def told_in_words(words: Words, told: Sequence[Told]) -> Content:
    """Say for each recipient how far it is; when there is none, say that nobody had it from us."""
    if not told:
        return (words("Nobody else had this from us, so there is nobody to tell."),)
    states = {
        "confirmed": words("told, and has confirmed"),
        "asked": words("told, no answer yet; we remind it"),
        "failed": words("could not be told"),
        "not-needed": words("need not be told"),
    }
    return tuple(
        Line(one.name, words("{state}: {why}", state=states[one.state], why=one.why) if one.why else states[one.state])
        for one in told
    )


def _done(words: Words, result: Result) -> str:
    match result.action, result.number:
        case "erase", int(number):
            return words.plural("{count} record erased", "{count} records erased", number)
        case "erase", None:
            return words("erased")
        case "anonymise", int(number):
            return words.plural("{count} record made anonymous", "{count} records made anonymous", number)
        case "anonymise", None:
            return words("made anonymous")
        case "keep", _:
            return words("reduced to what must stay, see below")
        case _:
            return words("nothing to erase")


def _stays(words: Words, policy: Policy, results: Sequence[Result]) -> Content:
    kept = tuple(_kept(words, policy, result) for result in results if result.action == "keep")
    return kept or (words("Nothing stays."),)


def _kept(words: Words, policy: Policy, result: Result) -> Line:
    if not result.ground or result.until is None:
        raise NotComplete(ErasureAnswer.kind, "stays", "Art. 17(3)", "keeps something without an article and a day")
    category = policy.category(result.category)
    return Line(
        category.title[words.language],
        words(
            "{why} The rule: {article}. It is erased by itself by {day}.",
            why=category.erasure.why[words.language],
            day=words.day(result.until),
            article=article_in_words(words, result.ground),
        ),
    )


def _out_of_reach(words: Words, policy: Policy, results: Sequence[Result], more: Sequence[str | Line]) -> Content:
    """Companies that answer for the data themselves are told to the person, whoever else there is to name."""
    wanted = {id for result in results for id in policy.category(result.category).recipients}
    themselves = tuple(
        Line(one.name, words("keeps what its own duties ask for. We cannot erase that; you can ask it yourself."))
        for one in policy.recipients
        if one.id in wanted and one.role == "controller"
    )
    return (*themselves, *more) or (words("We know of nothing that is out of our reach."),)


def _backups(words: Words, until: date | None) -> Content:
    never = words("Nobody uses them. If one is ever needed for a repair, your data is erased again at once.")
    if until is None:
        return (words("Backups still hold copies. No day is set by which they are overwritten; ask us for it."), never)
    return (words("Backups still hold copies. The last is overwritten by {day}.", day=words.day(until)), never)
