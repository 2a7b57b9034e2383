"""The home page: what is held about the person, what they can do, and how their requests stand.

Always true here: a count that failed is said to have failed; it is never shown as zero.
"""

from litestar import get
from litestar.response import Template

from portal.identity.visitor import need_session
from portal.policy.model import PortalSource
from portal.rights.holdings import holdings, identifiers_of
from portal.rights.requests import requests_of
from portal.sources.registry import sources_of
from portal.web import Req, page, policy_of


@get("/")
async def home(request: Req) -> Template:
    """Show everything at once, whatever does not answer."""
    visitor, sources, policy = need_session(request), sources_of(request), policy_of(request)
    held = await holdings(sources, await identifiers_of(sources, visitor), policy)
    requests = await requests_of(visitor.subject_id)
    ours = {source.category for source in policy.sources if isinstance(source, PortalSource)}
    elsewhere = [count for category, count in held.counts.items() if category not in ours]
    return page(
        request,
        "rights/home.html",
        held=held,
        requests=requests,
        running=next((one for one in requests if one.is_open and one.state in {"received", "working"}), None),
        nothing=not held.unreachable and not any(count is None or count for count in elsewhere),
    )


routes = [home]
