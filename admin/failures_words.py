"""What failures are called: what happened, and what to do about it.

Always true here: systems and kinds of things are named, and never a person.
"""

from collections.abc import Mapping

from portal.mail.kinds import kinds_in_words
from portal.policy.model import Policy
from portal.rights import beats
from portal.rights.failures import Failure
from portal.words import Words

type Said = tuple[str, str]
"""What happened, and what to do about it."""


def failure_in_words(words: Words, policy: Policy, failure: Failure) -> Said:
    """Say what happened and what to do."""
    match failure.kind:
        case "job":
            return (
                words("A job failed: {job}", job=_job(words, failure.what)),
                words("Mend the cause first: the worker’s log names it. Then try again."),
            )
        case "mail":
            return _mail(words, failure)
        case "place":
            return _place(words, failure.what, _name(policy, failure.about, words.language))
        case "recipient":
            return _recipient(words, failure.what, _name(policy, failure.about, words.language))
        case "copy":
            return (
                words(
                    "A copy lacks what this place did not give: {place}",
                    place=_name(policy, failure.about, words.language),
                ),
                words("The person has the rest. Try again, or hand the missing part over by hand."),
            )
        case "beat":
            return _beat(words, failure.what)


def kind_in_words(words: Words, id: str) -> str:
    """Say what kind of thing a failure was, by its id. Raises: KeyError."""
    return {
        "job": words("A job"), "mail": words("A mail"), "place": words("A place"), "copy": words("A copy"),
    }[id.partition(":")[0]]  # fmt: skip


def how_in_words(words: Words, how: str) -> str:
    """Say what somebody did about a failure. Raises: KeyError."""
    return {
        "retried": words("tried again"), "skipped": words("skipped"), "by-hand": words("done by hand"),
    }[how]  # fmt: skip


def _job(words: Words, name: str) -> str:
    return {
        "rights.export": words("making a copy"),
        "rights.begin": words("taking up a request"),
        "rights.plan": words("carrying out a plan"),
        "rights.child": words("taking a child’s account out of use"),
        "rights.child-erase": words("erasing a child’s account"),
        "mail.send": words("sending a mail"),
        "identity.send": words("sending a code"),
        "staff.hook": words("telling the chat tool"),
    }.get(name, name)


def _mail(words: Words, failure: Failure) -> Said:
    mail = kinds_in_words(words).get(failure.what, failure.what)
    happened = {
        "bounced": words("A mail came back. {mail}", mail=mail),
        "complained": words("A mail was called unwanted. {mail}", mail=mail),
        "failed": words("A mail could not be sent. {mail}", mail=mail),
    }[failure.error]
    if "retry" in failure.actions:
        return happened, words("What it said is on the page of the request. Trying again tells the person so.")
    if "skip" in failure.actions:
        return happened, words("See that this address of a colleague is right.")
    return happened, words("Find another way to tell the person, and note here what you did.")


def _place(words: Words, error: str, place: str) -> Said:
    again = words("It is asked again and again by itself. Trying again asks it now.")
    return {
        "unavailable": (words("A place does not answer: {place}", place=place), again),
        "refused": (words("A place says no: {place}", place=place), words("See whether our credentials still hold.")),
        "left": (words("A place still has what was to go: {place}", place=place), again),
    }.get(error, (words("A place does not do its part: {place}", place=place), again))


def _recipient(words: Words, what: str, name: str) -> Said:
    if what == "no-contact":
        return (
            words("Somebody must be told, and we have no contact: {name}", name=name),
            words("Enter a contact for them in the tables, or tell them and note here what you did."),
        )
    return (
        words("Somebody must be told whom the policy does not name any more: {name}", name=name),
        words("They had this data. Find them, tell them, and note here what you did."),
    )


def _beat(words: Words, name: str) -> Said:
    said: Mapping[str, Said] = {
        beats.CLOCKS: (
            words("Nobody looks at the clocks"),
            words("See that a worker runs: no reminder and no “late” leaves without it."),
        ),
        beats.REMINDERS: (words("Staff are not reminded"), words("See that a worker runs, and read its log.")),
        beats.DAILY: (
            words("The daily mail to staff does not leave"),
            words("See that mail leaves, and that somebody who sees the queue has an address."),
        ),
        beats.ANCHOR: (
            words("The log is not anchored outside the database"),
            words("See that the ledger of HABEAS_TOMBSTONES can be reached: habeas check says more."),
        ),
        beats.BACKUP: (
            words("The last backup is old"),
            words("Run habeas backup, and see why it was not run. A backup made by other means is not noticed here."),
        ),
        beats.WORKER: (words("No worker runs"), words("Start one: habeas worker.")),
        beats.MAIL: (words("Mail does not leave"), words("See the mail provider’s status, and RESEND_API_KEY.")),
    }
    return said[name]


def _name(policy: Policy, id: str, language: str) -> str:
    places = {source.id: source.title[language] for source in policy.sources}
    names = {one.id: one.name for one in policy.recipients}
    return names.get(id) or places.get(id) or id
