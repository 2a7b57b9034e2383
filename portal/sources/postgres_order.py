"""In which order an erasure's statements run, so that no foreign key is ever broken on the way.

Always true here: pure. Statements that need each other, as in a cycle of foreign keys, form one group and run as one
statement, because the server looks at foreign keys only when a statement is done.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from typing import Literal

from portal.sources.postgres_plan import Plan

type Kind = Literal["delete", "blank", "hollow"]
type Step = tuple[Kind, str]
"""What to do, and to which table."""


def groups(plan: Plan, stays: Collection[str]) -> list[list[Step]]:
    """Return the steps in their order. `stays` are the tables with rows that become shells."""
    steps = list(_steps(plan, stays))
    return list(_grouped(steps, _before(plan, steps)))


def _steps(plan: Plan, stays: Collection[str]) -> Iterator[Step]:
    for name, part in plan.parts.items():
        if part.fate in {"keep", "anonymise"} and name != plan.lookup:
            yield "blank", name
        if part.fate == "erase" or (name == plan.lookup and plan.whole):
            yield "delete", name
        if name in stays and part.fate == "erase":
            yield "hollow", name


def _before(plan: Plan, steps: Sequence[Step]) -> Mapping[Step, set[Step]]:
    """Return for each step those that must not come before it."""
    of: dict[str, list[Step]] = {}
    for step in steps:
        of.setdefault(step[1], []).append(step)
    after: dict[Step, set[Step]] = {step: set() for step in steps}
    for name, part in plan.parts.items():
        # Whose a row is can only be seen as long as the rows on the way to the person are as they were.
        for join in part.table.subject.via:
            for here, there in product(of.get(name, ()), of.get(join.table, ())):
                after[here].add(there)
    for key in plan.live.foreign_keys:
        for here, there in product(of.get(key.child, ()), of.get(key.parent, ())):
            if here == there:
                continue
            after[here].add(there)
            if there[0] != "delete" and plan.parts[key.parent].table.subject.column in key.referenced:
                after[there].add(here)
    return after


def _grouped(steps: Sequence[Step], after: Mapping[Step, set[Step]]) -> Iterator[list[Step]]:
    """Yield groups of steps that need each other, each group before those that come after it.

    Source: Tarjan's algorithm for strongly connected components, which finds them last to first.
    """
    order: dict[Step, int] = {}
    lowest: dict[Step, int] = {}
    stack: list[Step] = []
    done: list[list[Step]] = []

    def visit(step: Step) -> None:
        order[step] = lowest[step] = len(order)
        stack.append(step)
        for other in sorted(after[step]):
            if other not in order:
                visit(other)
                lowest[step] = min(lowest[step], lowest[other])
            elif other in stack:
                lowest[step] = min(lowest[step], order[other])
        if lowest[step] == order[step]:
            place = stack.index(step)
            done.append(stack[place:])
            del stack[place:]

    for step in steps:
        if step not in order:
            visit(step)
    yield from reversed(done)
