"""Every text that a person reads exists in both languages, and nothing in the catalogues is left over.

The texts are found where they are used: in templates by Jinja's own parser, in Python by its syntax tree.
"""

import ast
import re
import string
from collections.abc import Iterator, Sequence
from pathlib import Path

import jinja2
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import nodes

from admin import pages as staff_pages  # noqa: F401  its errors have sentences
from portal import error_pages
from portal.breaches.clock import GAP_WARNING
from portal.errors import HabeasError
from portal.rights import pages as rights_pages  # noqa: F401  its errors have sentences
from portal.rights.deadlines.rules import RULES
from portal.words import LOCALE, Words

ROOT = Path(__file__).parent.parent
TEMPLATES = sorted((ROOT / "portal" / "templates").rglob("*.*"))
MODULES = [path for folder in ("portal", "admin") for path in sorted((ROOT / folder).rglob("*.py"))]
CATALOGUES = sorted((LOCALE / "fr").glob("*.po"))

SPEAKERS = {"_", "words"}
"""What a `Words` is called where it speaks."""
ERRORS = {"Invalid"}
"""Errors whose first argument is shown to the person."""

TYPED_CARELESSLY = re.compile(r"'|(?<![\u00a0\u202f])[;!?»]| :|\w:(?:\s|$)|«(?![\u00a0\u202f])")

type Found = tuple[str, str | None]
"""A text, and its plural if it has one."""


def test_every_text_has_a_french_one() -> None:
    """A text without a translation would be shown in English on a French page."""
    known = {message.id if isinstance(message.id, tuple) else (message.id, None) for _, message in translations()}
    missing = sorted(text for text in used() if text not in known)
    assert missing == []


def test_no_translation_is_left_over() -> None:
    """A translation that nothing uses is a text that somebody believes is shown."""
    texts = {text for text, _ in used()} | constants()
    stale = [f"{file}: {first(message)}" for file, message in translations() if first(message) not in texts]
    assert stale == []


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_no_translation_is_empty_or_unsure(file: Path) -> None:
    """An empty translation falls back to English; a fuzzy one was never checked."""
    catalogue = read(file)
    weak = [first(message) for message in catalogue if message.id and (message.fuzzy or not all(strings(message)))]
    assert weak == []


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_both_languages_fill_in_the_same_names(file: Path) -> None:
    """A name that is missing in one language fails when the page is made, or hides a value."""
    wrong = [
        first(message) for message in read(file)
        if message.id and any(names(text) - {"count"} != names(first(message)) - {"count"} for text in strings(message))
    ]  # fmt: skip
    assert wrong == []


def test_the_same_text_is_translated_in_one_way() -> None:
    """Rooms may share a text, but the page must not depend on which catalogue is read last."""
    seen: dict[str, set[tuple[str, ...]]] = {}
    for _, message in translations():
        seen.setdefault(first(message), set()).add(tuple(strings(message)))
    assert {text: ways for text, ways in seen.items() if len(ways) > 1} == {}


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_french_is_set_as_french_is(file: Path) -> None:
    """A typographic apostrophe, and a space that does not break before : ; ! ? and inside guillemets."""
    texts = [text for message in read(file) if message.id for text in strings(message)]
    assert [text for text in texts if TYPED_CARELESSLY.search(text)] == []


def test_values_are_escaped_in_rich_texts_and_links_are_not() -> None:
    """A name that holds markup stays text, whatever sentence it stands in."""
    words = Words("en", "UTC")
    assert "&lt;b&gt;" in words.rich("Write to a person: {address}.", address="<b>")


def used() -> set[Found]:
    """Every text in use, with its plural."""
    found = {text for path in TEMPLATES for text in in_template(path)}
    found |= {text for path in MODULES for text in in_module(path)}
    return found | {(text, None) for text in constants()}


def constants() -> set[str]:
    """Texts that are looked up by a name: the sentences of our errors, and the titles of error pages."""
    sentences = {error.sentence for error in descendants(HabeasError)}
    sentences |= {rule.text for rule in RULES.values()} | {GAP_WARNING}
    return sentences | {*error_pages.TITLES.values(), *error_pages.SENTENCES.values(), error_pages.BROKEN}


def descendants(kind: type[HabeasError]) -> Iterator[type[HabeasError]]:
    """The class itself and everything below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from descendants(below)


def in_template(path: Path) -> Iterator[Found]:
    """The texts of a template: `_("…")`, `_.rich("…")`, `_.plural("…", "…")`, wherever a `Words` is called so."""
    tree = jinja2.Environment(autoescape=True, extensions=["jinja2.ext.do"]).parse(path.read_text())
    for call in tree.find_all(nodes.Call):
        constants = [argument.value for argument in call.args if isinstance(argument, nodes.Const)]
        if isinstance(call.node, nodes.Name) and call.node.name in SPEAKERS:
            yield from one(constants)
        elif isinstance(call.node, nodes.Getattr) and getattr(call.node.node, "name", "") in SPEAKERS:
            yield from one(constants) if call.node.attr == "rich" else two(call.node.attr, constants)


def in_module(path: Path) -> Iterator[Found]:
    """The texts of a module: `words("…")`, `words.plural("…", "…")` and the sentences given to an error."""
    for call in ast.walk(ast.parse(path.read_text())):
        if not isinstance(call, ast.Call):
            continue
        constants = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        if isinstance(call.func, ast.Name) and call.func.id in SPEAKERS | ERRORS:
            yield from one(constants)
        elif isinstance(call.func, ast.Attribute) and speaks(call.func.value):
            yield from one(constants) if call.func.attr == "rich" else two(call.func.attr, constants)
        elif isinstance(call.func, ast.Call) and speaks(call.func):
            yield from one(constants)


def speaks(node: ast.expr) -> bool:
    """True for `words`, `self.words` and `words_of(request)`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Call(func=ast.Name(id=name)):
            return name in SPEAKERS | {"words_of"}
        case _:
            return False


def one(constants: Sequence[object]) -> Iterator[Found]:
    """A text alone."""
    if constants and isinstance(constants[0], str):
        yield constants[0], None


def two(method: str, constants: Sequence[object]) -> Iterator[Found]:
    """A text and its plural."""
    if method == "plural" and len(constants) > 1:
        yield str(constants[0]), str(constants[1])


def translations() -> Iterator[tuple[str, Message]]:
    """Every message of every catalogue, with the catalogue's name."""
    for file in CATALOGUES:
        yield from ((file.name, message) for message in read(file) if message.id)


def read(file: Path) -> Catalog:
    """One catalogue."""
    with file.open("rb") as source:
        return read_po(source, locale="fr", abort_invalid=True)


def first(message: Message) -> str:
    """The text by which a message is looked up."""
    return message.id if isinstance(message.id, str) else message.id[0]


def strings(message: Message) -> list[str]:
    """The translations of a message: one, or one for each plural form."""
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


def names(text: str) -> set[str]:
    """The names that a text fills in."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
