"""The forms in Piccolo Admin: assign, extend, record what was received.

Always true here: a form asks for the permission that the desk asks for and calls the verb that the desk calls; what the
verb refuses is shown in its own sentence.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import msgspec
from litestar.exceptions import NotFoundException
from litestar.types import ASGIApp, Receive, Scope
from multidict import MultiDict
from piccolo_admin.endpoints import FormConfig
from pydantic import BaseModel, Field
from starlette.requests import Request

from admin.captured import Captured, capture, json_answer
from admin.colleagues import who_may
from admin.desk_act import Act
from admin.desk_shapes import by_reference
from admin.desk_verbs import PERMISSIONS, VERBS
from admin.records import KEY, Asking, refused
from admin.roles import Permission
from portal.errors import Invalid, Refused
from portal.identity.address import normalise
from portal.rights import assignees
from portal.rights.intake_staff import Entered, enter, received_instant
from portal.rights.letters import NotComplete
from portal.rights.letters.titles import title
from portal.words import Words

LONGEST = 20_000
FORM = re.compile(r"/api/forms/([a-z]+)/(schema/)?")


class Wording(msgspec.Struct, frozen=True):
    """What a form is called, and its fields."""

    name: str
    description: str
    fields: Mapping[str, str]


class Form[Sent: BaseModel](msgspec.Struct, frozen=True, kw_only=True):
    """One form. `slug` is its address; `run` returns what to say when it worked."""

    slug: str
    needs: Permission
    model: type[Sent]
    run: Callable[[Asking, Sent], Awaitable[str]]
    says: Callable[[Words], Wording]

    def config(self) -> FormConfig:
        """Return what Piccolo Admin wants to know; what people read comes from `says`."""
        return FormConfig(name=self.slug, pydantic_model=self.model, endpoint=self._endpoint)

    async def _endpoint(self, request: Request, sent: Sent) -> str:
        asking: Asking = request.scope[KEY]
        try:
            return await self.run(asking, sent)
        except Refused as refused:
            raise ValueError(_sentence(asking.words, refused)) from None


class Assign(BaseModel):
    """Who gets which request."""

    reference: str = Field(default="", max_length=40)
    colleague: str = Field(default="", max_length=200)


class Extend(BaseModel):
    """Which request takes longer, and why."""

    reference: str = Field(default="", max_length=40)
    ground: str = Field(default="complexity", max_length=40)
    why: str = Field(default="", max_length=LONGEST)


class Record(BaseModel):
    """What reached us outside the portal."""

    right: str = Field(default="access", max_length=40)
    channel: str = Field(default="letter", max_length=40)
    day: str = Field(default="", max_length=40)
    time: str = Field(default="12:00", max_length=40)
    which: str = Field(default="", max_length=40)
    text: str = Field(default="", max_length=LONGEST)
    method: str = Field(default="none", max_length=40)
    email: str = Field(default="", max_length=320)
    language: str = Field(default="en", max_length=10)


async def assign(asking: Asking, sent: Assign) -> str:
    """Give a request to a colleague, or to nobody."""
    request, wanted = await by_reference(sent.reference.strip()), sent.colleague.strip().casefold()
    found = [one for one in await who_may(Permission.WRITE) if wanted in {one.email.casefold(), one.name.casefold()}]
    if wanted and len(found) != 1:
        raise Invalid(
            "Write the name or the address of one colleague who works on requests; leave it empty for nobody.",
            field="colleague",
        )
    to, words = found[0].id if wanted else None, asking.words
    given = await assignees.give(request.id, to, at=asking.at, actor=asking.staff.actor)
    if not given:
        return words("They have it already.")
    return words("{reference} is given.", reference=request.reference)


async def extend(asking: Asking, sent: Extend) -> str:
    """Take longer."""
    request, words = await by_reference(sent.reference.strip()), asking.words
    fields = MultiDict({"ground": sent.ground.strip(), "why": sent.why})
    await VERBS["extend"](
        Act(
            request=request, fields=fields, policy=asking.policy, settings=asking.settings, at=asking.at,
            staff=asking.staff,
        )
    )  # fmt: skip
    return words("{reference} takes longer, and the person is told.", reference=request.reference)


async def record(asking: Asking, sent: Record) -> str:
    """Write down what reached us outside the portal."""
    policy, words = asking.policy, asking.words
    if sent.language not in policy.languages:
        raise Invalid("Choose one of the languages of the policy file.", field="language")
    rights = cast(Any, tuple(sent.right.replace(",", " ").split()))
    entered = Entered(
        rights=rights, channel=sent.channel.strip(), text=sent.text.replace("\r\n", "\n").strip(),
        received_at=received_instant(sent.day, sent.time, sent.which.strip(), policy=policy, at=asking.at),
        email=normalise(sent.email) if sent.email.strip() else "", method=sent.method.strip(),
        language=sent.language,
    )  # fmt: skip
    opened = await enter(entered, policy=policy, settings=asking.settings, at=asking.at, actor=asking.staff.actor)
    if not opened:
        return words("It is joined to what is open already.")
    return words("Written down: {references}.", references=", ".join(one.reference for one in opened))


def assign_in_words(words: Words) -> Wording:
    """Name the form and its fields."""
    return Wording(
        words("Assign a request"),
        words("Say who has it. Whoever has it sees it first on Today."),
        {"reference": words("Reference, like DR-2026-0147"), "colleague": words("Colleague: name or address")},
    )


def extend_in_words(words: Words) -> Wording:
    """Name the form and its fields."""
    return Wording(
        words("Extend a request"),
        words("Once, in time, and for one of two reasons. The person gets a letter with what you write here."),
        {
            "reference": words("Reference, like DR-2026-0147"), "ground": words("Reason: complexity or number"),
            "why": words("Why, for this person"),
        },
    )  # fmt: skip


def record_in_words(words: Words) -> Wording:
    """Name the form and its fields."""
    return Wording(
        words("Record a letter received"),
        words("Or a call, an e-mail, a visit. The desk has a better form; this one does the same."),
        {
            "right": words(
                "What is asked: access, portability, rectification, erasure, restriction, objection, consent,"
                " automated, inquiry or complaint"
            ),
            "channel": words("How it came: letter, phone, email or counter"),
            "day": words("The day it reached us, like 2026-03-06"),
            "time": words("The time it reached us, like 18:00"),
            "which": words("If the clocks went back that hour: first or second"),
            "text": words("What the person said, in their own words"),
            "method": words(
                "How you know who it is: none, address-on-record, account-details, in-person or other"
            ),
            "email": words("The address of their account, if you know it"),
            "language": words("The language they wrote or spoke in: en or fr"),
        },
    )  # fmt: skip


FORMS: Mapping[str, Form[Any]] = {
    form.slug: form
    for form in (
        Form(slug="assign", needs=Permission.ASSIGN, model=Assign, run=assign, says=assign_in_words),
        Form(slug="extend", needs=PERMISSIONS["extend"], model=Extend, run=extend, says=extend_in_words),
        Form(slug="record", needs=Permission.ENTER, model=Record, run=record, says=record_in_words),
    )
}


def form_list(asking: Asking) -> list[dict[str, str]]:
    """Return the forms that somebody may send, as Piccolo Admin asks for them."""
    return [form_named(asking, slug) for slug, form in FORMS.items() if asking.staff.may(form.needs)]


def form_groups(asking: Asking) -> dict[str, object]:
    """Return the same by groups, of which there are none."""
    return {"grouped": {}, "ungrouped": form_list(asking)}


async def on_form(method: str, path: str, asking: Asking, inner: ASGIApp, scope: Scope, receive: Receive) -> Captured:
    """Show or take one form. Raises: NotFoundException, for any other address."""
    found = FORM.fullmatch(path)
    form = FORMS.get(found[1]) if found else None
    if found is None or form is None or method not in ({"GET", "HEAD"} if found[2] else {"GET", "HEAD", "POST"}):
        raise NotFoundException
    if not asking.staff.may(form.needs):
        return await refused(asking, form.needs)
    if method == "POST":
        return await capture(inner, scope, receive)
    return json_answer(200, form_schema(asking, form.slug) if found[2] else form_named(asking, form.slug))


def form_named(asking: Asking, slug: str) -> dict[str, str]:
    """Return a form's name and description."""
    said = FORMS[slug].says(asking.words)
    return {"name": said.name, "slug": slug, "description": said.description}


def form_schema(asking: Asking, slug: str) -> dict[str, object]:
    """Return a form's fields, named in the browser's language."""
    schema: dict[str, Any] = FORMS[slug].model.model_json_schema()
    said = FORMS[slug].says(asking.words)
    for name, field in schema["properties"].items():
        field["title"] = said.fields[name]
    schema["title"] = said.name
    return schema


def _sentence(words: Words, refused: Refused) -> str:
    if isinstance(refused, NotComplete):
        return words(
            "The letter is not complete. What is missing: {part} ({rule}).", part=title(words, refused.block),
            rule=refused.rule,
        )  # fmt: skip
    return words(refused.sentence)
