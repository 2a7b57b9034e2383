"""Orders to try: a person with everything a category can hold, in both languages, some of it hostile."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from exports.order import Batch, Column, Order, Paragraph, Part, Section, StoredFile, Use

SNAPSHOT = datetime(2026, 10, 14, 7, 12, tzinfo=UTC)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000"
    "000049454e44ae426082"
)

HOSTILE: tuple[str, ...] = (
    '<img src="http://169.254.169.254/latest/meta-data/"><script>alert(1)</script>',
    '<link rel="attachment" href="file:///etc/passwd"><style>@import url(http://169.254.169.254/x.css)</style>',
    '=HYPERLINK("http://attacker.example","click")',
    "+33 6 12 34 56 78",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\tindented; =1+1",
    "＝1+1 full width",
    "\u202egnp.exe\u202c after",
    "שלום العربية mixed with latin",
    "日本語 emoji 🎨👩‍👩‍👧 ﷽",
    "NUL\x00bell\x07escape\x1b[31m delete\x7f",
    "../../etc/passwd",
    "{{ 7*7 }} {% raw %} </style></table>",
    "line one\r\nline two\u2028line three",
    "\ufffe\uffff\U0010ffff zalgo Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
)

type Rows = Sequence[Mapping[str, object]]


def part(
    rows: Rows | Callable[[], AsyncIterator[Batch]], source: str = "platform", title: str = "The platform",
    files: Callable[[], AsyncIterator[StoredFile]] | None = None,
) -> Part:  # fmt: skip
    """A part that gives `rows`, or whatever the given function streams."""
    if callable(rows):
        return Part(source=source, source_title=title, expected=None, batches=rows, files=files)

    async def batches() -> AsyncIterator[Batch]:
        for start in range(0, len(rows), 100):
            some = rows[start : start + 100]
            yield Batch(lines=msgspec.json.Encoder().encode_lines(some), count=len(some))

    return Part(source=source, source_title=title, expected=len(rows), batches=batches, files=files)


def stored(content: bytes, name: str, media_type: str) -> StoredFile:
    """A file that is really there."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]

    return StoredFile(name=name, media_type=media_type, size_bytes=len(content), open=pieces)


def files(*some: StoredFile) -> Callable[[], AsyncIterator[StoredFile]]:
    """A part's files."""

    async def listing() -> AsyncIterator[StoredFile]:
        for file in some:
            yield file

    return listing


def section(id: str, title: str, columns: tuple[Column, ...], *parts: Part) -> Section:
    """A section with words of no importance."""
    return Section(
        id=id, title=title, explanation=f"About {title.lower()}.", why="to run your account (contract)",
        until="you close it", recipients="AWS (storage)", columns=columns, parts=parts,
    )  # fmt: skip


NOTE = (Column(id="made_at", title="When", kind="moment", main=True), Column(id="text", title="Text", main=True))


def notes(rows: Rows | Callable[[], AsyncIterator[Batch]], id: str = "notes", source: str = "platform") -> Section:
    """A plain section of two columns."""
    return section(id, "Notes", NOTE, part(rows, source))


def note(number: int, text: str = "") -> dict[str, object]:
    """One record of `notes`."""
    at = SNAPSHOT - timedelta(hours=number)
    return {"kind": "note", "made_at": at.isoformat().replace("+00:00", "Z"), "text": text or f"note {number}"}


def order(*sections: Section, language: str = "en", accent: str = "#1f3fa8", name: str = "Amélie Laurent") -> Order:
    """An order for these sections."""
    french = language == "fr"
    return Order(
        reference="DR-2026-0147", language=language, organisation="Casagbic",
        title=("Vos données,", "vos règles.") if french else ("Your data,", "your rules."),
        accent=accent, name=name, email="amelie.laurent@person.example", snapshot_at=SNAPSHOT, zone="Europe/Paris",
        contact="privacy@casagbic.example", schema_url="https://privacy.casagbic.example/schema/habeas-export-1.json",
        sections=sections,
        uses=(
            Use(use="Run your account and jobs", ground="contract", may="see, take, correct, erase, pause"),
            Use(use="Notice break-ins and abuse", ground="legitimate interest", may="see, correct, erase, say no"),
        ),
        notices=(
            Paragraph(title="If you are not happy", text="Complain to us, or straight to the CNIL, www.cnil.fr."),
            Paragraph(title="Decisions made by a program alone", text="There are none."),
        ),
        not_in_here=("Passwords and card numbers: we never have them.",),
    )  # fmt: skip


def sample_order(language: str = "en", accent: str = "#1f3fa8") -> Order:
    """Everything at once: single records, tables, long text, code, money, files, a long category, a broken source."""
    fr = language == "fr"

    def said(english: str, french: str) -> str:
        return french if fr else english

    def at(hours: int) -> str:
        return (SNAPSHOT - timedelta(hours=hours)).isoformat().replace("+00:00", "Z")

    async def down() -> AsyncIterator[Batch]:
        from exports.order import PartError

        yield Batch(lines=b'{"kind":"invoice"}\n', count=1)
        raise PartError("unavailable")

    account = section(
        "account", said("Account", "Compte"),
        (
            Column(id="email", title=said("E-mail", "Adresse e-mail"), main=True),
            Column(id="name", title=said("Display name", "Nom affiché"), main=True),
            Column(id="newsletter", title=said("Newsletter", "Lettre"), kind="flag"),
            Column(id="created_at", title=said("Since", "Depuis"), kind="moment"),
            Column(id="settings", title=said("Settings", "Réglages")),
        ),
        part([{"kind": "account", "email": "amelie.laurent@person.example", "name": "Amélie Laurent",
               "newsletter": False, "created_at": at(5000), "settings": {"theme": "dark", "tabs": [1, 2]}}]),
    )  # fmt: skip
    sign_ins = section(
        "sign-ins", said("Sign-in records", "Connexions"),
        (
            Column(id="at", title=said("When", "Quand"), kind="moment", main=True),
            Column(id="method", title=said("How", "Comment"), main=True),
            Column(id="ip", title=said("IP address", "Adresse IP"), main=True),
            Column(id="device", title=said("Device", "Appareil"), main=True),
            Column(id="success", title=said("Worked", "Réussie"), kind="flag"),
        ),
        part([{"kind": "sign-in", "at": at(n * 7), "method": "code", "ip": f"192.0.2.{n % 250}",
               "device": "Firefox, Android", "success": True} for n in range(130)]),
    )  # fmt: skip
    prompts = section(
        "prompts",
        said("Prompts", "Vos demandes"),
        (
            Column(id="at", title=said("When", "Quand"), kind="moment", main=True),
            Column(id="prompt", title=said("Prompt", "Demande"), kind="long-text", main=True),
            Column(id="provider", title=said("Sent to", "Envoyé à"), main=True),
        ),
        part(
            [
                {"kind": "job", "at": at(n), "provider": "Anthropic", "prompt": text}
                for n, text in enumerate([*HOSTILE, "long " * 900, "x" * 3000, "Rename my holiday photos."])
            ]
        ),
    )
    code = section(
        "code", said("Generated code", "Code généré"),
        (
            Column(id="at", title=said("When", "Quand"), kind="moment", main=True),
            Column(id="path", title=said("File", "Fichier"), main=True),
            Column(id="code", title="Code", kind="code", main=True),
        ),
        part([{"kind": "output", "at": at(3), "path": "rename.py", "code": "import os\n\nfor name in os.listdir('.'):\n"
               "    print(name)  # <b>not bold</b>\n"}]),
    )  # fmt: skip
    uploads = section(
        "uploads", said("Uploaded files", "Fichiers déposés"),
        (
            Column(id="name", title=said("File", "Fichier"), kind="file", main=True),
            Column(id="type", title=said("Kind", "Type"), main=True),
            Column(id="size", title=said("Size", "Taille"), kind="size", main=True),
            Column(id="at", title=said("Added", "Ajouté"), kind="day", main=True),
        ),
        part([{"kind": "upload", "name": name, "type": "text/csv", "size": 12_345 * (n + 1), "at": at(n * 30)[:10]}
              for n, name in enumerate(("museum-hours.csv", "../../etc/passwd", "<b>x</b>.png", "=1+1.csv"))],
             "uploads", said("File store", "Stockage des fichiers"),
             files(stored(b"a,b\n1,2\n" * 50, "museum-hours.csv", "text/csv"),
                   stored(PNG, "../../etc/passwd", "image/png"),
                   stored(hashlib.sha256(b"x").digest() * 100, "\u202egnp.exe", "application/x-msdownload"))),
    )  # fmt: skip
    payments = section(
        "payments", said("Payments", "Paiements"),
        (
            Column(id="on", title="Date", kind="day", main=True),
            Column(id="amount", title=said("Amount", "Montant"), kind="money", main=True),
            Column(id="currency", title=said("Currency", "Devise")),
            Column(id="credits", title=said("Credits", "Crédits"), kind="number", main=True),
            Column(id="reference", title=said("Stripe reference", "Référence Stripe"), main=True),
        ),
        part([{"kind": "purchase", "on": at(n * 900)[:10], "amount": ("20.00", "-10.50", "1234.5", "0.001")[n],
               "currency": ("eur", "EUR", "usd", "jpy")[n], "credits": 200 * (n + 1), "reference": f"pi_3Q{n}x81"}
              for n in range(4)]),
        part(down, "stripe", "Stripe"),
    )  # fmt: skip
    empty = section("requests", said("Your requests to us", "Vos demandes à nous"), NOTE, part([], "portal", "Portal"))
    return order(
        account, sign_ins, prompts, code, uploads, payments, empty, language=language, accent=accent
    )  # fmt: skip
