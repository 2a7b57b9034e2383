"""The needles: what a search looks for, and what it must not take for the person."""

import base64
import gzip
import hashlib
import html
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest

from portal.rights import needles, scan_files
from portal.rights.needles import of, unseen
from portal.sources.base import Identifiers, Needles
from portal.sources.matching import found

ACCOUNT = "3f2c8a10-77aa-4f00-9b1e-0c5d6e7f8a9b"
ANA = Identifiers(
    emails=frozenset({"Ana.Lima+news@example.example"}), account_ids=frozenset({ACCOUNT}),
    stripe_customers=frozenset({"cus_NffrFeUfNV2Hib"}), subject_id="9d1f7c52-8a0b-4c3e-8f21-aa55bb66cc77",
)  # fmt: skip
JOSE = Identifiers(emails=frozenset({"josé.núñez@müller.example"}))
EMAIL = "ana.lima+news@example.example"


def hits(wanted: Needles, text: str) -> set[str]:
    """Return the ids of the needles that are in a text."""
    low = text.lower()
    return {id for id, needle in wanted.texts.items() if found(low, needle.lower(), whole=id in wanted.whole)}


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "in lower case": str.lower,
    "in brackets": lambda text: f"Ana <{text}>",
    "in a URL": lambda text: f"/find?q={quote(text, safe='')}&x=1",
    "in a URL with its at sign": lambda text: f"/find?q={quote(text, safe='@')}",
    "in a URL with its plus": lambda text: quote(text, safe="+"),
    "in a URL inside a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "escaped for HTML": html.escape,
    "with numbers for HTML": lambda text: text.replace("@", "&#64;"),
    "in JSON": lambda text: json.dumps({"a": [text]}),
    "in JSON inside JSON": lambda text: json.dumps(json.dumps(text)),
    "in JSON as .NET writes it": lambda text: json.dumps(text).replace("+", "\\u002B"),
    "after a line break in JSON": lambda text: json.dumps(f"mail\n{text}\nmore"),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64, one byte on": lambda text: base64.b64encode(b"<" + text.encode() + b">").decode(),
    "in base64, two bytes on": lambda text: base64.b64encode(b"a:" + text.encode() + b";b").decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "in hex": lambda text: text.encode().hex(),
    "in hex capitals": lambda text: text.encode().hex().upper(),
    "as MD5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    "as SHA-1": lambda text: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
    "as SHA-256": lambda text: hashlib.sha256(text.encode()).hexdigest().upper(),
    "as SHA-512": lambda text: hashlib.sha512(text.lower().encode()).hexdigest(),
    "as SHA-256 in base64": lambda text: base64.b64encode(hashlib.sha256(text.lower().encode()).digest()).decode(),
    "as SHA-256 in base64 for URLs": lambda text: base64.urlsafe_b64encode(
        hashlib.sha256(text.encode()).digest()
    ).decode(),
    "as Gravatar does": lambda text: (
        "https://gravatar.com/avatar/" + hashlib.md5(text.strip().lower().encode(), usedforsecurity=False).hexdigest()
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_identifier_is_found_in_every_form(form: str) -> None:
    """However a system writes an address, an account or a customer, the search knows it."""
    for person, kind, value in (
        (ANA, "email", "Ana.Lima+news@example.example"),
        (JOSE, "email", "josé.núñez@müller.example"),
        (ANA, "account", ACCOUNT),
        (ANA, "stripe", "cus_NffrFeUfNV2Hib"),
        (ANA, "subject", ANA.subject_id),
    ):
        assert {id.partition("-")[0] for id in hits(of(person), FORMS[form](value))} == {kind}, value


@pytest.mark.parametrize(
    "text",
    [
        "josé.núñez@xn--mller-kva.example",
        "JOSÉ.NÚÑEZ@MÜLLER.EXAMPLE",
        unicodedata.normalize("NFD", "josé.núñez@müller.example"),
        "jos=C3=A9.n=C3=BA=C3=B1ez@m=C3=BCller.example",
        "jos\\u00e9.n\\u00fa\\u00f1ez@m\\u00fcller.example",
    ],
)
def test_letters_beyond_ascii_are_found_however_they_are_written(text: str) -> None:
    """Accents, composed or not, and domains in either alphabet are the same address."""
    assert hits(of(JOSE), text)


@pytest.mark.parametrize(
    "text",
    [
        UUID(ACCOUNT).hex,
        f"{{{ACCOUNT.upper()}}}",
        UUID(ACCOUNT).urn,
        base64.b64encode(UUID(ACCOUNT).bytes).decode(),
        base64.urlsafe_b64encode(UUID(ACCOUNT).bytes).decode().rstrip("="),
        UUID(ACCOUNT).bytes_le.hex(),
        f"x{ACCOUNT}x",
    ],
)
def test_a_uuid_is_found_in_every_notation(text: str) -> None:
    """With and without dashes, as bytes, and glued to other words: nobody else's UUID looks like that."""
    assert hits(of(ANA), text)


@pytest.mark.parametrize("text", ["ana.lima@example.example", "mailto:ana.lima%40example.example"])
def test_the_mailbox_behind_a_tag_is_looked_for(text: str) -> None:
    """What follows a plus leads to the same mailbox."""
    assert hits(of(ANA), text)


@pytest.mark.parametrize("text", ["jolima@gmail.com", "jolima@googlemail.com", "j.o.lima@gmail.com"])
def test_dots_mean_nothing_at_gmail(text: str) -> None:
    """An address there is looked for as it is and without its dots, under both names of the place."""
    assert hits(of(Identifiers(emails=frozenset({"j.o.lima@gmail.com"}))), text)


@pytest.mark.parametrize(
    "text",
    [
        "joana.lima+news@example.example",
        "ana.lima+news@example.examples",
        "diana.lima@example.example",
        "cus_NffrFeUfNV2HibX",
        "ana.lima at example.example",
        "example.example",
        "Ana Lima",
        "",
    ],
)
def test_somebody_else_is_not_found(text: str) -> None:
    """A longer word is another person's address; a name and a domain are many people's."""
    assert hits(of(ANA), text) == set()


def test_no_id_says_who_it_is() -> None:
    """Ids go to evidence, texts never do."""
    wanted = of(ANA)
    assert all(part not in id for id in wanted.texts for part in ("ana", "lima", "Nffr", ACCOUNT[:6]))
    assert {id.partition(":")[0] for id in wanted.texts} == {"email-1", "account-1", "stripe-1", "subject-1"}


def test_two_spellings_of_one_address_are_looked_for_once() -> None:
    """Letters in another case are no other needle, but their digests are."""
    both = of(Identifiers(emails=frozenset({"Ana@example.example", "ana@example.example"})))
    assert not {"email-1", "email-2"} <= both.texts.keys()
    for spelling in ("Ana@example.example", "ana@example.example", "ANA@EXAMPLE.EXAMPLE"):
        assert hits(both, hashlib.sha256(spelling.encode()).hexdigest())


def test_what_is_unseen_is_named_and_not_looked_for() -> None:
    """A number of a few digits is in everybody's records, so nobody may say that it was looked for."""
    short = Identifiers(account_ids=frozenset({"42", "12345678"}), emails=frozenset({"a@b.c"}), display_name="Ana Lima")
    assert of(short).texts == {}
    assert unseen(short) == ("email-1", "account-1", "account-2", "name-1")
    assert unseen(ANA) == ()
    assert unseen(Identifiers(account_ids=frozenset({"1234567890"}))) == ("account-1",)


def test_a_long_name_is_looked_for_and_its_digest_is_not() -> None:
    """Nobody takes digests of names, and most names are other people's too."""
    name = "María Guadalupe Hernández de la Cruz"
    assert hits(of(Identifiers(display_name=name)), json.dumps({"who": name.upper()}))
    assert not hits(of(Identifiers(display_name="María Hernández")), "María Hernández")


def test_no_needle_is_shorter_than_six_characters_or_of_no_use() -> None:
    """Each one finds something that no other finds."""
    for person in (ANA, JOSE):
        wanted = of(person)
        assert min(map(len, wanted.texts.values())) >= needles.SHORTEST
        for id, text in wanted.texts.items():
            others = {other: whole for other, whole in wanted.texts.items() if other != id}
            rest = Needles(texts=others, whole=wanted.whole, subject=person)
            assert not hits(rest, text.translate(needles._UPPER)) or not text.isascii()


# --- Files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [0, 1, scan_files.PIECE_BYTES - 20, scan_files.PIECE_BYTES - 1])
def test_a_needle_across_two_pieces_is_counted_once(tmp_path: Path, before: int) -> None:
    """A stream is cut anywhere; what lies on the cut is neither missed nor seen twice."""
    log = tmp_path / "app.log"
    log.write_bytes(b" " * before + EMAIL.encode() + b" " * scan_files.PIECE_BYTES + EMAIL.encode())
    searched = scan_files.search(lambda: [log], of(ANA))
    assert [(one.place, one.needle, one.number) for one in searched.findings] == [("app.log", "email-1", 2)]


def test_the_neighbours_of_a_needle_count_across_a_cut(tmp_path: Path) -> None:
    """Somebody else's longer address stays somebody else's where a piece begins or ends."""
    log = tmp_path / "app.log"
    for cut in range(len(EMAIL) + 8):
        log.write_bytes(b" " * (scan_files.PIECE_BYTES - cut) + b"jo" + EMAIL.encode() + b"s")
        assert scan_files.search(lambda: [log], of(ANA)).findings == ()


def test_a_length_before_a_needle_is_no_letter_in_a_binary_file(tmp_path: Path) -> None:
    """Programs write how long a text is before it, and such a number may look like a letter."""
    store = tmp_path / "store.db"
    store.write_bytes(b"\x00\x0a" + bytes([ord("A")]) + EMAIL.encode())
    assert [one.needle for one in scan_files.search(lambda: [store], of(ANA)).findings] == ["email-1"]


def test_packed_logs_are_unpacked_and_broken_ones_are_not_called_clean(tmp_path: Path) -> None:
    """What cannot be read to its end is blind; what was read until then counts."""
    whole, cut, other = tmp_path / "a.log.gz", tmp_path / "b.log.2", tmp_path / "c.log.zst"
    packed = gzip.compress(b"x " * 500 + EMAIL.encode() + bytes(range(256)) * 30)
    whole.write_bytes(packed)
    cut.write_bytes(packed[:-20])
    other.write_bytes(b"\x28\xb5\x2f\xfd" + b"packed")
    searched = scan_files.search(lambda: [whole, cut, other], of(ANA))
    assert {one.place for one in searched.findings} == {"a.log.gz", "b.log.2"}
    assert searched.places == ("a.log.gz",)
    assert searched.blind == (
        "b.log.2 (could not be read to its end)",
        "c.log.zst (packed in a way that is not looked into)",
    )


def test_a_file_named_after_the_person_is_found_and_not_named(tmp_path: Path) -> None:
    """The name of a file may be a value, and values go nowhere."""
    (tmp_path / f"export-{EMAIL}.csv").write_bytes(b"nothing")
    searched = scan_files.search(tmp_path.iterdir, of(ANA))
    assert [one.needle for one in searched.findings] == ["email-1"]
    assert EMAIL not in repr(searched)
