"""What stored values are called for people: ours, and those the policy file names.

Always true here: only pages and the PDF use these names; the data files keep what is stored.
"""

from collections.abc import Mapping

from portal.mail.kinds import kinds_in_words
from portal.mail.wording import ASKED, asked_in_words
from portal.policy.model import Category, Policy, PortalSource
from portal.words import Words

type Names = Mapping[str, dict[str, str]]
"""Field id -> stored value -> what people call it."""


def names_of(words: Words, policy: Policy, category: Category) -> Names:
    """Return what the stored values of a category are called in the language of `words`."""
    ours = _ours(words) if any(category.id == s.category for s in policy.sources if isinstance(s, PortalSource)) else {}
    named = {field.id: {v.stored: v.title[words.language] for v in field.values} for field in category.fields}
    return {id: {**ours.get(id, {}), **values} for id, values in named.items()}


def _ours(words: Words) -> Names:
    """The values that our own tables hold, by the fields of `PORTAL_FIELDS`."""
    return {
        "what": {
            **{right: asked_in_words(words, right) for right in ASKED},
            **kinds_in_words(words),
            "decide": words("A look at your data, to decide a request"),
            "identify": words("A look at your data, to find out who you are"),
            "answer": words("A look at your data, to answer you"),
            "other": words("A look at your data, for what is said there"),
            "accuracy": words("Pause: is it right?"),
            "unlawful": words("Pause instead of erasing"),
            "claims": words("Pause: kept for a claim"),
            "code": words("Signed in by code"),
            "link": words("Signed in by link"),
            "google": words("Signed in with Google"),
            "microsoft": words("Signed in with Microsoft"),
            "email": words("Address on the platform"),
            "account_id": words("Account number on the platform"),
            "stripe_customer": words("Customer number at Stripe"),
        },
        "state": {
            "received": words("received"),
            "verifying": words("waiting for proof of who asks"),
            "deciding": words("a person looks at it"),
            "person": words("written by you"),
            "staff": words("written by us"),
            "agent": words("written by whoever acts for you"),
            "reporter": words("written by whoever reported it"),
            "working": words("being prepared"),
            "ready": words("ready"),
            "closed": words("closed"),
            "waiting": words("not sent yet"),
            "accepted": words("sent"),
            "delivered": words("delivered"),
            "delayed": words("delayed"),
            "bounced": words("came back"),
            "complained": words("marked as unwanted"),
            "failed": words("could not be sent"),
        },
        "outcome": {
            "fulfilled": words("fulfilled"),
            "partly": words("partly fulfilled"),
            "no-data": words("nothing held"),
            "withdrawn": words("withdrawn"),
            "refused": words("not done, with reasons"),
            "unidentified": words("not sure it was you"),
        },
    }
