"""Read the forms of the "write to us" pages: which fields a topic has, what is wrong with them, what is kept.

Always true here: every mistake names its field and its remedy, what was typed comes back as it was, and nothing is
stored while there is a mistake.
"""

from collections.abc import Mapping

import msgspec
from multidict import MultiDict

from portal.errors import Invalid
from portal.identity.address import normalise
from portal.policy.model import Policy
from portal.rights.erasure_plan import choosable
from portal.rights.intake_staff import all_categories
from portal.rights.lifecycle import Right
from portal.rights.messages import LONGEST

TOPICS: Mapping[str, Right] = {
    "see": "access", "take": "portability", "correct": "rectification", "erase": "erasure", "pause": "restriction",
    "say-no": "objection", "decision": "automated", "complain": "complaint", "person": "inquiry", "child": "child",
    "agent": "inquiry", "lost": "inquiry",
}  # fmt: skip
"""Topic of the address -> the right it exercises. With `agent` and `lost` the form says which."""

CHOSEN: Mapping[str, Right] = {
    topic: right for topic, right in TOPICS.items() if topic not in {"child", "agent", "lost", "complain"}
}
"""What can be chosen in the forms that say which right it is."""

RELATIONS = ("parent", "school", "other")
UNDER = ("yes", "no", "unsure")
LONGEST_NAME = 200


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed, as it was typed."""

    email: str = ""
    text: str = ""
    scope: str = ""
    """erase: all or some"""
    name: str = ""
    about: str = ""
    wish: str = ""
    """agent, lost: the topic of what is asked for"""
    under: str = ""
    request: str = ""
    """complain: the reference of a request"""

    def right(self, topic: str) -> Right:
        """Return the right that is exercised."""
        return CHOSEN.get(self.wish, "inquiry") if topic in {"agent", "lost"} else TOPICS[topic]

    def categories(self, topic: str, policy: Policy) -> tuple[str, ...]:
        """Return what the request covers from the start: everything for a copy, and for an erasure if they say so."""
        right = self.right(topic)
        if right in {"access", "portability"}:
            return all_categories(policy)
        if right == "erasure" and self.scope == "all":
            return tuple(category.id for category in choosable(policy))
        return ()


def read(fields: MultiDict[str]) -> Typed:
    """Return what was typed in the fields that we know."""
    return Typed(**{name: fields.get(name, "") for name in Typed.__struct_fields__})


AGENT_FIELDS = ("name", "email", "about", "wish", "text")
"""In the order of the page."""


def mistakes(topic: str, typed: Typed, *, signed_in: bool) -> list[Invalid]:
    """Return everything that has to be mended, in the order of the page."""
    found = [*_who(topic, typed), *_what(topic, typed), *_words(topic, typed)]
    if not signed_in and (topic != "child" or typed.email.strip()):
        found += _address(typed.email, "email")
    if topic == "agent":
        found.sort(key=lambda one: AGENT_FIELDS.index(one.field))
    return found


def _who(topic: str, typed: Typed) -> list[Invalid]:
    if topic == "child":
        found = []
        if not typed.about.strip():
            found.append(Invalid("Write the e-mail address or the name of the account.", field="about"))
        if len(typed.about) > LONGEST_NAME:
            found.append(Invalid("This is too long. Write at most 200 characters.", field="about"))
        if typed.name not in RELATIONS:
            found.append(Invalid("Say who you are to the child.", field="name-parent"))
        if typed.under not in UNDER:
            found.append(Invalid("Choose the age, or that you are not sure.", field="under-yes"))
        return found
    if topic == "agent":
        found = [
            Invalid("Write the person’s e-mail address, like name@example.com.", field="about")
            for _ in _address(typed.about, "about")
        ]
        if not typed.name.strip():
            found.insert(0, Invalid("Write your name, and your organisation if you have one.", field="name"))
        if len(typed.name) > LONGEST_NAME:
            found.insert(0, Invalid("This is too long. Write at most 200 characters.", field="name"))
        return found
    return []


def _what(topic: str, typed: Typed) -> list[Invalid]:
    if topic in {"agent", "lost"} and typed.wish not in CHOSEN:
        return [Invalid("Choose what is asked for.", field="wish")]
    if topic == "erase" and typed.scope not in {"all", "some"}:
        return [Invalid("Choose everything, or only some of it.", field="scope-all")]
    return []


def _words(topic: str, typed: Typed) -> list[Invalid]:
    needed = topic not in {"see", "take", "agent", "decision"} and not (topic == "erase" and typed.scope == "all")
    if needed and not typed.text.strip():
        return [Invalid("Write something first.", field="text")]
    if len(typed.text) > LONGEST:
        return [Invalid("This is too long. Shorten it to 5,000 characters.", field="text")]
    return []


def _address(typed: str, field: str) -> list[Invalid]:
    try:
        normalise(typed)
    except Invalid as mistake:
        return [Invalid(mistake.sentence, field=field)]
    return []
