"""The shape every mail shares, written out as plain text and as simple HTML from the same parts.

Always true here: the two versions say the same; nothing is remote (no image, no font, no tracking), the only link
is to the portal, and no subject can carry a second header line.
"""

from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from portal.policy.model import Policy
from portal.words import Words

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates" / "mail"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What leaves: the kind for our lists, and the words for the person. Raises: ValueError on a broken subject."""

    kind: str
    subject: str
    text: str
    html: str

    def __post_init__(self) -> None:
        """Refuse a subject that could become a second header. Source: S-24."""
        if not self.subject or any(ord(letter) < 32 or letter in "\x7f\x85\u2028\u2029" for letter in self.subject):
            raise ValueError("a subject is one line without control characters")


class Section(msgspec.Struct, frozen=True):
    """A title and the paragraphs below it, in the person's language."""

    title: str
    paragraphs: tuple[str, ...]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One mail before it is set: all texts are already in the person's language."""

    kind: str
    subject: str
    heading: str
    before: tuple[str, ...]
    code: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    invitation: str = ""
    """The sentence that leads to the link."""
    button: str = ""
    link: str = ""
    after: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    """What has a title of its own, after the link: reasons, how to complain, a court."""
    remedies: bool = False
    """True when the sections say how to complain, so that the footer need not say it again."""
    staff: bool = False
    """True when it goes to our own staff: the footer then says so, and nothing about their data."""


def write(letter: Letter, words: Words, policy: Policy) -> Message:
    """Set a letter as plain text and as HTML, with the footer that says who writes and whom to answer."""
    context = {"letter": letter, "_": words, "policy": policy, "controller": policy.controller}
    return Message(
        kind=letter.kind,
        subject=letter.subject,
        text=TEMPLATES.get_template("letter.txt").render(context).strip() + "\n",
        html=TEMPLATES.get_template("letter.html").render(context),
    )
