"""Keys for what outlives a change of the secret key: seals, tombstones, anchors, receipts.

Always true here: new things are made with the present key alone; things made with a former key can still be read.
"""

import re
from functools import partial

from msgspec.structs import replace

from portal.settings import Settings

FORMER = "HABEAS_FORMER_SECRET_KEYS"
_BETWEEN = re.compile(r"[\s,]+")


def keys(settings: Settings, purpose: str) -> tuple[bytes, ...]:
    """Return the 32-byte keys for one purpose: the present one first, then one for each former secret key."""
    former = filter(None, _BETWEEN.split(settings.environment.get(FORMER, "")))
    with_secret = partial(replace, settings)
    return (settings.key(purpose), *(with_secret(secret_key=secret).key(purpose) for secret in former))
