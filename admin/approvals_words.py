"""What the desk calls what takes two people.

Always true here: every verb of `four_eyes` and every state has words.
"""

from portal.words import Words


def verb_in_words(words: Words, verb: str) -> str:
    """Say what was asked for. Raises: KeyError."""
    return {
        "refuse": words("Refuse a request as unfounded or excessive"),
        "begin": words("Begin an erasure that no code has confirmed"),
        "child-erase": words("Erase an account as a child’s"),
        "new-address": words("Give an account another address"),
        "bulk-export": words("Export the data of many people"),
        "retention-change": words("Change how long data is kept"),
        "severity-down": words("Call a breach less serious"),
        "policy-activation": words("Put another policy in force"),
        "key-rotation": words("Replace a key"),
    }[verb]


def state_in_words(words: Words, state: str) -> str:
    """Say what became of it. Raises: KeyError."""
    return {
        "waiting": words("Waits for a second person"),
        "approved": words("Agreed to, and done"),
        "refused": words("Not agreed to"),
        "withdrawn": words("Taken back by whoever asked"),
        "overtaken": words("The request moved on before it was decided"),
    }[state]
