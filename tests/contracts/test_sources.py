"""What every source promises, whatever it is made of."""

from collections import Counter

import msgspec
import pytest

from exports.order import StoredFile
from portal.errors import SourceUnavailable
from portal.sources.base import Identifiers, Source
from tests.contracts.houses import NAMES, House

NOBODY = Identifiers(
    emails=frozenset({"nobody@example.example"}),
    account_ids=frozenset({"00000000-0000-4000-8000-000000000000"}),
    stripe_customers=frozenset({"cus_nobody"}),
)


async def lines_of(source: Source, subject: Identifiers, category: str) -> list[bytes]:
    """Collect the lines of a category, holding each batch to its word."""
    found: list[bytes] = []
    async for batch in source.collect(subject, category):
        lines = batch.lines.split(b"\n")
        assert lines.pop() == b""
        assert len(lines) == batch.count
        found += lines
    return found


async def test_identifying_adds_and_never_removes(house: House) -> None:
    """Whatever is known stays known, and asking again changes nothing."""
    known = msgspec.structs.replace(house.ana, emails=house.ana.emails | {"extra@example.example"})
    once = await house.source.identify(known)
    assert once.emails >= known.emails
    assert once.account_ids >= known.account_ids
    assert once.stripe_customers >= known.stripe_customers
    assert once.subject_id == known.subject_id
    assert await house.source.identify(once) == once


async def test_the_count_is_the_number_of_collected_records(house: House) -> None:
    """For every category, and a page says the same total."""
    counts = await house.source.count(house.ana)
    assert counts.keys() == house.fields.keys()
    for category, number in counts.items():
        assert number > 0
        assert len(await lines_of(house.source, house.ana, category)) == number
        assert (await house.source.page(house.ana, category, offset=0, limit=1)).total == number


async def test_every_line_is_one_object_with_its_kind_and_declared_fields_only(house: House) -> None:
    """`kind` comes first, and nothing that the policy does not name comes at all."""
    for category, fields in house.fields.items():
        for line in await lines_of(house.source, house.ana, category):
            record = msgspec.json.decode(line)
            assert next(iter(record)) == "kind"
            assert record.keys() - {"kind"} <= fields


async def test_another_persons_records_never_appear(house: House) -> None:
    """Ana's are there, and no byte of Ben's: in copies, on pages, in files."""
    seen = b""
    for category in house.fields:
        seen += b"".join(await lines_of(house.source, house.ana, category))
        page = await house.source.page(house.ana, category, offset=0, limit=1000)
        seen += msgspec.json.encode(page.rows)
        async for file in house.source.files(house.ana, category):
            seen += file.name.encode()
    assert house.hers.encode() in seen
    assert house.his.encode() not in seen


async def test_a_page_shows_the_same_records_as_a_copy(house: House) -> None:
    """Cut into pages, the records are the collected ones, each once."""
    for category in house.fields:
        copied = [msgspec.json.decode(line) for line in await lines_of(house.source, house.ana, category)]
        shown: list[object] = []
        while len(shown) < len(copied):
            page = await house.source.page(house.ana, category, offset=len(shown), limit=7)
            assert page.rows
            shown += page.rows
        assert Counter(map(repr, shown)) == Counter(map(repr, copied))


@pytest.mark.parametrize("nobody", [NOBODY, Identifiers()], ids=["unknown", "empty"])
async def test_a_person_who_is_absent_has_zero_everywhere(house: House, nobody: Identifiers) -> None:
    """No records, no files, no error."""
    assert set((await house.source.count(nobody)).values()) == {0}
    for category in house.fields:
        assert await lines_of(house.source, nobody, category) == []
        assert (await house.source.page(nobody, category, offset=0, limit=50)).rows == ()
        assert [file async for file in house.source.files(nobody, category)] == []
    assert await house.source.identify(nobody) == nobody


async def test_a_category_of_another_source_is_empty(house: House) -> None:
    """Asking for it is no error."""
    assert await lines_of(house.source, house.ana, "elsewhere") == []
    assert (await house.source.page(house.ana, "elsewhere", offset=0, limit=50)).total == 0


async def test_reading_twice_gives_the_same_bytes(house: House) -> None:
    """Reading changes nothing."""
    for category in house.fields:
        first = await lines_of(house.source, house.ana, category)
        assert await lines_of(house.source, house.ana, category) == first


async def test_a_snapshot_is_a_source_that_collects_the_same(house: House) -> None:
    """Several categories in one snapshot, and it may be opened again."""
    for _ in range(2):
        async with house.source.snapshot() as moment:
            for category in house.fields:
                whole = await lines_of(house.source, house.ana, category)
                assert await lines_of(moment, house.ana, category) == whole


async def test_a_source_that_does_not_answer_is_unavailable(house: House) -> None:
    """Counting, paging and collecting say so, and `check` names it without raising."""
    category = next(iter(house.fields))
    with pytest.raises(SourceUnavailable):
        await house.dead.count(house.ana)
    with pytest.raises(SourceUnavailable):
        await house.dead.page(house.ana, category, offset=0, limit=50)
    with pytest.raises(SourceUnavailable):
        await lines_of(house.dead, house.ana, category)
    assert any(fault.severity == "error" for fault in await house.dead.check())


async def test_a_source_as_the_policy_describes_it_has_no_faults(house: House) -> None:
    """`check` of a sound house is silent."""
    assert [fault for fault in await house.source.check() if fault.severity == "error"] == []


async def test_closing_twice_is_closing_once(house: House) -> None:
    """Also for one that never connected."""
    for source in (house.source, house.dead):
        await source.close()
        await source.close()


async def test_files_come_out_exact_and_as_often_as_asked(house: House) -> None:
    """A handle may be opened again; its size is what it yields, and its name is the person's own."""
    files: list[StoredFile] = [file for c in house.fields async for file in house.source.files(house.ana, c)]
    for file in files:
        whole = b"".join([piece async for piece in file.open()])
        assert len(whole) == file.size_bytes
        assert b"".join([piece async for piece in file.open()]) == whole
    if files:
        assert {file.name for file in files} == set(NAMES.values())
