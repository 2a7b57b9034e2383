"""What Piccolo Admin calls our groups, tables and forms, and what each table is for.

Always true here: every group, every view and every form has its words. It is long because it is one list.
"""

from collections.abc import Mapping

from portal.policy.model import Policy
from portal.rights.letters.reasons import BY_ID
from portal.rights.letters.titles import heading
from portal.rights.reference import KINDS
from portal.web import OWN_NAMES
from portal.words import Words


def group_in_words(words: Words, group: str) -> str:
    """Name a group of tables. Raises: KeyError."""
    return {
        "Requests": words("Requests"),
        "What people asked for": words("What people asked for"),
        "People": words("People"),
        "Mail": words("Mail"),
        "Evidence and proof": words("Evidence and proof"),
        "Work": words("Work"),
        "Staff": words("Staff"),
        "Our own words": words("Our own words"),
    }[group]


def next_in_words(words: Words) -> dict[str, str]:
    """Say what comes next for an open request, by the code that the view `open_request` gives it."""
    return {
        "next:identify": words("Find out who it is"),
        "next:decide": words("Decide what the person asked for"),
        "next:task": words("Do an open task"),
        "next:part": words("Mend the part that is missing"),
        "next:worker": words("Nothing: the worker does it"),
    }


def help_in_words(words: Words, view: str) -> str:
    """Say what a table is for. Raises: KeyError."""
    return {**_requests(words), **_rights(words), **_people(words), **_proof_and_work(words), **_staff(words)}[view]


def choices_in_words(words: Words, policy: Policy, view: str) -> Mapping[str, Mapping[str, str]]:
    """Return what the columns of a table that can be written offer: by column, each value with its words."""
    language = words.language
    offered: dict[str, Mapping[str, Mapping[str, str]]] = {
        "letter_addition": {
            "kind": {kind: heading(words, kind) for kind in KINDS},
            "language": {code: OWN_NAMES[code] for code in policy.languages},
        },
        "reason_hint": {"reason": {id: one.title[language] for id, one in BY_ID.items()}},
        "recipient_contact": {"recipient": {one.id: one.name for one in policy.recipients}},
    }
    return offered.get(view, {})


def _requests(words: Words) -> dict[str, str]:
    return {
        "open_request": words("What is open, the most urgent first. Whatever has to be done is done on the desk."),
        "request": words("Every request, open or ended, without the person."),
        "message": words("Who wrote when about a request, and how much; the words are on the request’s page."),
        "note": words("When colleagues left a note; the words are on the request’s page."),
        "look": words("Who of the staff looked at a person’s data, when and for which reason."),
        "timeline_entry": words("What the person reads about their request."),
        "task": words("What only a person of ours can do."),
        "approval": words("What waits or waited for a second person."),
        "form_received": words("Forms of people who were not signed in, with masked addresses."),
        "upload": words("Files that people sent, until they are decided upon."),
        "copy": words("Finished copies, without the place where they lie."),
        "copy_search": words("Copies that may name somebody else, so that somebody has to look first."),
        "withheld_passage": words("Where a copy may name somebody else, and what was decided; never the passage."),
        "copy_part": words("The parts of each copy, and how far they are."),
    }


def _rights(words: Words) -> dict[str, str]:
    return {
        "plan": words("What is to be done in several systems for one request."),
        "plan_step": words("One system and one category of a plan, and how far it is."),
        "kept_record": words("What an erasure had to leave, why, and until when."),
        "scan": words("What was looked for after an erasure, and what was found."),
        "pause": words("Data that is kept out of use."),
        "stopped_use": words("Uses that people said no to, or took their consent back for."),
        "never_written_to": words("How many addresses are never written to for a purpose again."),
        "correction": words("Corrections, without what was and what is."),
        "address_change": words("Changes of the address to sign in with."),
    }


def _people(words: Words) -> dict[str, str]:
    return {
        "person": words("People we have talked to, with masked addresses."),
        "known_identifier": words("By which kinds of identifiers a person is known; the values are not told."),
        "outside_identity": words("Who signs in through Google or Microsoft."),
        "session": words("Browsers in which people are signed in."),
        "sign_in_code": words("Codes that were asked for, without the codes."),
        "outside_sign_in": words("Sign-ins through Google or Microsoft under way."),
        "mail": words("Mails and what became of them, with masked addresses and without their words."),
        "mail_event": words("What the mail provider told us."),
    }


def _proof_and_work(words: Words) -> dict[str, str]:
    return {
        "evidence": words("The log, which nobody can change: references and digests only."),
        "receipt": words("Signed receipts; of the number only the end is shown."),
        "receipt_key": words("The public keys that check receipts."),
        "sealed_document": words("What was told and decided, sealed: when and how long, never what."),
        "known_erasure": words("Erasures that this database knows of."),
        "tally": words("How many requests ended how, month by month; about nobody."),
        "tally_mark": words("Up to which entry of the log requests are counted."),
        "job": words("What the worker has still to do, without what it is about."),
        "job_statistic": words("How many jobs ended how."),
        "schedule": words("What runs by the clock, when it last ran and when it runs again."),
        "heartbeat": words("When each thing that must not stop last came to its end."),
        "reminder_sent": words("What staff were told once."),
        "failure_mended": words("How failures came to an end."),
        "migration": words("How this database came to its present shape."),
    }


def _staff(words: Words) -> dict[str, str]:
    return {
        "colleague": words("Everybody of the staff, with their roles."),
        "staff_session": words("Browsers in which staff are signed in."),
        "staff_invitation": words("Invitations, without their links."),
        "staff_passkey": words("Passkeys of staff, without what they sign with."),
        "staff_recovery_code": words("Recovery codes, without the codes."),
        "staff_identity": words("Who of the staff signs in through the organisation’s own account."),
        "letter_addition": words("What you add at the end of a kind of letter. You can change this table."),
        "reason_hint": words("What colleagues should know before they choose a ground. You can change this table."),
        "recipient_contact": words("Whom to write to when a recipient has to be told. You can change this table."),
    }
