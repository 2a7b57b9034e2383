"""Every letter, block by block, for both organisations and in both languages."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from portal.mail.remedies import complaint, court
from portal.policy.load import load
from portal.policy.model import Policy
from portal.rights import letters
from portal.rights.letters import Letter, Line, NotComplete, Result, as_mail, case_of, digest, render
from portal.rights.letters.blocks import HEAD, Answer, Block, Value, blocks
from portal.rights.letters.titles import heading, title
from portal.rights.requests import RequestView
from portal.words import Words
from tests.rights.letter_cases import ALL, FACTS, WHY, case, held, purpose
from tests.test_words import TYPED_CARELESSLY

POLICIES = Path(__file__).parents[2] / "policies"
LOADED = {name: load(POLICIES / f"{name}.toml") for name in ("casagbic", "caaartoons")}
SAMPLES = {name: made(Words("en", "Europe/Paris"), LOADED["casagbic"]) for name, made in ALL.items()}
REQUIRED = [
    pytest.param(name, block, id=f"{name}-{block.name}")
    for name, letter in SAMPLES.items() for block in blocks(type(letter)) if block.rule
]  # fmt: skip
"""Every required block of every letter, read from the structs themselves."""
ANSWERS = [name for name, letter in SAMPLES.items() if isinstance(letter, Answer)]
LINK = "https://privacy.casagbic.example/en/requests/DR-2026-0147"


@pytest.fixture(params=["casagbic", "caaartoons"])
def policy(request: pytest.FixtureRequest) -> Policy:
    """Each organisation in turn."""
    return LOADED[request.param]


@pytest.fixture(params=["en", "fr"])
def words(request: pytest.FixtureRequest) -> Words:
    """Each language in turn."""
    return Words(request.param, "Europe/Paris")


@pytest.fixture(params=list(ALL))
def letter(request: pytest.FixtureRequest, words: Words, policy: Policy) -> Letter:
    """Each letter in turn."""
    return ALL[request.param](words, policy)


def emptied(value: Value) -> Sequence[Value]:
    """Every way in which a block can say nothing."""
    match value:
        case str():
            return ("", " \n\u00a0")
        case tuple():
            return ((), ("",), (Line("A", ""),), (Line(" ", "B"),), (*value, " "))
        case _:
            return (None,)


def test_every_kind_of_letter_is_here() -> None:
    """A letter that nobody looks at is a letter that nobody checks."""
    kinds = set()
    below = [Letter]
    while below:
        kind = below.pop()
        below += kind.__subclasses__()
        kinds |= {kind.kind} - {""}
    assert {letter.kind for letter in SAMPLES.values()} == kinds
    assert list(SAMPLES) == [letter.kind for letter in SAMPLES.values()]


@pytest.mark.parametrize(("name", "block"), REQUIRED)
def test_a_letter_with_an_empty_block_is_not_set(name: str, block: Block, words: Words, policy: Policy) -> None:
    """Whichever block is empty, and however: it is refused, naming letter, block and rule, and nothing else."""
    whole = ALL[name](words, policy)
    for nothing in emptied(getattr(whole, block.name)):
        hollow = msgspec.structs.replace(whole, **{block.name: nothing})
        with pytest.raises(NotComplete) as refused:
            render(hollow, words, policy)
        assert str(refused.value) == f"{name}: the {block.name} block is empty ({block.rule})"
        assert (refused.value.kind, refused.value.block, refused.value.rule) == (name, block.name, block.rule)


def test_the_words_of_a_refusal_to_set_are_the_agreed_ones(policy: Policy) -> None:
    """Staff read which block is missing and which rule wants it."""
    words = Words("en", "Europe/Paris")
    hollow = msgspec.structs.replace(ALL["refusal"](words, policy), court=())
    with pytest.raises(NotComplete, match=r"^refusal: the court block is empty \(Art\. 12\(4\), 79\)$"):
        render(hollow, words, policy)


def test_a_set_letter_holds_every_block(letter: Letter, words: Words, policy: Policy) -> None:
    """Title and content of each block are in the text and in the HTML."""
    written = render(letter, words, policy)
    page = plain(written.html)
    for block in blocks(type(letter)):
        value = getattr(letter, block.name)
        if not value:
            continue
        if block.name not in HEAD:
            assert title(words, block.name) in written.text
            assert title(words, block.name) in page
        for piece in pieces(words, value):
            assert piece in written.text
            assert piece in page


def test_every_day_is_written_in_full(letter: Letter, words: Words, policy: Policy) -> None:
    """Deadlines are full dates with their weekday, and no date of a machine is left."""
    written = render(letter, words, policy)
    assert words.day(letter.written_on) in written.text
    assert not re.search(r"\d{4}-\d{2}-\d{2}", written.text)
    assert "None" not in written.text


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("country", [None, "FR", "DE", "GB", "CH", "US"])
def test_every_answer_says_how_to_complain_and_where_to_sue(
    name: str, country: str | None, words: Words, policy: Policy
) -> None:
    """CG-26, CT-23: authority and court are in each outcome letter, the policy's own authority whatever the country."""
    made = ALL[name](words, policy)
    there = msgspec.structs.replace(
        made, complaint=complaint(words, policy, country), court=court(words, policy, country)
    )
    text = render(there, words, policy).text
    assert policy.controller.authority.url in text
    assert all(piece in text for piece in (*complaint(words, policy, country), *court(words, policy, country)))
    if country == "GB":
        assert "77" not in text.replace("0147", "")
        assert "https://ico.org.uk" in text


def test_all_letters_but_those_before_the_answer_are_answers() -> None:
    """Only an acknowledgement and a question about identity may do without the remedies."""
    assert set(SAMPLES) - set(ANSWERS) == {"acknowledgement", "identity"}


def test_french_letters_are_set_as_french_is(policy: Policy) -> None:
    """Apostrophes and spaces, also where pieces come together."""
    words = Words("fr", "Europe/Paris")
    for made in ALL.values():
        text = re.sub(r"https?://\S+", "", render(made(words, policy), words, policy).text)
        careless = [line for line in text.splitlines() if TYPED_CARELESSLY.search(line)]
        assert careless == []


def test_the_html_is_a_part_of_a_page(letter: Letter, words: Words, policy: Policy) -> None:
    """No style, no link, no image: it stands under the page's own rules, its headings below the page's."""
    page = Tags(render(letter, words, policy).html)
    assert set(page.tags) <= {"article", "p", "strong", "br", "h2", "h3", "dl", "div", "dt", "dd", "span"}
    assert {name for name, _ in page.attributes} <= {"class", "lang"}
    assert ("lang", words.language) in page.attributes


def test_hostile_words_stay_text(words: Words, policy: Policy) -> None:
    """S-11: what staff or a person typed is shown, never obeyed."""
    hostile = "<script>alert(1)</script>{{ 7*7 }}"
    made = msgspec.structs.replace(ALL["refusal"](words, policy), facts=(hostile, Line(hostile, hostile)))
    written = render(made, words, policy)
    assert "script" not in Tags(written.html).tags
    assert "{{ 7*7 }}" in written.html
    mail = as_mail(written, words, policy, link=LINK)
    assert "script" not in Tags(mail.html).tags


def test_the_digest_tells_letters_apart_and_is_the_same_for_the_same(words: Words, policy: Policy) -> None:
    """It proves which letter left: SHA-256 of its text, one sign of it changed makes another."""
    first = render(ALL["refusal"](words, policy), words, policy)
    again = render(ALL["refusal"](words, policy), words, policy)
    other = render(msgspec.structs.replace(ALL["refusal"](words, policy), why=("B",)), words, policy)
    assert digest(first) == digest(again) != digest(other)
    assert re.fullmatch(r"[0-9a-f]{64}", digest(first))


def test_a_letter_can_be_the_body_of_a_mail(letter: Letter, words: Words, policy: Policy) -> None:
    """For whoever has no account: the same words, one link, and the remedies once."""
    written = render(letter, words, policy)
    mail = as_mail(written, words, policy, link=LINK)
    for part in written.parts:
        assert part.title in mail.text
        assert all(paragraph in mail.text for paragraph in part.paragraphs)
        assert all(row.title in mail.text and row.text in mail.text for row in part.rows)
    assert mail.text.count(LINK) == 1
    assert [value for name, value in Tags(mail.html).attributes if name == "href"] == [LINK]
    assert mail.text.count(policy.controller.authority.url) == 1
    assert "DR-2026-0147" in mail.subject


def test_each_kind_has_a_heading_and_no_two_share_one(words: Words) -> None:
    """A person tells letters apart by their heading."""
    headings = [heading(words, kind) for kind in ALL]
    assert len(set(headings)) == len(headings)


def test_a_late_answer_says_so_and_a_timely_one_does_not(words: Words, policy: Policy) -> None:
    """A refusal that comes too late is still owed, with an apology."""
    late_case = case("erasure", written_on=date(2026, 11, 14))
    late = letters.refusal(
        words, policy, late_case, reasons=["legal-duty"], facts=FACTS[words.language], why=WHY[words.language]
    )
    assert words.day(date(2026, 11, 13)) in render(late, words, policy).text
    assert title(words, "late") not in render(ALL["refusal"](words, policy), words, policy).text


def test_an_extension_leaves_in_time_or_not_at_all(words: Words, policy: Policy) -> None:
    """E4, E5: not after the law's day, not without a reason, not to an earlier day, not for another reason."""

    def extend(**changed: object) -> None:
        given = {"reason_id": "number", "here": ["A"], "new_day": date(2027, 1, 14), "last_day": date(2026, 11, 16)}
        made = letters.extension(words, policy, case("access"), **{**given, **changed})  # type: ignore[arg-type]
        render(made, words, policy)

    extend(last_day=date(2026, 11, 5))
    with pytest.raises(NotComplete, match="lies after the last day"):
        extend(last_day=date(2026, 11, 4))
    with pytest.raises(NotComplete, match="no later than the date so far"):
        extend(new_day=date(2026, 11, 13))
    with pytest.raises(NotComplete, match="here block is empty"):
        extend(here=[])
    with pytest.raises(ValueError, match="no reason to extend"):
        extend(reason_id="excessive")


def test_a_pause_is_not_ended_before_the_person_hears_of_it(words: Words, policy: Policy) -> None:
    """Art. 18(3): the day lies after the letter, for the notice and for a weighed objection."""
    with pytest.raises(NotComplete, match="does not lie after the letter"):
        letters.lifting_notice(
            words, policy, case("restriction"), categories=held(policy), reason_id="checked",
            lifts_on=date(2026, 11, 5),
        )  # fmt: skip
    with pytest.raises(NotComplete, match="before the letter"):
        letters.objection_weighed(
            words, policy, case("objection"), purpose=purpose(policy), your_side=["A"], our_side=["B"], balance=["C"],
            resumes_on=date(2026, 11, 5),
        )  # fmt: skip
    with pytest.raises(ValueError, match="no reason to end a pause"):
        letters.lifting_notice(
            words, policy, case("restriction"), categories=held(policy), reason_id="excessive",
            lifts_on=date(2026, 11, 9),
        )  # fmt: skip


@pytest.mark.parametrize("missing", ["ground", "until"])
def test_nothing_is_kept_without_an_article_and_a_day(missing: str, words: Words, policy: Policy) -> None:
    """What stays has its ground and its end, or the letter is not made."""
    kept = next(category for category in policy.categories if category.erasure.action == "keep")
    whole = Result(category=kept.id, action="keep", ground="Art. 17(3)(b)", until=date(2036, 12, 31))
    hollow = msgspec.structs.replace(whole, **{missing: "" if missing == "ground" else None})
    with pytest.raises(NotComplete, match="without an article and a day"):
        letters.erasure(
            words, policy, case("erasure"), results=[hollow], told=[], receipt="1", backups_until=None
        )  # fmt: skip


def test_what_is_not_there_is_said_in_words(policy: Policy) -> None:
    """Nobody to tell, nothing kept, nothing left out: sentences, not silence."""
    words = Words("en", "Europe/Paris")
    [erased] = [category for category in policy.categories if category.id == "account"]
    made = letters.erasure(
        words, policy, case("erasure"), results=[Result(category=erased.id, action="erase", number=1)], told=[],
        receipt="1", backups_until=None,
    )  # fmt: skip
    text = render(made, words, policy).text
    for sentence in ("Nothing stays.", "Nobody else had this from us", "1 record erased", "No day is set"):
        assert sentence in text


def test_a_ground_cannot_refuse_a_right_it_has_nothing_to_do_with(words: Words, policy: Policy) -> None:
    """Accounting law is no reason to refuse a copy."""
    with pytest.raises(ValueError, match="legal-duty cannot refuse access"):
        letters.refusal(words, policy, case("access"), reasons=["legal-duty"], facts=["A"], why=["B"])


@pytest.mark.parametrize("name", ["access", "portability"])
def test_the_facts_are_filtered_to_what_this_person_has(name: str, words: Words, policy: Policy) -> None:
    """2c: a category in which nothing is held, and a recipient who never got anything, are not in the letter."""
    only = ["account"]
    if name == "access":
        made: Letter = letters.access(
            words, policy, case("access"), categories=only, snapshot_at=datetime(2026, 11, 1, tzinfo=UTC), places=["A"]
        )
    else:
        made = letters.portability(
            words, policy, case("portability"), categories=only, snapshot_at=datetime(2026, 11, 1, tzinfo=UTC),
            schema_url="B",
        )  # fmt: skip
    text = render(made, words, policy).text
    assert policy.category("account").title[words.language] in text
    assert not any(f"- {policy.category(id).title[words.language]}" in text for id in held(policy) if id != "account")
    assert "OpenAI" not in text


def test_an_access_letter_without_places_is_not_set(words: Words, policy: Policy) -> None:
    """2c: where we looked is part of the answer, and so it is of "we hold nothing"."""
    made = letters.no_data(words, policy, case("access"), places=[], searched_with=["A"])
    with pytest.raises(NotComplete, match="scope"):
        render(made, words, policy)


def test_a_complaint_answered_by_the_same_person_says_so(words: Words, policy: Policy) -> None:
    """With one person there is nobody else to look, and the letter does not hide it."""
    alone, other = (
        letters.complaint_answer(words, policy, case("complaint"), findings=["A"], result=["B"], same_person=same)
        for same in (True, False)
    )
    assert alone.looked != other.looked


def test_who_has_complained_to_us_is_not_sent_to_us_first(words: Words, policy: Policy) -> None:
    """UK: our own procedure comes first, and this letter is its end."""
    answer = render(ALL["complaint"](words, policy), words, policy).text
    assert complaint(words, policy, "GB")[0] not in answer
    assert complaint(words, policy, "GB")[1] in answer


def test_a_case_counts_days_in_the_zone_of_the_controller() -> None:
    """D1: half past midnight in Paris is still the day before in UTC."""
    fields = dict.fromkeys(field.name for field in msgspec.structs.fields(RequestView))
    request = RequestView(**{
        **fields, "reference": "DR-2026-0147", "right": "access", "due_day": date(2026, 5, 4),
        "received_at": datetime(2026, 3, 31, 22, 30, tzinfo=UTC),
    })  # fmt: skip
    made = case_of(request, LOADED["caaartoons"], at=datetime(2026, 4, 1, 22, 30, tzinfo=UTC), country="IE")
    assert (made.received_on, made.written_on, made.country) == (date(2026, 4, 1), date(2026, 4, 2), "IE")


def pieces(words: Words, value: Value) -> Sequence[str]:
    """What a reader must find of a block."""
    match value:
        case tuple():
            return [text for part in value for text in ([part.title, part.text] if isinstance(part, Line) else [part])]
        case datetime():
            return [words.day_moment(value)]
        case date():
            return [words.day(value)]
        case _:
            return [str(value)]


def plain(page: str) -> str:
    """The text of a page."""
    return Tags(page).text


class Tags(HTMLParser):
    """Every tag, attribute and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data
