"""Exactly what was asked for, as the second person reads it: the letter, or what goes and what stays, or the values.

Always true here: it is made from what was sealed, never from what a form says now.
"""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec
from multidict import MultiDict

from admin.desk_act import Act
from admin.desk_verbs import preview
from portal.rights.erasure import GRACE
from portal.rights.erasure_plan import choosable, draw
from portal.rights.letters import Written
from portal.rights.shapes import category_title
from portal.words import Words


class Exactly(msgspec.Struct, frozen=True, kw_only=True):
    """What would be done."""

    letter: Written | None = None
    going: tuple[str, ...] = ()
    """Place: kind of data, for each that would be erased or made anonymous."""
    staying: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    at_once: bool = False
    """True when it would not wait three days."""
    address: str = ""


async def asked_for(act: Act, verb: str, values: Mapping[str, Sequence[str]], words: Words) -> Exactly:
    """Return what would be done, from what was sealed."""
    sealed = MultiDict((name, value) for name, each in values.items() for value in each)
    if verb == "refuse":
        return Exactly(letter=await preview(msgspec.structs.replace(act, fields=sealed), "propose"))
    if verb == "new-address":
        return Exactly(address=sealed.get("email", ""))
    everything = tuple(category.id for category in choosable(act.policy))
    chosen = everything if verb == "child-erase" else act.request.categories or sealed.getall("categories", [])
    return _plan(act, words, chosen, at_once=sealed.get("under") == "yes")


def _plan(act: Act, words: Words, chosen: Sequence[str], *, at_once: bool) -> Exactly:
    """Return what the policy says of these categories. How much there is, the worker counts when it begins."""
    policy = act.policy
    day = (act.at + GRACE).astimezone(ZoneInfo(policy.controller.zone)).date()
    drawn = draw(policy, chosen, {}, today=day)
    places = {spec.id: spec.title[words.language] for spec in policy.sources}

    def named(actions: set[str]) -> tuple[str, ...]:
        return tuple(
            words("{title}: {text}", title=places[line.source], text=category_title(words, policy, line.category))
            for line in drawn.lines
            if line.action in actions
        )

    return Exactly(
        going=named({"erase", "anonymise"}), staying=named({"keep"}),
        told=tuple(policy.recipient(id).name for id in drawn.told), at_once=at_once,
    )  # fmt: skip
