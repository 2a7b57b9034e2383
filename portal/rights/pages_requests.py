"""Follow a request: the list of them, and one with its dates and everything that happened.

Always true here: every open request shows the day by which it is answered, and says so when that day has passed.
"""

from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from portal.identity.visitor import need_session
from portal.rights.requests import find, parcel_of, requests_of, timeline_of
from portal.rights.shapes import category_title, day_bar
from portal.web import Req, now, page, policy_of, words_of


@get("/requests")
async def show_all(request: Req) -> Template:
    """List the person's requests, newest first."""
    requests = await requests_of(need_session(request).subject_id)
    return page(request, "rights/requests.html", requests=requests)


@get("/requests/{reference:str}")
async def show_one(request: Req, reference: FromPath[str]) -> Template:
    """Show one request."""
    copy = await find(reference, need_session(request).subject_id)
    words, at = words_of(request), now(request)
    today = at.astimezone(words.zone).date()
    parcel = await parcel_of(copy.id)
    return page(
        request,
        "rights/request.html",
        copy=copy,
        asked=[category_title(words, policy_of(request), id) for id in copy.categories],
        parcel=parcel,
        available=parcel is not None and parcel.available(at),
        timeline=await timeline_of(copy.id),
        days=day_bar(copy.received_at.astimezone(words.zone).date(), copy.due_day, today),
        late=copy.is_open and parcel is None and today > copy.due_day,
    )


routes = [show_all, show_one]
