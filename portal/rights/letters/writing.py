"""Set a letter: as plain text, as HTML for a page of the portal, and, where there is no other way, as a mail.

Always true here: no letter is set while a required block is empty; both forms say the same; days are written in full,
with their weekday. The same letter gives the same text and so the same digest.
"""

import hashlib
from datetime import date, datetime
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from portal.mail.letter import Letter as Mail
from portal.mail.letter import Message, Section
from portal.mail.letter import write as write_mail
from portal.policy.model import Policy
from portal.rights.letters.blocks import HEAD, Letter, Line, Value, blocks, check
from portal.rights.letters.titles import heading, title
from portal.words import Words

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[2] / "templates" / "letters"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Part(msgspec.Struct, frozen=True):
    """One block, set: its title, its paragraphs and its rows, of which one kind may be missing."""

    title: str
    paragraphs: tuple[str, ...]
    rows: tuple[Line, ...]


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that may leave. `html` is a part of a page: an article without style, its headings from h2 down."""

    kind: str
    language: str
    reference: str
    title: str
    day: str
    parts: tuple[Part, ...]
    text: str
    html: Markup


def render(letter: Letter, words: Words, policy: Policy) -> Written:
    """Set a letter in the language of `words`, in which its blocks must have been made.

    Raises:
        NotComplete: while a required block is empty.
    """
    check(letter)
    parts = tuple(
        _part(words, block.name, getattr(letter, block.name))
        for block in blocks(type(letter))
        if block.name not in HEAD and getattr(letter, block.name)
    )
    context = {
        "_": words, "controller": policy.controller, "reference": letter.reference,
        "title": heading(words, letter.kind), "day": words.day(letter.written_on), "parts": parts,
    }  # fmt: skip
    return Written(
        kind=letter.kind,
        language=words.language,
        reference=letter.reference,
        title=heading(words, letter.kind),
        day=words.day(letter.written_on),
        parts=parts,
        text=TEMPLATES.get_template("letter.txt").render(context).strip() + "\n",
        html=Markup(TEMPLATES.get_template("letter.html").render(context).strip()),  # noqa: S704  autoescaped above
    )


def digest(written: Written) -> str:
    """Return the SHA-256 of the text, in hexadecimal, for evidence: it proves which letter left, and holds nothing."""
    return hashlib.sha256(written.text.encode()).hexdigest()


def as_mail(written: Written, words: Words, policy: Policy, *, link: str) -> Message:
    """Turn a letter into the body of a mail, for whoever has no account to read it in.

    It holds what the letter holds, so it goes only to a mailbox that is confirmed to be the person's. To everybody
    else goes `mail.messages.answered`, and the letter is read on the portal.
    """
    return write_mail(
        Mail(
            kind="answered",
            subject=words("Our answer to {reference}", reference=written.reference),
            heading=written.title,
            before=(words("{reference}, {day}", reference=written.reference, day=written.day),),
            sections=tuple(
                Section(part.title, (*part.paragraphs, *(_row(words, row) for row in part.rows)))
                for part in written.parts
            ),
            remedies=any(part.title == title(words, "complaint") for part in written.parts),
            invitation=words("You can follow it here:"),
            button=words("Follow my request"),
            link=link,
        ),
        words,
        policy,
    )


def _part(words: Words, name: str, value: Value) -> Part:
    match value:
        case tuple():
            paragraphs = tuple(part for part in value if isinstance(part, str))
            return Part(title(words, name), paragraphs, tuple(part for part in value if isinstance(part, Line)))
        case datetime():
            return Part(title(words, name), (words.day_moment(value),), ())
        case date():
            return Part(title(words, name), (words.day(value),), ())
        case _:
            return Part(title(words, name), (str(value),), ())


def _row(words: Words, row: Line) -> str:
    return words("{title}: {text}", title=row.title, text=row.text)
