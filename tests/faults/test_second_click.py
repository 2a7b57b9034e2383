"""A second click, and ten at once: one request, one job, one copy, one mail."""

import asyncio

from tests.faults.conftest import Visit
from tests.faults.house import House
from tests.faults.visitor import EVERYTHING


async def test_ten_clicks_at_once_are_one_request(casagbic: House, visit: Visit) -> None:
    """All ten answers lead to the same request; it has one job, one copy, and each of its mails comes once."""
    person = await visit(casagbic, casagbic.email("ordinary", 6))
    token = await person.token()
    form = {"c": EVERYTHING, "f": "all"}
    answers = await asyncio.gather(*(person.send("/export", form, token=token) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {303}
    places = {answer.headers["location"].partition("?")[0] for answer in answers}
    assert len(places) == 1, places
    reference = places.pop().split("/")[3]
    assert await casagbic.jobs_left(reference) <= 1
    await person.copy(reference)
    assert await casagbic.value(
        "SELECT count(*) FROM subject_request r JOIN subject s ON s.id = r.subject WHERE s.email = $1", person.email
    ) == 1  # fmt: skip
    assert len(await casagbic.parcels(reference)) == 1
    subjects = await casagbic.mails(person.email, reference)
    assert len(subjects) == len(set(subjects)) == 2, subjects


async def test_the_last_download_is_handed_out_once(casagbic: House, visit: Visit) -> None:
    """Eight presses at once on a copy that may be downloaded five times: five files, three refusals."""
    person = await visit(casagbic, casagbic.email("newcomer"))
    reference = await person.ask("account")
    await person.copy(reference)
    token = await person.token()
    presses = (person.send(f"/requests/{reference}/download", {"what": "pdf"}, token=token) for _ in range(8))
    answers = await asyncio.gather(*presses)
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [404] * 3
    assert all(answer.content.startswith(b"%PDF-") for answer in answers if answer.status_code == 200)
