"""E-mail addresses: one spelling for each, and no cleverness about who may have which.

Always true here: what comes out is trimmed, lower-case, in Unicode's composed form, and can be written to.
"""

import unicodedata

from portal.errors import Invalid
from portal.mail.outbox import plain_address


def normalise(email: str) -> str:
    """Return the one spelling of an address.

    Raises:
        Invalid: when it is none; names the field `email`.
    """
    found = plain_address(unicodedata.normalize("NFC", email.strip().lower()))
    if not all(found.rpartition("@")[2].split(".")):
        raise Invalid("Write one e-mail address, like name@example.com.", field="email")
    return found
