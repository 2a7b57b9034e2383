"""What the desk calls things: states, tasks, channels, days left.

Always true here: a row says what to do next, in words, beside any colour.
"""

from datetime import date

from portal.policy.model import Policy
from portal.rights.tasks import TaskView
from portal.words import Words


def right_in_words(words: Words, right: str) -> str:
    """Say what a person asked for, to a colleague: `mail.wording.asked_in_words` says it to them. Raises: KeyError."""
    return {
        "access": words("A copy of their data"),
        "portability": words("Their data, to take with them"),
        "rectification": words("A correction"),
        "erasure": words("Erasure"),
        "restriction": words("A pause in the use of their data"),
        "objection": words("No to a use of their data"),
        "consent": words("Taking their consent back"),
        "automated": words("A human review of an automated decision"),
        "inquiry": words("A question"),
        "complaint": words("A complaint"),
        "child": words("A report about a child’s account"),
    }[right]


def state_in_words(words: Words, state: str) -> str:
    """Say how far a request is. Raises: KeyError."""
    return {
        "received": words("New: the worker takes it up"),
        "verifying": words("Who is it? Not proven yet"),
        "deciding": words("Waits for a decision of yours"),
        "working": words("Is being carried out"),
        "ready": words("The copy is there, a part is missing"),
        "closed": words("Ended"),
    }[state]


def outcome_in_words(words: Words, outcome: str) -> str:
    """Say how a request ended. Raises: KeyError."""
    return {
        "": words("Open"),
        "fulfilled": words("Done"),
        "partly": words("Done in part"),
        "refused": words("Refused"),
        "no-data": words("Nothing is held"),
        "unidentified": words("We could not tell who it is"),
        "withdrawn": words("Withdrawn by the person"),
        "joined": words("Joined to another request"),
    }[outcome]


def task_in_words(words: Words, policy: Policy, task: TaskView, language: str) -> str:
    """Say what is to be done. `about` is a source, a recipient, a right or what happened."""
    places = {source.id: source.title[language] for source in policy.sources}
    names = {one.id: one.name for one in policy.recipients}
    about = names.get(task.about) or places.get(task.about) or task.about
    return {
        "tell": words("Tell {name}, and note its answer", name=about),
        "by-hand": words("Do it by hand in: {place}", place=about),
        "refused": words("Find out why it refuses: {place}", place=about),
        "silent": words("Find out why it does not answer: {place}", place=about),
        "left": words("See what is left in: {place}", place=about),
        "child": words("Check the report about a child’s account"),
        "identify": words("Find out who it is"),
        "decide": words("Decide what the person asked for"),
        "redact": words("Look at what names other people in a copy"),
    }[task.kind]


def method_in_words(words: Words, method: str) -> str:
    """Say how staff found out who somebody is. Raises: KeyError."""
    return {
        "account-details": words("They know what only the holder knows"),
        "address-on-record": words("It came from the address of the account"),
        "payment-details": words("They know what was paid, and how"),
        "in-person": words("We met them"),
        "telephone": words("We called a number we had"),
        "other": words("In another way"),
    }[method]


def days_in_words(words: Words, due: date, today: date) -> str:
    """Say how long there is, or how late it is."""
    if due < today:
        return words.plural("one day late", "{count} days late", (today - due).days)
    if due == today:
        return words("due today")
    return words.plural("one day left", "{count} days left", (due - today).days)


def reason_in_words(words: Words, reason: str) -> str:
    """Say why somebody looks at a person's data. Raises: KeyError."""
    return {
        "decide": words("To decide this request"),
        "identify": words("To find out who they are"),
        "answer": words("To answer their question"),
        "other": words("For something else"),
    }[reason]


def channel_in_words(words: Words, channel: str) -> str:
    """Say how a request came."""
    return {
        "portal": words("By the portal, signed in"),
        "mailbox": words("By the form for people without an account"),
        "agent": words("By the form for whoever acts for somebody"),
        "report": words("By the report about a child"),
        "letter": words("By letter"),
        "phone": words("By telephone"),
        "email": words("By e-mail"),
        "counter": words("In person"),
    }.get(channel, channel)
