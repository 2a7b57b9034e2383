"""What erasing one person does to each table of a live schema, before any row is looked at.

Always true here: pure; from the policy file, what is to be done, and the live foreign keys. Rows of tables that the
policy does not name go only where the platform's own ON DELETE CASCADE says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from portal.errors import SourceRefused
from portal.policy.model import Join, PostgresSource, Subject, Table
from portal.sources.base import Erasing
from portal.sources.postgres_live import ForeignKey, Live

type Fate = Literal["erase", "anonymise", "keep", "leave", "follow"]
"""`leave`: of a category that is not asked for. `follow`: not declared, goes by the platform's own cascade."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One table: how its rows of the person are found (several ways mean: any of them), and what becomes of them."""

    tables: tuple[Table, ...]
    fate: Fate
    minimum: frozenset[str] = frozenset()

    @property
    def table(self) -> Table:
        """Return the table, or the first way to find its rows."""
        return self.tables[0]

    @property
    def goes(self) -> bool:
        """True when the person's rows go, but for those that something that stays cannot do without."""
        return self.fate in {"erase", "follow"}


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of `child` need rows of `parent`: by a foreign key, or because whose they are is found through them."""

    child: str
    parent: str
    columns: tuple[str, ...]
    referenced: tuple[str, ...]
    hard: bool
    """The child's row cannot stay without its parent's."""
    mine: bool = False
    """Only the person's own rows need it: it is how they are found, not a foreign key."""
    follows: bool = False
    """A row of the child is the person's exactly when its parent is."""
    cascades: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it. `lookup` is the table of the accounts; `whole` when the accounts themselves go."""

    spec: PostgresSource
    live: Live
    parts: Mapping[str, Part]
    edges: tuple[Edge, ...]
    whole: bool

    @property
    def lookup(self) -> str:
        """Return the name of the table of the accounts."""
        return self.spec.lookup.table

    def anchored(self, table: Table) -> bool:
        """Return whether the rows of a table name the person's account themselves."""
        return not table.subject.via and table.subject.equals == "account_id" and table.name != self.lookup


def draw(spec: PostgresSource, items: Sequence[Erasing], live: Live) -> Plan:
    """Say what becomes of each table."""
    wanted = {item.category: item for item in items}
    parts: dict[str, Part] = {}
    for table in spec.tables:
        item = wanted.get(table.category)
        part = Part(
            tables=(table,), fate=item.action if item else "leave", minimum=frozenset(item.minimum if item else ())
        )
        if table.name in parts and parts[table.name].fate != part.fate:
            raise SourceRefused(spec.id, f"{table.name}: is declared twice, to different ends; declare it once")
        parts[table.name] = part
    account = parts[spec.lookup.table]
    owner = Subject(column=spec.lookup.account_id, equals="account_id")
    accounts = msgspec.structs.replace(account.table, subject=owner)
    parts[spec.lookup.table] = msgspec.structs.replace(account, tables=(accounts,))
    whole = account.fate != "leave"
    going = [name for name, part in parts.items() if part.goes or (whole and name == spec.lookup.table)]
    parts |= _followers(going, parts, live, spec)
    return Plan(spec=spec, live=live, parts=parts, edges=tuple(_edges(parts, live, spec)), whole=whole)


def _followers(waiting: list[str], parts: Mapping[str, Part], live: Live, spec: PostgresSource) -> dict[str, Part]:
    """Return the undeclared tables whose rows go by cascade and to which something else refers in turn."""
    found: dict[str, Part] = {}
    while waiting:
        name = waiting.pop()
        for key in live.foreign_keys:
            if key.parent != name or key.child in parts or key.on_delete != "c" or not _referred_to(key.child, live):
                continue
            if len(key.columns) > 1:
                raise SourceRefused(spec.id, f"{key.child}: declare it, its rows go with those of {name} ({key.name})")
            parent = {**parts, **found}[name]
            ways = tuple(_way(key, way) for way in parent.tables)
            known = found.get(key.child)
            if known is None:
                waiting.append(key.child)
            found[key.child] = Part(tables=(*(known.tables if known else ()), *ways), fate="follow")
    return found


def _referred_to(table: str, live: Live) -> bool:
    return any(key.parent == table and key.child != table for key in live.foreign_keys)


def _way(key: ForeignKey, parent: Table) -> Table:
    """Return how the rows of a cascading child are found: through its parent's."""
    join = Join(column=key.columns[0], table=parent.name, key=key.referenced[0])
    subject = msgspec.structs.replace(parent.subject, via=(join, *parent.subject.via))
    return msgspec.structs.replace(parent, name=key.child, subject=subject)


def _edges(parts: Mapping[str, Part], live: Live, spec: PostgresSource) -> Iterator[Edge]:
    """Yield every need of a row that may go, or whose account may."""
    for key in live.foreign_keys:
        if key.child in parts and key.parent in parts and (parts[key.parent].goes or key.parent == spec.lookup.table):
            undeclared = parts[key.child].fate == "follow"
            yield Edge(
                child=key.child, parent=key.parent, columns=key.columns, referenced=key.referenced,
                hard=undeclared or not live.nullable(key.child, key.columns),
                follows=_follows(key, parts, spec), cascades=key.on_delete == "c",
            )  # fmt: skip
    for name, part in parts.items():
        place = name
        for join in part.table.subject.via if part.fate not in {"follow", "anonymise"} else ():
            if join.table in parts and (parts[join.table].goes or join.table == spec.lookup.table):
                yield Edge(
                    child=place, parent=join.table, columns=(join.column,), referenced=(join.key,), hard=True, mine=True
                )
            place = join.table


def _follows(key: ForeignKey, parts: Mapping[str, Part], spec: PostgresSource) -> bool:
    """Return whether this reference is the very way in which the child's rows are found."""
    return any(
        _is_way(key, child, parent, spec) for child in parts[key.child].tables for parent in parts[key.parent].tables
    )


def _is_way(key: ForeignKey, child: Table, parent: Table, spec: PostgresSource) -> bool:
    if not child.subject.via:
        link = (child.subject.column, spec.lookup.account_id)
        named = link in zip(key.columns, key.referenced, strict=True)
        return named and child.subject.equals == "account_id" and key.parent == spec.lookup.table
    if len(key.columns) != 1:
        return False
    first, *rest = child.subject.via
    same = msgspec.structs.replace(child.subject, via=tuple(rest)) == parent.subject
    return same and (first.column, first.table, first.key) == (key.columns[0], key.parent, key.referenced[0])
