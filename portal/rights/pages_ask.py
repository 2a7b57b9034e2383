"""What a person can ask for in writing while the portal cannot do it by itself yet.

Always true here: no sign-in is needed, nothing is stored, and every page names the day of the answer.
"""

from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from portal.errors import NotFound
from portal.rights.deadlines import dates
from portal.web import Req, now, page, policy_of

RIGHTS = ("correct", "erase", "pause", "say-no")
INQUIRIES = ("complain", "child", "agent", "person")
"""Not the exercise of a right, or not by the person: answered as every privacy inquiry is."""


@get("/ask/{topic:str}")
async def ask(request: Req, topic: FromPath[str]) -> Template:
    """Say what to write, to whom, and by when the answer comes.

    Raises:
        NotFound: for a topic we do not know.
    """
    if topic not in RIGHTS + INQUIRIES:
        raise NotFound
    return page(
        request,
        "rights/ask.html",
        topic=topic,
        answer_by=dates(now(request), policy_of(request), inquiry=topic not in RIGHTS).due,
    )


routes = [ask]
