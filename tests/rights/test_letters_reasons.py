"""The table of grounds, and how an article is cited."""

import re

import pytest

from portal.rights.letters.reasons import BY_ID, article_in_words, cited, reason, reasons_for
from portal.rights.letters.reasons_table import EXTEND, LIFT, PAUSE, REFUSE, Reason
from portal.rights.letters.reasons_withheld import WITHHOLD
from portal.rights.lifecycle import RIGHTS
from portal.words import Words

ROWS = [pytest.param(row, id=f"{row.use}-{row.id}") for row in BY_ID.values()]


def test_every_ground_can_be_looked_up_and_none_hides_another() -> None:
    """An id that two grounds share would put the wrong article into a letter."""
    assert len(BY_ID) == len((*REFUSE, *WITHHOLD, *EXTEND, *PAUSE, *LIFT))
    assert reason("claims").article == "17(3)(e)"
    assert reason("pause-claims").article == "18(1)(c)"


@pytest.mark.parametrize("row", ROWS)
def test_a_ground_is_whole(row: Reason) -> None:
    """Plain words in both languages, an article that can be cited, and something that it can refuse if it refuses."""
    for text in (row.title, row.plain):
        assert text.en.strip() and text.fr.strip() and text.en != text.fr
        assert not re.search(r"'|(?<!\u00a0)[;!?:]", text.fr), text.fr
    assert article_in_words(Words("fr", "Europe/Paris"), row.article).endswith(" du RGPD")
    assert bool(row.rights) is (row.use == "refuse")
    assert set(row.rights) <= set(RIGHTS)


@pytest.mark.parametrize("row", ROWS)
def test_plain_words_are_short(row: Reason) -> None:
    """A sentence a person can follow."""
    for text in (row.plain.en, row.plain.fr):
        assert all(len(sentence.split()) <= 35 for sentence in re.split(r"[.:]", text))


def test_the_grounds_of_the_law_are_there() -> None:
    """Art. 12(5), 11(2), 15(4), 17(3)(a)-(e), 18(1), 20(4), 21(1); and the two lawful reasons for more time."""
    articles = {row.article for row in REFUSE}
    assert articles >= {"12(5)", "11(2)", "15(4)", "18(1)", "20(4)", "21(1)", *(f"17(3)({point})" for point in "abcde")}
    assert {row.id for row in EXTEND} == {"complexity", "number"}
    assert [row.article for row in PAUSE] == [f"18(1)({point})" for point in "abcd"]


def test_blaming_the_request_needs_a_second_person_and_nothing_else_does() -> None:
    """2a: the ground of Art. 12(5), whoever uses it."""
    assert {row.article for row in REFUSE if row.second_person} == {"12(5)"}
    assert all(row.second_person for row in REFUSE if row.article == "12(5)")


@pytest.mark.parametrize("right", [right for right in RIGHTS if right not in {"inquiry", "complaint", "child"}])
def test_every_right_has_the_grounds_that_can_refuse_it(right: str) -> None:
    """Staff choose from a list; it holds nothing that cannot apply."""
    found = {row.id for row in reasons_for(right)}
    assert {"unfounded", "excessive", "unidentified"} <= found
    assert ("legal-duty" in found) is (right == "erasure")


@pytest.mark.parametrize("right", ["inquiry", "complaint", "child"])
def test_what_is_no_right_cannot_be_refused(right: str) -> None:
    """A question, a complaint and a report are answered."""
    assert reasons_for(right) == ()


@pytest.mark.parametrize(
    ("article", "english", "french"),
    [
        ("16", "Art. 16 of the GDPR", "article\u00a016 du RGPD"),
        ("21(1)", "Art. 21(1) of the GDPR", "article\u00a021, paragraphe\u00a01, du RGPD"),
        (
            "Art. 17(3)(b)", "Art. 17(3)(b) of the GDPR",
            "article\u00a017, paragraphe\u00a03, point\u00a0b), du RGPD",
        ),
    ],
)  # fmt: skip
def test_an_article_is_cited_as_each_language_does(article: str, english: str, french: str) -> None:
    """17(3)(b) is a lawyer's shorthand; French spells it out."""
    assert article_in_words(Words("en", "UTC"), article) == english
    assert article_in_words(Words("fr", "UTC"), article) == french
    assert cited(Words("fr", "UTC"), article).startswith("Article")


@pytest.mark.parametrize("article", ["", "Art. ", "accounting law", "17(3)(z)", "LIL 85"])
def test_what_is_no_article_is_not_cited(article: str) -> None:
    """A letter does not invent law."""
    with pytest.raises(ValueError, match="not an article"):
        article_in_words(Words("en", "UTC"), article)
