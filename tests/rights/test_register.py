"""The register of a day holds what was known on that day, whenever it is taken."""

import csv
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from random import Random

import msgspec
import pytest
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import Invalid
from portal.evidence.log import append, head
from portal.mail.tables import Mail
from portal.rights.deadlines import deadline, inputs_for, join, to_json
from portal.rights.register import Line, Moment, moment, walk
from portal.rights.register_file import Format, instant, note, write
from portal.rights.tables import SubjectRequest
from tests.rights.histories import NOW, POLICY, ZONE, Told, at_random, happened, log, tell


async def register(at: datetime, roles: Mapping[int, str] | None = None) -> list[Line]:
    """Return the register as of an instant."""
    async with engine().transaction():
        known = await moment(engine().connection, at)
        found: list[Line] = []
        async for piece in walk(engine().connection, known, ZONE, roles or {}):
            found += piece
    return found


def as_it_was(told: Told, day: datetime) -> Told:
    """Return a request without what happened to it after a day."""
    open_then = told.ended_at is not None and told.ended_at > day
    return msgspec.structs.replace(
        told, extended=told.extended and told.received_at + timedelta(days=9) <= day,
        ended_at=None if open_then else told.ended_at, outcome="" if open_then else told.outcome,
        left_at=told.left_at if told.left_at and told.left_at <= day else None,
    )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_register_of_a_day_stays_what_it_was(database: str, seed: int) -> None:
    """Taken on that day and taken long afterwards, it holds the same lines."""
    dice, day = Random(seed), datetime(2026, 8, 1, tzinfo=UTC)
    whole = [at_random(dice, number) for number in range(60)]
    for told in whole:
        if told.received_at <= day:
            await tell(as_it_was(told, day))
    await log(whole, until=day)
    before = await register(day)
    await SubjectRequest.delete(force=True)
    await Mail.delete(force=True)
    for told in whole:
        await tell(told)
    await log(whole, since=day)
    assert sorted(line.reference for line in await register(NOW)) == sorted(told.reference for told in whole)
    assert await register(day) == before
    assert {line.outcome for line in before} > {""}


async def test_what_happens_to_one_request_shows_only_afterwards(database: str) -> None:
    """Received, extended, answered: the register of each day knows what had happened by then."""
    start = datetime(2026, 9, 1, 9, tzinfo=UTC)
    told = Told(
        reference="DR-2026-0001", right="erasure", channel="letter", received_at=start, extended=True, staff=True,
        ended_at=start + timedelta(days=50), outcome="refused", grounds="claims",
    )  # fmt: skip
    await happened(told)
    first = deadline(inputs_for(start, POLICY))
    assert await register(start - timedelta(days=1)) == []
    (new,) = await register(start + timedelta(days=1))
    assert (new.law, new.extended, new.outcome, new.by) == (first.law, False, "", "program")
    (longer,) = await register(start + timedelta(days=20))
    assert (longer.law, longer.extended, longer.extended_for) == (told.law, True, "complexity")
    assert told.law > first.law and longer.by == "staff" and longer.closed is None
    (ended,) = await register(NOW)
    assert (ended.outcome, ended.grounds, ended.days, ended.in_time_law) == ("refused", ("claims",), 50, True)


async def test_a_joined_form_counts_once_and_from_its_earlier_day(database: str) -> None:
    """The answer's days run from the earliest receipt; the register knows it from the day it was joined."""
    start = datetime(2026, 9, 10, 9, tzinfo=UTC)
    (told,) = await happened(
        Told(reference="DR-2026-0001", right="access", channel="portal", received_at=start)
    )  # fmt: skip
    earlier, at = start - timedelta(days=5), start + timedelta(days=1)
    inputs = join(inputs_for(start, POLICY), received_at=earlier)
    due = deadline(inputs)
    await SubjectRequest.update({
        SubjectRequest.clock: to_json(inputs), SubjectRequest.due_day: due.due, SubjectRequest.law_day: due.law,
    }).where(SubjectRequest.reference == told.reference)  # fmt: skip
    async with engine().transaction():
        details = {"received_at": earlier.isoformat(), "due": due.due.isoformat()}
        await append("rights:request:joined", at=at, actor="worker", reference=told.reference, details=details)
        await append(
            "rights:request:ready", at=start + timedelta(days=3), actor="worker", reference=told.reference,
            details={"to": "fulfilled"},
        )  # fmt: skip
    (before,) = await register(start)
    (after,) = await register(NOW)
    assert (before.due > after.due, after.due, after.days) == (True, due.due, 8)


async def test_the_moment_names_the_head_of_the_log(database: str) -> None:
    """So that whoever has the register can hold it against the log."""
    async with engine().transaction():
        assert (await moment(engine().connection, NOW)).head.seq == 0
    await happened(Told(reference="DR-2026-0001", right="access", channel="portal", received_at=NOW))
    async with engine().transaction():
        assert await moment(engine().connection, NOW) == Moment(NOW, await head())


async def test_the_owner_is_a_role_and_no_name(database: str) -> None:
    """Who has it on that day; being given to somebody is nothing done yet."""
    start = datetime(2026, 9, 1, 9, tzinfo=UTC)
    await happened(Told(reference="DR-2026-0001", right="access", channel="portal", received_at=start))
    for days, to in ((1, 7), (2, None)):
        async with engine().transaction():
            await append(
                "staff:request:given", at=start + timedelta(days=days), actor="staff:7", reference="DR-2026-0001",
                details={"before": None, "to": to},
            )  # fmt: skip
    for days, owner in ((0, ""), (1, "dpo"), (2, "")):
        (line,) = await register(start + timedelta(days=days), {7: "dpo"})
        assert (line.owner, line.by) == (owner, "program")


@pytest.mark.parametrize("format", ["json", "csv"])
async def test_the_file_of_a_moment_is_the_same_bytes_again(database: str, format: Format) -> None:
    """It carries the head of the log, one line for each request, and its digest is that of its bytes."""
    dice = Random(5)
    await happened(*(at_random(dice, number) for number in range(30)))
    first, again, told = BytesIO(), BytesIO(), list[tuple[int, int]]()
    taken = await write(
        first, format, POLICY, as_of=NOW, roles={}, progress=lambda done, whole: told.append((done, whole))
    )  # fmt: skip
    assert await write(again, format, POLICY, as_of=NOW, roles={}) == taken
    assert first.getvalue() == again.getvalue()
    assert (sha256(first.getvalue()).hexdigest(), taken.lines, told) == (taken.sha256, 30, [(30, 30)])
    newest = await head()
    if format == "json":
        body = json.loads(first.getvalue())
        assert (body["evidence_seq"], body["evidence_digest"]) == (newest.seq, newest.digest)
        assert (body["lines"], len(body["requests"])) == (30, 30)
        return
    rows = list(csv.reader(first.getvalue().decode("utf-8-sig").splitlines()))
    assert dict(rows[:7])["evidence_digest"] == newest.digest
    assert rows[7] == [] and rows[8][0] == "reference" and len(rows) == 39


async def test_that_a_register_was_taken_is_evidence(database: str) -> None:
    """Who, when, as of when, and the digest of the file."""
    taken = await write(BytesIO(), "json", POLICY, as_of=NOW, roles={})
    await note(taken, at=NOW, actor="staff:1")
    (row,) = await engine().run_querystring(QueryString("SELECT event, actor, details->>'sha256' AS d FROM evidence"))
    assert (row["event"], row["actor"], row["d"]) == ("staff:register:taken", "staff:1", taken.sha256)


def test_a_register_is_as_of_the_end_of_a_day_that_has_come() -> None:
    """In the controller's zone; today means now; tomorrow is refused."""
    assert instant(None, ZONE, at=NOW) == NOW == instant(date(2027, 3, 10), ZONE, at=NOW)
    assert instant(date(2026, 12, 31), ZONE, at=NOW) == datetime(2026, 12, 31, 22, 59, 59, 999999, tzinfo=UTC)
    with pytest.raises(Invalid):
        instant(date(2027, 3, 11), ZONE, at=NOW)
