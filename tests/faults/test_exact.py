"""The copy against the platform's own database, row by row and value by value; nothing of anybody else's.

Always true here: what a row holds is asked with the owner's rights and the driver's own types, not through our SQL.
"""

import asyncio
import csv
import io
import json
import subprocess
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pikepdf
import pytest

from demo.platforms import Person
from exports.text import FORMULA_STARTS
from portal.policy.load import load
from portal.policy.model import PostgresSource, Table
from tests.faults.conftest import Visit
from tests.faults.house import House, connected
from tests.faults.visitor import Visitor, saved

type Line = dict[str, Any]

csv.field_size_limit(1 << 24)


@pytest.mark.parametrize("who", ["heavy", "hostile", "twice"])
async def test_every_value_of_casagbic_is_exact(casagbic: House, visit: Visit, who: str, tmp_path: Path) -> None:
    """Whoever they are and whatever they typed, JSON Lines and data.json hold the rows of the database."""
    await assert_exact(casagbic, await visit(casagbic, casagbic.email(who)), tmp_path)


@pytest.mark.parametrize("who", ["heavy", "hostile"])
async def test_every_value_of_caaartoons_is_exact(caaartoons: House, visit: Visit, who: str, tmp_path: Path) -> None:
    """The other organisation, with its other schema."""
    await assert_exact(caaartoons, await visit(caaartoons, caaartoons.email(who)), tmp_path)


async def assert_exact(house: House, visitor: Visitor, folder: Path) -> None:
    """Take everything and compare it."""
    reference = await visitor.ask()
    await visitor.copy(reference)
    place = saved(await visitor.download(reference), folder / "copy.zip")
    assert await (await asyncio.create_subprocess_exec("unzip", "-tqq", place)).wait() == 0
    person = next(one for one in house.stack.people if visitor.email in one.emails)
    with zipfile.ZipFile(place) as archive:
        await assert_rows(house, archive, person)
        assert_files(house, archive, person)
        assert_harmless(archive)
        assert_nobody_else(house, archive, person)
    await assert_pages_harmless(house, visitor)


async def assert_rows(house: House, archive: zipfile.ZipFile, person: Person) -> None:
    """Every declared column of every row of the person's, and not one row more."""
    policy = load(Path(house.stack.environment["HABEAS_POLICY"]))
    document = decimals(archive.read("data.json"))
    whole = {category["id"]: category["records"] for category in document["categories"]}
    source = next(source for source in policy.sources if isinstance(source, PostgresSource))
    compared = 0
    async with connected(house.stack.platform_dsn) as platform:
        for table in source.tables:
            taken = [line for line in lines_of(archive, table.category) if line["kind"] == table.kind]
            assert taken == [line for line in whole[table.category] if line["kind"] == table.kind]
            stored = await stored_rows(platform, table, person)
            assert len(taken) == len(stored), table.name
            assert counted(taken) == counted([as_json(row, table) for row in stored]), table.name
            compared += len(stored)
    assert compared


def lines_of(archive: zipfile.ZipFile, category: str) -> list[Line]:
    """Read the JSON Lines of a category; none when it is empty."""
    name = f"data/{category}.jsonl"
    lines = archive.read(name).splitlines() if name in archive.namelist() else []
    return [decimals(line) for line in lines]


def decimals(text: bytes | str) -> Any:
    """Read JSON without rounding a number."""
    return json.loads(text, parse_float=Decimal)


async def stored_rows(platform: asyncpg.Connection, table: Table, person: Person) -> Sequence[Mapping[str, Any]]:
    """Ask the platform for the rows of a person's accounts, following the policy's joins one step at a time."""
    await platform.set_type_codec("jsonb", encoder=str, decoder=decimals, schema="pg_catalog")
    wanted = person.account_ids if table.subject.equals == "account_id" else person.emails
    steps = [(table.name, table.key), *((join.table, join.key) for join in table.subject.via)]
    column = table.subject.column
    for number in range(len(steps) - 1, 0, -1):
        name, key = steps[number]
        rows = await platform.fetch(f'SELECT "{key}" AS k FROM "{name}" WHERE "{column}"::text = ANY($1)', wanted)
        wanted, column = tuple(str(row["k"]) for row in rows), table.subject.via[number - 1].column
    names = ", ".join(f'"{one.name}"' for one in table.columns)
    rows = await platform.fetch(f'SELECT {names} FROM "{table.name}" WHERE "{column}"::text = ANY($1)', wanted)
    return [dict(row) for row in rows]


def as_json(row: Mapping[str, Any], table: Table) -> Line:
    """Write a row as a copy holds it."""
    return {"kind": table.kind, **{column.target: as_value(row[column.name]) for column in table.columns}}


def as_value(value: Any) -> Any:
    """Say how a driver's value stands in JSON: numbers, texts, flags and documents as they are, the rest as text."""
    match value:
        case None | bool() | int() | str() | dict() | list():
            return value
        case datetime():
            return value
        case _:
            return str(value)


def counted(lines: Sequence[Line]) -> Counter[str]:
    """Count lines by what they hold; moments by the instant, however they are written."""
    return Counter(json.dumps({id: comparable(line[id]) for id in sorted(line)}, default=str) for line in lines)


def comparable(value: Any) -> Any:
    """Bring moments to one spelling; leave everything else alone."""
    if isinstance(value, str) and len(value) >= 20 and value[4:5] == "-" and value[10] == "T":
        value = datetime.fromisoformat(value)
    return value.timestamp() if isinstance(value, datetime) else value


def assert_files(house: House, archive: zipfile.ZipFile, person: Person) -> None:
    """Every file of the person's is in there, byte for byte, under a name of ours."""
    members = [name for name in archive.namelist() if name.startswith("files/") and name != "files/index.csv"]
    assert sorted(map(archive.read, members)) == sorted(file.body for file in person.files)
    for name in archive.namelist():
        assert name.isascii() and ".." not in name and "\\" not in name and not name.startswith("/")
        assert not any(ord(character) < 33 for character in name)


def assert_harmless(archive: zipfile.ZipFile) -> None:
    """No cell of a CSV can be run, and the report is a PDF that opens and runs nothing."""
    for name in archive.namelist():
        if name == "files/index.csv" or (name.endswith(".csv") and not name.startswith("files/")):
            for row in csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline="")):
                assert not [cell for cell in row if cell and cell[0] in FORMULA_STARTS and not is_number(cell)], name
        if name.endswith(".pdf") and not name.startswith("files/"):
            with pikepdf.open(io.BytesIO(archive.read(name))) as pdf:
                assert len(pdf.pages) >= 1
                assert "/OpenAction" not in pdf.Root and "/JavaScript" not in str(pdf.Root.get("/Names", ""))
                assert not any("/AA" in page for page in pdf.pages)


def is_number(cell: str) -> bool:
    """True for a plain negative number."""
    return cell.startswith("-") and cell[1:].replace(".", "", 1).isdecimal()


def assert_nobody_else(house: House, archive: zipfile.ZipFile, person: Person) -> None:
    """No member names another person's account, address or customer; a number of one digit says nothing."""
    held = b"\n".join(archive.read(name) for name in archive.namelist() if not name.endswith(".pdf"))
    report = subprocess.run(["pdftotext", "-", "-"], input=archive.read("report.pdf"), capture_output=True, check=True)
    taken = held + report.stdout
    for other in house.stack.people:
        if other is not person:
            canaries = (*other.account_ids, *other.emails, other.stripe_customer)
            assert not [one for one in canaries if len(one) > 9 and one.encode() in taken], other.role


async def assert_pages_harmless(house: House, visitor: Visitor) -> None:
    """The pages show what was typed as text: not one tag of it is a tag."""
    policy = load(Path(house.stack.environment["HABEAS_POLICY"]))
    for category in policy.categories:
        page = await visitor.open(f"/data/{category.id}")
        assert page.status_code in {200, 404}, category.id
        for tag in ("<script>document", "<img src=x", "<img src=http", "</pre></td>", "<h1>Your data was deleted"):
            assert tag not in page.text, category.id
