"""When the clocks of all requests were last looked at."""

from piccolo.columns import Timestamptz, Varchar
from piccolo.table import Table


class Heartbeat(Table, tablename="heartbeat"):
    """One row for each thing that must not stop unnoticed, with when it last came to its end."""

    name = Varchar(length=40, primary_key=True)
    at = Timestamptz()
