"""Recovery codes: ten on paper, each of which stands in once for a passkey.

Always true here: they are shown once, when they are made; what is stored is a keyed hash; a new set replaces the old.
"""

import hmac
import re
import secrets
from datetime import datetime
from uuid import uuid4

from admin.tables_factors import StaffRecoveryCode
from portal.settings import Settings

COUNT = 10
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's: no letter that one takes for another. Ten of them are 50 bits."""
HALF = 5
MISREAD = str.maketrans("oil", "011")


async def replace(user: int, *, settings: Settings, at: datetime) -> list[str]:
    """Return ten new codes in clear, which are not kept, in the caller's transaction. The old ones stop working."""
    codes = ["".join(secrets.choice(LETTERS) for _ in range(2 * HALF)) for _ in range(COUNT)]
    await StaffRecoveryCode.delete().where(StaffRecoveryCode.user == user)
    await StaffRecoveryCode.insert(
        *(
            StaffRecoveryCode(id=uuid4(), user=user, code_hash=_hash(user, code, settings), created_at=at)
            for code in codes
        )
    )
    return [f"{code[:HALF]}-{code[HALF:]}" for code in codes]


async def use(user: int, typed: str, *, settings: Settings, at: datetime) -> bool:
    """Use up the code that was typed, in the caller's transaction. False: it is none of theirs, or was used."""
    code = re.sub(r"[\s\-\u2010-\u2015]", "", typed.lower()).translate(MISREAD)
    used = await (
        StaffRecoveryCode.update({StaffRecoveryCode.used_at: at})
        .where(
            StaffRecoveryCode.user == user,
            StaffRecoveryCode.code_hash == _hash(user, code, settings),
            StaffRecoveryCode.used_at.is_null(),
        )
        .returning(StaffRecoveryCode.id)
    )
    return bool(used)


async def left(user: int) -> int:
    """Return how many codes somebody still has."""
    mine, unused = StaffRecoveryCode.user == user, StaffRecoveryCode.used_at.is_null()
    found: int = await StaffRecoveryCode.count().where(mine, unused)
    return found


def _hash(user: int, code: str, settings: Settings) -> str:
    return hmac.digest(settings.key("recovery"), f"{user}:{code}".encode(), "sha256").hex()
