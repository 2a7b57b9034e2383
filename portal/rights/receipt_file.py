"""What a receipt says, how it is signed, and how anybody checks it: with us, with our command, or with openssl alone.

Always true here: nothing in a receipt is personal; the signature covers the exact bytes that stand in the file, so
nobody needs to know how we write JSON; and a key that travels with a receipt proves nothing, so none does.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from portal.errors import HabeasError
from portal.evidence.keys import keys
from portal.settings import Settings

FORMAT = "habeas-receipt-1"
LARGEST_BYTES = 48 * 1024
FIRST_LINE = '{"receipt":'
PURPOSE = "receipt"

type What = Literal[
    "erased", "anonymised", "kept", "corrected", "handed-over", "withheld", "paused", "resumed", "stopped", "moved",
    "nothing", "unreachable", "by-hand",
]  # fmt: skip
type Told = Literal["to-be-asked", "asked", "told", "confirmed", "not-needed", "unreachable"]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """One line: what became of one category, in one source when `source` names it."""

    category: str
    """Its id in the policy."""
    title: str
    """What it was called for the person."""
    what: What
    source: str = ""
    records: int | None = None
    """How many; None when nobody could count them."""
    ground: str = ""
    """The article, for what was kept or withheld."""
    until: date | None = None
    """The last day on which any of it may still be there."""


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else who had the data, by actual name, and whether they know. Source: GDPR Art. 19."""

    name: str
    state: Told
    on: date | None = None


class Anchor(msgspec.Struct, frozen=True):
    """The newest entry of our evidence log when the receipt was made: what came before it cannot be changed since."""

    seq: int
    digest: str


class Organisation(msgspec.Struct, frozen=True):
    """Who answers for it."""

    name: str
    legal_name: str
    site: str


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is signed, in the order in which it is written."""

    format: Literal["habeas-receipt-1"] = FORMAT  # type: ignore[assignment]
    number: str
    """Twenty digits in groups of four. Whoever has them may ask what became of the request."""
    supplement: int = 0
    """0, or how many receipts of the same request came before."""
    supplements: str = ""
    """The number of the first receipt, when this is a supplement."""
    issued_at: datetime
    organisation: Organisation
    reference: str
    right: str
    received: date
    answered: date
    outcome: str
    rules: str
    """Version of the rules that the dates were computed by."""
    done: tuple[Done, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    backups_gone_by: date | None = None
    evidence: Anchor
    key: str
    """Which of our keys signed it."""
    check_at: str


class NotGenuine(HabeasError):
    """The file is no receipt, was changed, or was not signed by the key at hand. The message says which."""


class _Tail(msgspec.Struct):
    signature: str
    key: str


def write(body: Body, key: Ed25519PrivateKey) -> tuple[bytes, bytes]:
    """Return the exact bytes that are signed, readable JSON that ends with a line break, and the signature."""
    content = msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"
    return content, key.sign(content)


def file_of(content: bytes, signature: bytes, key_id: str) -> bytes:
    """Return the file: valid JSON whose first and last lines are ours and whose lines between are what is signed."""
    tail = f',"signature":"{base64.b64encode(signature).decode()}","algorithm":"Ed25519","key":"{key_id}"}}\n'
    return FIRST_LINE.encode() + b"\n" + content + tail.encode()


def check(file: bytes, trusted: Mapping[str, Ed25519PublicKey]) -> Body:
    """Return what a receipt says, once its signature is found right. `trusted`: key id -> key, never from the file.

    Line ends may have become CR LF on the way, and blanks at either end do not matter. Nothing else may differ from
    what we wrote, not even where no signature reaches.

    Raises:
        NotGenuine: it is no receipt, was changed, or was signed with none of these keys.
    """
    file = _as_written(file)
    content, tail = _parts(file)
    key = trusted.get(tail.key)
    if key is None:
        raise NotGenuine(f"it was signed with the key {tail.key[:16]!r}, which is not the one at hand")
    try:
        signature = base64.b64decode(tail.signature, validate=True)
        key.verify(signature, content)
    except (InvalidSignature, ValueError):
        raise NotGenuine("the signature is not right: the file was changed after it was signed") from None
    if file_of(content, signature, tail.key) != file:
        raise NotGenuine("its last line was changed after it was signed")
    try:
        return msgspec.json.decode(content, type=Body)
    except msgspec.DecodeError:
        raise NotGenuine("it was signed by a newer version, whose receipts this one cannot read") from None


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """Return the key that signs now. It follows from the secret key."""
    return Ed25519PrivateKey.from_private_bytes(settings.key(PURPOSE))


def trusted_keys(settings: Settings) -> Mapping[str, Ed25519PublicKey]:
    """Return the public keys whose receipts we stand by, the present one first; see HABEAS_FORMER_SECRET_KEYS."""
    found = [Ed25519PrivateKey.from_private_bytes(key).public_key() for key in keys(settings, PURPOSE)]
    return {key_id(key): key for key in found}


def key_id(key: Ed25519PublicKey) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of the key's DER form."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:16]


def pem(key: Ed25519PublicKey) -> str:
    """Return the key as PEM, as openssl reads it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read_pem(content: bytes) -> Ed25519PublicKey:
    """Read a public key. Raises: NotGenuine when it is none of the kind."""
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise NotGenuine("this is no public key in PEM form") from None
    if not isinstance(key, Ed25519PublicKey):
        raise NotGenuine("this public key is not of the kind Ed25519")
    return key


def _as_written(file: bytes) -> bytes:
    """Undo what editors and mail programs do to a text without anybody's wish."""
    if len(file) > LARGEST_BYTES:
        raise NotGenuine("this is no receipt of ours: it is too long")
    return file.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").strip(b" \t\n") + b"\n"


def _parts(file: bytes) -> tuple[bytes, _Tail]:
    """Take a file apart: what is signed, and what is said about the signature."""
    lines = file.removesuffix(b"\n").split(b"\n")
    try:
        if lines[0] != FIRST_LINE.encode():
            raise NotGenuine("this is no receipt of ours")
        tail = msgspec.json.decode(b"{" + lines[-1].removeprefix(b","), type=_Tail)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotGenuine("this is no receipt of ours, or its end is missing") from None
    return b"\n".join(lines[1:-1]) + b"\n", tail
