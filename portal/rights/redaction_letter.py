"""The letter that goes with a copy of which something was left out: how much, where, on what ground, and the remedies.

Always true here: it is written with the copy it is about, in one transaction; it counts, and quotes nothing.
Source: GDPR Art. 12(4), 15(4); law/rules.md, 2f.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from exports.order import Withheld
from portal.policy.model import Policy
from portal.rights import letters
from portal.rights.letters import Letter, Line
from portal.rights.letters.reasons import reason
from portal.rights.redaction import GROUNDS
from portal.rights.redaction_look import WITHHELD, look_of
from portal.rights.replies import enclose, words_for
from portal.rights.requests import RequestView
from portal.rights.shapes import category_title
from portal.words import Words


async def enclose_what_is_withheld(
    request: RequestView, withheld: Sequence[Withheld], policy: Policy, *, complete: bool, at: datetime
) -> None:
    """Write the letter inside the caller's transaction; nothing when nothing is withheld.

    `complete` is False while a system has not given its part of the copy.
    """
    if not withheld:
        return
    look = await look_of(request.id)
    used = dict.fromkeys(one.ground for one in (look.places if look else ()) if one.answer in WITHHELD)
    reasons = [GROUNDS[ground][request.right] for ground in used]
    letter = _letter(request, withheld, reasons, policy, complete=complete, at=at)
    await enclose(request, letter, policy, at=at, actor="worker")


async def articles_of_withheld(request: RequestView) -> Mapping[tuple[str, str], list[str]]:
    """Return by category and source on which articles something of a copy is withheld, as a receipt cites them."""
    look, found = await look_of(request.id), dict[tuple[str, str], list[str]]()
    for one in look.places if look else ():
        if one.answer in WITHHELD:
            article = f"Art. {reason(GROUNDS[one.ground][request.right]).article}"
            here = found.setdefault((one.category, one.source), [])
            if article not in here:
                here.append(article)
    return found


def _letter(
    request: RequestView,
    withheld: Sequence[Withheld],
    reasons: Sequence[str],
    policy: Policy,
    *,
    complete: bool,
    at: datetime,
) -> Letter:
    words = words_for(request, policy)
    ready = words("Your copy is ready. Everything else you asked for is in it.")
    in_part = words("Your copy is ready. A system did not answer, so what it holds is not in it yet.")
    return letters.partial_refusal(
        words, policy, letters.case_of(request, policy, at=at),
        done=(ready if complete else in_part,),
        not_done=[
            Line(category_title(words, policy, section), _counts(words, section, withheld))
            for section in dict.fromkeys(one.section for one in withheld)
        ],
        reasons=reasons,
        facts=(
            words(
                "Before your copy left, a program searched what may name other people for e-mail addresses and "
                "telephone numbers that are not yours. A person of ours looked at each place."
            ),
        ),
        why=(
            words(
                "What we left out of your copy is about somebody else, or belongs to them. What is about you stays, "
                "and a mark stands wherever something is missing."
            ),
        ),
    )  # fmt: skip


def _counts(words: Words, section: str, withheld: Sequence[Withheld]) -> str:
    here = [one for one in withheld if one.section == section]
    passages, values = sum(one.passages for one in here), sum(one.values for one in here)
    files = sum(one.files for one in here)
    said = []
    if passages:
        said.append(words.plural("one passage", "{count} passages", passages))
    if values:
        said.append(words.plural("one whole value", "{count} whole values", values))
    if files:
        said.append(words.plural("one file", "{count} files", files))
    return ", ".join(said)
