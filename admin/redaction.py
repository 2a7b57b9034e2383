"""The page on which staff look at what may name other people in a copy, decide place by place, and release it.

Always true here: no word of a copy is shown before a reason is given that the person reads; the log has none at all;
every decision is a form of our own page. It needs no script.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template
from multidict import MultiDict

from admin.colleagues import names_of
from admin.desk_shapes import by_reference
from admin.nav import staff_page
from admin.redaction_words import answer_in_words, place_in_words, reasons_in_words, sign_in_words
from admin.roles import Permission
from admin.who import Staff, need_staff
from exports.review import Found
from portal import sheet
from portal.errors import Invalid, NotFound, Refused, SourceError
from portal.identity.forms import form
from portal.rights import looks, redaction
from portal.rights.letters.reasons import reason
from portal.rights.person import find_person
from portal.rights.redaction import GROUNDS
from portal.rights.redaction_look import LookView, RedactionView, look_of
from portal.rights.redaction_search import Shown, find_words, key_of, searched, show
from portal.rights.requests import RequestView
from portal.rights.shapes import category_title
from portal.sources.base import Identifiers
from portal.sources.registry import sources_of
from portal.web import Req, go, now, policy_of, settings_of, words_of

PATH = "/staff/desk/{reference:str}/redaction"
AT_ONCE = 50
"""Places on one page."""
LOGGED = ("category", "source", "part", "field", "number", "start", "length", "sign", "answer", "ground", "by", "at")


class SourceSilent(Refused):
    """A system that holds the text did not answer."""

    status = 503
    sentence = "One of the systems did not answer. Nothing was changed; try again in a while."


@get(PATH)
async def show_places(request: Req, reference: FromPath[str]) -> Template:
    """Show what was found, once a reason is given; the log, always."""
    staff = await _staff(request, reference)
    found, look = await _held(reference)
    return await _page(request, staff, found, look)


@post(PATH, status_code=200)
async def act(request: Req, reference: FromPath[str]) -> Template | Redirect:
    """Give the reason, decide, mark words, take a decision back, or release the copy."""
    staff = await _staff(request, reference)
    fields = await form(request)
    found, look = await _held(reference)
    try:
        await _do(request, staff, found, look, fields)
    except Refused as wrong:
        found, look = await _held(reference)
        return await _page(request, staff, found, look, typed=fields, wrong=wrong)
    if fields.get("do") == "release":
        return go(request, f"/staff/desk/{reference}?done=1")
    return go(request, PATH.replace("{reference:str}", reference))


@get(PATH + "/log.json")
async def log_json(request: Req, reference: FromPath[str]) -> Response[bytes]:
    """Give the log as JSON."""
    await need_staff(request, Permission.CASE, reference=reference)
    found, look = await _held(reference)
    facts = {
        "reference": found.reference, "found_at": look.found_at, "released_at": look.released_at,
        "places": [_logged(one) for one in look.places],
    }  # fmt: skip
    body = msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n"
    return _file(body, f"redaction-{reference}.json", "application/json")


@get(PATH + "/log.csv")
async def log_csv(request: Req, reference: FromPath[str]) -> Response[bytes]:
    """Give the log for spreadsheets."""
    await need_staff(request, Permission.CASE, reference=reference)
    _, look = await _held(reference)
    lines = [tuple("" if value is None else str(value) for value in _logged(one).values()) for one in look.places]
    return _file(
        sheet.MARK + sheet.rows([LOGGED, *lines]), f"redaction-{reference}.csv", "text/csv; charset=utf-8"
    )  # fmt: skip


async def _staff(request: Req, reference: str) -> Staff:
    """Return who is asking: it takes both to see the data and to decide. Raises: as `need_staff`."""
    await need_staff(request, Permission.DATA, reference=reference)
    return await need_staff(request, Permission.DECIDE, reference=reference)


async def _held(reference: str) -> tuple[RequestView, LookView]:
    """Return a request whose copy was held once. Raises: NotFound."""
    found = await by_reference(reference)
    look = await look_of(found.id)
    if look is None:
        raise NotFound
    return found, look


async def _do(request: Req, staff: Staff, found: RequestView, look: LookView, fields: MultiDict[str]) -> None:
    """Do what a form says. Raises: Refused."""
    at, ground = now(request), fields.get("ground", "")
    match fields.get("do"):
        case "look":
            await looks.look(found, fields.get("reason", ""), fields.get("why", ""), staff=staff.id, at=at)
        case "decide":
            await _need_open(found, staff, request)
            await redaction.decide(found, _answers(look, fields), ground, at=at, actor=staff.actor)
        case "words":
            await _need_open(found, staff, request)
            places = await _find(request, found, fields)
            await redaction.withhold_words(found, places, ground, at=at, actor=staff.actor)
        case "again":
            await redaction.decide_again(found, _id(fields.get("place", "")), at=at, actor=staff.actor)
        case "release":
            await redaction.release(found, at=at, actor=staff.actor)


async def _need_open(found: RequestView, staff: Staff, request: Req) -> None:
    if await looks.open_until(found.id, staff=staff.id, at=now(request)) is None:
        raise Invalid("Say why you need to see it. The person reads the reason.", field="reason")


def _answers(look: LookView, fields: MultiDict[str]) -> dict[UUID, str]:
    """Return the answers of the form. Raises: Invalid, when there is none."""
    found = {one.id: fields.get(f"answer-{one.id}", "") for one in look.undecided}
    answers = {id: answer for id, answer in found.items() if answer}
    if not answers:
        raise Invalid("Choose one of them.", field="answers")
    return answers


async def _find(request: Req, found: RequestView, fields: MultiDict[str]) -> Sequence[Found]:
    """Return where the typed words stand. Raises: Invalid, SourceSilent."""
    policy, words, category = policy_of(request), fields.get("words", "").strip(), fields.get("category", "")
    if len(words) < 2:
        raise Invalid("Write the words as they stand there.", field="words")
    if category not in searched(found, policy):
        raise Invalid("Choose one of them.", field="category")
    try:
        person = await _person(request, found)
        key = key_of(found.id, settings_of(request))
        return await find_words(words[:200], category, sources_of(request), person, policy, key)
    except SourceError as error:
        raise SourceSilent from error


async def _person(request: Req, found: RequestView) -> Identifiers:
    return (await find_person(sources_of(request), found.owner)).identifiers


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


async def _page(
    request: Req, staff: Staff, found: RequestView, look: LookView, *, typed: MultiDict[str] | None = None,
    wrong: Refused | None = None,
) -> Template:  # fmt: skip
    policy, words, language = policy_of(request), words_of(request), words_of(request).language
    until = await looks.open_until(found.id, staff=staff.id, at=now(request))
    waiting = look.waiting and found.is_open
    some = look.undecided[:AT_ONCE] if waiting else ()
    shown: Mapping[UUID, Shown] = {}
    if until is not None and some:
        key = key_of(found.id, settings_of(request))
        shown = await show(some, sources_of(request), await _person(request, found), policy, key)
    reasons = [(id, reason(by_right[found.right])) for id, by_right in GROUNDS.items()]
    return staff_page(
        request, staff, "staff/redaction.html", status=wrong.status if wrong else 200, copy=found, look=look,
        waiting=waiting, some=some, shown=shown, until=until, typed=typed or MultiDict(),
        wrong=words(wrong.sentence) if wrong else "", wrong_field=wrong.field if isinstance(wrong, Invalid) else "",
        decided=[one for one in look.places if not one.open],
        grounds=[(id, one.title[language], one.plain[language]) for id, one in reasons],
        ground_titles={id: one.title[language] for id, one in reasons},
        searched=[(id, category_title(words, policy, id)) for id in searched(found, policy)],
        reasons=reasons_in_words(words), names=await names_of(one.by for one in look.places if one.by),
        where=lambda one: place_in_words(words, policy, one), sign=lambda one: sign_in_words(words, one.sign),
        answer=lambda one: answer_in_words(words, one.answer),
    )  # fmt: skip


def _logged(one: RedactionView) -> dict[str, object]:
    """Return a place as the log has it: no digest, and no word, which we do not have."""
    return {name: getattr(one, name) for name in LOGGED}


def _file(body: bytes, name: str, media_type: str) -> Response[bytes]:
    return Response(
        body, media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )  # fmt: skip


routes = [show_places, act, log_json, log_csv]
