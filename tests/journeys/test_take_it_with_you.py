"""A person takes what they gave to another service."""

import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.journeys.surfer import Meeting, Surfer

type Surf = Callable[..., Awaitable[Surfer]]


async def test_files_for_another_service(meeting: Meeting, surf: Surf, tmp_path: Path) -> None:
    """Nothing ticked is said; everything ticked comes as a ZIP of files that another service can read."""
    person: Surfer = await surf(meeting.stack, meeting.language, meeting.width)
    await person.sign_in_by_code(meeting.person(8))
    await person.follow("Take it with you")
    await person.look()
    ticked = await person.page.locator("input[name=c]:checked").all()
    for box in reversed(ticked):
        await box.uncheck()
    await person.press("Prepare my files")
    await person.look()
    for box in await person.page.locator("input[name=c]").all():
        await box.check()
    await person.press("Prepare my files")
    await person.wait_until_ready("the copy to take along")
    await person.look()
    names = zipfile.ZipFile(await person.download(tmp_path)).namelist()
    assert any(name.endswith(".jsonl") for name in names)
    assert any(name.endswith(".csv") for name in names)
