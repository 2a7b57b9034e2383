"""The pages of figures and registers: open to who may read them, true with no data, exact, and safe as files."""

import csv
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from hashlib import sha256

import httpx
import pytest
from piccolo.querystring import QueryString

from admin.figures_period import period
from admin.tables import StaffSession, StaffUser
from admin.who import COOKIE
from portal.clock import system_clock
from portal.database import engine
from portal.errors import Invalid
from tests.rights.histories import Told, happened
from tests.web_app import browsing, make_app

TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
ADDRESSES = ("figures", "figures.json", "figures.csv", "ccpa-7102.json", "ccpa-7102.csv", "registers", "processing")


async def signed_in(client: httpx.AsyncClient, role: str) -> int:
    """Become a member of staff with a role."""
    user = StaffUser(
        username=role, password="", email=f"{role}@casagbic.example", active=True, admin=True, name=role, roles=[role]
    )
    await user.save()
    session = await StaffSession.begin(user.id, at=system_clock(), confirmed=True)
    client.cookies.set(COOKIE, session, domain="127.0.0.1")
    return int(user.id)


@pytest.fixture
async def auditor(database: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of somebody who reads and changes nothing."""
    async with browsing(make_app()) as client:
        await signed_in(client, "auditor")
        yield client


async def some() -> list[Told]:
    """Four requests of October 2026: one in time, one late, one withdrawn, one open."""
    start = datetime(2026, 10, 5, 9, tzinfo=UTC)
    return await happened(
        Told(
            reference="DR-2026-0001", right="access", channel="portal", received_at=start, outcome="fulfilled",
            ended_at=start.replace(day=7),
        ),
        Told(
            reference="DR-2026-0002", right="erasure", channel="letter", received_at=start, outcome="refused",
            ended_at=start.replace(month=11, day=20), grounds="claims", staff=True,
        ),
        Told(
            reference="DR-2026-0003", right="access", channel="portal", received_at=start, outcome="withdrawn",
            ended_at=start.replace(day=8),
        ),
        Told(reference="DR-2026-0004", right="objection", channel="email", received_at=start),
    )  # fmt: skip


async def test_only_who_may_read_figures_gets_them(database: str) -> None:
    """A handler does not; that they tried is evidence."""
    async with browsing(make_app()) as client:
        for address in ADDRESSES:
            answer = await client.get(f"/en/staff/{address}")
            assert answer.status_code == 303, address
        await signed_in(client, "handler")
        for address in ADDRESSES:
            assert (await client.get(f"/en/staff/{address}")).status_code == 403, address
        rows = await engine().run_querystring(
            QueryString("SELECT count(*) AS n FROM evidence WHERE event = 'staff:refused'")
        )
        assert rows[0]["n"] == len(ADDRESSES)


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_pages_without_any_data_are_whole(auditor: httpx.AsyncClient, language: str) -> None:
    """Zeros and dashes, every month of the period, and no bar."""
    page = await auditor.get(f"/{language}/staff/figures?period=this-year")
    assert page.status_code == 200
    assert page.text.count('<svg class="bar"') == system_clock().month
    assert 'class="ok" x="0.00%"' not in page.text
    for address in ("registers", "processing"):
        assert (await auditor.get(f"/{language}/staff/{address}")).status_code == 200, address


async def test_the_page_shows_bars_and_the_same_numbers_beside_them(auditor: httpx.AsyncClient) -> None:
    """Three parts of a month: a quarter each."""
    await some()
    page = (await auditor.get("/en/staff/figures?period=own&from=2026-10&to=2026-11")).text
    october = page[page.index("October\u00a02026</th>") :].split("</tr>")[0]
    for kind, start in (("ok", "0.00%"), ("late", "25.00%"), ("open", "50.00%"), ("back", "75.00%")):
        assert f'class="{kind}" x="{start}" y="2" width="25.00%"' in october
    assert re.findall(r'data-l="([^"]+)">(\d+)<', october) == [
        ("Received", "4"), ("In time", "1"), ("Late", "1"), ("Open", "1"), ("Withdrawn", "1"),
    ]  # fmt: skip
    assert "50\u00a0% (1 of 2)" in page and "17(3)(e)" in page


async def test_files_say_what_the_page_says(auditor: httpx.AsyncClient) -> None:
    """As JSON, as CSV, and as the set of California."""
    await some()
    query = "period=own&from=2026-10&to=2026-10"
    body = json.loads((await auditor.get(f"/en/staff/figures.json?{query}")).content)
    assert (body["total"]["received"], body["total"]["answered"], body["total"]["grounds"]) == (4, 2, {"claims": 1})
    answer = await auditor.get(f"/en/staff/figures.csv?{query}")
    assert answer.headers["content-disposition"] == 'attachment; filename="figures-2026-10-2026-10.csv"'
    rows = list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))
    assert (rows[-1]["right"], rows[-1]["received"], rows[-1]["late_now"]) == (
        "all",
        "4",
        str(body["total"]["late_now"]),
    )
    ccpa = json.loads((await auditor.get(f"/en/staff/ccpa-7102.json?{query}")).content)
    assert [one["received"] for one in ccpa["requests"]] == [2, 1, 0, 1, 0]
    assert "all people" in (await auditor.get(f"/en/staff/ccpa-7102.csv?{query}")).text


@pytest.mark.parametrize(
    "query", ["period=own&from=2026-13&to=2026-12", "period=own&from=2026-05&to=2026-04", "period=nonsense"]
)
async def test_a_period_that_is_none_is_named_and_kept(auditor: httpx.AsyncClient, query: str) -> None:
    """The page shows the usual period instead, and what was typed; a file is refused."""
    page = await auditor.get(f"/en/staff/figures?{query}")
    assert page.status_code == 422 and "These are the last twelve months instead" in page.text
    if "from=2026-13" in query:
        assert 'value="2026-13"' in page.text
    assert (await auditor.get(f"/en/staff/figures.csv?{query}")).status_code == 422


def test_periods_are_whole_months() -> None:
    """Over the turn of the year too; ten years at most."""
    today = date(2027, 1, 15)

    def months(name: str, first: str = "", last: str = "") -> tuple[date, date]:
        found = period(name, first, last, "received", today)
        return found.first, found.last

    assert months("this-month") == (date(2027, 1, 1), date(2027, 1, 1))
    assert months("last-month") == (date(2026, 12, 1), date(2026, 12, 1))
    assert months("this-year") == (date(2027, 1, 1), date(2027, 1, 1))
    assert months("last-12") == (date(2026, 2, 1), date(2027, 1, 1))
    assert months("own", "2017-01", "2026-12") == (date(2017, 1, 1), date(2026, 12, 1))
    for first, last in (("2016-12", "2026-12"), ("", "2026-01"), ("2026-1", "2026-02"), ("1999-01", "2026-01")):
        with pytest.raises(Invalid):
            months("own", first, last)


@pytest.mark.parametrize("format", ["json", "csv"])
async def test_a_register_is_taken_once_and_noted(auditor: httpx.AsyncClient, format: str) -> None:
    """Its digest is in the evidence, under the number of who took it; no person is in it."""
    await some()
    token = TOKEN.findall((await auditor.get("/en/staff/registers")).text)[0]
    form = {"csrf": token, "as_of": "2026-11-01", "format": format}
    answer = await auditor.post("/en/staff/registers/requests", data=form)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="requests-2026-11-01.{format}"'
    text = answer.content.decode("utf-8-sig")
    assert [f"DR-2026-000{number}" in text for number in range(1, 5)] == [True] * 4
    (row,) = await engine().run_querystring(
        QueryString("SELECT actor, details->>'sha256' AS d FROM evidence WHERE event = 'staff:register:taken'")
    )
    assert row["d"] == sha256(answer.content).hexdigest() == answer.headers["x-content-sha256"]
    assert row["actor"].startswith("staff:")
    if format == "json":
        late = next(one for one in json.loads(text)["requests"] if one["reference"] == "DR-2026-0002")
        assert (late["outcome"], late["closed"]) == ("", None)


async def test_a_register_of_a_day_to_come_is_refused(auditor: httpx.AsyncClient) -> None:
    """So is nonsense, and a form of another site, which alone is noted."""
    token = TOKEN.findall((await auditor.get("/en/staff/registers")).text)[0]
    for day in ("2999-01-01", "soon"):
        answer = await auditor.post("/en/staff/registers/requests", data={"csrf": token, "as_of": day})
        assert answer.status_code == 422 and 'href="#as_of"' in answer.text and f'value="{day}"' in answer.text
    assert (await auditor.post("/en/staff/registers/requests", data={"format": "csv"})).status_code == 403
    rows = await engine().run_querystring(QueryString("SELECT event FROM evidence"))
    assert [row["event"] for row in rows] == ["staff:form:refused"]


async def test_the_record_of_processing_is_taken_and_noted(auditor: httpx.AsyncClient) -> None:
    """As JSON with its gaps, and as CSV."""
    token = TOKEN.findall((await auditor.get("/en/staff/registers")).text)[0]
    for format in ("json", "csv"):
        answer = await auditor.post("/en/staff/registers/processing", data={"csrf": token, "format": format})
        assert answer.status_code == 200 and "Amazon Web Services" in answer.text
    rows = await engine().run_querystring(
        QueryString("SELECT details->>'register' AS r FROM evidence WHERE event = 'staff:register:taken'")
    )
    assert [row["r"] for row in rows] == ["processing", "processing"]
