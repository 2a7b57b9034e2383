"""Fills a database by hand: `python -m demo.platforms casagbic postgresql://…`.

Always true here: the database must be empty; nothing is overwritten.
"""

import asyncio
import sys

import asyncpg

from demo.platforms import PLATFORMS


async def fill(organisation: str, dsn: str) -> None:
    """Make and fill the tables of one sample platform."""
    connection = await asyncpg.connect(dsn)
    try:
        people = await PLATFORMS[organisation].fill(connection)
    finally:
        await connection.close()
    sys.stdout.write(f"{len(people)} people of {organisation} are in.\n")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in PLATFORMS:
        sys.exit(f"usage: python -m demo.platforms {'|'.join(PLATFORMS)} DSN")
    asyncio.run(fill(sys.argv[1], sys.argv[2]))
