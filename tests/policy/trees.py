"""Takes the two real policy files apart, so that a test can plant one mistake anywhere in them.

Always true here: the files on disk are never touched; each call gives a fresh tree.
"""

import pickle
import tomllib
from collections.abc import Iterator
from pathlib import Path

from portal.policy.check import check
from portal.policy.shape import decode, entry, mend

POLICIES = Path(__file__).parents[2] / "policies"
NAMES = ("casagbic", "caaartoons")
OPEN_TABLES = ("leave_out", "ignored_tables")
"""Tables whose keys are somebody else's names."""

type Tree = dict[str, object]
type Way = tuple[str | int, ...]

_READ = {name: pickle.dumps(tomllib.loads((POLICIES / f"{name}.toml").read_text())) for name in NAMES}


def tree(name: str = "casagbic") -> Tree:
    """Return the file as plain dictionaries and lists."""
    return pickle.loads(_READ[name])


def tables(node: object, way: Way = ()) -> Iterator[tuple[Way, Tree]]:
    """Yield every table with a fixed set of keys, and the way to it."""
    if isinstance(node, dict):
        if not way or way[-1] not in OPEN_TABLES:
            yield way, node
        for key, below in node.items():
            yield from tables(below, (*way, key))
    if isinstance(node, list):
        for index, below in enumerate(node):
            yield from tables(below, (*way, index))


def at(node: object, way: Way) -> object:
    """Return what lies at the end of a way."""
    for step in way:
        node = node[step]  # type: ignore[index]
    return node


def place(root: Tree, way: Way) -> str:
    """Name a way as the mistakes name it: `categories[2] "prompts".title`."""
    named = ""
    for depth, step in enumerate(way):
        if isinstance(step, int):
            named = entry(named, step, at(root, way[: depth + 1]))
        else:
            named = f"{named}.{step}" if named else step
    return named


def mistakes(raw: Tree) -> list[str]:
    """Return every mistake of a tree, of shape and of sense, as one run of the command would."""
    mended, found = mend(raw)
    return found + check(decode(mended))
