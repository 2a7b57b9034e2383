"""What each kind of mail is called, where a person reads which mails they had from us.

Always true here: every message that can be written has a name, in both languages.
"""

from portal.words import Words


def kinds_in_words(words: Words) -> dict[str, str]:
    """Return kind -> its name."""
    return {
        "sign-in": words("Sign-in code"),
        "step-up": words("Code to confirm it is you"),
        "address-code": words("Code for a new address"),
        "mailbox": words("Code to confirm a mailbox"),
        "received": words("E-mail: we have your request"),
        "question": words("E-mail: one question"),
        "question-again": words("E-mail: our question, again"),
        "message": words("E-mail: a message from us"),
        "joined": words("E-mail: your two requests are one"),
        "extended": words("E-mail: new date"),
        "answered": words("E-mail: our answer"),
        "partly": words("E-mail: our answer, done in part"),
        "refused": words("E-mail: our answer, with reasons"),
        "late": words("E-mail: we owe you an answer"),
        "recipients-told": words("E-mail: who else was told"),
        "copy-ready": words("E-mail: your copy is ready"),
        "copy-expires": words("E-mail: your copy goes soon"),
        "copy-downloaded": words("E-mail: your copy was downloaded"),
        "erasure-planned": words("E-mail: days to change your mind"),
        "erasure-done": words("E-mail: it is erased"),
        "address-offered": words("E-mail: confirm your new address"),
        "address-changing": words("E-mail: a new address was asked for"),
        "paused": words("E-mail: it is paused"),
        "pause-ending": words("E-mail: the pause ends soon"),
        "mandate": words("E-mail: someone says they act for you"),
        "child-report": words("E-mail: about your account"),
        "child-erasure": words("E-mail: your account will be erased"),
        "child-reporter": words("E-mail: about your report"),
        "staff-daily": words("E-mail to staff: the plan of the day"),
        "staff-alarm": words("E-mail to staff: somebody is needed now"),
        "staff-code": words("E-mail to staff: sign-in code"),
        "staff-invitation": words("E-mail to staff: an invitation"),
        "staff-notice": words("E-mail to staff: a change in the team"),
        "staff-approval-asked": words("E-mail to staff: a second person is needed"),
        "staff-approval-ended": words("E-mail to staff: what the second person said"),
    }
