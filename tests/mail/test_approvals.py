"""Mails about what takes two people name references and kinds, and nobody."""

from datetime import date

import pytest

from portal.mail.kinds import kinds_in_words
from portal.mail.letter import Message
from portal.mail.messages.approvals import approval_asked, approval_ended
from portal.policy.model import Policy
from portal.words import Words
from tests.web_app import organisation

LINK = "https://privacy.casagbic.example/en/staff/approvals/1"


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("reference", ["DR-2026-0101", ""])
@pytest.mark.parametrize("yes", [True, False])
def test_both_mails_say_what_and_where(language: str, reference: str, *, yes: bool) -> None:
    """One link, one line of subject, and a name in the list of mails."""
    words, policy = Words(language, "Europe/Paris"), organisation()
    for message in _both(words, policy, reference, yes=yes):
        assert message.kind in kinds_in_words(words)
        assert message.text.count(LINK) == 1
        assert reference in message.subject and "Refuse" in message.text


def _both(words: Words, policy: Policy, reference: str, *, yes: bool) -> list[Message]:
    act_by = date(2026, 11, 27) if reference else None
    return [
        approval_asked(
            words, policy, what="Refuse it", reference=reference, act_by=act_by, alone=yes, link=LINK,
        ),
        approval_ended(words, policy, what="Refuse it", reference=reference, agreed=yes, link=LINK),
    ]  # fmt: skip
