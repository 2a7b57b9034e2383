"""How to complain and how to go to court, for the country a person lives in.

Always true here: the policy's own authority is always named; nobody is told that one way closes the other. People in
the United Kingdom are told of our own procedure first, and Art. 77 is not cited to them.
Source: GDPR Art. 12(4), 77, 79; Data Protection Act 2018 (UK), s. 164A, 165, 167.
"""

from portal.mail.letter import Section
from portal.policy.authorities import NationalAuthority, authority_for
from portal.policy.model import Policy
from portal.words import Words


def remedies(words: Words, policy: Policy, country: str | None = None) -> tuple[Section, Section]:
    """Return both ways as two sections. `country` is the person's, None when it is not known."""
    return (
        Section(words("If you want to complain"), complaint(words, policy, country)),
        Section(words("Going to court"), court(words, policy, country)),
    )


def complaint(words: Words, policy: Policy, country: str | None = None, *, answered: bool = False) -> tuple[str, ...]:
    """Say where to complain: the authority of the person's country if it is known and another, and always ours.

    `answered` is True in the answer to a complaint to us: then nobody is sent to us first.
    """
    found = authority_for(country, policy)
    match found.theirs:
        case None:
            return (_ours(words, policy), _free(words), _choice(words))
        case NationalAuthority(reach="elsewhere") as theirs:
            there = words(
                "Where you live, another authority watches over data protection: {authority}, {site}",
                authority=theirs.name[words.language],
                site=theirs.url,
            )
            return (_ours(words, policy), _free(words), _choice(words), there)
        case NationalAuthority(reach="uk") as theirs:
            british = _british(words, policy, theirs)
            return (*(british[1:] if answered else british), _ours_too(words, policy))
        case theirs:
            note = (theirs.note[words.language],) if theirs.note else ()
            return (_theirs(words, theirs), *note, _ours_too(words, policy), _free(words))


def court(words: Words, policy: Policy, country: str | None = None) -> tuple[str, ...]:
    """Say that a court can be asked, and where."""
    theirs = authority_for(country, policy).theirs
    if theirs is not None and theirs.reach == "uk":
        return (words("You can also ask a court to enforce your rights. A complaint does not take that away."),)
    return (
        words(
            "If you think that we broke your rights, you can take us to court: in the country where we are "
            "established, or in the country where you live (Art. 79 of the GDPR)."
        ),
        words("A complaint does not take that away."),
    )


def _ours(words: Words, policy: Policy) -> str:
    authority = policy.controller.authority
    return words(
        "You can complain to a data protection authority: {authority}, {site}",
        authority=authority.name,
        site=authority.url,
    )


def _ours_too(words: Words, policy: Policy) -> str:
    authority = policy.controller.authority
    return words(
        "You can also complain to the authority responsible for us: {authority}, {site}",
        authority=authority.name,
        site=authority.url,
    )


def _theirs(words: Words, theirs: NationalAuthority) -> str:
    return words(
        "You can complain to the authority of your country ({country}): {authority}, {site}",
        country=words.country(theirs.country),
        authority=theirs.name[words.language],
        site=theirs.url,
    )


def _free(words: Words) -> str:
    return words("It is free, and you need not ask us first (Art. 77 of the GDPR).")


def _choice(words: Words) -> str:
    return words(
        "You may also choose the authority of the country where you live or work, or where you think the mistake was "
        "made."
    )


def _british(words: Words, policy: Policy, theirs: NationalAuthority) -> tuple[str, ...]:
    return (
        words(
            "Please tell us first: write to {contact}. We confirm within 30 days that we have your complaint, look "
            "into it and tell you the result.",
            contact=policy.controller.contact,
        ),
        words(
            "If you are still not happy, complain to the authority of your country. It is free: {authority}, {site}",
            authority=theirs.name[words.language],
            site=theirs.url,
        ),
    )
