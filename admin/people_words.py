"""What roles are called, and what staff are told when something changes in how they get in.

Always true here: every role has a name and one sentence on what it is for, in both languages.
"""

from collections.abc import Mapping
from enum import StrEnum

from admin.roles import Role
from portal.words import Words


class Change(StrEnum):
    """Something that changed for a member of staff, which they are told by mail."""

    JOINED = "joined"
    ROLES = "roles"
    LEFT = "left"
    BACK = "back"
    ENDED = "ended"
    RESET = "reset"
    PASSKEY_ADDED = "passkey-added"
    PASSKEY_REMOVED = "passkey-removed"
    CODE_USED = "code-used"
    CODES_NEW = "codes-new"
    IDENTITY_ADDED = "identity-added"
    IDENTITY_REMOVED = "identity-removed"
    OTHERS_INVITED = "others-invited"
    OTHERS_ROLES = "others-roles"
    OTHERS_RESET = "others-reset"


def roles_in_words(words: Words) -> Mapping[Role, tuple[str, str]]:
    """Return each role's name and what it is for."""
    return {
        Role.INTAKE: (words("Intake"), words("Writes requests down, finds out who somebody is, writes to them.")),
        Role.HANDLER: (words("Handler"), words("Does all of that and decides requests.")),
        Role.APPROVER: (words("Approver"), words("Is the second person where two are needed.")),
        Role.DPO: (words("Data protection officer"), words("May do everything, but not alone where two are needed.")),
        Role.BREACH: (words("Breach lead"), words("Works in the breach room.")),
        Role.AUDITOR: (words("Auditor"), words("Reads requests, figures and records; changes nothing.")),
        Role.ADMIN: (
            words("Administrator"),
            words("Invites staff and mends what failed; sees no request’s content."),
        ),
    }


def change_in_words(words: Words, change: Change) -> str:
    """Say what changed, as a mail does."""
    return {
        Change.JOINED: words("Your sign-in is set up: with a passkey or the single sign-on, and ten recovery codes."),
        Change.ROLES: words("Your roles were changed. You have been signed out everywhere."),
        Change.LEFT: words("Your access was ended."),
        Change.BACK: words("Your access was opened again."),
        Change.ENDED: words("You have been signed out everywhere."),
        Change.RESET: words("Your passkeys and recovery codes were removed, for you to set up new ones."),
        Change.PASSKEY_ADDED: words("A passkey was added to your ways to sign in."),
        Change.PASSKEY_REMOVED: words("A passkey was removed from your ways to sign in."),
        Change.CODE_USED: words("One of your recovery codes was used in place of a passkey."),
        Change.CODES_NEW: words("You have ten new recovery codes. The old ones no longer work."),
        Change.IDENTITY_ADDED: words("The single sign-on was added to your ways to sign in."),
        Change.IDENTITY_REMOVED: words("The single sign-on was removed from your ways to sign in."),
        Change.OTHERS_INVITED: words("Somebody was invited. The team page says who."),
        Change.OTHERS_ROLES: words("Somebody’s roles or access changed. The team page says whose."),
        Change.OTHERS_RESET: words("Somebody’s ways to sign in were reset. The team page says whose."),
    }[change]
