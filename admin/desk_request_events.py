"""What the events of a request are called for staff: the same things that the person reads, seen from our side.

Always true here: a line says what happened and beside it stands who did it, so no line names anybody. It is long
because it is one table.
"""

from collections.abc import Mapping

from portal.policy.model import Policy
from portal.rights.events import events_in_words
from portal.rights.shapes import category_title
from portal.words import Words

type Details = Mapping[str, str | int | bool | None]


def event_in_words(words: Words, policy: Policy, event: str, details: Details) -> str:
    """Say what an entry of the evidence is about; without words of ours, what the person reads, or its own name."""
    known = _of_requests(words) | _of_decisions(words) | _of_accounts(words) | _of_work(words) | _of_care(words)
    key = event.removeprefix("rights:request:")
    said = known.get(key) or events_in_words(words).get(key, event)
    about = _about(policy, details, words)
    return words("{title}: {text}", title=said, text=about) if about and ":" in event else said


def _about(policy: Policy, details: Details, words: Words) -> str:
    """Name the place and the category, or the recipient, that an entry speaks of."""
    places = {one.id: one.title[words.language] for one in policy.sources}
    places |= {one.id: one.name for one in policy.recipients}
    place = str(details.get("source") or details.get("about") or "")
    category = str(details.get("category") or "")
    found = [places.get(place, ""), category_title(words, policy, category) if category else ""]
    return words.several([one for one in found if one])


def _of_requests(words: Words) -> dict[str, str]:
    return {
        "received": words("Request received"),
        "entered": words("Written down by us"),
        "passed-on": words("Given to a person"),
        "started": words("Copy begun"),
        "ready": words("Copy ready"),
        "ready-in-part": words("Copy ready, a part is missing"),
        "ready-withheld": words("Copy ready, without what is withheld"),
        "left-incomplete": words("Rest of the copy given up"),
        "downloaded": words("Copy downloaded"),
        "expired": words("Copy deleted, as announced"),
        "withdrawn": words("Request withdrawn"),
        "asked": words("Question to the person"),
        "answered-question": words("Answer to our question"),
        "identity-doubted": words("Doubt about who it is"),
        "reminded": words("Reminder of our question"),
        "reminded-again": words("Second reminder of our question"),
        "extended": words("More time taken, and the person told"),
        "late": words("Late, and the person told"),
        "message-person": words("Message from the person"),
        "message-staff": words("Message to the person"),
        "message-agent": words("Message from whoever acts for the person"),
        "mailbox-confirmed": words("Mailbox confirmed"),
        "confirmed": words("Confirmed from the account"),
        "not-theirs": words("Denied from the account"),
        "joined": words("Asked for elsewhere too; the earlier date counts"),
        "joined-to-other": words("Joined to another request"),
        "identified": words("Found out who it is"),
        "mandate-confirmed": words("Mandate confirmed"),
        "mandate-denied": words("Mandate denied"),
        "mandate-unknown": words("Mandate not known to the person"),
        "mandate-unanswered": words("Mandate: no answer"),
    }


def _of_decisions(words: Words) -> dict[str, str]:
    return {
        "answered": words("Answer"),
        "answered-at-once": words("Answer at once"),
        "refused": words("Refusal, with reasons"),
        "partly": words("Done in part, the rest refused with reasons"),
        "unidentified": words("Ended: we cannot tell who it is"),
        "nothing-held": words("Ended: nothing is held"),
        "looked-at": words("A person looked at it, and answered"),
        "corrected-by-hand": words("Corrected by hand"),
        "correction-begun": words("Correction in the person’s own words"),
        "correction-asked": words("Correction asked for"),
        "correction-accepted": words("Correction accepted"),
        "correction-refused": words("Correction refused, with reasons"),
        "correction-replaced": words("Replaced by a newer correction"),
        "correction-unfit": words("One place did not take the correction"),
        "corrected": words("Corrected everywhere"),
        "recipients-told": words("The person was told who else knows"),
        "paused": words("Pause put in place"),
        "in-place": words("Every place told, or a task for it"),
        "pause-confirmed": words("Pause confirmed"),
        "pause-everywhere": words("Out of use everywhere"),
        "pause-declined": words("Pause refused, with reasons"),
        "pause-ending": words("End of the pause announced"),
        "pause-disagreed": words("No agreement with the end of the pause"),
        "pause-kept": words("The pause stays after all"),
        "pause-ended": words("Pause ended, as announced"),
        "pause-ended-by-you": words("Pause ended by the person"),
        "use-standing-still": words("Objection: the use stopped"),
        "use-weighing": words("Objection: both sides are weighed"),
        "use-stopped": words("The use stopped for good"),
        "use-weighed": words("Weighed, and the person told the result"),
        "use-resumed": words("The use goes on, as announced"),
        "consent-withdrawn": words("Consent taken back, the use stopped"),
        "consent-given": words("Consent given again"),
    }


def _of_accounts(words: Words) -> dict[str, str]:
    return {
        "erasure-planned": words("Erasure confirmed, data out of use"),
        "part-erasure-planned": words("Erasure of a part confirmed, that part out of use"),
        "erasure-cancelled": words("Erasure cancelled, data in use again"),
        "erased": words("Erased"),
        "erased-again": words("Erased again after a backup came back"),
        "ended-by-erasure": words("Ended with the erasure of the account"),
        "address-proven": words("New address proven"),
        "address-changed": words("New address in use"),
        "address-looked-at": words("Change of address given to a person"),
        "address-kept": words("Change cancelled from the old address"),
        "address-kept-everywhere": words("Old address in use again everywhere"),
        "address-confirmed": words("Change confirmed from the old address"),
        "child-frozen": words("Account put out of use"),
        "child-confirmed": words("Confirmed as a child’s account"),
        "child-checked": words("Found to be a child’s account"),
        "child-disputed": words("Disputed by the account’s holder"),
        "child-erasure-stopped": words("Erasure stopped by the account’s holder"),
        "child-lifting": words("Told that the account will work again"),
        "child-not-held": words("Found not to be a child’s account"),
    }


def _of_work(words: Words) -> dict[str, str]:
    return {
        "rights:letter:written": words("Letter"),
        "rights:identity:established": words("Identity established"),
        "rights:reporter:denied": words("The reporter’s mailbox says that it was not them"),
        "rights:task:opened": words("New task"),
        "rights:task:asked": words("Task: asked, no answer yet"),
        "rights:task:done": words("Task done"),
        "rights:task:not-needed": words("Task not needed"),
        "rights:plan:laid": words("Plan made"),
        "rights:plan:begun": words("Work begun in every place"),
        "rights:plan:scanning": words("Looking for what is left"),
        "rights:plan:running": words("Begun again where something was left"),
        "rights:plan:done": words("Work done in every place"),
        "rights:plan:cancelled": words("Plan cancelled"),
        "rights:item:done": words("Done there"),
        "rights:item:failed": words("Did not work there"),
        "rights:item:reopened": words("To be done again there"),
        "rights:correction:made": words("Correction noted"),
        "rights:restriction:in-place": words("Out of use"),
        "rights:restriction:end-announced": words("End of the pause announced"),
        "rights:restriction:lifted": words("In use again"),
        "rights:receipt:issued": words("Receipt signed"),
        "rights:refusal:proposed": words("Refusal proposed"),
        "rights:refusal:approved": words("Refusal approved"),
        "rights:approval:asked": words("Second person asked"),
        "rights:approval:approved": words("Second person agreed"),
        "rights:approval:refused": words("Second person did not agree"),
        "rights:approval:withdrawn": words("Second person no longer asked"),
        "rights:approval:overtaken": words("Second person no longer needed"),
        "mail:message:accepted": words("E-mail on its way"),
        "mail:message:delivered": words("E-mail delivered"),
        "mail:message:delayed": words("E-mail delayed"),
        "mail:message:bounced": words("E-mail came back"),
        "mail:message:complained": words("E-mail marked as unwanted"),
        "mail:message:failed": words("E-mail could not be sent"),
        "staff:request:opened": words("Opened this page"),
        "staff:data:counted": words("Looked how much is held"),
        "staff:data:read": words("Looked at what is held"),
        "staff:person:looked": words("Looked at the person’s data"),
        "staff:note:written": words("Note"),
        "staff:refused": words("Tried what their role does not permit"),
        "staff:form:refused": words("A form that was not ours came in their name, and was refused"),
    }


def _of_care(words: Words) -> dict[str, str]:
    return {
        "rights:copy:held": words("Copy held back: it may name other people"),
        "rights:copy:released": words("Copy let go, without what is withheld"),
        "rights:redaction:decided": words("Decided what the copy withholds"),
        "rights:redaction:added": words("More marked to be withheld"),
        "rights:redaction:reopened": words("A place has changed and is looked at again"),
        "rights:upload:read": words("Opened a file that came with it"),
        "rights:use:stopped": words("The use stopped"),
        "rights:use:stopped-for-good": words("The use stopped for good"),
        "rights:use:end-announced": words("Said when the use goes on"),
        "rights:use:resumed": words("The use goes on"),
        "rights:store:searched": words("Searched for what is left"),
        "rights:own-tables:erased": words("Erased in this portal"),
        "rights:held:erased": words("What the law had kept is erased"),
        "rights:address:forgotten": words("The last address is forgotten"),
        "staff:alarm:raised": words("We were told that it needs somebody now"),
        "staff:records:read": words("Looked at it in the tables"),
        "staff:approval:opened": words("Read what the second person is asked"),
        "staff:failure:retried": words("Tried again what had failed"),
        "staff:failure:skipped": words("Skipped what had failed, with a reason"),
        "staff:failure:by-hand": words("Did by hand what had failed"),
    }
