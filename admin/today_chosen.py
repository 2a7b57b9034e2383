"""What of the queue somebody chose to see, as it stands in an address: read from there and written back.

Always true here: what makes no sense is left out, never an error; an address names rights, numbers of staff, days and
references, and nobody.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from urllib.parse import parse_qs, urlencode

import msgspec

from portal.rights.lifecycle import RIGHTS
from portal.rights.queue import GROUPS, Chosen
from portal.rights.requests import REFERENCE

NUMBER = re.compile(r"[0-9]{1,9}")


def chosen_of(query: str, *, me: int) -> Chosen:
    """Read what an address asks for. `me` is who `owner=me` is."""
    given = {name: values[-1] for name, values in parse_qs(query, max_num_fields=50).items()}
    right, group, owner = given.get("right", ""), given.get("group", ""), given.get("owner", "")
    oldest = given.get("order") == "received"
    return Chosen(
        right=right if right in RIGHTS else "", group=group if group in GROUPS else "", owner=_owner(owner, me),
        oldest_first=oldest, after=_after(given.get("after", ""), oldest=oldest) if group in GROUPS else (),
    )  # fmt: skip


def query_of(chosen: Chosen, **instead: str) -> str:
    """Write what is chosen as an address has it; `instead` takes the place of parts of it."""
    parts: Mapping[str, str] = {
        "right": chosen.right, "owner": chosen.owner, "group": chosen.group,
        "order": "received" if chosen.oldest_first else "", "after": "~".join(chosen.after), **instead,
    }  # fmt: skip
    return urlencode({name: value for name, value in parts.items() if value})


def unpaged(chosen: Chosen) -> Chosen:
    """Return the same from the beginning."""
    return msgspec.structs.replace(chosen, after=())


def _owner(owner: str, me: int) -> str:
    if owner == "me":
        return str(me)
    return owner if owner == "nobody" or NUMBER.fullmatch(owner) else ""


def _after(place: str, *, oldest: bool) -> tuple[str, ...]:
    parts = tuple(place.split("~"))
    if len(parts) != (2 if oldest else 3) or not REFERENCE.fullmatch(parts[-1]):
        return ()
    with suppress(ValueError):
        if oldest:
            return parts if datetime.fromisoformat(parts[0]).tzinfo else ()
        date.fromisoformat(parts[0])
        return parts if parts[1] in {"0", "1"} else ()
    return ()
