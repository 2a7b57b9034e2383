"""Staff and their sessions: Piccolo's own tables with passwords dead and tokens hashed.

Always true here: nobody signs in with a password; who steals the database can open no session; a session gets a new
token at each step, so that one which was put into a browser beforehand opens nothing.
"""

import secrets
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
from piccolo.apps.user.tables import BaseUser
from piccolo.columns import Array, Text, Timestamptz, Varchar
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


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is open, with the active member of staff whose it is."""

    user: int
    email: str
    name: str
    roles: Sequence[str]
    confirmed_at: datetime
    """When the second factor was last shown, aware."""


class StaffSession(SessionsBase, tablename="staff_session"):
    """A signed-in member of staff. `token` holds the SHA-256 of the cookie's value; both expiries are naive UTC.

    piccolo_api 1.11 stores tokens in clear and reads the naive local clock; the three methods it calls are replaced.
    """

    token = Varchar(length=64, unique=True, secret=True)
    confirmed_at = Timestamptz(null=True, default=None)
    """When the second factor was last shown; before that the session opens nothing."""
    label = Text(default="")
    """Firefox on Linux, as its owner knows it; never the full user agent."""

    @classmethod
    async def begin(
        cls, user: int, *, at: datetime, confirmed: bool, label: str = "", shown_at: datetime | None = None
    ) -> str:
        """Open a session and return its token in clear, which is not kept. Unconfirmed, it opens nothing yet.

        `shown_at`: when the second factor was shown, if not just now.
        """
        token, now = secrets.token_urlsafe(32), _naive(at)
        await cls(
            token=hashed(token), user_id=user, expiry_date=now + IDLE, max_expiry_date=now + LONGEST,
            confirmed_at=(shown_at or at) if confirmed else None, label=label,
        ).save()  # fmt: skip
        return token

    @classmethod
    async def half(cls, token: str, *, at: datetime) -> int | None:
        """Return whose session it is that still lacks its second factor, None when there is none such."""
        now = _naive(at)
        row = await (
            cls.select(cls.user_id)
            .where(
                cls.token == hashed(token), cls.expiry_date > now, cls.max_expiry_date > now, cls.confirmed_at.is_null()
            )
            .first()
        )  # fmt: skip
        return int(row["user_id"]) if row else None

    @classmethod
    async def confirm(cls, token: str, *, at: datetime) -> str | None:
        """Note that the second factor was shown; return the session's new token, None when it is over.

        The old token opens nothing from now on; the session ends no later than it would have.
        """
        new, now = secrets.token_urlsafe(32), _naive(at)
        rows = await (
            cls.update({cls.token: hashed(new), cls.confirmed_at: at, cls.expiry_date: now + IDLE})
            .where(cls.token == hashed(token), cls.expiry_date > now, cls.max_expiry_date > now)
            .returning(cls.id)
        )
        return new if rows else None

    @classmethod
    async def live(cls, token: str, *, at: datetime) -> Live | None:
        """Return an open session, and let it live on for `IDLE` from now, up to `LONGEST` from its start.

        In one query, for every page of the desk begins with it. Whoever is not active any more has none.
        """
        now = _naive(at)
        rows = await cls.raw(
            "UPDATE staff_session s SET expiry_date = {} FROM staff_user u WHERE s.token = {} AND s.expiry_date > {}"
            " AND s.max_expiry_date > {} AND s.confirmed_at IS NOT NULL AND u.id = s.user_id AND u.active"
            " RETURNING u.id AS user, u.email, u.name, u.roles, s.confirmed_at",
            now + IDLE, hashed(token), now, now,
        )  # fmt: skip
        return msgspec.convert(rows[0], Live) if rows else None

    @classmethod
    async def end_all(cls, user: int, *, keep: str = "") -> None:
        """End every session of a member of staff but the one of the token `keep`: their role changed, or they left.

        Source: ASVS 5.0.0 7.4.2.
        """
        await cls.delete().where(cls.user_id == user, cls.token != hashed(keep))

    @classmethod
    async def end(cls, token: str) -> None:
        """End one session."""
        await cls.delete().where(cls.token == hashed(token))

    @classmethod
    async def forget(cls, *, at: datetime) -> None:
        """Clear away what ran out."""
        now = _naive(at)
        await cls.delete().where((cls.expiry_date < now) | (cls.max_expiry_date < now))

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
        """End a session, for Piccolo Admin, and clear away those that ran out."""
        await cls.end(token)
        await cls.forget(at=CLOCK.get()())


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
