"""What was wrong with a form of the desk: in words, at its field, with the rule that wants it.

Always true here: an empty part of a letter is named with its rule; whoever is second is told who was first.
"""

from collections.abc import Mapping
from datetime import datetime

from admin.desk_request_version import told
from admin.desk_shapes import File
from portal.errors import Invalid, Refused
from portal.policy.model import Policy
from portal.rights.letters import NotComplete
from portal.rights.letters.titles import title
from portal.rights.lifecycle import NotPossible
from portal.words import Words

FIELDS: Mapping[str, str] = {
    "article": "reasons", "question": "text", "answer": "text", "result": "text", "would_help": "help",
    "asked_for": "text", "your_side": "yours", "our_side": "ours", "here": "why", "not_done": "not_done",
}  # fmt: skip
"""Part of a letter -> the field it is written in, where that has another name."""

RULES: Mapping[tuple[str, str], str] = {
    **{(verb, field): "Art. 12(4)" for verb in ("refuse", "propose", "partly", "correction-refuse", "pause-decline")
       for field in ("reasons", "facts", "why", "not_done")},
    ("partly", "done"): "Art. 12(3)",
    ("extend", "why"): "Art. 12(3)",
    ("extend", "ground"): "Art. 12(3)",
    ("ask", "doubt"): "Art. 12(6)",
    ("stop-clock", "doubt"): "Art. 12(6)",
    ("unidentified", "facts"): "Art. 11(2)",
    ("unidentified", "help"): "Art. 11(2), 12(2)",
    **{("use-weigh", field): "Art. 21(1)" for field in ("yours", "ours", "balance")},
    ("answer", "findings"): "Art. 12(3)",
}  # fmt: skip
"""Form and field -> the rule for which it cannot be empty."""


def sentence(
    words: Words, policy: Policy, file: File, verb: str, wrong: Refused | None, *, seen: int | None, at: datetime
) -> str:
    """Say what was wrong; of a letter that is not complete, which part; of a request that moved on, who moved it."""
    match wrong:
        case None:
            return ""
        case NotComplete():
            part = title(words, wrong.block)
            return words("The letter is not complete. What is missing: {part} ({rule}).", part=part, rule=wrong.rule)
        case NotPossible():
            first = told(words, policy, file.story, seen, at)
            return f"{first} {words(wrong.sentence)}".strip()
        case Invalid():
            rule = RULES.get((verb, wrong.field))
            said = words(wrong.sentence)
            return words("{sentence} The law wants it: {rule}.", sentence=said, rule=rule) if rule else said
        case _:
            return words(wrong.sentence)


def field_of_mistake(wrong: Refused | None) -> str:
    """Return the field that a mistake is about; empty when it is about the form."""
    if isinstance(wrong, NotComplete):
        return FIELDS.get(wrong.block, wrong.block)
    return wrong.field if isinstance(wrong, Invalid) else ""
