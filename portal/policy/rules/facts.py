"""Rules on the organisation's own facts: languages, colours, sign-in, deadlines, ages, cookies, promises.

Always true here: a number is refused when keeping it would break the law or what the file itself discloses.
"""

from collections.abc import Iterator
from itertools import chain

from portal.policy.contrast import DARK_PAPER, LEAST, PAPER, contrast, is_colour, nearest
from portal.policy.controls import CONTROLS
from portal.policy.model import PERSON_COOKIE, Policy, Way
from portal.policy.rules.walk import each
from portal.policy.shape import suggestion
from portal.policy.territories import is_country
from portal.working_days import is_calendar

LAW_MONTH_DAYS = 31


def languages(policy: Policy) -> Iterator[str]:
    """There is a language, each only once; the first is the one for who asks for none."""
    if not policy.languages:
        yield 'languages: is empty. Write the languages of your pages, the main one first: ["en", "fr"].'
    if len(set(policy.languages)) < len(policy.languages):
        yield "languages: names one twice. Write each once."
    holidays = policy.controller.holidays
    if not is_country(holidays.partition("-")[0]):
        yield f'controller.holidays: "{holidays[:20]}" is no country. Write two letters, such as FR.'
    elif not is_calendar(holidays):
        yield f'controller.holidays: we know no holidays of "{holidays[:20]}". Write the country alone.'


def colours(policy: Policy) -> Iterator[str]:
    """The brand's colours can be read on paper and on their own wash, by day and by night."""
    colour = policy.colour
    pairs = (("accent", "wash", PAPER, "#000000"), ("dark_accent", "dark_wash", DARK_PAPER, "#ffffff"))
    for accent_name, wash_name, paper, towards in pairs:
        accent, wash = getattr(colour, accent_name), getattr(colour, wash_name)
        wrong = [(name, value) for name, value in ((accent_name, accent), (wash_name, wash)) if not is_colour(value)]
        for name, value in wrong:
            yield f'colour.{name}: "{value[:20]}" is not a colour. Write #rrggbb, such as #1f3fa8.'
        if wrong:
            continue
        found = min(contrast(accent, paper), contrast(accent, wash))
        if found < LEAST:
            better = nearest(accent, (paper, wash), towards=towards)
            advice = f"The nearest that can be read is {better}." if _reads(better, paper, wash) else "Change the wash."
            yield f"colour.{accent_name}: {accent} has contrast {found:.2f}, below {LEAST}, on paper or wash. {advice}"


def _reads(accent: str, *grounds: str) -> bool:
    return all(contrast(accent, ground) >= LEAST for ground in grounds)


def sign_in(policy: Policy) -> Iterator[str]:
    """People can sign in by mail, for as long as is disclosed and no longer."""
    how = policy.sign_in
    if not {Way.CODE, Way.LINK} & set(how.ways):
        yield 'sign_in.ways: needs "code" or "link": a fresh code by mail confirms each download.'
    if len(set(how.ways)) < len(how.ways):
        yield "sign_in.ways: names one twice. Write each once."
    known = {recipient.id for recipient in policy.recipients}
    for way in (Way.GOOGLE, Way.MICROSOFT):
        if way in how.ways and way not in known:
            yield f'sign_in.ways: {way} learns who signs in. Add a recipient with the id "{way}", or remove the way.'
    yield from _between("sign_in.link_minutes", how.link_minutes, 1, 60)
    yield from _between("sign_in.step_up_minutes", how.step_up_minutes, 1, 60)
    yield from _between("sign_in.code_tries", how.code_tries, 1, 5)
    yield from _between("sign_in.session_days", how.session_days, 1, 365)


def cookies(policy: Policy) -> Iterator[str]:
    """The cookies disclosed are those that are set: one for people, living at least as long as a session."""
    mine = [(at, cookie) for at, cookie in each("cookies", policy.cookies) if cookie.audience == "person"]
    if not any(cookie.name == PERSON_COOKIE for _, cookie in mine):
        yield f'cookies: people get the cookie {PERSON_COOKIE}. Add an entry with name = "{PERSON_COOKIE}".'
    for at, cookie in mine:
        if cookie.name != PERSON_COOKIE:
            yield f'{at}: the portal sets no such cookie for people. Remove it, or write audience = "staff".'
        elif cookie.days < policy.sign_in.session_days:
            lasts = f"{policy.sign_in.session_days} days (sign_in.session_days)"
            yield f"{at}.days: is {cookie.days}, but a session lasts {lasts}. Make them agree."
    for at, cookie in each("cookies", policy.cookies):
        yield from _between(f"{at}.days", cookie.days, 0, 400)


def deadlines(policy: Policy) -> Iterator[str]:
    """A promise may be stricter than the law, never looser: a looser number would only mislead."""
    if policy.answer.days is not None and not 1 <= policy.answer.days <= LAW_MONTH_DAYS:
        yield f"answer.days: is {policy.answer.days}; the law gives a month. Write 1 to {LAW_MONTH_DAYS}, or remove it."
    numbers = (
        ("answer.inquiry_days", policy.answer.inquiry_days, 1, 365),
        ("breach.people_hours", policy.breach.people_hours, 1, 24 * 365),
        ("changes.notice_days", policy.changes.notice_days, 0, 365),
        ("backups.days", policy.backups.days if policy.backups else None, 1, 3650),
    )
    yield from chain.from_iterable(_between(at, n, least, most) for at, n, least, most in numbers if n is not None)
    if policy.breach.people_when == "any-risk" and policy.breach.people_hours is None:
        yield "breach.people_hours: is missing. Whoever promises to tell people at any risk says in how many hours."


def laws(policy: Policy) -> Iterator[str]:
    """The laws named are named once, and what loosens a clock has something to loosen."""
    answer = policy.answer
    if not answer.profiles:
        yield 'answer.profiles: is empty. Write whose laws apply to every request: ["eu"].'
    if len(set(answer.profiles)) < len(answer.profiles):
        yield "answer.profiles: names one twice. Write each once."
    if answer.identity_pause != "none" and "eu" not in answer.profiles:
        yield 'answer.identity_pause: rests on French law. Add "eu" to answer.profiles, or write "none".'
    if answer.extension == "answer-counts" and answer.days is None:
        yield "answer.extension: no days are promised that a notice could keep. Write answer.days, or remove it."


def children(policy: Policy) -> Iterator[str]:
    """Ages lie where the law lets them lie. Source: GDPR Art. 8(1)."""
    if policy.children is None:
        return
    yield from _between("children.minimum_age", policy.children.minimum_age, 13, 18)
    if not 0 <= policy.children.never_under <= policy.children.minimum_age:
        yield "children.never_under: must lie between 0 and children.minimum_age. Write the lower of the two ages here."


def promises(policy: Policy) -> Iterator[str]:
    """Every promise is bound to a control that exists."""
    for at, promise in each("promises", policy.promises):
        if promise.control not in CONTROLS:
            yield f'{at}.control: there is no control "{promise.control}". {suggestion(promise.control, [*CONTROLS])}'


def _between(place: str, number: int, least: int, most: int) -> Iterator[str]:
    if not least <= number <= most:
        yield f"{place}: is {number}. Write a number from {least} to {most}."
