"""The figures of a period: a page that needs no script, and the same as files.

Always true here: only who may read figures gets them; they hold counts and no person. docs/figures.md defines each.
"""

from datetime import date
from zoneinfo import ZoneInfo

from litestar import get
from litestar.response import Response, Template

from admin import figures_words
from admin.figures_period import USUAL, Period, names, period
from admin.nav import staff_page
from admin.roles import Permission
from admin.who import need_staff
from portal.errors import Invalid
from portal.rights import figures_ccpa, figures_files
from portal.rights.figures import Figures, Report
from portal.rights.figures_tally import read
from portal.web import Req, now, policy_of, words_of

PATH = "/staff/figures"
CCPA = "/staff/ccpa-7102"
JSON, CSV = "application/json", "text/csv; charset=utf-8"


@get(PATH, name="staff-figures")
async def show(request: Req) -> Template:
    """Show the figures of a period, or what is wrong with the period."""
    staff = await need_staff(request, Permission.FIGURES)
    words, typed, wrong = words_of(request), _typed(request), None
    try:
        chosen = _period(request)
    except Invalid as mistake:
        chosen, wrong = period(USUAL, "", "", "received", _today(request)), mistake
    found = await _read(request, chosen)
    if wrong is None:
        typed = {"period": chosen.name, "from": f"{chosen.first:%Y-%m}", "to": f"{chosen.last:%Y-%m}", "by": chosen.by}
    return staff_page(
        request, staff, "staff/figures.html", status=422 if wrong else 200, found=found, period=chosen,
        periods=names(words), typed=typed, wrong=wrong, most=_most(found), parts=_parts,
        right=lambda right: figures_words.right_in_words(words, right),
        channel=lambda channel: figures_words.channel_in_words(words, channel),
        ground=lambda ground: figures_words.ground_in_words(words, ground),
        month=lambda month: figures_words.month_in_words(words, month),
        days=lambda days: figures_words.days_in_words(words, days),
        share=lambda part, whole: figures_words.share_in_words(words, part, whole),
    )  # fmt: skip


@get(f"{PATH}.json")
async def as_json(request: Req) -> Response[bytes]:
    """Give the figures to a program."""
    await need_staff(request, Permission.FIGURES)
    chosen = _period(request)
    body = figures_files.as_json(await _read(request, chosen), policy_of(request), at=now(request))
    return _file(body, "figures", chosen, "json")


@get(f"{PATH}.csv")
async def as_csv(request: Req) -> Response[bytes]:
    """Give the figures to a spreadsheet."""
    await need_staff(request, Permission.FIGURES)
    chosen = _period(request)
    return _file(figures_files.as_csv(await _read(request, chosen)), "figures", chosen, "csv")


@get(f"{CCPA}.json")
async def ccpa_json(request: Req) -> Response[bytes]:
    """Give the set of 11 CCR § 7102 to a program."""
    await need_staff(request, Permission.FIGURES)
    chosen = _period(request)
    body = figures_ccpa.as_json(await _read(request, chosen), policy_of(request), at=now(request))
    return _file(body, "ccpa-7102", chosen, "json")


@get(f"{CCPA}.csv")
async def ccpa_csv(request: Req) -> Response[bytes]:
    """Give the set of 11 CCR § 7102 to a spreadsheet."""
    await need_staff(request, Permission.FIGURES)
    chosen = _period(request)
    return _file(figures_ccpa.as_csv(await _read(request, chosen)), "ccpa-7102", chosen, "csv")


def _period(request: Req) -> Period:
    """Return the period that the address asks for. Raises: Invalid."""
    typed = _typed(request)
    return period(typed["period"], typed["from"], typed["to"], typed["by"], _today(request))


def _typed(request: Req) -> dict[str, str]:
    """Return what the form sent, cut where it can only be nonsense."""
    return {name: request.query_params.get(name, "")[:20] for name in ("period", "from", "to", "by")}


def _today(request: Req) -> date:
    return now(request).astimezone(ZoneInfo(policy_of(request).controller.zone)).date()


async def _read(request: Req, chosen: Period) -> Report:
    zone = policy_of(request).controller.zone
    return await read(zone, chosen.first, chosen.last, chosen.by, at=now(request))


def _most(found: Report) -> int:
    """Return how many requests the fullest month has: its bar is the whole width."""
    return max((one.received for one in found.months.values()), default=0)


def _parts(one: Figures, most: int) -> list[tuple[str, str, str]]:
    """Return the parts of a month's bar: its kind, where it begins and how wide it is, in per cent of the width."""
    parts, start = list[tuple[str, str, str]](), 0.0
    for kind, number in (("ok", one.in_time), ("late", one.late), ("open", one.open), ("back", one.withdrawn)):
        width = 100 * number / most if most else 0.0
        if number:
            parts.append((kind, f"{start:.2f}%", f"{width:.2f}%"))
        start += width
    return parts


def _file(body: bytes, what: str, chosen: Period, ending: str) -> Response[bytes]:
    name = f"{what}-{chosen.first:%Y-%m}-{chosen.last:%Y-%m}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=JSON if ending == "json" else CSV, headers=headers)


routes = [show, as_json, as_csv, ccpa_json, ccpa_csv]
