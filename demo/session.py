"""Print the token of a session of a made-up member of staff, in the database of the environment.

    python -m demo.session dpo@staff.example dpo

Always true here: it is for the demo and its journeys; nothing of the product calls it.
"""

import asyncio
import sys

from admin.roles import Role
from admin.sign_in import make_link, use_link
from portal.clock import system_clock
from portal.database import engine


async def session(email: str, role: str) -> str:
    """Return the token of a session with that role, which begins now."""
    at = system_clock()
    async with engine().pooled():
        return await use_link(await make_link(email, at=at, roles=[Role(role)]), at=at) or ""


if __name__ == "__main__":
    print(asyncio.run(session(sys.argv[1], sys.argv[2])))
