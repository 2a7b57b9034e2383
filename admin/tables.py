"""Staff, their sign-in links and their sessions: Piccolo's own tables with passwords dead and tokens hashed.

Always true here: nobody signs in with a password, and who steals the database can open no session and use no link.
"""

import secrets
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
from piccolo.apps.user.tables import BaseUser
from piccolo.columns import UUID, Array, ForeignKey, OnDelete, Text, Timestamptz, Varchar
from piccolo.table import Table
from piccolo_api.session_auth.tables import SessionsBase

from portal.clock import Clock, system_clock

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
"""Source: ASVS 5.0.0 7.3.1, 7.3.2 (law/rules S-21)."""
CLOCK: ContextVar[Clock] = ContextVar("CLOCK", default=system_clock)
"""The clock of whoever calls, for the methods whose signature is Piccolo's."""


def hashed(token: str) -> str:
    """Return what is stored of a token that is random enough to need no salt."""
    return sha256(token.encode()).hexdigest()


class StaffUser(BaseUser, tablename="staff_user"):
    """A member of staff. The password column that Piccolo insists on stays empty; of its flags only `active` counts.

    `admin` is set for everybody, because Piccolo Admin lets nobody else in; what they see there is ours to say.
    """

    name = Text(default="")
    """What colleagues call them."""
    roles = Array(base_column=Text())
    """Of `roles.Role`."""

    @classmethod
    async def login(cls, username: str, password: str) -> int | None:  # noqa: ARG003  Piccolo's signature
        """Refuse: staff never sign in with a password."""
        return None


class StaffLink(Table, tablename="staff_link"):
    """A sign-in link, made on the command line: one use, a quarter of an hour."""

    id = UUID(primary_key=True)
    user = ForeignKey(StaffUser, on_delete=OnDelete.cascade, null=False, index=True)
    token_hash = Text(unique=True)
    created_at = Timestamptz()
    expires_at = Timestamptz()
    used_at = Timestamptz(null=True, default=None)


class Live(msgspec.Struct, frozen=True):
    """A session that is open."""

    user: int
    confirmed_at: datetime
    """When the second factor was last shown, aware."""


class StaffSession(SessionsBase, tablename="staff_session"):
    """A signed-in member of staff. `token` holds the SHA-256 of the cookie's value; both expiries are naive UTC.

    piccolo_api 1.11 stores tokens in clear and reads the naive local clock; the three methods it calls are replaced.
    """

    token = Varchar(length=64, unique=True, secret=True)
    confirmed_at = Timestamptz(null=True, default=None)
    """When the second factor was last shown; before that the session opens nothing."""

    @classmethod
    async def begin(cls, user: int, *, at: datetime, confirmed: bool) -> str:
        """Open a session and return its token in clear, which is not kept. Unconfirmed, it opens nothing yet."""
        token, now = secrets.token_urlsafe(32), _naive(at)
        await cls(
            token=hashed(token), user_id=user, expiry_date=now + IDLE, max_expiry_date=now + LONGEST,
            confirmed_at=at if confirmed else None,
        ).save()  # fmt: skip
        return token

    @classmethod
    async def live(cls, token: str, *, at: datetime) -> Live | None:
        """Return an open session, and let it live on for `IDLE` from now, up to `LONGEST` from its start."""
        now = _naive(at)
        rows = await (
            cls.update({cls.expiry_date: now + IDLE})
            .where(
                cls.token == hashed(token), cls.expiry_date > now, cls.max_expiry_date > now,
                cls.confirmed_at.is_not_null(),
            )
            .returning(cls.user_id, cls.confirmed_at)
        )  # fmt: skip
        return Live(int(rows[0]["user_id"]), rows[0]["confirmed_at"]) if rows else None

    @classmethod
    async def end_all(cls, user: int) -> None:
        """End every session of a member of staff: their role changed, or they left. Source: ASVS 5.0.0 7.4.2."""
        await cls.delete().where(cls.user_id == user)

    @classmethod
    async def create_session(
        cls,
        user_id: int,
        expiry_date: datetime | None = None,  # noqa: ARG003  Piccolo's signature; the lives above count
        max_expiry_date: datetime | None = None,  # noqa: ARG003
    ) -> "StaffSession":
        """Open a session that opens nothing: Piccolo's own door, which is shut, knows no second factor."""
        return cls(token=await cls.begin(user_id, at=CLOCK.get()(), confirmed=False), user_id=user_id)

    @classmethod
    async def get_user_id(cls, token: str, increase_expiry: timedelta | None = None) -> int | None:  # noqa: ARG003
        """Return whose session it is, for Piccolo Admin."""
        live = await cls.live(token, at=CLOCK.get()())
        return live.user if live else None

    @classmethod
    async def remove_session(cls, token: str) -> None:
        """End a session, and clear away those that ran out."""
        now = _naive(CLOCK.get()())
        await cls.delete().where((cls.token == hashed(token)) | (cls.expiry_date < now) | (cls.max_expiry_date < now))


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
