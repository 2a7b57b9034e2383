"""What the events of a timeline are called, for the person who reads them.

Always true here: every event that is recorded has words in both languages (a test compares); nothing in them is
personal.
"""

from collections.abc import Mapping

from portal.words import Words


def events_of(words: Words, right: str) -> Mapping[str, str]:
    """Return the same for a request of one right: whoever reads a report about their account did not make it."""
    said = events_in_words(words)
    if right != "child":
        return said
    return {
        **said,
        "received": words("Somebody reported the account"),
        "erasure-planned": words("The erasure of the account was planned"),
    }


def events_in_words(words: Words) -> Mapping[str, str]:
    """Return event -> what it is called. One line for each thing that `timeline.record` is given."""
    return {
        "received": words("We received your request"),
        "started": words("We began to collect your data"),
        "ready": words("Your copy was ready"),
        "look-needed": words("Other people may be named in your copy; a person of ours looks first"),
        "looked-over": words("A person of ours has looked"),
        "ready-withheld": words("Your copy was ready, without what is about other people"),
        "ready-in-part": words("Part of your copy was ready"),
        "left-incomplete": words("We stopped trying to fetch the rest"),
        "downloaded": words("The copy was downloaded"),
        "withdrawn": words("You withdrew the request"),
        "expired": words("We deleted the copy, as we said we would"),
        "erasure-planned": words("It was planned, and your data is out of use"),
        "part-erasure-planned": words("It was planned, and what you chose is out of use"),
        "erasure-cancelled": words("You cancelled it; your data is in use again"),
        "erased": words("It is erased"),
        "erased-again": words("A backup was restored, and it was erased again"),
        "ended-by-erasure": words("It ended with the erasure of your account"),
        "asked": words("We asked you a question"),
        "answered-question": words("You answered it"),
        "identity-doubted": words("We asked you to show that it is you"),
        "reminded": words("We reminded you of our question"),
        "reminded-again": words("We reminded you once more"),
        "extended": words("We told you that we need more time"),
        "late": words("We became late, and told you so"),
        "answered": words("We answered"),
        "refused": words("We refused it, and told you why"),
        "partly": words("We did a part of it, and told you why not all"),
        "unidentified": words("We could not tell who you are"),
        "corrected-by-hand": words("We corrected it"),
        "paused": words("You paused it"),
        "in-place": words("Every place has been told, or a person of ours is on it"),
        "pause-confirmed": words("We confirmed the pause"),
        "pause-everywhere": words("It is out of use everywhere"),
        "pause-declined": words("We will not keep it paused, and told you why"),
        "pause-ending": words("We told you that the pause will end"),
        "pause-disagreed": words("You did not agree; it stays paused until a person has looked"),
        "pause-kept": words("The pause stays after all"),
        "pause-ended": words("The pause has ended, as we told you"),
        "pause-ended-by-you": words("You ended the pause"),
        "use-standing-still": words("You said no, and the use stopped"),
        "use-weighing": words("You said no, and we weigh your reasons and ours"),
        "use-stopped": words("The use has stopped for good"),
        "use-weighed": words("We weighed your reasons and ours, and told you the result"),
        "use-resumed": words("The use goes on, as we told you"),
        "consent-withdrawn": words("You took your consent back, and the use stopped"),
        "consent-given": words("You agreed again"),
        "answered-at-once": words("We answered at once"),
        "person-looked-decide": words("A person of ours looked at your data, to decide this request"),
        "person-looked-identify": words("A person of ours looked at your data, to find out who you are"),
        "person-looked-answer": words("A person of ours looked at your data, to answer you"),
        "person-looked-other": words("A person of ours looked at your data"),
        "looked-at": words("A person looked at it and answered"),
        "correction-begun": words("You corrected it"),
        "correction-asked": words("You asked us to correct it"),
        "correction-accepted": words("We agreed to correct it"),
        "correction-refused": words("We did not correct it, and told you why"),
        "correction-replaced": words("You wrote something newer; this one ended"),
        "correction-unfit": words("One place did not take it; a person of ours looks at it"),
        "corrected": words("It is corrected"),
        "recipients-told": words("We told you who else knows"),
        "address-proven": words("You showed that the new address is yours"),
        "address-changed": words("Your new address is in use"),
        "address-looked-at": words("A person of ours looks at it before it goes on"),
        "address-kept": words("The old address cancelled it"),
        "address-kept-everywhere": words("The old address is in use again everywhere"),
        "address-confirmed": words("The old address said that it is right"),
        "message-person": words("You wrote to us"),
        "message-staff": words("We wrote to you"),
        "message-agent": words("Whoever acts for you wrote to us"),
        "mailbox-confirmed": words("The mailbox was confirmed"),
        "confirmed": words("You confirmed that it was you"),
        "not-theirs": words("You said that it was not you"),
        "joined": words("You asked for the same elsewhere; the earlier date counts"),
        "joined-to-other": words("It became a part of your other request"),
        "identified": words("We found out that it is you"),
        "nothing-held": words("We looked everywhere, found nothing and told you"),
        "passed-on": words("We gave it to a person"),
        "child-frozen": words("The account was put out of use"),
        "child-confirmed": words("It was confirmed that the account is a child’s"),
        "child-checked": words("A person of ours confirmed that the account is a child’s"),
        "child-disputed": words("The holder of the account said that it is not true"),
        "child-erasure-stopped": words("The erasure was stopped; the account stays paused"),
        "child-lifting": words("We told you that the account will work again"),
        "child-not-held": words("We found that it does not hold"),
        "mandate-confirmed": words("You said that they act for you"),
        "mandate-denied": words("The person said no"),
        "mandate-unknown": words("The person did not know of it; a person of ours looks into it"),
        "mandate-unanswered": words("The person did not answer"),
    }
