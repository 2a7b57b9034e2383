"""Rules on how things are written: texts in both languages, ids, addresses, duplicates.

Always true here: an id is safe in an address, a file name and a JSON key, because nothing else passes.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from portal.policy.model import Category, Field, Frozen, Policy, Text
from portal.policy.rules.walk import each, fields, parts
from portal.policy.shape import LANGUAGE_NAMES

LONGEST = 2_000
UNTRANSLATED_WORDS = 4


def texts(policy: Policy) -> Iterator[str]:
    """Every text is there in both languages, and every value that must be written says something."""
    for place, part in (("", policy), *parts(policy)):
        for name, value, required in fields(part):
            if isinstance(value, str):
                dot = f"{place}." if place else ""
                yield from _text(f"{dot}{name}", value, part, name, required=required)
        if isinstance(part, Text) and part.en == part.fr and len(part.en.split()) >= UNTRANSLATED_WORDS:
            yield f"{place}.fr: is the English text once more. Write the French text."


def _text(place: str, value: str, part: Frozen, name: str, *, required: bool) -> Iterator[str]:
    if not value.strip() and required:
        remedy = f"the {LANGUAGE_NAMES[name]} text" if isinstance(part, Text) else "something, or remove the entry"
        yield f"{place}: is empty. Write {remedy}."
    if len(value) > LONGEST:
        yield f"{place}: has {len(value)} characters. Say it in {LONGEST} at most."
    odd = [f"U+{ord(sign):04X}" for sign in value if unicodedata.category(sign) in {"Cc", "Cf"} and sign != "\n"]
    if odd:
        yield f"{place}: holds the invisible character {odd[0]}. Remove it."


def ids(policy: Policy) -> Iterator[str]:
    """Ids are short and plain: they become part of addresses, file names and JSON."""
    if not _is_id(policy.id):
        yield _id_mistake("id", policy.id)
    for place, part in parts(policy):
        for name in ("id", "kind"):
            value = getattr(part, name, None)
            if isinstance(part, Field):
                continue
            if isinstance(value, str) and not _is_id(value):
                yield _id_mistake(f"{place}.{name}", value)
    for place, category in each("categories", policy.categories):
        yield from _field_ids(place, category)


def _field_ids(place: str, category: Category) -> Iterator[str]:
    for at, field in each(f"{place}.fields", category.fields):
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", field.id):
            yield f'{at}.id: "{field.id[:40]}" cannot be an id here. Use a-z, 0-9 and _ (at most 40), a letter first.'
        if field.id == "kind":
            yield f"{at}.id: every record already has a kind. Choose another id."


def _is_id(value: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9-]{0,39}", value) is not None


def _id_mistake(place: str, value: str) -> str:
    return f'{place}: "{value[:40]}" cannot be an id. Use a-z, 0-9 and - (at most 40), a letter first.'


def duplicates(policy: Policy) -> Iterator[str]:
    """No two entries of one list share their id."""
    lists: dict[str, Sequence[Frozen]] = {
        "purposes": policy.purposes,
        "recipients": policy.recipients,
        "categories": policy.categories,
        "sources": policy.sources,
        "promises": policy.promises,
        "gaps": policy.gaps,
        "cookies": policy.cookies,
    }
    lists |= {f"{place}.fields": category.fields for place, category in each("categories", policy.categories)}
    for place, items in lists.items():
        key = "name" if place == "cookies" else "id"
        for name, times in Counter(str(getattr(item, key)) for item in items).items():
            if times > 1:
                yield f'{place}: {times} entries have the {key} "{name}". Give each its own.'


def addresses(policy: Policy) -> Iterator[str]:
    """Mail addresses, sites, the zone and host names have the form that programs need."""
    controller = policy.controller
    for place, address in (("controller.contact", controller.contact), ("mail_from", policy.mail_from)):
        if not re.fullmatch(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\".]+", address):
            yield f'{place}: "{address[:80]}" is not a mail address. Write one such as privacy@your-site.example.'
    for place, site in (("controller.site", controller.site), ("controller.authority.url", controller.authority.url)):
        if not re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+(/\S*)?", site):
            yield f'{place}: "{site[:80]}" is not a full address. Write one such as https://your-site.example.'
    try:
        ZoneInfo(controller.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield f'controller.zone: "{controller.zone[:40]}" is no time zone. Write an IANA name such as Europe/Paris.'
    for at, recipient in each("recipients", policy.recipients):
        for host in recipient.hosts:
            if not re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+", host):
                yield f'{at}.hosts: "{host[:80]}" is not a host name. Write one such as api.company.example, no https://.'
