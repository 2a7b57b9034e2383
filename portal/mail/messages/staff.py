"""What we write to staff about their own sign-in: a code, an invitation, and whatever changes in how they get in.

Always true here: no name and no address in a body; whoever did not do it is told whom to tell.
"""

from portal.mail.letter import Letter, Message, write
from portal.mail.wording import code_subject, grouped
from portal.policy.model import Policy
from portal.words import Words


def staff_code(words: Words, policy: Policy, *, code: str, link: str, minutes: int) -> Message:
    """Write the mail with the first of a member of staff's two factors."""
    return write(
        Letter(
            kind="staff-code",
            subject=code_subject(words, policy.controller.name, code),
            heading=words("Sign in to the desk"),
            before=(words("Type this code on the page where you asked for it:"),),
            code=grouped(code),
            invitation=words("Or use this link, and press the button there:"),
            button=words("Sign in"),
            link=link,
            after=(
                words("This works once, for {minutes} minutes.", minutes=minutes),
                words("Then we ask for your passkey or a recovery code: this mail alone opens nothing."),
                words("Not you? Ignore this message, and tell whoever invites staff: somebody knows your address."),
            ),
        ),
        words,
        policy,
    )


def staff_invitation(words: Words, policy: Policy, *, link: str, days: int, again: bool) -> Message:
    """Write the mail that invites somebody. `again`: they are a member already and get new keys."""
    name = policy.controller.name
    begin = (
        words("Your ways to sign in to the desk of {name} were reset.", name=name)
        if again
        else words("You are invited to the desk of {name}, where requests about people’s data are answered.", name=name)
    )
    return write(
        Letter(
            kind="staff-invitation",
            subject=words("Your invitation to the desk of {name}", name=name),
            heading=words("Set up how you sign in"),
            before=(begin, words("You need a passkey: your telephone, your computer or a security key makes one.")),
            invitation=words("Open this link on the device that you work with:"),
            button=words("Set up how you sign in"),
            link=link,
            after=(
                words("The link works once, for {days} days. Pass it on to nobody.", days=days),
                words("Did you not expect it? Then do not open it, and reply to this message."),
            ),
        ),
        words,
        policy,
    )


def staff_notice(words: Words, policy: Policy, *, said: str, link: str) -> Message:
    """Write that something changed in how staff get in. `said` is that, in the words of the mail's language."""
    return write(
        Letter(
            kind="staff-notice",
            subject=words("Sign-in to the desk of {name}: something changed", name=policy.controller.name),
            heading=words("Something changed in how staff sign in"),
            before=(said,),
            invitation=words("See it here:"),
            button=words("Open the page"),
            link=link,
            after=(words("Did nobody of you do this? Then reply to this message at once."),),
        ),
        words,
        policy,
    )
