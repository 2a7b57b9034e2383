"""Signs of other people: found where they are, and not where numbers only look like them."""

import pytest

from exports.signs import signs

OWN = {"ana@person.example", "33612345678"}


def found(text: str) -> list[str]:
    """Return the passages that are signs."""
    return [text[one.start : one.start + one.length] for one in signs(text, OWN)]


@pytest.mark.parametrize("passage", [
    "bob@other.example", "Bob.O'Neil+x@mail.other.example", "jürgen@müller.example", "06 12 34 56 79", "06.12.34.56.79",
    "0612345679", "+33 6 12 34 56 79", "0033612345679", "020 7946 0018", "(212) 555-0187", "212-555-0187",
    "+1 (212) 555-0187",
])  # fmt: skip
def test_an_address_or_a_number_is_a_sign(passage: str) -> None:
    """Whatever stands around it, it is found as a whole."""
    assert found(passage) == [passage]
    assert found(f"10 {passage}, 'twice' <{passage}>.") == [passage, passage]


@pytest.mark.parametrize("text", [
    "ana@person.example", "ANA@Person.example,", "'ana@person.example'", "+33 6 12 34 56 78", "@media (prefers)", "a@b",
    "2026-10-14 07:12:33", "05/10/2026 12:30", "192.0.2.14", "0.123456789", "1.0123456789", "F-2026-012345",
    "DR-2026-0147", "9d2f1c55-0388-4391-8484-001122334455", "a0612345678", "job-0612345678f", "1 000 000 000",
])  # fmt: skip
def test_what_is_the_persons_own_or_no_number_to_call_is_none(text: str) -> None:
    """The person's own address and number, dates, amounts, references and record numbers stop no copy."""
    assert found(text) == []


def test_time_grows_with_the_text() -> None:
    """A text made to be slow is not: 200,000 characters made of its own marks end at once."""
    for piece in ("a", "@", "0 ", "+1", "(", "a@", ".a@a"):
        assert len(found(piece * (200_000 // len(piece)))) <= 100_000
