"""What we say by mail, one function per message, in the person's language.

Always true here: no personal data in a body, subjects stay neutral on a lock screen and carry the reference where
there is one, every mail has one link, and every mail can be answered to a person.
"""

from portal.mail.letter import Message
from portal.mail.messages.answers import answered, extended, late, partly_answered, recipients_told, refused
from portal.mail.messages.copies import copy_downloaded, copy_expires_soon, copy_ready
from portal.mail.messages.erasure import erasure_done, erasure_planned
from portal.mail.messages.intake import (
    child_erasure_planned,
    child_report,
    child_report_noted,
    mailbox_code,
    mandate,
)
from portal.mail.messages.rectification import address_changing, address_code, address_offered
from portal.mail.messages.requests import joined, message_waiting, question, question_again, request_received
from portal.mail.messages.restriction import pause_ending, paused
from portal.mail.messages.sign_in import sign_in_code, step_up_code

__all__ = [
    "Message", "address_changing", "address_code", "address_offered", "answered", "child_erasure_planned",
    "child_report", "child_report_noted", "copy_downloaded", "copy_expires_soon", "copy_ready", "erasure_done",
    "erasure_planned", "extended", "joined", "late", "mailbox_code", "mandate", "message_waiting", "partly_answered",
    "pause_ending", "paused", "question", "question_again", "recipients_told", "refused", "request_received",
    "sign_in_code", "step_up_code",
]  # fmt: skip
