"""What staff may browse in Piccolo Admin: every table of ours as an SQL view, or left out with its reason.

Always true here: no view holds a token, the hash of a secret, a whole address, the words of a person or of a mail,
or anything sealed. Later columns need a migration that makes the view anew.
"""

from collections.abc import Mapping

from piccolo_admin.endpoints import TableConfig

from admin.views import people, proof, requests, rights, staff, work
from admin.views.view import View

GROUPS: Mapping[str, tuple[View, ...]] = {
    "Requests": requests.VIEWS,
    "What people asked for": rights.VIEWS,
    "People": people.PEOPLE,
    "Mail": people.MAIL,
    "Evidence and proof": proof.VIEWS,
    "Work": work.VIEWS,
    "Staff": staff.VIEWS,
    "Our own words": staff.REFERENCE,
}
"""Every view, in the groups of the menu; `headings` has their French."""
VIEWS: Mapping[str, View] = {view.name: view for views in GROUPS.values() for view in views}

LEFT_OUT: Mapping[str, str] = {
    "mail_body": "The words of mails that have not left: they may hold a code.",
    "seal_key": "Keys: whoever needs one needs the other half, which is not in the database.",
    "staff_challenge": "What a browser is to sign, for some minutes: a secret while it lives, and nothing afterwards.",
    "pgqueuer_log": "Holds what Python says when a job fails, which may quote a value; the numbers are told.",
}
"""Tables that nobody browses, each with the reason."""


def configs() -> list[TableConfig]:
    """Return what Piccolo Admin is made of."""
    return [view.config(group) for group, views in GROUPS.items() for view in views]
