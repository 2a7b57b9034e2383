"""Look up a ground, and cite its article in the person's language.

Always true here: whoever refuses, extends, pauses or lifts names a ground of the table, never words of their own.
"""

import re
from collections.abc import Iterable

from portal.rights.letters.reasons_table import EXTEND, LIFT, PAUSE, REFUSE, Reason
from portal.rights.letters.reasons_withheld import WITHHOLD
from portal.words import NO_BREAK, Words

ARTICLE = re.compile(r"(\d+)(?:\((\d)\))?(?:\(([a-f])\))?")

BY_ID = {reason.id if reason.use != "pause" else f"pause-{reason.id}": reason for reason in (
    *REFUSE, *WITHHOLD, *EXTEND, *PAUSE, *LIFT,
)}  # fmt: skip
"""Grounds of a pause are kept as pause-accuracy and so on: `claims` also refuses an erasure."""


def reason(id: str) -> Reason:
    """Return a ground by its id. Raises: KeyError."""
    return BY_ID[id]


def reasons_for(right: str) -> tuple[Reason, ...]:
    """Return the grounds on which a request for `right` may be refused, wholly or in part."""
    return tuple(reason for reason in REFUSE if right in reason.rights)


def noted(ids: Iterable[str]) -> dict[str, str]:
    """Return grounds as evidence knows them: sorted, with commas between. They say nothing about the person."""
    return {"reasons": ",".join(sorted(ids))}


def article_in_words(words: Words, article: str) -> str:
    """Cite an article within a sentence: Art. 17(3)(b) of the GDPR / article 17, paragraphe 3, point b), du RGPD.

    `article` may begin with "Art. ", as in the policy file. Raises: ValueError for what is no such article.
    """
    found = ARTICLE.fullmatch(article.removeprefix("Art. "))
    if found is None:
        raise ValueError(f"not an article of the GDPR: {article[:20]}")
    if words.language != "fr":
        return f"Art. {found[0]} of the GDPR"
    number, paragraph, point = found.groups()
    parts = [f"article{NO_BREAK}{number}"]
    parts += [f"paragraphe{NO_BREAK}{paragraph}"] if paragraph else []
    parts += [f"point{NO_BREAK}{point})"] if point else []
    return f"{', '.join(parts)}{',' if len(parts) > 1 else ''} du RGPD"


def cited(words: Words, article: str) -> str:
    """Cite an article at the beginning of a line. Raises: ValueError."""
    text = article_in_words(words, article)
    return f"{text[0].upper()}{text[1:]}"
