"""Erases one person in somebody else's PostgreSQL, in one transaction of a role that may write.

Always true here: all of it happens or nothing; no row of anybody else goes, and what refers to a row that goes either
loses the reference or keeps an empty shell of it. A second run finds nothing and changes nothing.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4, uuid5

import msgspec

from portal.errors import SourceRefused
from portal.policy.model import PostgresSource
from portal.sources import postgres_erase_sql as sql
from portal.sources.base import Erased, Erasing, Identifiers
from portal.sources.catalogue import Connection
from portal.sources.postgres_empty import address
from portal.sources.postgres_erase_sql import Accounts, Work
from portal.sources.postgres_live import read_live
from portal.sources.postgres_order import Step, groups
from portal.sources.postgres_plan import Edge, Plan, draw
from portal.sources.postgres_session import speaking, writing
from portal.sources.postgres_sql import Reading, column, quoted

MOST_ACCOUNTS = 50
"""More accounts under one person than this are a mistake that somebody must look at."""


def held_under(pseudonym: UUID, account_ids: Iterable[str] = ()) -> Identifiers:
    """Return the identifiers under which kept records lie, for every account that the person had.

    `account_ids` are those that the platform gave itself (whole numbers); `identify` finds them by the addresses.
    """
    numbers = range(MOST_ACCOUNTS)
    return Identifiers(
        emails=frozenset(address(pseudonym, number) for number in numbers),
        account_ids=frozenset([*(_account_id(pseudonym, number) for number in numbers), *account_ids]),
        stripe_customers=frozenset({str(pseudonym)}),
    )


async def erase(
    source: PostgresSource, dsn: str, subject: Identifiers, items: Sequence[Erasing], pseudonym: UUID
) -> Erased:
    """Do all items at once.

    Raises:
        SourceRefused: something cannot be emptied, or something undeclared refuses; nothing was changed.
        SourceUnavailable: the platform was busy; nothing was changed.
    """
    async with writing(source.id, dsn) as connection:
        plan = draw(source, items, await read_live(connection, [table.name for table in source.tables]))
        work = Work(
            plan=plan, subject=subject, pseudonym=pseudonym, nobody=uuid4(), stays={}, accounts=Accounts(),
        )  # fmt: skip
        found = await _accounts(connection, work)
        await _lock(connection, work)
        await _refuse_to_orphan(connection, work)
        await _find_shells(connection, work)
        await _stand_ins(connection, work, found)
        touched = await _redirect(connection, work)
        await _assert_nobody_else(connection, work)
        deleted, blanked = 0, touched
        for group in groups(plan, work.stays.keys()):
            if ("delete", plan.lookup) in group:
                blanked += await _redirect(connection, work, links=True)
            for (kind, _), number in zip(group, await _run(connection, work, group), strict=True):
                deleted, blanked = (deleted + number, blanked) if kind == "delete" else (deleted, blanked + number)
    # Shells under an account that lives on are still told as the person's, empty as they are.
    emptied = work.stays and not plan.whole
    return Erased(done=True, means="deleted" if deleted and not emptied else "blanked" if blanked else "nothing")


def _account_id(pseudonym: UUID, number: int) -> str:
    return str(uuid5(pseudonym, str(number)) if number else pseudonym)


async def _accounts(connection: Connection, work: Work) -> list[tuple[str, str]]:
    """Lock the person's accounts and return (id, address) of each.

    When we know which accounts were meant and none is left, an earlier run was done, or the platform itself deleted
    them. Rows that are known by the address alone may then be a new account's, so they are left alone if there is one.
    """
    lookup, reading = work.plan.spec.lookup, work.reading()
    id, email = column(lookup.account_id), column(lookup.email)
    condition = sql.mine(work.plan.parts[work.plan.lookup], reading)
    rows = await connection.fetch(
        f"SELECT t.{id}::text, t.{email}::text FROM {quoted(lookup.table)} t WHERE {condition} ORDER BY 1 FOR UPDATE",  # noqa: S608
        *reading.values,
    )
    if len(rows) > MOST_ACCOUNTS:
        raise SourceRefused(work.plan.spec.id, f"{lookup.table}: {len(rows)} accounts are no one person's")
    if work.subject.account_ids and not rows:
        addresses = [*work.subject.emails, address(work.pseudonym)]
        taken = await connection.fetchval(
            f"SELECT EXISTS (SELECT FROM {quoted(lookup.table)} t"  # noqa: S608
            f" WHERE lower(t.{email}::text) = ANY(ARRAY(SELECT lower(v) FROM unnest($1::text[]) v)))",
            addresses,
        )
        if taken:
            work.subject = msgspec.structs.replace(work.subject, emails=frozenset())
    return [(row[0], row[1] or "") for row in rows]


async def _lock(connection: Connection, work: Work) -> None:
    """Lock rows that others refer to before we look at who does, so that nobody adds a reference meanwhile."""
    referred = {edge.parent for edge in work.plan.edges if not edge.mine and not edge.follows}
    for name in sorted(referred - {work.plan.lookup}):
        part, reading = work.plan.parts[name], work.reading()
        if part.fate == "erase":
            query = f"SELECT FROM {quoted(name)} t WHERE {sql.mine(part, reading)} FOR UPDATE"
            await connection.execute(f"SELECT count(*) FROM ({query}) locked", *reading.values)  # noqa: S608


async def _refuse_to_orphan(connection: Connection, work: Work) -> None:
    """Stop where the account would go from under records of it that nobody asked to erase."""
    if not work.plan.whole:
        return
    for name, part in work.plan.parts.items():
        if part.fate == "leave" and work.plan.anchored(part.table) and await _any(connection, work, name):
            message = f"{name}: holds records of the account in a category that is to stay; erase it as well"
            raise SourceRefused(work.plan.spec.id, message)


async def _find_shells(connection: Connection, work: Work) -> None:
    """Find the person's rows that something which stays cannot do without, until there are no more."""
    hard = [edge for edge in work.plan.edges if edge.hard and edge.parent != work.plan.lookup]
    if not [edge for edge in hard if await _needs(connection, work, edge)]:
        return
    for number, name in enumerate(sorted({edge.parent for edge in hard})):
        table = f"pg_temp.habeas_stay_{number}"
        key = ", ".join(map(column, work.key(name)))
        await connection.execute(
            f"CREATE TEMP TABLE habeas_stay_{number} ON COMMIT DROP AS SELECT {key} FROM {quoted(name)} WHERE false"  # noqa: S608
        )
        work.stays[name] = table
    while True:
        added = 0
        for edge in hard:
            reading = work.reading()
            added += _number(await connection.execute(sql.keep_parents(work, edge, reading), *reading.values))
        if not added:
            break
    for name, table in list(work.stays.items()):
        if not await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):  # noqa: S608
            del work.stays[name]


async def _needs(connection: Connection, work: Work, edge: Edge) -> bool:
    child = work.plan.parts[edge.child]
    if child.goes and (edge.follows or edge.mine or child.fate == "follow"):
        return False  # It goes exactly when its parent does.
    reading = work.reading()
    query = f"SELECT EXISTS ({sql.needed(work, edge, reading)})"
    return bool(await connection.fetchval(query, *reading.values))


async def _stand_ins(connection: Connection, work: Work, found: Sequence[tuple[str, str]]) -> None:
    """Add the accounts that stand in for the person's, where something that stays must name one."""
    plan = work.plan
    kept = await _anchored_rows(connection, work, {"keep", "erase"}) if plan.whole else False
    old, new = [id for id, _ in found], []
    if plan.whole and (kept or plan.parts[plan.lookup].fate in {"keep", "anonymise"}):
        for number, id in enumerate(old or [None]):
            new.append(await _stand_in(connection, work, work.pseudonym, number, id))
    lost = sorted(work.subject.account_ids - {*old}) if new else []  # Their account is gone already.
    nobody = ""
    if await _anchored_rows(connection, work, {"anonymise"}):
        nobody = await _stand_in(connection, work, work.nobody, 0, next(iter(old), None))
    work.accounts = Accounts(
        old=(*old, *lost), new=(*new, *new[:1] * len(lost)) if new else (), nobody=nobody,
        emails=tuple(email.lower() for _, email in found),
    )  # fmt: skip


async def _anchored_rows(connection: Connection, work: Work, fates: set[str]) -> bool:
    """Return whether rows that stay name the person's account, and must name another."""
    plan = work.plan
    for name, part in plan.parts.items():
        if part.fate not in fates or not plan.anchored(part.table):
            continue
        link = plan.live.columns[name][part.table.subject.column]
        if part.fate == "anonymise" and link.nullable and not link.key:
            continue
        if name in work.stays if part.fate == "erase" else await _any(connection, work, name):
            return True
    others = "anonymise" not in fates
    return others and any([await _needs(connection, work, edge) for edge in plan.edges if _to_account(plan, edge)])


def _to_account(plan: Plan, edge: Edge) -> bool:
    """Return whether this is a reference to the account that cannot be emptied, and is nobody's own link."""
    return edge.parent == plan.lookup and edge.hard and not edge.follows and plan.parts[edge.child].fate != "follow"


async def _stand_in(connection: Connection, work: Work, pseudonym: UUID, number: int, old: str | None) -> str:
    """Add one account, or return the one that an earlier run added."""
    lookup, email = work.plan.spec.lookup, address(pseudonym, number)
    known = await connection.fetchval(
        f"SELECT t.{column(lookup.account_id)}::text FROM {quoted(lookup.table)} t"  # noqa: S608
        f" WHERE lower(t.{column(lookup.email)}::text) = $1",
        email,
    )
    if known is not None:
        return str(known)
    kind = work.plan.live.columns[lookup.table][lookup.account_id].kind
    id = "" if kind in {"smallint", "integer", "bigint", "numeric"} else _account_id(pseudonym, number)
    with speaking(work.plan.spec.id, lookup.table):
        statement, values = sql.stand_in(work, id=id, email=email, old=old)
        return str(await connection.fetchval(statement, *values))


async def _redirect(connection: Connection, work: Work, *, links: bool = False) -> int:
    """Take references to what goes out of rows that stay. Returns how many.

    `links` are those by which the person's own rows are found: they must last until the account itself goes.
    """
    plan, touched = work.plan, 0
    for edge in plan.edges:
        if edge.mine != links:
            continue
        if edge.follows and edge.parent == plan.lookup:
            continue  # Each such row's own step says whose it is from now on.
        if edge.parent == plan.lookup and not plan.whole:
            continue
        if edge.hard and not (_to_account(plan, edge) and work.accounts.new):
            continue
        write = sql.point_anew if edge.hard else sql.cut
        reading = work.reading()
        with speaking(plan.spec.id, edge.child):
            touched += _number(await connection.execute(write(work, edge, reading), *reading.values))
    return touched


async def _assert_nobody_else(connection: Connection, work: Work) -> None:
    """See that no cascade can reach a row that is to stay. Source: law/rules.md S-27."""
    for edge in work.plan.edges:
        whole = edge.parent != work.plan.lookup or work.plan.whole
        if edge.cascades and whole and not edge.follows and await _needs(connection, work, edge):
            raise SourceRefused(work.plan.spec.id, f"{edge.child}: rows that are to stay would go with {edge.parent}")


async def _run(connection: Connection, work: Work, group: Sequence[Step]) -> list[int]:
    """Run one group as one statement. Returns how many rows each step touched."""
    write = {"delete": sql.delete, "blank": sql.blank, "hollow": sql.hollow}
    reading: Reading = work.reading()
    texts = {step: write[step[0]](work, step[1], reading) for step in group}
    wanted = {f"s{number}": texts[step] for number, step in enumerate(group) if texts[step]}
    if not wanted:
        return [0] * len(group)
    with speaking(work.plan.spec.id, ", ".join(name for _, name in group)):
        if len(wanted) == 1:
            (statement,) = wanted.values()
            numbers = {next(iter(wanted)): _number(await connection.execute(statement, *reading.values))}
        else:
            row = await connection.fetchrow(sql.together(wanted), *reading.values)
            numbers = dict(row.items()) if row else {}
    return [numbers.get(f"s{number}", 0) for number in range(len(group))]


async def _any(connection: Connection, work: Work, name: str) -> bool:
    reading = work.reading()
    query = f"SELECT EXISTS (SELECT FROM {quoted(name)} t WHERE {sql.mine(work.plan.parts[name], reading)})"  # noqa: S608
    return bool(await connection.fetchval(query, *reading.values))


def _number(tag: str) -> int:
    """Return the number of rows from what a statement answers, such as `DELETE 5`."""
    return int(tag.rpartition(" ")[2])
