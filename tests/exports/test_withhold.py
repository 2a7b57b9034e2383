"""What is withheld is in no file of the parcel; everything beside it is what it would have been."""

import io
import json
import random
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from exports.bundle import Parcel
from exports.order import Batch, Column, Order, PartError
from exports.review import Decision, Found, Ground, NeedsLook, Review
from tests.exports.conftest import Making, text_of
from tests.exports.sample import files, note, notes, order, part, section, stored

KEY = b"k" * 32
GROUNDS = {"others": Ground("Art. 15(4) of the GDPR", "A copy must not harm the rights of other people.")}
REVIEW = Review(sections=("notes",), known=("amelie.laurent@person.example",), key=KEY, grounds=GROUNDS)
LONG = (Column(id="made_at", title="When", kind="moment", main=True),
        Column(id="text", title="Text", kind="long-text", main=True), Column(id="extra", title="More"))  # fmt: skip


def decided(found: Found, answer: str = "passage") -> Decision:
    """Decide on what was found."""
    return Decision(
        section=found.section, source=found.source, part=found.part, field=found.field, place=found.place,
        start=found.start, length=found.length, answer=answer, ground="" if answer == "keep" else "others",
        digest=found.digest,
    )  # fmt: skip


def answered(*decisions: Decision) -> Review:
    """A review with these decisions."""
    return msgspec.structs.replace(REVIEW, decisions=decisions)


async def looked(make: Making, wanted: Order, review: Review = REVIEW) -> NeedsLook:
    """Make a copy that must stop. Returns what it stopped for."""
    with pytest.raises(NeedsLook) as stopped:
        await make(wanted, review=review)
    return stopped.value


def members(parcel: Parcel) -> dict[str, bytes]:
    """Return every file of the ZIP."""
    with zipfile.ZipFile(io.BytesIO(parcel.zip_path.read_bytes())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def told(content: dict[str, bytes]) -> str:
    """Return all that can be read in a parcel, PDFs as text; without the layout's own line breaks and hyphens."""
    texts = [
        text_of(body) if name.endswith(".pdf") else body.decode("utf-8", "replace") for name, body in content.items()
    ]
    return "\n".join(texts).replace("\n", "")


async def test_a_copy_in_which_nobody_is_named_leaves_by_itself(make: Making) -> None:
    """The person's own address is no sign; the copy is the same bytes as without a review."""
    wanted = order(notes([note(1, "Write to amelie.laurent@person.example"), note(2)]))
    plain, reviewed = members(await make(wanted)), members(await make(wanted, review=REVIEW))
    assert {name for name in plain if plain[name] != reviewed[name]} <= {"report.pdf", "manifest.json"}


async def test_a_sign_of_somebody_stops_the_copy_before_anything_is_laid_out(make: Making, tmp_path: Path) -> None:
    """An address, a number, a file's text and a file's name: each is found where it is, and told without its words."""
    sheet = stored(b"id,who\n1,carl@other.example\n", "list.csv", "text/csv")
    picture = stored(b"\x89PNG bob@other.example", "cv of bob@other.example.png", "image/png")
    both = section(
        "notes", "Notes", LONG,
        part([note(1, "ask bob@other.example or 06 12 34 56 78"), note(2, "nothing")], files=files(sheet, picture)),
    )  # fmt: skip
    stop = await looked(make, order(both))
    assert [(one.part, one.number, one.sign) for one in stop.found] == [
        ("record", 1, "email"), ("record", 1, "phone"), ("file", 1, "email"), ("name", 2, "email"),
    ]  # fmt: skip
    assert "bob" not in repr(stop.found) and "0612" not in repr(stop.found).replace(" ", "")
    assert not list((tmp_path / "work").glob("*.zip"))


async def test_a_section_that_cannot_name_others_is_not_searched(make: Making) -> None:
    """Only the sections of the review are looked through."""
    await make(order(notes([note(1, "bob@other.example")], id="account")), review=REVIEW)


async def test_what_is_kept_leaves_and_what_is_withheld_does_not(make: Making) -> None:
    """Each place has its own answer; the counts are told in data, manifest and report, with the ground."""
    rows = [note(1, "first bob@other.example then carl@other.example"), note(2, "call 06 12 34 56 78 now"), note(3)]
    wanted = order(notes(rows))
    bob, carl, call = (await looked(make, wanted)).found
    parcel = await make(wanted, review=answered(decided(bob, "keep"), decided(carl), decided(call, "whole")))
    content = members(parcel)
    data = json.loads(content["data.json"])
    texts = [record["text"] for record in data["categories"][0]["records"]]
    assert texts == ["first bob@other.example then [withheld]", "[withheld]", "note 3"]
    expected = [{
        "section": "notes", "article": "Art. 15(4) of the GDPR", "ground": GROUNDS["others"].text, "passages": 1,
        "values": 1, "files": 0,
    }]  # fmt: skip
    assert data["withheld"] == expected and json.loads(content["manifest.json"])["withheld"] == expected
    said = " ".join(text_of(content["report.pdf"]).split())
    assert "Withheld: 1 passage, 1 whole value. Art. 15(4) of the GDPR" in said
    assert "carl@other" not in told(content) and "12 34 56" not in told(content)


async def test_a_withheld_file_is_a_note_and_a_cut_one_keeps_its_other_bytes(make: Making) -> None:
    """A whole file goes with its name; a passage goes out of a text file alone."""
    sheet = stored("é;carl@other.example;\xff\n".encode("latin-1"), "list.csv", "text/csv")
    picture = stored(b"\x89PNG", "bob@other.example.png", "image/png")
    wanted = order(section("notes", "Notes", LONG, part([note(1)], files=files(sheet, picture))))
    inside, name = (await looked(make, wanted)).found
    parcel = await make(wanted, review=answered(decided(inside), decided(name, "whole")))
    content = members(parcel)
    assert content["files/notes/0001.csv"] == "é;[withheld];\xff\n".encode("latin-1")
    assert content["files/notes/0002.txt"].startswith(b"This file is withheld. Art. 15(4)")
    listed = json.loads(content["data.json"])["categories"][0]["files"]
    assert [(one["name"], one["withheld"]) for one in listed] == [("list.csv", False), ("[withheld]", True)]
    assert "files/notes/0002.png" not in content and "bob@other" not in told(content)


async def test_a_text_that_changed_is_held_again(make: Making) -> None:
    """A decision whose text is not there any more as it was stops the copy: it may stand there in another form."""
    first = (await looked(make, order(notes([note(1, "ask bob@other.example")])))).found[0]
    words = msgspec.structs.replace(decided(first), start=0, length=3)
    changed = order(notes([note(1, "do not ask him")]))
    assert (await looked(make, changed, answered(words))).lost == (words,)
    await make(changed, review=answered(decided(first, "keep")))


async def test_a_decision_on_a_silent_place_waits_with_it(make: Making) -> None:
    """What a place that is down holds cannot leak; its decisions are not lost."""

    async def down() -> AsyncIterator[Batch]:
        yield Batch(b"", 0)
        raise PartError("unavailable")

    found = (await looked(make, order(notes([note(1, "ask bob@other.example")])))).found[0]
    parcel = await make(order(notes(down)), review=answered(decided(found)))
    assert not parcel.complete and not parcel.withheld


async def test_everything_is_never_withheld(make: Making) -> None:
    """A copy in which nothing would be left is not made."""
    wanted = order(notes([note(1, "ask bob@other.example")]))
    found = (await looked(make, wanted)).found[0]
    assert (await looked(make, wanted, answered(decided(found, "whole")))).empty


async def test_a_text_file_that_cannot_be_searched_is_looked_at_as_a_whole(make: Making) -> None:
    """Text with a NUL in it may be in another encoding: nothing is assumed about it."""
    sheet = stored("bob@other.example".encode("utf-16"), "list.txt", "text/plain")
    wanted = order(section("notes", "Notes", LONG, part([note(1)], files=files(sheet))))
    found = (await looked(make, wanted)).found[0]
    assert (found.sign, found.cuttable) == ("unreadable", False)
    await make(wanted, review=answered(decided(found, "keep")))


@pytest.mark.parametrize("seed", range(6))
async def test_no_withheld_text_is_anywhere_in_the_parcel(make: Making, tmp_path: Path, seed: int) -> None:
    """For random rows and answers: what was withheld is in no member, and what was not is byte for byte as it was."""
    dice = random.Random(seed)
    people = [f"p{seed}x{number:03d}@other.example" for number in range(24)]
    rows = [_row(dice, number, people) for number in range(dice.randrange(5, 30))]
    sheets = [
        stored(f"a,{people[20 + n]}\nb,own\n".encode(), f"sheet {n}.csv", "text/csv") for n in range(dice.randrange(4))
    ]
    wanted = order(section("notes", "Notes", LONG, part(rows, files=files(*sheets))), notes([note(1)], id="rest"))
    found = (await looked(make, wanted)).found
    answers = [decided(one, dice.choice(["keep", "passage", "passage", "whole"])) for one in found]
    plain = members(await make(wanted, tmp_path / "plain"))
    content = members(await make(wanted, tmp_path / "cut", review=answered(*answers)))
    _compare(rows, plain, content, found, answers)


def _row(dice: random.Random, number: int, people: list[str]) -> dict[str, object]:
    words = ["écrit", "\u202e", "x\n", '"', "\\", "=1+1", "naïve", *dice.sample(people[:20], 2)]
    dice.shuffle(words)
    nested = {"cc": [dice.choice(people[:20])], "n": 1.50} if dice.random() < 0.3 else "plain"
    return {**note(number), "text": f"{number}: " + " ".join(words), "extra": nested}


def _compare(
    rows: list[dict[str, object]], plain: dict[str, bytes], content: dict[str, bytes], found: tuple[Found, ...],
    answers: list[Decision],
) -> None:  # fmt: skip
    """See that every value is what the answers make of it, and that the words of a value are nowhere else."""
    before, after = plain["data/notes.jsonl"].split(b"\n"), content["data/notes.jsonl"].split(b"\n")
    touched = {one.number for one, answer in zip(found, answers, strict=True)
               if one.part == "record" and answer.answer != "keep"}  # fmt: skip
    for number, (old, new) in enumerate(zip(before, after, strict=True), 1):
        assert (old == new) == (number not in touched)
    everywhere = told(content)
    for number in touched:
        old, new = json.loads(before[number - 1]), json.loads(after[number - 1])
        assert list(old) == list(new) and old["made_at"] == new["made_at"]
        for person in _people(old):
            if person not in json.dumps(new) and not any(person.encode() in line for line in after):
                assert person not in everywhere
    for one, answer in zip(found, answers, strict=True):
        if one.part == "record" and answer.answer == "passage" and one.cuttable:
            text = str(rows[one.number - 1][one.field])
            passage = text[one.start : one.start + one.length]
            assert passage not in json.loads(after[one.number - 1])[one.field]
    same = {name for name in plain if name.startswith(("data/rest", "files/notes"))}
    kept = {name for name in same if name in content and content[name] == plain[name]}
    changed = {one.number for one, answer in zip(found, answers, strict=True)
               if one.part == "file" and answer.answer != "keep"}  # fmt: skip
    assert same - kept == {f"files/notes/{number:04d}.csv" for number in changed}


def _people(record: dict[str, object]) -> list[str]:
    return [word for word in str(record["text"]).split() if "@" in word]
