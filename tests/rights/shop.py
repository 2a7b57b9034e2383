"""A worker for the portal in memory: it carries plans out as the real one would, without a queue."""

from typing import cast

from piccolo.querystring import QueryString

from exports.press import Press
from exports.storage import Storage
from portal.database import engine
from portal.rights.walk import walk
from portal.rights.works import CRAFTS
from portal.rights.workshop import Workshop
from portal.sources.registry import Sources
from tests.rights.conftest import House


def shop_of(house: House) -> Workshop:
    """Return what the worker of this house is given. Nothing is laid out or packed in it."""
    return Workshop(
        house.policy, house.settings, house.clock, Sources(list(house.sources.values())),
        cast(Storage, house.storage), cast(Press, None),
    )  # fmt: skip


async def work(house: House) -> None:
    """Carry out every plan whose time has come, once."""
    rows = await engine().run_querystring(
        QueryString(
            "SELECT id FROM plan WHERE state IN ('approved', 'running', 'scanning') AND runs_at <= {}"
            " ORDER BY approved_at",
            house.clock(),
        )
    )
    for row in rows:
        await walk(shop_of(house), CRAFTS, {"plan": str(row["id"])})


async def events_of(reference: str) -> list[str]:
    """Return what the evidence says about a request, in order."""
    rows = await engine().run_querystring(
        QueryString("SELECT event FROM evidence WHERE reference = {} ORDER BY seq", reference)
    )
    return [row["event"] for row in rows]


async def mails_to(address: str) -> list[str]:
    """Return the kinds of mail that were written to an address, in order."""
    rows = await engine().run_querystring(
        QueryString("SELECT kind FROM mail WHERE to_address = {} ORDER BY created_at, kind", address)
    )
    return [row["kind"] for row in rows]
