"""A small sample platform as a real database: two people, every type that matters, and a reader's role."""

import asyncpg

from portal.policy.model import Column, Join, Lookup, PostgresSource, Subject, Table, Text

TITLE = Text(en="Platform", fr="Plateforme")
ANA, BEN = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
READER, WRITER, SCANNER = "platform_reader", "platform_writer", "platform_scanner"

SCHEMA = """
CREATE TYPE mood AS ENUM ('fine', 'tired');
CREATE DOMAIN credits AS numeric(20, 6);
CREATE TABLE account (
    id uuid PRIMARY KEY, email text NOT NULL, name text, language text, stripe_customer text, password_hint text
);
CREATE INDEX ON account (lower(email));
CREATE TABLE job (
    id bigint PRIMARY KEY, account_id uuid REFERENCES account, prompt text, cost numeric(20, 6), made_at timestamptz,
    details jsonb, raw json, thumb bytea, ip inet, tags text[], mood mood, score float8, day date, wait interval,
    spent credits, prices numeric[], big bigint, local timestamp, ok boolean
);
CREATE INDEX ON job (account_id, made_at);
CREATE TABLE output (id serial PRIMARY KEY, job_id bigint REFERENCES job, code text);
CREATE INDEX ON output (job_id);
CREATE TABLE newsletter (id serial PRIMARY KEY, mail text, since timestamptz);
CREATE INDEX ON newsletter (lower(mail));
CREATE TABLE migration (version int);
"""


def columns(*names: str) -> tuple[Column, ...]:
    """Name columns that keep their names."""
    return tuple(Column(name=name) for name in names)


BY_ACCOUNT = Subject(column="account_id", equals="account_id")

SPEC = PostgresSource(
    id="platform",
    title=TITLE,
    url_variable="PLATFORM_URL",
    lookup=Lookup(table="account", stripe_customer="stripe_customer", display_name="name", language="language"),
    tables=(
        Table(
            name="account", category="account", kind="account", subject=Subject(column="id", equals="account_id"),
            columns=columns("id", "email", "name", "language"),
            leave_out={"stripe_customer": "Told by Stripe.", "password_hint": "Never shown."},
        ),
        Table(
            name="job", category="prompts", kind="prompt", subject=BY_ACCOUNT, newest="made_at",
            columns=(
                Column(name="id", field="number"),
                *columns("prompt", "cost", "made_at", "details", "raw", "thumb", "ip", "tags", "mood", "score", "day",
                         "wait", "spent", "prices", "big", "local", "ok"),
            ),
            leave_out={"account_id": "The person's own id."},
        ),
        Table(
            name="output", category="code", kind="code", columns=columns("id", "code"), leave_out={"job_id": "A link."},
            subject=Subject(
                column="account_id", equals="account_id", via=(Join(column="job_id", table="job", key="id"),)
            ),
        ),
        Table(
            name="newsletter", category="account", kind="newsletter", newest="since",
            subject=Subject(column="mail", equals="email"), columns=columns("mail", "since"),
            leave_out={"id": "A number."},
        ),
    ),
    ignored_tables={"migration": "Holds the version of the schema."},
)  # fmt: skip


async def build(dsn: str) -> str:
    """Make the schema, the people and the reader's role; return the reader's DSN."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(SCHEMA)
        for id, email, name, customer in (
            (ANA, "Ana.Lima@Example.example", "Ana Lima", "cus_ana"),
            (BEN, "ben@example.example", "Ben", "cus_ben"),
        ):
            await connection.execute(
                "INSERT INTO account VALUES ($1, $2, $3, 'fr', $4, 'hint')", id, email, name, customer
            )
            await connection.execute(
                "INSERT INTO newsletter (mail, since) VALUES (upper($1), '2026-01-02 03:04Z')", email
            )
        await connection.execute(
            "INSERT INTO job (id, account_id, prompt, made_at)"
            " SELECT n, CASE WHEN n % 2 = 0 THEN $1::uuid ELSE $2::uuid END, 'prompt ' || n,"
            "        '2026-10-01 00:00Z'::timestamptz + n * interval '1 minute' FROM generate_series(1, 24) n",
            ANA, BEN,
        )  # fmt: skip
        await connection.execute("INSERT INTO output (job_id, code) SELECT id, 'code of ' || id FROM job")
        for role in (READER, WRITER, SCANNER):
            await connection.execute(
                f"DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            )
        await connection.execute(
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}; GRANT pg_read_all_data TO {SCANNER};"
            f" GRANT SELECT, UPDATE, DELETE ON account, job, output, newsletter TO {WRITER};"
            f" GRANT INSERT ON account TO {WRITER}"
        )
    finally:
        await connection.close()
    return dsn.replace("habeas@", f"{READER}@")
