"""Every message, for both organisations, in both languages."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from babel.messages.pofile import read_po

from portal.mail import messages
from portal.mail.messages import Message
from portal.policy.model import Policy
from portal.words import LOCALE, Words

LINK = "https://privacy.casagbic.example/en/requests/DR-2026-0101?a=1&b=2"
UNTIL = datetime(2026, 10, 21, 7, 12, tzinfo=UTC)

type Written = Callable[[Words, Policy], Message]

ALL: dict[str, Written] = {
    "sign-in": lambda words, policy: messages.sign_in_code(words, policy, code="402913", link=LINK, minutes=15),
    "link alone": lambda words, policy: messages.sign_in_code(words, policy, code="", link=LINK, minutes=15),
    "step-up": lambda words, policy: messages.step_up_code(words, policy, code="402913", link=LINK, minutes=15),
    "received": lambda words, policy: messages.request_received(
        words, policy, reference="DR-2026-0101", due_day=date(2026, 11, 13), link=LINK
    ),
    "ready": lambda words, policy: messages.copy_ready(
        words, policy, reference="DR-2026-0101", size=words.size(18_400_000), until=UNTIL, link=LINK
    ),
    "ready in part": lambda words, policy: messages.copy_ready(
        words, policy, reference="DR-2026-0101", size="1", until=UNTIL, link=LINK, missing=("A", "B")
    ),
    "expires": lambda words, policy: messages.copy_expires_soon(
        words, policy, reference="DR-2026-0101", until=UNTIL, link=LINK
    ),
    "downloaded": lambda words, policy: messages.copy_downloaded(
        words, policy, file="ZIP", reference="DR-2026-0101", at=UNTIL, link=LINK
    ),
}


class StrictWords(Words):
    """Words that fail on a text without a translation."""

    def __call__(self, text: str, **values: object) -> str:
        """Translate, or fail."""
        assert self.language == "en" or self._catalogue.gettext(text) != text, f"not translated: {text}"
        return super().__call__(text, **values)


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += attrs


@pytest.fixture(params=["en", "fr"])
def words(request: pytest.FixtureRequest, policy: Policy) -> Words:
    """Each language in turn."""
    return StrictWords(request.param, policy.controller.zone)


@pytest.fixture(params=list(ALL))
def message(request: pytest.FixtureRequest, words: Words, policy: Policy) -> Message:
    """Each message in turn; making it fails on a missing translation or an unknown name in a template."""
    return ALL[request.param](words, policy)


def test_nothing_remote_and_one_link(message: Message) -> None:
    """No image, no font, no script, no tracking: one link, to the portal."""
    page = Tags(message.html)
    assert [value for name, value in page.attributes if name == "href"] == [LINK]
    assert not {"img", "link", "script", "iframe", "object", "form"} & set(page.tags)
    assert not {"src", "srcset", "background", "style"} & {name for name, _ in page.attributes}
    assert not re.search(r"url\(|@import", message.html)
    assert message.text.count("://") == 2, "the portal's link, and the authority's address as text"


def test_both_versions_say_who_writes_and_whom_to_answer(message: Message, policy: Policy) -> None:
    """Controller, a mailbox that a person reads, and the authority."""
    for version in (message.text, message.html):
        assert policy.controller.contact in version
        assert policy.controller.authority.name in version
        assert policy.controller.name in version


def test_the_text_says_what_the_html_says(message: Message) -> None:
    """Every sentence of the HTML is in the plain text, too."""
    body = message.html.split("<body>")[1]
    sentences = [part.strip() for part in re.split(r"<[^>]+>", body) if part.strip()]
    plain = re.sub(r"\s+", " ", message.text)
    buttons = re.findall(r'class="button"[^>]*>([^<]+)<', body)
    missing = [part for part in sentences[1:] if re.sub(r"\s+", " ", unescape(part)) not in plain]
    assert set(missing) <= set(buttons), "a button's words: the text shows the address itself"


def unescape(text: str) -> str:
    return text.replace("&#39;", "'").replace("&amp;", "&")


def test_a_subject_is_short_neutral_and_one_line(message: Message) -> None:
    """Fit for a lock screen: no word about data, erasure or a person."""
    assert len(message.subject) <= 78
    assert message.subject.isprintable() or "\u00a0" in message.subject
    assert "@" not in message.subject


@pytest.mark.parametrize("policy", ["casagbic"], indirect=True)
@pytest.mark.parametrize(
    ("language", "name", "subject"),
    [
        ("en", "sign-in", "402 913 is your Casagbic code"),
        ("fr", "sign-in", "402 913\u00a0: votre code Casagbic"),
        ("en", "received", "We have your request DR-2026-0101"),
        ("fr", "received", "Nous avons votre demande DR-2026-0101"),
        ("en", "ready", "Your copy is ready until 21\u00a0October (DR-2026-0101)"),
        ("fr", "ready", "Votre copie est prête jusqu’au 21\u00a0octobre (DR-2026-0101)"),
    ],
)
def test_subjects_are_the_ones_agreed(language: str, name: str, subject: str, policy: Policy) -> None:
    """Word for word."""
    assert ALL[name](Words(language, policy.controller.zone), policy).subject == subject


@pytest.mark.parametrize("policy", ["casagbic"], indirect=True)
def test_what_is_missing_is_named(policy: Policy) -> None:
    """A copy without a source never looks whole."""
    for language in ("en", "fr"):
        written = ALL["ready in part"](Words(language, "Europe/Paris"), policy)
        assert "A, B" in written.text
        assert "A, B" in written.html


@pytest.mark.parametrize("policy", ["casagbic"], indirect=True)
def test_hostile_names_stay_text(policy: Policy) -> None:
    """S-11: whatever a name or a link holds, the HTML shows it."""
    controller = msgspec.structs.replace(policy.controller, name="<b>&\"'{{ 7*7 }}")
    hostile = msgspec.structs.replace(policy, controller=controller)
    written = messages.sign_in_code(
        Words("en", "Europe/Paris"), hostile, code="402913", link='https://x/"><i>', minutes=15
    )
    assert not {"b", "i"} & set(Tags(written.html).tags)
    assert "{{ 7*7 }}" in written.text


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x00", "\u2028", "\x85", "\x1b"])
def test_no_subject_can_carry_a_second_header(break_: str) -> None:
    """S-24: refused when the message is made, before anything is stored."""
    with pytest.raises(ValueError, match="one line"):
        Message(kind="x", subject=f"Hello{break_}Bcc: b@person.example", text="x", html="x")


def test_the_french_of_this_room_is_whole_and_well_set() -> None:
    """Same placeholders, real apostrophes, a no-break space before : ; ! ?"""
    with (LOCALE / "fr" / "mail.po").open("rb") as file:
        catalogue = read_po(file, locale="fr")
    entries = [entry for entry in catalogue if entry.id]
    assert len(entries) > 40
    for entry in entries:
        assert set(re.findall(r"\{\w+\}", entry.string)) == set(re.findall(r"\{\w+\}", entry.id)), entry.id
        assert "'" not in entry.string
        assert not re.search(r"(?<!\u00a0)[:;!?](?!//)", entry.string), entry.string


def test_every_french_text_is_used() -> None:
    """No translation outlives its text."""
    room = Path(messages.__file__).parent
    sources = [*room.glob("*.py"), *(room.parent / "templates" / "mail").glob("*")]
    code = "\n".join(source.read_text() for source in sources)
    with (LOCALE / "fr" / "mail.po").open("rb") as file:
        assert [entry.id for entry in read_po(file, locale="fr") if entry.id and f'"{entry.id}"' not in code] == []
