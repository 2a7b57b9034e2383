"""How staff want to be written to."""

from piccolo.columns import ForeignKey, OnDelete, Varchar
from piccolo.table import Table

from admin.tables import StaffUser


class StaffChoice(Table, tablename="staff_choice"):
    """What a member of staff chose for the mails they get. Who has no row gets the organisation's first language."""

    user = ForeignKey(StaffUser, on_delete=OnDelete.cascade, null=False, primary_key=True)
    language = Varchar(length=2)
