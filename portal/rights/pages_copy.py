"""The copy of one request: being prepared, ready, ready in part, gone.

Always true here: a page shows what is true now, whichever of the two addresses was opened; nothing is handed over
without a fresh code.
"""

from contextlib import suppress
from typing import Annotated, cast

from litestar import get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect, Response, Stream, Template
from litestar.types import ControllerRouterHandler

from exports.storage import Storage
from portal.errors import NotFound
from portal.identity.visitor import form, need_fresh, need_session, visitor_of
from portal.rights.address_hold import parcel_and_hold
from portal.rights.delivery import What, hand_over
from portal.rights.intake import withdraw
from portal.rights.lifecycle import NotPossible
from portal.rights.outcome import try_now
from portal.rights.redaction_look import waiting
from portal.rights.requests import find, parcel_of, parts_of
from portal.rights.shapes import missing, progress
from portal.web import Req, go, now, page, policy_of, settings_of, words_of

FILES: dict[str, What] = {"zip": "zip", "pdf": "pdf"}


@get("/requests/{reference:str}/progress")
async def watch(
    request: Req,
    reference: FromPath[str],
    said: Annotated[str, QueryParameter(name="said")] = "",
    already: Annotated[str, QueryParameter(name="already")] = "",
) -> Response[None] | Redirect | Template:
    """Show how far the copy is. htmx asks for the same page and gets the part that changes.

    `said` is the last milestone a screen reader was told, so that each is told once.
    """
    polling = request.headers.get("hx-request") == "true"
    if polling and not visitor_of(request).signed_in:
        return Response(None, headers={"HX-Refresh": "true"})
    visitor = need_session(request)
    copy = await find(reference, visitor.subject_id)
    parcel = await parcel_of(copy.id)
    over = parcel is not None or not copy.is_open
    if over and not polling:
        return go(request, f"/requests/{reference}/copy")
    far = progress(words_of(request), policy_of(request), copy.categories, [] if over else await parts_of(copy.id))
    return page(
        request,
        "rights/progress_part.html" if polling else "rights/progress.html",
        copy=copy,
        over=over,
        held=await waiting(copy.id) if copy.state == "deciding" else None,
        ready=parcel is not None,
        progress=far,
        left=far.minutes_left(copy.received_at, now(request)),
        said=said,
        already=bool(already),
    )


@get("/requests/{reference:str}/copy")
async def show_copy(request: Req, reference: FromPath[str]) -> Redirect | Template:
    """Show the finished copy and what became of it."""
    copy = await find(reference, need_session(request).subject_id)
    parcel, held_until = await parcel_and_hold(copy, at=now(request))
    if parcel is None and copy.is_open:
        return go(request, f"/requests/{reference}/progress")
    if parcel is None:
        return page(request, "rights/copy_gone.html", copy=copy, parcel=None)
    if not parcel.available(now(request)):
        return page(request, "rights/copy_gone.html", copy=copy, parcel=parcel)
    parts = [] if parcel.complete else await parts_of(copy.id)
    return page(
        request,
        "rights/copy_ready.html",
        copy=copy,
        parcel=parcel,
        missing=missing(words_of(request), policy_of(request), parts),
        held_until=held_until,
    )


@post("/requests/{reference:str}/download", status_code=200)
async def download(request: Req, reference: FromPath[str]) -> Stream:
    """Hand the copy over to a session that was confirmed a moment ago; counts one download.

    Raises:
        StepUpNeeded: when it was not.
        NotFound: when it is not theirs, or no longer there.
    """
    visitor = need_fresh(request, back=f"/requests/{reference}/copy")
    what = FILES.get(str((await form(request)).get("what", "")))
    if what is None:
        raise NotFound
    storage = cast(Storage, request.app.state.storage)
    delivery = await hand_over(
        storage, reference, visitor.subject_id, what,
        policy=policy_of(request), public_url=settings_of(request).public_url, at=now(request),
    )  # fmt: skip
    return Stream(
        delivery.chunks,
        media_type=delivery.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{delivery.filename}"',
            "Content-Length": str(delivery.size_bytes),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


@post("/requests/{reference:str}/again")
async def again(request: Req, reference: FromPath[str]) -> Redirect:
    """Ask what did not answer again now, rather than at its next turn."""
    visitor = need_session(request, back=f"/requests/{reference}/copy")
    await form(request)
    await try_now(await find(reference, visitor.subject_id))
    return go(request, f"/requests/{reference}/copy")


@post("/requests/{reference:str}/withdraw")
async def stop(request: Req, reference: FromPath[str]) -> Redirect:
    """Withdraw the request; what is being made for it stops. Too late, its own page says how it stands."""
    visitor = need_session(request, back=f"/requests/{reference}")
    await form(request)
    with suppress(NotPossible):
        await withdraw(
            reference, visitor.subject_id, policy=policy_of(request), settings=settings_of(request), at=now(request)
        )
    return go(request, f"/requests/{reference}")


routes: list[ControllerRouterHandler] = [watch, show_copy, download, again, stop]
