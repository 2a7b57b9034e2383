"""Our own tables, told like anybody else's."""

import asyncpg

from portal.policy.model import PORTAL_FIELDS, PortalSource, Text
from portal.sources import completeness
from portal.sources.base import Identifiers
from portal.sources.portal import OwnTables, own_tables

SPEC = PortalSource(id="portal", title=Text(en="Habeas", fr="Habeas"), category="requests")


async def test_every_column_of_ours_is_told_or_left_out_with_a_reason(database: str) -> None:
    """Whoever adds a table or a column must decide here what people are told of it."""
    connection = await asyncpg.connect(database)
    faults = await completeness.check(connection, own_tables(SPEC))
    await connection.close()
    assert [f"{fault.place}: {fault.what}" for fault in faults if fault.place != "role"] == []


def test_only_the_fields_of_the_policy_model_are_filled() -> None:
    """And each of them by some table."""
    filled = {column.target for table in own_tables(SPEC).tables for column in table.columns}
    assert filled == set(PORTAL_FIELDS)


def test_no_hash_token_or_code_is_collected() -> None:
    """Secrets stay where they are, even as hashes."""
    names = {column.name for table in own_tables(SPEC).tables for column in table.columns}
    assert not [name for name in names if "hash" in name or "token" in name or "code" in name or "body" in name]


async def test_our_own_id_is_no_account_of_the_platform(database: str) -> None:
    """A person we have talked to is known by our id alone, which finds nothing in other sources."""
    connection = await asyncpg.connect(database)
    id = await connection.fetchval(
        "INSERT INTO subject (email, display_name, language, created_at)"
        " VALUES ('ana@example.example', 'Ana', 'fr', now()) RETURNING id"
    )
    await connection.close()
    source = OwnTables(SPEC, database)
    found = await source.identify(Identifiers(emails=frozenset({"ana@example.example"})))
    assert (found.subject_id, found.account_ids) == (str(id), frozenset())
    assert (found.display_name, found.language) == ("Ana", "fr")
    await source.close()
