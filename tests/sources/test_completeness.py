"""A schema that grows cannot outgrow what people are told."""

import asyncpg
import msgspec
import pytest

from portal.policy.model import Column, Join, PostgresSource, Subject
from portal.sources.base import Fault
from portal.sources.postgres import Postgres
from tests.sources.platform import SPEC

ROLES = {"write_url_variable", "scan_url_variable"}
"""What a platform without the other two roles is told; `test_postgres_rights.py` has their tests."""


async def faults_of(platform: Postgres, severity: str, spec: PostgresSource = SPEC) -> dict[str, Fault]:
    """Return the faults of `check` by their place."""
    source = Postgres(spec, platform.dsn)
    found = {fault.place: fault for fault in await source.check() if fault.severity == severity}
    found = {place: fault for place, fault in found.items() if place not in ROLES}
    await source.close()
    return found


async def test_a_sound_platform_has_no_faults(platform: Postgres) -> None:
    """Neither errors nor warnings: composite and folded indexes are recognised."""
    assert {fault.place for fault in await platform.check()} == ROLES


@pytest.mark.parametrize(
    ("change", "place", "says"),
    [
        ("ALTER TABLE job ADD COLUMN note text", "job.note", "neither collected nor left out"),
        ('ALTER TABLE job ADD COLUMN "Odd ""name" text', 'job.Odd "name', "neither collected nor left out"),
        ("ALTER TABLE job RENAME COLUMN prompt TO said", "job.prompt", "does not exist"),
        ("ALTER TABLE account DROP COLUMN password_hint", "account.password_hint", "does not exist"),
        ("CREATE TABLE secret (id int)", "secret", "neither declared nor ignored"),
        ("CREATE SCHEMA other; CREATE TABLE other.job (id int)", "other.job", "neither declared nor ignored"),
        ("CREATE MATERIALIZED VIEW copy AS SELECT * FROM account", "copy", "neither declared nor ignored"),
        ("ALTER TABLE migration RENAME TO migrations", "migration", "does not exist"),
        ("GRANT UPDATE (prompt) ON job TO platform_reader", "role", "may change job"),
        ("GRANT DELETE ON migration TO platform_reader", "role", "may change migration"),
        (
            "REVOKE SELECT ON job FROM platform_reader; GRANT SELECT (id) ON job TO platform_reader",
            "job.prompt",
            "read",
        ),
        ("ALTER TABLE job ENABLE ROW LEVEL SECURITY", "job", "hide rows"),
    ],
)
async def test_what_the_policy_does_not_say_is_a_fault(
    platform: Postgres, owner: asyncpg.Connection, change: str, place: str, says: str
) -> None:
    """Each change of the live schema is found, at its place, with a remedy."""
    await owner.execute(change)
    fault = (await faults_of(platform, "error"))[place]
    assert says in fault.what
    assert fault.remedy


async def test_a_partition_belongs_to_its_parent(platform: Postgres, owner: asyncpg.Connection) -> None:
    """Only the parent must be declared."""
    await owner.execute(
        "CREATE TABLE part (id int) PARTITION BY RANGE (id);"
        "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (9)"
    )
    assert set(await faults_of(platform, "error")) == {"part"}


async def test_a_column_left_out_without_a_reason_is_a_fault(platform: Postgres) -> None:
    """A blank is no reason."""
    account, *others = SPEC.tables
    blank = msgspec.structs.replace(account, leave_out={**account.leave_out, "password_hint": " "})
    spec = msgspec.structs.replace(SPEC, tables=(blank, *others))
    assert set(await faults_of(platform, "error", spec)) == {"account.password_hint"}


async def test_a_table_may_be_declared_twice_for_two_categories(platform: Postgres) -> None:
    """What one declaration collects the other need not leave out."""
    job = SPEC.tables[1]
    half = msgspec.structs.replace(job, category="costs", columns=(Column(name="cost"),), leave_out={})
    spec = msgspec.structs.replace(SPEC, tables=(*SPEC.tables, half))
    assert await faults_of(platform, "error", spec) == {}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("DROP INDEX job_account_id_made_at_idx", "job.account_id"),
        ("DROP INDEX output_job_id_idx", "output.job_id"),
        ("DROP INDEX account_lower_idx; CREATE INDEX ON account (email)", "account.lower(email)"),
        ("DROP INDEX newsletter_lower_idx", "newsletter.lower(mail)"),
        ("DROP INDEX output_job_id_idx; CREATE INDEX ON output (job_id) WHERE code IS NULL", "output.job_id"),
        ("DROP INDEX output_job_id_idx; CREATE INDEX ON output (code, job_id)", "output.job_id"),
        ("DROP INDEX output_job_id_idx; CREATE INDEX ON output USING brin (job_id)", "output.job_id"),
        ("CREATE TABLE child (job bigint REFERENCES job)", "child.job"),
        ("CREATE TABLE child (id int, job bigint REFERENCES job); CREATE INDEX ON child (id, job)", "child.job"),
    ],
)
async def test_a_key_that_no_index_leads_with_is_named(
    platform: Postgres, owner: asyncpg.Connection, change: str, place: str
) -> None:
    """Subject keys, joins, and references to declared tables from anywhere."""
    await owner.execute(change)
    warnings = await faults_of(platform, "warning")
    assert set(warnings) == {place}
    assert warnings[place].remedy.startswith("CREATE INDEX")


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX output_job_id_idx; CREATE INDEX ON output (job_id, code)",
        "DROP INDEX output_job_id_idx; CREATE INDEX ON output USING hash (job_id)",
        "DROP INDEX output_job_id_idx; ALTER TABLE output ADD UNIQUE (job_id, id)",
        "DROP INDEX account_lower_idx; CREATE UNIQUE INDEX ON account (lower(email), name)",
        "ALTER TABLE account ALTER COLUMN email TYPE varchar(200)",
        "CREATE TABLE child (job bigint PRIMARY KEY REFERENCES job)",
    ],
)
async def test_an_index_that_serves_raises_no_alarm(platform: Postgres, owner: asyncpg.Connection, change: str) -> None:
    """Composite by its leading column, hash, unique, with a cast inside."""
    await owner.execute(change)
    assert await faults_of(platform, "warning") == {}


async def test_a_composite_reference_is_served_in_any_order(platform: Postgres, owner: asyncpg.Connection) -> None:
    """(b, a) serves a reference of (a, b)."""
    await owner.execute(
        "ALTER TABLE job ADD UNIQUE (id, account_id);"
        "CREATE TABLE child (a bigint, b uuid, FOREIGN KEY (a, b) REFERENCES job (id, account_id))"
    )
    assert set(await faults_of(platform, "warning")) == {"child.a, b"}
    await owner.execute("CREATE INDEX ON child (b, a)")
    assert await faults_of(platform, "warning") == {}


async def test_every_planted_gap_of_a_large_schema_is_found(platform: Postgres, owner: asyncpg.Connection) -> None:
    """Two hundred tables, every second one without its index: a hundred warnings, no more, no fewer."""
    tables = []
    for number in range(200):
        await owner.execute(f"CREATE TABLE t{number} (id int PRIMARY KEY, owner_id uuid)")
        if number % 2:
            await owner.execute(f"CREATE INDEX ON t{number} (owner_id)")
        tables.append(
            msgspec.structs.replace(
                SPEC.tables[1], name=f"t{number}", columns=(Column(name="id"),), newest="",
                subject=Subject(column="owner_id", equals="account_id"),
            )
        )  # fmt: skip
    await owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO platform_reader")
    spec = msgspec.structs.replace(SPEC, tables=(*SPEC.tables, *tables))
    assert set(await faults_of(platform, "warning", spec)) == {f"t{number}.owner_id" for number in range(0, 200, 2)}


async def test_a_join_column_that_does_not_exist_is_a_fault(platform: Postgres) -> None:
    """Also where it is only passed through."""
    output = SPEC.tables[2]
    subject = Subject(column="account_id", equals="account_id", via=(Join(column="job", table="job", key="number"),))
    spec = msgspec.structs.replace(SPEC, tables=(*SPEC.tables[:2], msgspec.structs.replace(output, subject=subject)))
    assert {"output.job", "job.number"} <= set(await faults_of(platform, "error", spec))
