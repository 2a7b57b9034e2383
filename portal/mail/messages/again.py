"""What we say when a mail of ours came back and is tried again.

Always true here: it tells nothing that the first mail told; that is on the request's page, where it always was.
"""

from portal.mail.letter import Letter, Message, write
from portal.policy.model import Policy
from portal.words import Words


def written_again(words: Words, policy: Policy, *, kind: str, reference: str, link: str) -> Message:
    """Say that an earlier mail did not arrive. `kind` is that mail's: whatever counts by it counts this one."""
    return write(
        Letter(
            kind=kind,
            subject=words("About your request {reference}", reference=reference),
            heading=words("We wrote to you before"),
            before=(
                words("A message of ours about your request could not be delivered, so we try once more."),
                words("What it said is on the page of your request."),
            ),
            facts=((words("Reference"), reference),),
            invitation=words("Read it here:"),
            button=words("Open my request"),
            link=link,
        ),
        words,
        policy,
    )
