"""Small pieces of wording that several mails share.

Always true here: a code is read in two groups; every right has one name.
"""

from portal.words import Words

ASKED = (
    "access", "portability", "rectification", "erasure", "restriction", "objection", "consent", "automated",
    "inquiry", "complaint", "child",
)  # fmt: skip
"""The rights that `asked_in_words` can name: those of `rights.lifecycle.RIGHTS`."""


def code_subject(words: Words, name: str, code: str) -> str:
    """Return the subject of a mail that carries a code."""
    return words("{code} is your {name} code", code=grouped(code), name=name)


def grouped(code: str) -> str:
    """Six digits are read in two groups: 402913 becomes 402 913."""
    return f"{code[:3]} {code[3:]}" if len(code) == 6 else code


def asked_in_words(words: Words, right: str) -> str:
    """Say what a person asked for, by the right's name. Raises: KeyError."""
    return {
        "access": words("A copy of your data"),
        "portability": words("Your data, to take with you"),
        "rectification": words("A correction"),
        "erasure": words("Erasure"),
        "restriction": words("A pause in the use of your data"),
        "objection": words("No to a use of your data"),
        "consent": words("Taking your consent back"),
        "automated": words("A human review of an automated decision"),
        "inquiry": words("A question"),
        "complaint": words("A complaint"),
        "child": words("A report about a child’s account"),
    }[right]
