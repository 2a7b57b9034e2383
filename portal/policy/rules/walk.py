"""Goes through a policy part by part, with the place of each as the file's author would name it.

Always true here: every struct of the file is met exactly once, parents first, in the file's order.
"""

from collections.abc import Iterator, Sequence

import msgspec

from portal.policy.model import Frozen, Policy
from portal.policy.shape import entry


def parts(policy: Policy) -> Iterator[tuple[str, Frozen]]:
    """Yield every struct below the policy with its place."""
    return _below("", policy)


def each[T](place: str, items: Sequence[T]) -> Iterator[tuple[str, T]]:
    """Yield the entries of a list with their places: `categories[2] "prompts"`."""
    return ((entry(place, index, item), item) for index, item in enumerate(items))


def fields(part: Frozen) -> Iterator[tuple[str, object, bool]]:
    """Yield name, value and "must be written" of each field of a struct."""
    for field in msgspec.structs.fields(part):
        yield field.name, getattr(part, field.name), field.required


def _below(place: str, part: Frozen) -> Iterator[tuple[str, Frozen]]:
    for name, value, _ in fields(part):
        here = f"{place}.{name}" if place else name
        found = [(here, value)] if isinstance(value, Frozen) else []
        if isinstance(value, tuple):
            found = [(at, item) for at, item in each(here, value) if isinstance(item, Frozen)]
        for at, item in found:
            yield at, item
            yield from _below(at, item)
