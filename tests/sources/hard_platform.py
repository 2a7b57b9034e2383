"""A sample platform with everything that makes erasing hard: cycles, cascades, other people's rows, awkward columns."""

import asyncpg

from portal.policy.model import Column, Flag, Join, Lookup, PostgresSource, Subject, Table, Text
from portal.sources.base import Erasing, Identifiers
from portal.sources.postgres import Postgres

TITLE = Text(en="Shop", fr="Boutique")
WRITER, READER = "hard_writer", "hard_reader"

SCHEMA = """
CREATE TYPE plan AS ENUM ('free', 'team');
CREATE DOMAIN short AS varchar(12) CHECK (VALUE <> 'forbidden');
CREATE TABLE plan_kind (name text PRIMARY KEY);
INSERT INTO plan_kind VALUES ('basic');
CREATE TABLE account (
    id {id} PRIMARY KEY, email varchar(320) NOT NULL UNIQUE, name text NOT NULL, handle text NOT NULL UNIQUE,
    plan plan NOT NULL DEFAULT 'free', kind text NOT NULL REFERENCES plan_kind, tenant integer NOT NULL,
    customer text, referred_by {ref} REFERENCES account, born date NOT NULL, nickname short NOT NULL,
    restricted boolean NOT NULL DEFAULT false, words tsvector GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED,
    favourite integer, UNIQUE (tenant, id)
);
CREATE INDEX ON account (lower(email));
CREATE INDEX ON account (referred_by);
CREATE TABLE thread (
    id serial PRIMARY KEY, account_id {ref} NOT NULL REFERENCES account ON DELETE CASCADE, title text NOT NULL
);
CREATE INDEX ON thread (account_id);
CREATE TABLE comment (
    id serial PRIMARY KEY, thread_id integer NOT NULL REFERENCES thread ON DELETE CASCADE,
    account_id {ref} NOT NULL REFERENCES account ON DELETE CASCADE,
    reply_to integer REFERENCES comment ON DELETE CASCADE, answers integer, body text NOT NULL, likes integer NOT NULL
);
ALTER TABLE comment ADD FOREIGN KEY (answers) REFERENCES comment ON DELETE CASCADE;
CREATE INDEX ON comment (thread_id); CREATE INDEX ON comment (account_id);
CREATE INDEX ON comment (reply_to); CREATE INDEX ON comment (answers);
CREATE TABLE reply (
    id serial PRIMARY KEY, account_id {ref} NOT NULL REFERENCES account, body text NOT NULL,
    comment_id integer NOT NULL REFERENCES comment ON DELETE CASCADE
);
CREATE INDEX ON reply (account_id); CREATE INDEX ON reply (comment_id);
ALTER TABLE account ADD FOREIGN KEY (favourite) REFERENCES comment;
CREATE INDEX ON account (favourite);
CREATE TABLE message (
    id serial PRIMARY KEY, sender {ref} NOT NULL REFERENCES account, recipient {ref} NOT NULL REFERENCES account,
    body text NOT NULL
);
CREATE INDEX ON message (sender); CREATE INDEX ON message (recipient);
CREATE TABLE chicken (id serial PRIMARY KEY, account_id {ref} NOT NULL REFERENCES account, egg integer NOT NULL);
CREATE TABLE egg (
    id serial PRIMARY KEY, account_id {ref} NOT NULL REFERENCES account,
    chicken integer NOT NULL REFERENCES chicken
);
ALTER TABLE chicken ADD FOREIGN KEY (egg) REFERENCES egg DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX ON chicken (account_id); CREATE INDEX ON chicken (egg);
CREATE INDEX ON egg (account_id); CREATE INDEX ON egg (chicken);
CREATE TABLE invoice (
    id serial PRIMARY KEY, account_id {ref} NOT NULL REFERENCES account ON DELETE CASCADE, number text NOT NULL,
    amount numeric(12, 2) NOT NULL, made_at timestamptz NOT NULL, note text, agent text NOT NULL,
    secret text NOT NULL, thread_id integer REFERENCES thread ON DELETE CASCADE, UNIQUE (id, secret)
) PARTITION BY RANGE (id);
CREATE TABLE invoice_1 PARTITION OF invoice FOR VALUES FROM (0) TO (1000);
CREATE INDEX ON invoice (account_id); CREATE INDEX ON invoice (thread_id);
CREATE TABLE invoice_line (
    id serial PRIMARY KEY, invoice_id integer NOT NULL REFERENCES invoice, what text NOT NULL, comment text
);
CREATE INDEX ON invoice_line (invoice_id);
CREATE TABLE survey (id serial PRIMARY KEY, account_id {ref} REFERENCES account, mark integer NOT NULL, words text);
CREATE INDEX ON survey (account_id);
CREATE TABLE vote (id serial PRIMARY KEY, account_id {ref} NOT NULL REFERENCES account, mark integer NOT NULL);
CREATE INDEX ON vote (account_id);
CREATE TABLE purchase (id serial PRIMARY KEY, email varchar(320) NOT NULL, amount integer NOT NULL, phone text);
CREATE INDEX ON purchase (lower(email));
CREATE TABLE device (
    id serial PRIMARY KEY, tenant integer NOT NULL, account_id {ref} NOT NULL, model text NOT NULL,
    FOREIGN KEY (tenant, account_id) REFERENCES account (tenant, id) ON DELETE CASCADE
);
CREATE INDEX ON device (tenant, account_id); CREATE INDEX ON device (account_id);
CREATE TABLE search_index (thread_id integer REFERENCES thread ON DELETE CASCADE, words text);
CREATE INDEX ON search_index (thread_id);
CREATE TABLE board (id serial PRIMARY KEY, thread_id integer NOT NULL REFERENCES thread ON DELETE CASCADE);
CREATE INDEX ON board (thread_id);
CREATE TABLE pin (
    id serial PRIMARY KEY, account_id {ref} NOT NULL REFERENCES account ON DELETE CASCADE,
    board_id integer NOT NULL REFERENCES board ON DELETE CASCADE
);
CREATE INDEX ON pin (account_id); CREATE INDEX ON pin (board_id);
"""
"""`{id}` is `uuid` or an identity, `{ref}` the type of what refers to it."""


def columns(*names: str) -> tuple[Column, ...]:
    """Name columns that keep their names."""
    return tuple(Column(name=name) for name in names)


OWN = Subject(column="account_id", equals="account_id")
UNTOLD = ("kind", "tenant", "customer", "referred_by", "restricted", "words", "favourite")
LINK = {"account_id": "Says whose row it is."}


def table(name: str, category: str, *names: str, **more: object) -> Table:
    """Declare one table whose rows name their account."""
    given = {"subject": OWN, "leave_out": LINK, **more}
    return Table(name=name, category=category, kind=name.replace("_", "-"), columns=columns(*names), **given)  # type: ignore[arg-type]


SPEC = PostgresSource(
    id="shop", title=TITLE, url_variable="SHOP_URL", write_url_variable="SHOP_WRITE_URL",
    scan_url_variable="SHOP_SCAN_URL", lookup=Lookup(table="account", stripe_customer="customer", display_name="name"),
    restrict=Flag(table="account", column="restricted"),
    tables=(
        table("account", "account", "id", "email", "name", "handle", "plan", "born", "nickname",
              subject=Subject(column="id", equals="account_id"),
              leave_out=dict.fromkeys(UNTOLD, "No word about it.")),
        table("thread", "posts", "id", "title"),
        table("comment", "posts", "id", "body", "likes",
              leave_out={**LINK, "thread_id": "A link.", "reply_to": "A link.", "answers": "A link."}),
        table("reply", "posts", "id", "body", leave_out={**LINK, "comment_id": "A link."}),
        table("message", "messages", "id", "body", subject=Subject(column="sender", equals="account_id"),
              leave_out={"sender": "Whose it is.", "recipient": "Somebody else."}),
        table("chicken", "farm", "id", leave_out={**LINK, "egg": "A link."}),
        table("egg", "farm", "id", leave_out={**LINK, "chicken": "A link."}),
        table("invoice", "payments", "id", "number", "amount", "made_at", "note",
              leave_out={**LINK, "agent": "A browser.", "secret": "A secret.", "thread_id": "A link."}),
        table("invoice_line", "payments", "id", "what", "comment", leave_out={"invoice_id": "A link."},
              subject=Subject(column="account_id", equals="account_id",
                              via=(Join(column="invoice_id", table="invoice", key="id"),))),
        table("survey", "opinions", "id", "mark", "words", anonymise={"words": ""}),
        table("vote", "opinions", "id", "mark"),
        table("purchase", "payments", "id", "amount", "phone", subject=Subject(column="email", equals="email"),
              leave_out={"email": "Whose it is."}),
        table("device", "payments", "id", "model", leave_out={**LINK, "tenant": "Which shop it was."}),
        table("pin", "pins", "id", leave_out={**LINK, "board_id": "A link."}),
    ),
    ignored_tables=dict.fromkeys(("plan_kind", "search_index", "board"), "Holds nothing about people."),
)  # fmt: skip

MINIMUM = ("id", "number", "amount", "made_at", "what")
EVERYTHING = (
    *(Erasing(category=name, action="erase") for name in ("account", "posts", "messages", "farm", "pins")),
    Erasing(category="payments", action="keep", minimum=MINIMUM),
    Erasing(category="opinions", action="anonymise"),
)
"""What erasing a whole person asks for."""


class Hard:
    """The platform: its owner's connection, and the adapter."""

    def __init__(self, owner: asyncpg.Connection, source: Postgres, ids: list[object]) -> None:
        self.owner = owner
        self.source = source
        self.ana, self.ana2, self.ben, self.cem = ids

    @property
    def subject(self) -> Identifiers:
        """Ana, with both of her accounts."""
        return Identifiers(
            emails=frozenset({"ana@example.example", "ana.old@example.example"}),
            account_ids=frozenset({str(self.ana), str(self.ana2)}), stripe_customers=frozenset({"cus_ana"}),
        )  # fmt: skip

    async def one(self, query: str, *values: object) -> object:
        """Return one value."""
        return await self.owner.fetchval(query, *values)

    async def world(self) -> dict[str, list[tuple[object, ...]]]:
        """Return every row of every table."""
        found = {}
        for row in await self.owner.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'p')"
            " AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY 1"
        ):
            rows = await self.owner.fetch(f"SELECT t::text FROM {row['name']} t ORDER BY 1")
            found[row["name"]] = [tuple(line) for line in rows]
        return found


async def build(owner: asyncpg.Connection, dsn: str, *, numbers: bool = False) -> Hard:
    """Make the schema, four accounts (two of them Ana's), and the roles."""
    id = "bigint GENERATED ALWAYS AS IDENTITY" if numbers else "uuid DEFAULT gen_random_uuid()"
    await owner.execute(SCHEMA.replace("{id}", id).replace("{ref}", "bigint" if numbers else "uuid"))
    ids = []
    for name, email, customer in (
        ("Ana", "Ana@Example.example", "cus_ana"), ("Ana Old", "ana.old@example.example", None),
        ("Ben", "ben@example.example", "cus_ben"), ("Cem", "cem@example.example", None),
    ):  # fmt: skip
        ids.append(await owner.fetchval(
            "INSERT INTO account (email, name, handle, kind, tenant, customer, born, nickname)"
            " VALUES ($1::text, $2, lower($2), 'basic', 7, $3, '1990-01-01', 'nick') RETURNING id",
            email, name, customer,
        ))  # fmt: skip
    for role in (WRITER, READER):
        await owner.execute(f"DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    declared = ", ".join(one.name for one in SPEC.tables)
    await owner.execute(
        f"GRANT SELECT, UPDATE, DELETE ON {declared} TO {WRITER}; GRANT INSERT ON account TO {WRITER};"
        f" GRANT SELECT ON board TO {WRITER}; GRANT SELECT ON {declared} TO {READER}"
    )
    source = Postgres(
        SPEC, dsn.replace("habeas@", f"{READER}@"), write_dsn=dsn.replace("habeas@", f"{WRITER}@"), erasures=EVERYTHING
    )
    return Hard(owner, source, ids)
