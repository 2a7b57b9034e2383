"""What we say about an erasure: the days to change one's mind, and the last message.

Always true here: nothing is called erased while somebody has not answered; a link cancels nothing by being opened.
"""

from collections.abc import Sequence
from datetime import date, datetime

from portal.mail.letter import Letter, Message, write
from portal.policy.model import Policy
from portal.words import Words

DAYS = 3
"""To change one's mind. Source: design/ux.md, 13."""


def erasure_planned(
    words: Words, policy: Policy, *, reference: str, erase_at: datetime, link: str, days: int = DAYS, whole: bool = True
) -> Message:
    """Say when it will be erased and how to cancel. Goes to the registered address at once. Source: S-02.

    `whole` is False for an erasure in part: the platform goes on meanwhile, so nothing is said to have stopped there.
    """
    return write(
        Letter(
            kind="erasure-planned",
            subject=words.plural(
                "{reference}: {count} day to change your mind",
                "{reference}: {count} days to change your mind",
                days,
                reference=reference,
            ),
            heading=words("Your data is out of use, and will be erased")
            if whole
            else words("What you chose will be erased"),
            before=(
                words("You asked us to erase data. Nobody uses that data any more.")
                if whole
                else words("You asked us to erase a part of your data. Here it is out of use; your account goes on."),
                words("Until the moment below you can change your mind. Then everything is as before."),
            ),
            facts=((words("Reference"), reference), (words("Erasure begins"), words.day_moment(erase_at))),
            invitation=words("This page has a button to cancel. Opening it changes nothing:"),
            button=words("Keep my data after all"),
            link=link,
            after=(words("Not you? Cancel it there, then reply to this message."),),
        ),
        words,
        policy,
    )


def erasure_done(
    words: Words,
    policy: Policy,
    *,
    reference: str,
    receipt: str,
    gone: Sequence[str],
    stays: Sequence[tuple[str, date]],
    told: Sequence[str] = (),
    waiting: Sequence[str] = (),
    backups_until: date | None = None,
    link: str,
    account_closed: bool = True,
) -> Message:
    """Write the last message: what went, what stays until when, who has not answered, where the receipt is checked.

    `gone` and the first of each pair in `stays` are titles of categories; `told` and `waiting` names of recipients
    that have confirmed and that have not; `link` leads to the page that checks a receipt without an account.
    `account_closed` is False after an erasure in part: the address is then still known, and more mail may follow.
    """
    return write(
        Letter(
            kind="erasure-done",
            subject=_done_subject(words, reference, last=account_closed),
            heading=words("It is erased") if gone else words("Nothing was there to erase"),
            before=(_first(words, gone, told, waiting),),
            facts=(
                (words("Receipt"), receipt),
                (words("Erased"), words.several(gone) or words("nothing")),
                *((title, words("kept until {day}", day=words.day(until))) for title, until in stays),
                *(((words("Have confirmed"), words.several(told)),) if told else ()),
                *(((words("Not confirmed yet"), words.several(waiting)),) if waiting else ()),
                *(((words("Copies in backups are gone by"), words.day(backups_until)),) if backups_until else ()),
            ),
            invitation=words("Check the receipt here, without an account, whenever you like:"),
            button=words("Check my receipt"),
            link=link,
            after=_after(words, stays, last=account_closed),
        ),
        words,
        policy,
    )


def _done_subject(words: Words, reference: str, *, last: bool) -> str:
    if last:
        return words("Last message: receipt {reference}", reference=reference)
    return words("Our answer to {reference}", reference=reference)


def _first(words: Words, gone: Sequence[str], told: Sequence[str], waiting: Sequence[str]) -> str:
    if not gone:
        return words("We looked everywhere for what you asked us to erase. Nothing was there.")
    if waiting:
        return words(
            "What you asked is erased here. A person of ours sees to it that those named below erase it as well."
        )
    if told:
        return words("What you asked is erased here, and everybody whom we asked has confirmed it.")
    return words("What you asked is erased here. Nobody else had it from us.")


def _after(words: Words, stays: Sequence[tuple[str, date]], *, last: bool) -> tuple[str, ...]:
    kept = (words("What is kept is used for nothing else. It is erased on its day by itself."),) if stays else ()
    return (*kept, words("We forget this address now. You will hear no more from us.")) if last else kept
