"""The registers: of requests, and of processing, as dated files; the latter also as a page to print.

Always true here: taking one is evidence, with its digest; the register of requests is written to a file of its own on
disk first, so that it takes no memory and its digest is known before its first byte leaves.
"""

from collections.abc import Iterator
from datetime import date
from tempfile import TemporaryFile
from typing import BinaryIO, Literal, cast

from litestar import get, post
from litestar.response import Response, Stream, Template
from litestar.types import ControllerRouterHandler
from multidict import MultiDict

from admin.nav import staff_page
from admin.roles import Permission
from admin.tables import StaffUser
from admin.who import need_staff
from portal.disclosures import processing, processing_files
from portal.errors import Invalid
from portal.identity.forms import form
from portal.rights.register_file import Taken, instant, note, write
from portal.web import Req, now, policy_of, settings_of, words_of

PATH = "/staff/registers"
PROCESSING = "/staff/processing"
PIECE_BYTES = 64 * 1024
MEDIA = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


@get(PATH, name="staff-registers")
async def show(request: Req) -> Template:
    """Show which registers there are, and the forms that take them."""
    staff = await need_staff(request, Permission.FIGURES)
    return staff_page(request, staff, "staff/registers.html", typed=MultiDict(), wrong=None, today=_today(request))


@post(f"{PATH}/requests", status_code=200)
async def take_requests(request: Req) -> Stream | Template:
    """Give the register of requests as of a day."""
    staff = await need_staff(request, Permission.FIGURES)
    typed, policy, at = await form(request), policy_of(request), now(request)
    try:
        as_of, format = instant(_day(typed.get("as_of", "")), policy.controller.zone, at=at), _format(typed)
    except Invalid as mistake:
        return staff_page(
            request, staff, "staff/registers.html", status=422, typed=typed, wrong=mistake, today=_today(request)
        )
    file = cast(BinaryIO, TemporaryFile())  # noqa: SIM115  closed when its last byte has left
    try:
        taken = await write(file, format, policy, as_of=as_of, roles=await roles())
        await note(taken, at=at, actor=staff.actor)
    except BaseException:
        file.close()
        raise
    return Stream(_pieces(file), media_type=MEDIA[format], headers=_headers(taken, f"requests-{as_of:%Y-%m-%d}"))


@get(PROCESSING, name="staff-processing")
async def show_processing(request: Req) -> Template:
    """Show the record of processing, to be read or printed."""
    staff = await need_staff(request, Permission.FIGURES)
    found = processing.record(words_of(request), policy_of(request), settings_of(request), at=now(request))
    return staff_page(request, staff, "staff/processing.html", found=found)


@post(f"{PATH}/processing", status_code=200)
async def take_processing(request: Req) -> Response[bytes]:
    """Give the record of processing as a file."""
    staff = await need_staff(request, Permission.FIGURES)
    format, at = _format(await form(request)), now(request)
    found = processing.record(words_of(request), policy_of(request), settings_of(request), at=at)
    body = processing_files.as_json(found) if format == "json" else processing_files.as_csv(found)
    facts = len(processing.facts_of(found))
    taken = Taken(
        register="processing", format=format, as_of=at, seq=0, lines=facts, sha256=processing_files.digest(body)
    )
    await note(taken, at=at, actor=staff.actor)
    return Response(body, media_type=MEDIA[format], headers=_headers(taken, f"processing-{at:%Y-%m-%d}"))


async def roles() -> dict[int, str]:
    """Return the number of each member of staff with their roles as they are now; a register names no one."""
    rows = await StaffUser.select(StaffUser.id, StaffUser.roles)
    return {row["id"]: " ".join(sorted(row["roles"])) for row in rows}


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid("Write a day as year, month and day, such as 2026-03-31.", field="as_of") from None


def _format(typed: MultiDict[str]) -> Literal["json", "csv"]:
    return "csv" if typed.get("format") == "csv" else "json"


def _today(request: Req) -> date:
    return now(request).astimezone(words_of(request).zone).date()


def _headers(taken: Taken, name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.{taken.format}"', "X-Content-SHA256": taken.sha256}


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece


routes: list[ControllerRouterHandler] = [show, take_requests, show_processing, take_processing]
