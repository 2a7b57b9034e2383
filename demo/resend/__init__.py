"""A stand-in for Resend, and the inbox of everybody in the demo.

with serving(webhook_secret=...) as mail:
    mail.url            # the API (RESEND_API_URL) and, in a browser, the inbox
    mail.fail(Fault.TIMEOUT, times=2)
    mail.messages(to="someone@person.example")
"""

from demo.resend.faults import Fault
from demo.resend.serve import serving
from demo.resend.standin import StandIn
from demo.resend.webhooks import body_of, signed

__all__ = ["Fault", "StandIn", "body_of", "serving", "signed"]
