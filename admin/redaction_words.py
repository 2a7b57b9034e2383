"""What the desk calls places of a copy, signs in them and answers to them.

Always true here: nothing of the copy itself is in these words.
"""

from portal.policy.model import Policy
from portal.rights.redaction_look import RedactionView
from portal.rights.shapes import category_title
from portal.words import Words


def place_in_words(words: Words, policy: Policy, one: RedactionView) -> str:
    """Say where a passage stands: category, record or file, field, system."""
    language = words.language
    system = next((spec.title[language] for spec in policy.sources if spec.id == one.source), one.source)
    category = category_title(words, policy, one.category)
    number = words.number(one.number)
    match one.part:
        case "file":
            what = words("in file {number}", number=number)
        case "name":
            what = words("the name of file {number}", number=number)
        case _:
            fields = (field for known in policy.categories if known.id == one.category for field in known.fields)
            title = next((field.title[language] for field in fields if field.id == one.field), one.field)
            what = words("record {number}, {field}", number=number, field=title)
    return words("{category}, {what} ({system})", category=category, what=what, system=system)


def sign_in_words(words: Words, sign: str) -> str:
    """Say what was found. Raises: KeyError."""
    return {
        "email": words("an e-mail address that is not this person’s"),
        "phone": words("what looks like a telephone number"),
        "words": words("words that one of us marked"),
        "large": words("a text file too large to be searched"),
        "unreadable": words("a text file that could not be read as text"),
    }[sign]


def answer_in_words(words: Words, answer: str) -> str:
    """Say what was decided. Raises: KeyError."""
    return {
        "keep": words("Stays in the copy"),
        "passage": words("This passage is withheld"),
        "whole": words("All of it is withheld"),
        "gone": words("It is not there any more"),
    }[answer]


def reasons_in_words(words: Words) -> list[tuple[str, str]]:
    """Return the reasons to look at a person's data, for a form; the likely one first."""
    return [
        ("decide", words("To decide what goes into this copy")),
        ("answer", words("To answer a question of theirs")),
        ("other", words("Something else, in words")),
    ]
