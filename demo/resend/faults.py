"""What can go wrong between us and Resend, to be ordered call by call.

Always true here: a fault says in its name whether the mail was accepted before it struck.
"""

from enum import StrEnum


class Fault(StrEnum):
    """One failing answer to the next call that sends."""

    TOO_MANY = "too-many"
    """429 with retry-after, whatever the limiter says."""
    QUOTA = "quota"
    """429 daily_quota_exceeded, without retry-after."""
    ERROR = "error"
    """500, nothing accepted."""
    GATEWAY = "gateway"
    """502 with the HTML page of a proxy, nothing accepted."""
    SILENCE = "silence"
    """No answer until the caller hangs up, nothing accepted."""
    ACCEPTED_ERROR = "accepted-error"
    """Accepted, and then a 500."""
    ACCEPTED_SILENCE = "accepted-silence"
    """Accepted, and then no answer."""
    ACCEPTED_BROKEN = "accepted-broken"
    """Accepted, and then half an answer."""
