"""What one table of Piccolo Admin is: an SQL view in the schema `staff`, who may see it, and in which order.

Always true here: a column that is not named here is not in the view either (a test compares both), so that it cannot
leave through the API. `visible_columns` of Piccolo Admin would hide columns and still serve them.
"""

from collections.abc import Callable, Mapping

import msgspec
from piccolo.columns import Column
from piccolo.table import Table, create_table_class
from piccolo_admin.endpoints import TableConfig
from piccolo_api.crud.endpoints import OrderBy

from admin.roles import Permission
from portal.words import Words

PERSONAL = frozenset({Permission.RECORDS, Permission.PEOPLE})
"""Who looks at tables that need one of these is noted."""

type Says = Callable[[Words], str]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One view. `says` is its help text; `tables` are those it is made of, of which the first is the one it tells."""

    table: type[Table]
    tables: tuple[str, ...]
    needs: Permission
    order: tuple[str, ...]
    """Columns; the first with a minus is the newest first."""

    @property
    def name(self) -> str:
        """What it is called in SQL and in addresses; Piccolo Admin makes its title of it."""
        return str(self.table._meta.tablename)  # noqa: SLF001  piccolo has no other way

    @property
    def columns(self) -> frozenset[str]:
        """The names of its columns."""
        return frozenset(column._meta.name for column in self.table._meta.columns)  # noqa: SLF001

    @property
    def personal(self) -> bool:
        """True when its rows are about people: every look at them is evidence."""
        return self.needs in PERSONAL

    def config(self, group: str) -> TableConfig:
        """Return what Piccolo Admin wants to know of it."""
        found = self.table._meta.get_column_by_name  # noqa: SLF001
        return TableConfig(
            self.table, menu_group=group,
            order_by=[OrderBy(found(one.removeprefix("-")), ascending=not one.startswith("-")) for one in self.order],
        )  # fmt: skip


def view(name: str, of: str | tuple[str, ...], needs: Permission, order: str, columns: Mapping[str, Column]) -> View:
    """Return a view. `of` is the table it tells, or several; `order` a column, with a minus for the newest first."""
    table = create_table_class(
        "".join(part.capitalize() for part in name.split("_")),
        class_kwargs={"tablename": name, "schema": "staff"}, class_members=dict(columns),
    )  # fmt: skip
    return View(table=table, tables=(of,) if isinstance(of, str) else of, needs=needs, order=tuple(order.split(",")))
