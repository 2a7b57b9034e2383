"""The home page: what is held about the person, what they can do, and how their requests stand.

Always true here: a count that failed is said to have failed; it is never shown as zero.
"""

from litestar import get
from litestar.response import Redirect, Template

from portal.identity.visitor import Visitor, need_session
from portal.policy.model import Basis, PortalSource
from portal.rights.holdings import Holdings, holdings
from portal.rights.lifecycle import SELF_SERVICE
from portal.rights.out_of_use import in_place
from portal.rights.person import find_person
from portal.rights.requests import RequestView, requests_of
from portal.rights.shapes_pause import pause_views
from portal.sources.registry import sources_of
from portal.web import Req, go, page, policy_of, words_of


@get("/")
async def home(request: Req) -> Template | Redirect:
    """Show everything at once, whatever does not answer; while an account is being erased, how far that is."""
    visitor, policy = need_session(request), policy_of(request)
    requests = await requests_of(visitor.subject_id)
    # Whatever is out of use is so for a request of theirs; most people have none of that kind.
    out_of_use = await in_place(visitor.subject_id) if any(one.right not in SELF_SERVICE for one in requests) else []
    if erasing := next((one for one in out_of_use if one.reason == "erasure" and not one.categories), None):
        return go(request, f"/requests/{erasing.reference}")
    held = await held_now(request, visitor)
    ours = {source.category for source in policy.sources if isinstance(source, PortalSource)}
    return page(
        request,
        "rights/home.html",
        held=held,
        requests=requests,
        paused=pause_views(words_of(request), policy, out_of_use),
        agreed=any(purpose.basis is Basis.CONSENT for purpose in policy.purposes),
        running=next((one for one in requests if _prepared(one)), None),
        nothing=not held.unreachable and not any(held.counts[id] != 0 for id in held.counts.keys() - ours),
    )


def _prepared(one: RequestView) -> bool:
    return one.is_open and one.right in SELF_SERVICE and one.state in {"received", "working"}


async def held_now(request: Req, visitor: Visitor) -> Holdings:
    """Count what is held about the visitor, naming the places that do not answer."""
    sources = sources_of(request)
    person = await find_person(sources, visitor.subject_id)
    return await holdings(sources, person, policy_of(request))


routes = [home]
