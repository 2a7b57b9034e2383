"""What is sent twice is taken once: a double click, a reload, the button pressed again because the page was slow.

Always true here: only what is the same to the letter, of the same person or browser, within minutes, is called sent
twice; of two at the same moment one waits for the other, so each look is inside the transaction that would store it.
"""

from datetime import datetime
from uuid import UUID

from portal.database import engine
from portal.rights.intake_forms import Sent
from portal.rights.lifecycle import Right
from portal.rights.messages import SAME_WITHIN
from portal.rights.tables import SubjectRequest
from portal.rights.tables_intake import IntakeForm


async def form_before(sent: Sent, *, at: datetime) -> UUID | None:
    """Return the open request that this browser's same form made a moment ago."""
    await _take_turns(f"form:{sent.browser}")
    rows = await IntakeForm.raw(
        "SELECT f.request FROM intake_form f JOIN subject_request r ON r.id = f.request LEFT JOIN LATERAL"
        " (SELECT m.text FROM request_message m WHERE m.request = r.id ORDER BY m.at LIMIT 1) m ON true"
        " WHERE f.browser = {} AND f.kind = {} AND f.email = {} AND f.name = {} AND f.about = {} AND f.under = {}"
        ' AND r."right" = {} AND r.categories = {} AND coalesce(m.text, \'\') = {} AND f.sent_at > {}'
        " AND r.closed_at IS NULL ORDER BY f.sent_at DESC LIMIT 1",
        sent.browser, sent.kind, sent.email, sent.name, sent.about, sent.under, sent.right, list(sent.categories),
        sent.text, at - SAME_WITHIN,
    )  # fmt: skip
    return UUID(str(rows[0]["request"])) if rows else None


async def request_before(
    subject: UUID, right: Right, text: str, *, about: UUID | None, at: datetime, but: UUID
) -> UUID | None:
    """Return the open request that a person wrote with the same words a moment ago; `but` is the one at hand."""
    await _take_turns(f"words:{subject}")
    rows = await SubjectRequest.raw(
        "SELECT r.id FROM subject_request r JOIN request_message m ON m.request = r.id WHERE r.subject = {}"
        ' AND r."right" = {} AND r.about IS NOT DISTINCT FROM {} AND r.id <> {} AND r.closed_at IS NULL'
        " AND m.author = 'person' AND m.text = {} AND m.at > {} ORDER BY m.at LIMIT 1",
        subject, right, about, but, text, at - SAME_WITHIN,
    )  # fmt: skip
    return UUID(str(rows[0]["id"])) if rows else None


async def _take_turns(what: str) -> None:
    await engine().connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", what)
