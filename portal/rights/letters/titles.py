"""What letters and their blocks are called.

Always true here: a block of one name has one title, in whichever letter it stands; every block has one.
"""

from portal.words import Words


def heading(words: Words, kind: str) -> str:
    """Return the heading of a kind of letter. Raises: KeyError."""
    return {
        "acknowledgement": words("We have your request"),
        "identity": words("We need to be sure it is you"),
        "extension": words("We need more time"),
        "fee": words("This would cost something"),
        "access": words("What we hold about you"),
        "portability": words("Your data, to take with you"),
        "rectification": words("We have corrected it"),
        "erasure": words("What we have erased, and what stays"),
        "refusal": words("We will not do what you asked"),
        "partial-refusal": words("We have done a part of what you asked"),
        "no-data": words("We hold nothing about you"),
        "unidentified": words("We cannot tell whose data it is"),
        "objection-stopped": words("This use has stopped"),
        "objection-weighed": words("Our decision on the use you said no to"),
        "restriction": words("It is paused"),
        "lifting": words("Your pause will end"),
        "consent": words("Your consent is taken back"),
        "complaint": words("Our answer to your complaint"),
        "automated": words("Does a program decide about you?"),
        "inquiry": words("Our answer to your question"),
    }[kind]


def title(words: Words, block: str) -> str:
    """Return the title of a block. Raises: KeyError."""
    return {**_of_every_letter(words), **_before(words), **_copies(words), **_changes(words), **_other(words)}[block]


def _of_every_letter(words: Words) -> dict[str, str]:
    return {
        "reference": words("Reference"),
        "written_on": words("Written on"),
        "asked": words("What you asked"),
        "late": words("We are late"),
        "more": words("One more thing"),
        "complaint": words("If you want to complain"),
        "court": words("Going to court"),
        "contact": words("Whom to write to"),
    }


def _before(words: Words) -> dict[str, str]:
    return {
        "types": words("What we understood"),
        "received_at": words("When it reached us"),
        "due_day": words("You will have our answer by"),
        "channel": words("How it reached us"),
        "next_step": words("What happens next"),
        "doubt": words("Why we ask"),
        "asked_for": words("What we ask you for"),
        "alternatives": words("Other ways"),
        "effect": words("What this means for you"),
        "destruction": words("What becomes of what you send"),
        "reason": words("The reason the law allows"),
        "here": words("Why it applies to your request"),
        "new_day": words("The new date"),
        "old_day": words("The date so far"),
        "amount": words("How much"),
        "costs": words("What it pays for"),
        "withdraw": words("You can withdraw"),
        "before": words("Nothing has begun"),
    }


def _copies(words: Words) -> dict[str, str]:
    return {
        "snapshot_at": words("The moment it shows"),
        "scope": words("Where we looked"),
        "redactions": words("What was left out"),
        "categories": words("What it is"),
        "purposes": words("Why we hold it"),
        "recipients": words("Who else gets it"),
        "periods": words("How long we keep it"),
        "rights": words("What you can ask us"),
        "origins": words("Where it comes from"),
        "decisions": words("Decisions made by a program alone"),
        "transfers": words("Sent outside the European Economic Area"),
        "further": words("Another copy"),
        "included": words("What the file holds"),
        "form": words("In what form"),
        "excluded": words("What the file leaves out, and why"),
        "direct": words("Sending it to somebody else"),
    }


def _changes(words: Words) -> dict[str, str]:
    return {
        "changes": words("What we changed"),
        "told": words("Who else was told"),
        "results": words("What we did"),
        "stays": words("What stays, why and until when"),
        "out_of_reach": words("What we cannot erase"),
        "backups": words("Copies in backups"),
        "receipt": words("Your receipt"),
        "facts": words("What we looked at"),
        "article": words("The rule"),
        "why": words("Why it applies to you"),
        "disagree": words("If you do not agree"),
        "done": words("What we have done"),
        "not_done": words("What we have not done"),
        "found": words("Our answer"),
        "searched_with": words("What we searched with"),
        "would_help": words("What would help"),
    }


def _other(words: Words) -> dict[str, str]:
    return {
        "data": words("Which data"),
        "ground": words("Why it is paused"),
        "stopped": words("What has stopped"),
        "goes_on": words("What goes on"),
        "until": words("How long"),
        "ending": words("Why it ends"),
        "lifts_on": words("The day it ends"),
        "afterwards": words("What happens then"),
        "use": words("Which use"),
        "stopped_at": words("Stopped since"),
        "your_side": words("Your reasons"),
        "our_side": words("Our reasons"),
        "balance": words("How we weighed them"),
        "result": words("Our decision"),
        "looked": words("Who looked at it"),
        "findings": words("What we found"),
        "as_of": words("Stated on"),
        "owner": words("Who answers for this"),
        "human": words("A human review"),
        "question": words("Your question"),
        "answer": words("Our answer"),
    }
