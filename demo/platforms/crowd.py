"""The people of the sample platforms: ordinary ones, and those that software tends to forget.

Always true here: the same random numbers make the same people, and no name belongs to anybody we know.
"""

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import msgspec

from demo.platforms.texts import HOSTILE_NAMES

UNTIL = datetime(2026, 10, 14, 7, 0, tzinfo=UTC)
"""The moment at which the sample platforms stand still."""

FIRST_NAMES = {
    "en": ["Alice", "Oliver", "Priya", "George", "Niamh", "Samuel", "Grace", "Kofi"],
    "fr": ["Chloé", "Hugo", "Inès", "Loïc", "Noémie", "Théo", "Maëlys", "Gaëtan"],
    "de": ["Jürgen", "Anneliese", "Björn", "Käthe", "Lukas", "Sören"],
    "es": ["Íñigo", "Begoña", "Joaquín", "Lucía", "Martín"],
    "pl": ["Łukasz", "Zofia", "Małgorzata", "Paweł"],
    "el": ["Ελένη", "Γιώργος", "Δήμητρα"],
    "ar": ["ليلى", "يوسف", "سلمى"],
    "ja": ["さくら", "蓮", "陽菜"],
}
LAST_NAMES = {
    "en": ["Ashdown", "Bramley", "Okafor", "Quill", "Underhill", "Winterbourne"],
    "fr": ["Aubépin", "Belleforêt", "Chantepie", "Durivage", "L’Hermitte", "de la Brière"],
    "de": ["Müllersberg", "Großkopf", "Öhlmann", "von Straßfeld"],
    "es": ["Peñalosa", "Núñez Cid", "Ibarrondo"],
    "pl": ["Wiśniewicz", "Żuraw", "Dąbrowiec"],
    "el": ["Παπαδάκος", "Νικολάου"],
    "ar": ["الحكيم", "المنصور"],
    "ja": ["山本田", "小林川"],
}

SPECIAL = (
    ("heavy", "Amélie Laurent", ("amelie.laurent@person.example",), "fr", 900),
    ("newcomer", "Nils Newcomer", ("nils.newcomer@person.example",), "en", 0),
    ("twice", "Jean Dupont", ("Jean.Dupont@person.example", "jean.dupont@person.example"), "fr", 700),
    ("stripe-only", "Sam Paidonly", ("sam.paidonly@person.example",), "en", 300),
    *(("hostile", name, (f"hostile.{n}@person.example",), "en", 200) for n, name in enumerate(HOSTILE_NAMES)),
)
"""Role, name, addresses, language and days since they came."""


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a person's, as it lies in the store. `name` is the person's own and may be anything."""

    key: str
    name: str
    media_type: str
    body: bytes
    stored_at: datetime
    id: UUID

    @property
    def size_bytes(self) -> int:
        """How large the file is."""
        return len(self.body)


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """One purchase of credits, known to the platform and to Stripe. The amount is in cents."""

    at: datetime
    cents: int
    credits: int
    payment: str
    invoice: str
    refunded: bool = False


class Person(msgspec.Struct, kw_only=True):
    """Somebody who does not exist. `role` says what is special about them."""

    role: str
    """ordinary, heavy, newcomer, twice, stripe-only or hostile"""
    name: str
    emails: tuple[str, ...]
    language: str
    since: datetime
    account_ids: tuple[str, ...] = ()
    stripe_customer: str = ""
    purchases: tuple[Purchase, ...] = ()
    files: tuple[StoredObject, ...] = ()

    @property
    def email(self) -> str:
        """The address they type first."""
        return self.emails[0]


def crowd(random: Random, count: int) -> Iterator[Person]:
    """Yield `count` people: the special ones first. Each has an account unless known at Stripe only."""
    special = [Person(role=role, name=name, emails=emails, language=language, since=_day(days_ago))
               for role, name, emails, language, days_ago in SPECIAL]  # fmt: skip
    for number in range(count):
        person = special[number] if number < len(special) else _ordinary(random, number)
        if person.role != "newcomer":
            person.stripe_customer = f"cus_{random.getrandbits(80):020x}"
            person.purchases = tuple(_purchases(random, person))
        yield person


def moment(random: Random, since: datetime, *, days: int = 10_000) -> datetime:
    """Return a moment between `since` and the standstill, at most `days` before it."""
    start = max(since, UNTIL - timedelta(days=days))
    seconds = max(1, int((UNTIL - start).total_seconds()))
    return start + timedelta(seconds=random.randrange(seconds), milliseconds=random.randrange(1000))


def uuid(random: Random) -> UUID:
    """Return a random UUID that the seed decides."""
    return UUID(int=random.getrandbits(128), version=4)


def _ordinary(random: Random, number: int) -> Person:
    home = random.choice(list(FIRST_NAMES))
    name = f"{random.choice(FIRST_NAMES[home])} {random.choice(LAST_NAMES[home])}"
    plain = (
        unicodedata.normalize("NFD", name.casefold().replace("’", "").replace(" ", "."))
        .encode("ascii", "ignore")
        .decode()
    )
    address = f"{plain.strip('.') or 'someone'}.{number}@person.example"
    language = "fr" if home == "fr" else "en"
    return Person(
        role="ordinary", name=name, emails=(address,), language=language, since=_day(random.randrange(5, 900))
    )


def _purchases(random: Random, person: Person) -> Iterator[Purchase]:
    number = {"heavy": 24, "stripe-only": 2, "hostile": 1}.get(person.role, random.randrange(4))
    for at in sorted(moment(random, person.since) for _ in range(number)):
        euros = random.choice([5, 10, 20, 50])
        yield Purchase(
            at=at, cents=euros * 100 - 1 if random.random() < 0.3 else euros * 100, credits=euros * 10,
            payment=f"pi_{random.getrandbits(96):024x}", invoice=f"F-{at:%Y}-{random.randrange(10**6):06d}",
            refunded=random.random() < 0.1,
        )  # fmt: skip


def _day(days_ago: int) -> datetime:
    return UNTIL - timedelta(days=days_ago, hours=1)
