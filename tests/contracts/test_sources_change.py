"""What every source promises about erasing, correcting, restricting and searching, whatever it is made of."""

from uuid import UUID

import msgspec
import pytest

from portal.errors import SourceUnavailable, SourceUnsupported
from portal.sources.base import Correction, Erased, Identifiers, Needles, Searched, Source
from tests.contracts.houses import House
from tests.contracts.test_sources import NOBODY

WHOM = UUID("abcdefab-0000-4000-8000-00000000cafe")


async def told(source: Source, subject: Identifiers, house: House) -> bytes:
    """Return everything that a source tells about somebody."""
    pages = [await source.page(subject, category, offset=0, limit=1000) for category in house.fields]
    return msgspec.json.encode([page.rows for page in pages])


async def erase(house: House, subject: Identifiers) -> Erased:
    """Erase somebody, asking again as often as the source wants."""
    erased = await house.source.erase(subject, house.items, pseudonym=WHOM)
    while not erased.done:
        erased = await house.source.erase(subject, house.items, pseudonym=WHOM, handle=erased.handle)
    return erased


async def search(house: House, source: Source, **texts: str) -> Searched:
    return await source.search(Needles(texts=texts, subject=house.ana))


async def test_erasing_takes_the_person_and_nobody_else(house: House) -> None:
    """Nothing is told of what was to go, and not a byte of Ben's is another."""
    if not house.items:
        with pytest.raises(SourceUnsupported):
            await erase(house, house.ana)
        return
    his = await told(house.source, house.ben, house)
    assert house.his.encode() in his
    assert (await erase(house, house.ana)).means not in {"nothing", ""}
    counts = await house.source.count(house.ana)
    assert {category for category, number in counts.items() if number} == house.fields.keys() - house.gone
    assert await told(house.source, house.ben, house) == his


async def test_erasing_again_finds_nothing_more_to_do(house: House) -> None:
    """Idempotent: what a cut-off run did is done, and the second changes nothing."""
    if not house.items:
        return
    await erase(house, house.ana)
    before = await told(house.source, house.ana, house)
    assert (await erase(house, house.ana)).done
    assert await told(house.source, house.ana, house) == before


@pytest.mark.parametrize("nobody", [NOBODY, Identifiers()], ids=["unknown", "empty"])
async def test_erasing_whom_it_does_not_know_is_done_at_once(house: House, nobody: Identifiers) -> None:
    """And takes nothing of anybody."""
    if not house.items:
        return
    before = await told(house.source, house.ana, house)
    assert await erase(house, nobody) == Erased(done=True, means="nothing")
    assert await told(house.source, house.ana, house) == before


async def test_nothing_is_held_under_a_pseudonym_that_nobody_used(house: House) -> None:
    """Zero left, or a word that this is not the source's business."""
    try:
        assert await house.source.erase_held(WHOM, ()) == 0
    except SourceUnsupported:
        assert not house.items


async def test_a_correction_is_written_once_and_told(house: House) -> None:
    """Twice is once; Ben keeps his."""
    if house.correction is None:
        return
    his = await told(house.source, house.ben, house)
    number = await house.source.rectify(house.ana, house.correction)
    assert number > 0
    assert await house.source.rectify(house.ana, house.correction) == number
    assert house.correction.value in (await told(house.source, house.ana, house)).decode()
    assert await told(house.source, house.ben, house) == his


async def test_what_a_source_does_not_fill_it_does_not_correct(house: House) -> None:
    """It says so, and a person takes over."""
    with pytest.raises(SourceUnsupported):
        await house.source.rectify(house.ana, Correction(category="elsewhere", field="nothing", value="x"))


async def test_restricting_is_read_back_or_refused(house: House) -> None:
    """No source says that data is out of use without a means to keep it so."""
    for on in (True, True, False):
        try:
            assert (await house.source.restrict(house.ana, on=on)).means in {"flag", "own"}
        except SourceUnsupported:
            continue


async def test_a_search_finds_what_is_there_and_tells_no_value(house: House) -> None:
    """Places and needles are named, texts are not; what nobody has is not found."""
    found = await search(house, house.source, hers=house.needle, nobodys="c0ffee-of-nobody")
    assert found.findings
    assert all(finding.number > 0 for finding in found.findings)
    assert "nobodys" not in {finding.needle for finding in found.findings}
    assert found.places
    assert house.needle not in repr(found.findings)


async def test_a_search_after_erasing_finds_nothing_of_what_is_gone(house: House) -> None:
    """Where everything goes, everything is gone."""
    if house.gone != house.fields.keys():
        return
    await erase(house, house.ana)
    assert (await search(house, house.source, hers=house.needle)).findings == ()


async def test_a_source_that_does_not_answer_changes_nothing_and_is_never_clean(house: House) -> None:
    """It is unavailable, or was never able to."""
    for asking in (
        house.dead.erase(house.ana, house.items, pseudonym=WHOM),
        search(house, house.dead, hers=house.needle),
    ):
        with pytest.raises((SourceUnavailable, SourceUnsupported)):
            await asking
