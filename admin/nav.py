"""A page of the desk: the template of a person's page, with the dark bar and what in it is open to whom.

Always true here: nobody is shown a way that is shut to them.
"""

from litestar.response import Template

from admin.roles import Permission
from admin.who import Staff
from portal.web import Req, page, words_of
from portal.words import Words


def staff_page(request: Req, staff: Staff, template: str, *, status: int = 200, **context: object) -> Template:
    """Render a template for a member of staff. Beside what every page has it sees `ways`, and what they `may` do."""
    may = {one.value for one in Permission if staff.may(one)}
    return page(request, template, status=status, ways=ways_of(staff, words_of(request)), may=may, **context)


def ways_of(staff: Staff, words: Words) -> list[tuple[str, str]]:
    """Return the path and the title of each room that is open to somebody, as the bar shows them."""
    ways = (
        ("/staff/desk", words("Today"), Permission.QUEUE),
        ("/staff/approvals", words("For a second person"), Permission.APPROVE),
        ("/staff/requests/new", words("New request"), Permission.ENTER),
        ("/staff/figures", words("Figures"), Permission.FIGURES),
        ("/staff/failures", words("Failures"), Permission.SYSTEM),
        ("/admin/", words("All tables"), Permission.TABLES),
        ("/staff/people", words("Team"), Permission.PEOPLE),
    )
    return [(path, title) for path, title, permission in ways if staff.may(permission)]
