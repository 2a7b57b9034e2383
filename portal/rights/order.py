"""Turn a request into the order for an export: the policy's words in the person's language, and where to read.

Always true here: every text of the copy comes from the policy file, filtered to what this person asked for.
Source: GDPR Art. 15(1), 15(2); EDPB Guidelines 01/2022.
"""

from collections.abc import Mapping
from datetime import datetime

from exports.order import Column, Order, Paragraph, Part, Section, Use
from portal.policy.model import Category, Policy
from portal.rights.grounds import ground, outside_eea, recipients_in_words, rights_in_words, why
from portal.rights.lifecycle import RIGHTS
from portal.rights.portability import left_out, portable
from portal.rights.requests import RequestView
from portal.rights.values import names_of
from portal.words import Words

SCHEMA_PATH = "/schema/habeas-export-1.json"


def draw_order(
    request: RequestView, policy: Policy, readers: Mapping[str, tuple[Part, ...]], *,
    name: str, email: str, public_url: str, at: datetime,
) -> Order:  # fmt: skip
    """Build the order. `readers` gives the parts of each category id; categories follow the policy's order."""
    words = Words(request.language, policy.controller.zone)
    chosen = [category for category in policy.categories if category.id in request.categories]
    return Order(
        reference=request.reference,
        language=request.language,
        organisation=policy.controller.name,
        title=tuple(policy.tagline[request.language].split("\n")),
        accent=policy.colour.accent,
        name=name,
        email=email,
        snapshot_at=at,
        zone=policy.controller.zone,
        contact=policy.controller.contact,
        schema_url=f"{public_url}{SCHEMA_PATH}",
        sections=tuple(_section(words, policy, category, readers.get(category.id, ())) for category in chosen),
        uses=_uses(words, policy, chosen),
        notices=_notices(words, policy, chosen),
        not_in_here=_not_in_here(words, policy, request.right, chosen),
        article=RIGHTS[request.right],
    )


def _section(words: Words, policy: Policy, category: Category, parts: tuple[Part, ...]) -> Section:
    language, names = words.language, names_of(words, policy, category)
    return Section(
        id=category.id,
        title=category.title[language],
        explanation=category.explanation[language],
        why=why(words, policy, category),
        until=category.retention.text[language],
        recipients=recipients_in_words(words, policy, category),
        origin=category.origin[language] if category.origin else "",
        portable=category.portable,
        columns=tuple(
            Column(
                id=field.id,
                title=field.title[language],
                kind=field.kind,
                main=field.main,
                values=names[field.id],
            )
            for field in category.fields
        ),
        parts=parts,
    )


def _uses(words: Words, policy: Policy, chosen: list[Category]) -> tuple[Use, ...]:
    wanted = {id for category in chosen for id in category.purposes}
    return tuple(
        Use(
            use=purpose.title[words.language],
            ground=ground(words, purpose),
            may=rights_in_words(words, purpose.basis),
        )
        for purpose in policy.purposes
        if purpose.id in wanted
    )


def _notices(words: Words, policy: Policy, chosen: list[Category]) -> tuple[Paragraph, ...]:
    contact, authority = policy.controller.contact, policy.controller.authority
    return (
        Paragraph(
            title=words("What you can ask us"),
            text=words(
                "You can ask to see, take, correct or erase your data, to pause its use, and to say no to a use based "
                "on our own interest. Where we rely on your consent you can take it back at any time. It is free. "
                "Use this portal or write to {contact}.",
                contact=contact,
            ),
        ),
        Paragraph(
            title=words("If you are not happy"),
            text=words(
                "You can complain to {authority} ({url}), or to the authority where you live or work, without asking "
                "us first. You can also go to court.",
                authority=authority.name,
                url=authority.url,
            ),
        ),
        Paragraph(title=words("Decisions made by a program alone"), text=policy.automated_decisions[words.language]),
        Paragraph(title=words("Sent outside the European Economic Area"), text=_transfers(words, policy, chosen)),
        Paragraph(
            title=words("Another copy"),
            text=words(
                "This is what we held at the moment printed on the cover. You can ask for a new copy whenever you "
                "like, free of charge."
            ),
        ),
    )


def _transfers(words: Words, policy: Policy, chosen: list[Category]) -> str:
    wanted = {id for category in chosen for id in category.recipients}
    lines = [
        words(
            "{name}, {country}: {tool}.",
            name=recipient.name,
            country=words.country(recipient.country),
            tool=tool_in_words(words, recipient.transfer.tool) if recipient.transfer else words("no tool on record"),
        )
        for recipient in policy.recipients
        if recipient.id in wanted and outside_eea(recipient)
    ]
    if not lines:
        return words("None of the data in this copy is sent outside the European Economic Area.")
    return " ".join([*lines, policy.copy_of_safeguards[words.language]])


def tool_in_words(words: Words, tool: str) -> str:
    """Name what makes a transfer lawful. Source: GDPR Art. 45, 46."""
    return {
        "scc": words("standard contractual clauses (Art. 46)"),
        "dpf": words("EU-US Data Privacy Framework (Art. 45)"),
        "scc+dpf": words("standard contractual clauses (Art. 46) and EU-US Data Privacy Framework (Art. 45)"),
        "adequacy": words("adequacy decision (Art. 45)"),
        "uk-addendum": words("UK addendum to the standard contractual clauses"),
    }[tool]


def _not_in_here(words: Words, policy: Policy, right: str, chosen: list[Category]) -> tuple[str, ...]:
    language = words.language
    rows = [(never.title[language], never.explanation[language]) for never in policy.never]
    if right == "portability":
        rows += [(one.title, one.why) for one in left_out(words, policy)]
        offered = portable(policy)
    else:
        rows += [(one.title[language], one.explanation[language]) for one in policy.categories if not one.searchable]
        offered = [category for category in policy.categories if category.searchable]
    told = [words("{title}: {text}", title=title, text=text) for title, text in rows]
    unchosen = [category.title[language] for category in offered if category not in chosen]
    asked = [words("You did not ask for: {titles}.", titles=", ".join(unchosen))] if unchosen else []
    return (*told, *asked)
