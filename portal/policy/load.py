"""Reads the policy file into the structs of `model`.

Always true here: the caller gets a whole Policy or every mistake of the file, each with its place and the remedy.
"""

import tomllib
import unicodedata
from pathlib import Path

import msgspec

from portal.errors import PolicyError
from portal.policy.model import Policy
from portal.policy.shape import decode, mend

LARGEST_BYTES = 2_000_000
LONGEST_LINE = 600


def load(path: Path) -> Policy:
    """Read the policy file. Whether its parts agree with each other is `check`'s business.

    Raises:
        PolicyError: the file cannot be read, is not TOML, or has keys or values that do not fit.
    """
    policy, mistakes = read(path)
    if mistakes or policy is None:
        raise PolicyError([line(path, mistake) for mistake in mistakes])
    return policy


def line(path: Path, mistake: str) -> str:
    """Say in which file, on one line of bearable length, whatever the file holds."""
    shown = "".join("?" if unicodedata.category(sign)[0] == "C" else sign for sign in mistake)
    return f"{path}: {shown[:LONGEST_LINE]}"


def read(path: Path) -> tuple[Policy | None, list[str]]:
    """Return the policy if it can be built at all, and the mistakes of shape, without the file's name.

    Raises:
        PolicyError: the file cannot be read or is not TOML: then there is nothing else to say.
    """
    tree, mistakes = mend(_toml(path))
    try:
        return decode(tree), mistakes
    except msgspec.ValidationError as mistake:
        return None, mistakes or [str(mistake)]


def _toml(path: Path) -> dict[str, object]:
    try:
        binary = path.read_bytes()
    except OSError as error:
        remedy = "Name a policy file such as policies/casagbic.toml (--policy, or HABEAS_POLICY)"
        raise PolicyError([f"{path}: cannot be read ({error.strerror}). {remedy}."]) from None
    if len(binary) > LARGEST_BYTES:
        raise PolicyError([f"{path}: is larger than {LARGEST_BYTES} bytes. This is not a policy file."])
    try:
        return tomllib.loads(binary.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = binary[: error.start].count(b"\n") + 1
        raise PolicyError([f"{path}: line {line}: is not UTF-8. Save the file as UTF-8."]) from None
    except tomllib.TOMLDecodeError as error:
        raise PolicyError([f"{path}: is not valid TOML: {error}. Mend that place; see toml.io."]) from None
    except (RecursionError, ValueError):
        raise PolicyError([f"{path}: is not valid TOML: a value is nested too deep or far too long."]) from None
