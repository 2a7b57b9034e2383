"""The one tree of errors: each knows its HTTP status, a sentence safe to show, and fields for the log.

    HabeasError
    |- SettingsError         the operator must change a setting; refuses to start
    |- PolicyError           the policy file has mistakes; carries all of them
    |- Refused               a person asked for something that is not possible now (4xx)
    |  |- NotFound           404: also for what exists but is not theirs
    |  |- Forbidden          403: form protection, wrong origin
    |  |- SignInNeeded       nobody is signed in; carries where to go on afterwards
    |  |- StepUpNeeded       the session must be confirmed with a fresh code first; carries the same
    |  |- TooManyTries       429: slow down, with the time at which to go on
    |  `- Invalid            422: input that the person can mend
    `- SourceError           a system that holds data did not do what it should
       |- SourceUnavailable  try again later (network, 429, 5xx, time-out)
       |- SourceRefused      final until somebody changes something (credentials, missing table)
       `- SourceUnsupported  this kind of source cannot do it: a person must act by hand

No message holds personal data: messages reach logs, evidence and job records.
"""

from collections.abc import Sequence
from datetime import datetime


class HabeasError(Exception):
    """The root. `status` is the HTTP answer; `sentence` is an English msgid safe for the person."""

    status: int = 500
    sentence: str = "Something went wrong on our side. Nothing was lost."

    def __init__(self, message: str = "", **fields: str | float | None) -> None:
        super().__init__(message or self.sentence)
        self.fields = fields


class SettingsError(HabeasError):
    """A setting is missing or wrong; the message names it and the remedy."""


class PolicyError(HabeasError):
    """The policy file has mistakes; `mistakes` holds one line each: file, place, remedy."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class Refused(HabeasError):
    """The person asked for something that is not possible now."""

    status = 400
    sentence = "That is not possible now."


class NotFound(Refused):
    """Nothing here, or not theirs: the answer is the same."""

    status = 404
    sentence = "This page does not exist, or it is not yours."


class Forbidden(Refused):
    """The form did not come from our own page, or its protection ran out.

    `typed` holds what a person wrote in a form of ours that came too late, to be given back; it is never logged.
    """

    status = 403
    sentence = "This form is no longer valid. Go back, reload the page and try again."

    def __init__(self, typed: str = "") -> None:
        super().__init__()
        self.typed = typed


class SignInNeeded(Refused):
    """Nobody is signed in. `back` is the path to go on to afterwards, without its language."""

    status = 401
    sentence = "Please sign in first."

    def __init__(self, back: str = "/") -> None:
        super().__init__("sign-in needed")
        self.back = back


class StepUpNeeded(Refused):
    """The session is older than the step-up window. `back` is the path to go on to afterwards, without its language."""

    status = 403
    sentence = "Please confirm it is you with a new code first."

    def __init__(self, back: str = "/") -> None:
        super().__init__("step-up needed")
        self.back = back


class TooManyTries(Refused):
    """Slow down; `until` says when to go on (aware UTC)."""

    status = 429
    sentence = "Too many tries. Please wait a little."

    def __init__(self, until: datetime) -> None:
        super().__init__("too many tries")
        self.until = until


class Invalid(Refused):
    """Input that the person can mend; `sentence` is an English msgid for the field's message."""

    status = 422

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class SourceError(HabeasError):
    """A source failed. `source` names it by its policy id."""

    status = 503

    def __init__(self, source: str, message: str) -> None:
        super().__init__(f"{source}: {message}", source=source)
        self.source = source


class SourceUnavailable(SourceError):
    """Did not answer, or said to come back: try again later."""


class SourceRefused(SourceError):
    """Answered no: wrong credentials, missing table, bad request. Final until someone acts."""


class SourceUnsupported(SourceError):
    """This kind of source cannot do it; a person must act by hand."""
