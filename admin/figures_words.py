"""What figures call things: rights, ways of arrival, grounds, months, shares.

Always true here: what has no words of its own is shown as it is stored, and never left out.
"""

from datetime import date

from babel.dates import format_date

from portal.rights.letters.reasons import BY_ID
from portal.rights.lifecycle import RIGHTS
from portal.words import NO_BREAK, Words


def right_in_words(words: Words, right: str) -> str:
    """Name a right with its article."""
    names = {
        "access": words("Access"),
        "portability": words("Portability"),
        "rectification": words("Correction"),
        "erasure": words("Erasure"),
        "restriction": words("Pause"),
        "objection": words("Objection"),
        "consent": words("Consent taken back"),
        "automated": words("Automated decision"),
        "inquiry": words("Question"),
        "complaint": words("Complaint"),
        "child": words("Report about a child"),
    }
    return f"{names.get(right, right)} ({RIGHTS[right].replace(' ', NO_BREAK)})" if right in RIGHTS else right


def channel_in_words(words: Words, channel: str) -> str:
    """Say how requests arrived."""
    return {
        "portal": words("Signed in"),
        "mailbox": words("Form without an account"),
        "agent": words("By somebody acting for them"),
        "report": words("Report"),
        "letter": words("Letter"),
        "phone": words("Telephone"),
        "email": words("E-mail"),
        "counter": words("In person"),
    }.get(channel, channel)


def ground_in_words(words: Words, ground: str) -> str:
    """Name a ground with its article; one that is an article already stands as it is."""
    found = BY_ID.get(ground)
    if found is None:
        return ground
    return words("{title} (Art. {article})", title=found.title[words.language], article=found.article)


def month_in_words(words: Words, month: date) -> str:
    """November 2026 / novembre 2026."""
    return format_date(month, f"MMMM'{NO_BREAK}'y", locale=words.language)


def days_in_words(words: Words, days: float | None) -> str:
    """12 days / 12.5 days; a dash where there is no answer yet."""
    if days is None:
        return "–"
    if days == int(days):
        return words.plural("{count} day", "{count} days", int(days))
    return words("{number} days", number=words.number(days))


def share_in_words(words: Words, part: int, whole: int) -> str:
    """97.5 % (39 of 40); a dash of nothing."""
    if not whole:
        return "–"
    percent = f"{words.number(round(100 * part / whole, 1))}{NO_BREAK}%"
    return words("{percent} ({part} of {whole})", percent=percent, part=words.number(part), whole=words.number(whole))
