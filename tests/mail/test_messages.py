"""Every message, for both organisations, in both languages."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import msgspec
import pytest
from babel.messages.pofile import read_po

from portal.mail import messages
from portal.mail.kinds import kinds_in_words
from portal.mail.messages import Message
from portal.mail.remedies import remedies
from portal.mail.wording import ASKED, asked_in_words
from portal.policy.authorities import BY_COUNTRY
from portal.policy.model import Policy
from portal.words import LOCALE, Words

LINK = "https://privacy.casagbic.example/en/requests/DR-2026-0101?a=1&b=2"
UNTIL = datetime(2026, 10, 21, 7, 12, tzinfo=UTC)
DAY = date(2026, 11, 13)

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
    "address code": lambda words, policy: messages.address_code(words, policy, code="402913", link=LINK, minutes=15),
    "address offered": lambda words, policy: messages.address_offered(
        words, policy, code="402913", until=UNTIL, link=LINK
    ),
    "address lost": lambda words, policy: messages.address_changing(words, policy, until=UNTIL, link=LINK, lost=True),
    "address changing": lambda words, policy: messages.address_changing(
        words, policy, reference="DR-2026-0101", until=UNTIL, link=LINK
    ),
    "mailbox": lambda words, policy: messages.mailbox_code(words, policy, code="402913", link=LINK, minutes=15),
    "received for": lambda words, policy: messages.request_received(
        words, policy, reference="DR-2026-0101", due_day=DAY, link=LINK, what=asked_in_words(words, "erasure"),
        signed_in=False,
    ),
    "question": lambda words, policy: messages.question(
        words, policy, reference="DR-2026-0101", due_day=DAY, link=LINK
    ),
    "question again": lambda words, policy: messages.question_again(
        words, policy, reference="DR-2026-0101", asked_on=date(2026, 10, 20), due_day=DAY, link=LINK
    ),
    "message": lambda words, policy: messages.message_waiting(words, policy, reference="DR-2026-0101", link=LINK),
    "joined": lambda words, policy: messages.joined(
        words, policy, reference="DR-2026-0101", other="DR-2026-0102", due_day=DAY, link=LINK
    ),
    "extended": lambda words, policy: messages.extended(
        words, policy, reference="DR-2026-0101", old_day=DAY, new_day=date(2027, 1, 13), reasons=["A, B"], link=LINK
    ),
    "answered": lambda words, policy: messages.answered(words, policy, reference="DR-2026-0101", link=LINK),
    "answered in Germany": lambda words, policy: messages.answered(
        words, policy, reference="DR-2026-0101", link=LINK, country="DE"
    ),
    "refused": lambda words, policy: messages.refused(
        words, policy, reference="DR-2026-0101", reasons=["A, B"], link=LINK
    ),
    "refused in the UK": lambda words, policy: messages.refused(
        words, policy, reference="DR-2026-0101", reasons=["A, B"], link=LINK, country="GB"
    ),
    "partly": lambda words, policy: messages.partly_answered(
        words, policy, reference="DR-2026-0101", done=["A"], not_done=["B"], reasons=["A, B"], link=LINK, country="CH"
    ),
    "late": lambda words, policy: messages.late(words, policy, reference="DR-2026-0101", due_day=DAY, link=LINK),
    "recipients told": lambda words, policy: messages.recipients_told(
        words, policy, reference="DR-2026-0101", told=["Stripe"], waiting=["OpenAI"], link=LINK
    ),
    "part of it planned": lambda words, policy: messages.erasure_planned(
        words, policy, reference="DR-2026-0101", erase_at=UNTIL, link=LINK, whole=False
    ),
    "erasure planned": lambda words, policy: messages.erasure_planned(
        words, policy, reference="DR-2026-0101", erase_at=UNTIL, link=LINK
    ),
    "erasure done": lambda words, policy: messages.erasure_done(
        words, policy, reference="DR-2026-0101", receipt="4402 9137", gone=["A", "B"], stays=[("C", DAY)],
        told=["Stripe"], waiting=["OpenAI"], backups_until=DAY, link=LINK,
    ),
    "erasure in part": lambda words, policy: messages.erasure_done(
        words, policy, reference="DR-2026-0101", receipt="4402 9137", gone=["A"], stays=[], told=["Stripe"], link=LINK,
        account_closed=False,
    ),
    "nothing to erase": lambda words, policy: messages.erasure_done(
        words, policy, reference="DR-2026-0101", receipt="4402 9137", gone=[], stays=[], link=LINK
    ),
    "paused": lambda words, policy: messages.paused(
        words, policy, reference="DR-2026-0101", stopped=["A"], by_hand=["B"], link=LINK
    ),
    "pause ending": lambda words, policy: messages.pause_ending(
        words, policy, reference="DR-2026-0101", ends_on=DAY, reason="A, B", link=LINK
    ),
    "mandate": lambda words, policy: messages.mandate(
        words, policy, reference="DR-2026-0101", until=UNTIL, link=LINK, code="402913"
    ),
    "child report": lambda words, policy: messages.child_report(
        words, policy, reference="DR-2026-0101", decide_by=DAY, link=LINK, code="402913"
    ),
    "child erasure": lambda words, policy: messages.child_erasure_planned(
        words, policy, reference="DR-2026-0101", erase_at=UNTIL, can_stop=True, link=LINK
    ),
    "child erasure decided": lambda words, policy: messages.child_erasure_planned(
        words, policy, reference="DR-2026-0101", erase_at=UNTIL, can_stop=False, link=LINK
    ),
    "child report noted": lambda words, policy: messages.child_report_noted(
        words, policy, reference="DR-2026-0101", decide_by=DAY, link=LINK
    ),
}  # fmt: skip


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
    known = {LINK, *(row.url for row in BY_COUNTRY.values())}
    addresses = re.findall(r"\S+://\S+", message.text)
    assert set(addresses) <= known and addresses.count(LINK) == 1, "the link, and authorities' addresses as text"


def test_every_kind_of_mail_has_a_name(words: Words, policy: Policy) -> None:
    """A person who reads which mails they had from us reads no code word of ours."""
    to_people = {kind for kind in kinds_in_words(words) if not kind.startswith("staff-")}
    assert {write(words, policy).kind for write in ALL.values()} == to_people
    assert len(messages.__all__) - 1 == len(to_people), "one function per message, and the type"
    assert all(len(kind) <= 40 for kind in kinds_in_words(words)), "the column's width"


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


@pytest.mark.parametrize("missing", ["reasons", "done", "not_done"])
def test_nothing_is_refused_without_a_reason(missing: str, words: Words, policy: Policy) -> None:
    """Art. 12(4): a refusal without reasons is not sent, nor one that does not say what was done and what was not."""
    given = {"reasons": ["A"], "done": ["A"], "not_done": ["B"], missing: [" "]}
    with pytest.raises(ValueError, match=missing):
        messages.partly_answered(words, policy, reference="DR-2026-0101", link=LINK, **given)


@pytest.mark.parametrize("name", ["extended", "answered", "refused", "partly", "late"])
def test_an_answer_names_the_authority_and_the_court(name: str, words: Words, policy: Policy) -> None:
    """CG-26, CT-23: every outcome mail carries both, once."""
    written = ALL[name](words, policy)
    assert written.text.count(policy.controller.authority.url) == 1
    for section in remedies(words, policy, "CH" if name == "partly" else None):
        assert section.title in written.text
        assert all(paragraph in written.text for paragraph in section.paragraphs)


@pytest.mark.parametrize("right", ASKED)
def test_every_right_can_be_named(right: str, words: Words) -> None:
    """The acknowledgement says what was asked, whichever right it is."""
    assert asked_in_words(words, right)


def test_the_british_are_told_of_our_own_procedure_first(words: Words, policy: Policy) -> None:
    """UK: no Art. 77; ourselves, then the ICO, and the policy's own authority as well."""
    text = ALL["refused in the UK"](words, policy).text
    assert "77" not in text
    assert text.index(policy.controller.contact) < text.index("https://ico.org.uk") < text.index("https://www.cnil.fr")


def test_no_recipient_is_called_done_while_one_is_silent(policy: Policy) -> None:
    """Never "erased everywhere" while one has not answered; never the last message while the address stays known."""
    words = Words("en", "Europe/Paris")
    waiting, partly, nothing = (ALL[n](words, policy) for n in ("erasure done", "erasure in part", "nothing to erase"))
    assert "has confirmed" not in waiting.text
    assert "OpenAI" in waiting.text
    assert "Last message" not in partly.subject and "forget this address" not in partly.text
    assert "It is erased here" not in nothing.text and "Nothing was there" in nothing.text


def test_a_mail_about_an_address_or_a_child_names_neither(words: Words, policy: Policy) -> None:
    """S-02, S-04: the reporter learns nothing about the account, the old address nothing about the new one."""
    noted = ALL["child report noted"](words, policy).text
    assert ("si ce compte existe" if words.language == "fr" else "if there is such an account") in noted.lower()
    for name in ("address changing", "child report", "child erasure", "child report noted", "mandate"):
        addresses = set(re.findall(r"\S+@\S+", ALL[name](words, policy).text))
        assert {address.strip(",.:") for address in addresses} == {policy.controller.contact}


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
        ("en", "question", "One question about DR-2026-0101"),
        ("fr", "question again", "Une question sur DR-2026-0101"),
        ("en", "extended", "New date for DR-2026-0101"),
        ("fr", "extended", "Nouvelle date pour DR-2026-0101"),
        ("en", "answered", "Our answer to DR-2026-0101"),
        ("fr", "refused", "Notre réponse à DR-2026-0101"),
        ("en", "late", "We owe you an answer, DR-2026-0101"),
        ("fr", "late", "Nous vous devons une réponse, DR-2026-0101"),
        ("en", "erasure planned", "DR-2026-0101: 3 days to change your mind"),
        ("fr", "erasure planned", "DR-2026-0101\u00a0: 3 jours pour changer d’avis"),
        ("en", "erasure done", "Last message: receipt DR-2026-0101"),
        ("fr", "erasure done", "Dernier message\u00a0: reçu DR-2026-0101"),
        ("en", "address changing", "A new address was asked for"),
        ("fr", "address changing", "Une nouvelle adresse a été demandée"),
        ("en", "paused", "DR-2026-0101 is in place"),
        ("fr", "paused", "DR-2026-0101 est en place"),
        ("en", "pause ending", "DR-2026-0101 ends on 13\u00a0November"),
        ("fr", "pause ending", "DR-2026-0101 prend fin le 13\u00a0novembre"),
        ("en", "mandate", "Someone says they act for you"),
        ("fr", "mandate", "Quelqu’un dit agir pour vous"),
        ("en", "child report", "About an account on Casagbic"),
        ("fr", "child report", "À propos d’un compte Casagbic"),
    ],
)
def test_subjects_are_the_ones_agreed(language: str, name: str, subject: str, policy: Policy) -> None:
    """Word for word."""
    assert ALL[name](Words(language, policy.controller.zone), policy).subject == subject


@pytest.mark.parametrize("policy", ["casagbic"], indirect=True)
def test_what_is_missing_is_named(policy: Policy) -> None:
    """A copy without a source never looks whole."""
    for language, missing in (("en", "A and B"), ("fr", "A et B")):
        written = ALL["ready in part"](Words(language, "Europe/Paris"), policy)
        assert missing in written.text
        assert missing in written.html


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
    entries = [entry for entry in catalogue if isinstance(entry.id, str) and entry.id]
    assert len(entries) > 150
    for entry in entries:
        assert set(re.findall(r"\{\w+\}", entry.string)) == set(re.findall(r"\{\w+\}", entry.id)), entry.id
        assert "'" not in entry.string
        assert not re.search(r"(?<!\u00a0)[:;!?](?!//)", entry.string), entry.string
