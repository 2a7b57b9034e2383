"""Put a week's letters on the desk of the demo, once: one that is late, some that are due soon, some that have time.

    echo '["someone.20@person.example", …]' | python -m demo.letters

Always true here: they come in through the verb that staff use for a letter, in the database of the environment; a desk
that has requests already gets none.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from admin.roles import Role
from admin.sign_in import make_link
from admin.tables import StaffUser
from demo.door import ROLES
from portal.clock import system_clock
from portal.database import engine
from portal.policy.load import load
from portal.policy.model import Policy
from portal.rights.intake_staff import Entered, enter
from portal.rights.lifecycle import Right
from portal.rights.tables import SubjectRequest
from portal.settings import Settings, read_settings


class Letter(msgspec.Struct, frozen=True):
    """One made-up letter."""

    right: Right
    days_ago: int
    language: str
    text: str


LETTERS = (
    Letter("inquiry", 31, "en", "Which of my texts did a person of yours read?"),
    Letter("rectification", 29, "fr", "Mon nom s’écrit avec un seul n."),
    Letter("restriction", 27, "en", "Please do not use what I wrote until we have talked."),
    Letter("erasure", 25, "fr", "Merci d’effacer tout ce que vous avez à mon sujet."),
    Letter("inquiry", 12, "en", "Who gets my data, and in which country?"),
    Letter("complaint", 3, "fr", "Votre réponse est venue bien trop tard."),
    Letter("access", 1, "en", "Send me a copy of everything, please."),
)


async def write(addresses: Sequence[str], policy: Policy, settings: Settings) -> int:
    """Write the letters down, one for each address; return how many. None when there is any request."""
    at = system_clock()
    async with engine().pooled():
        if await SubjectRequest.exists():
            return 0
        for role in ROLES:
            await make_link(f"{role}@staff.example", at=at, roles=[Role(role)])
        dpo = await StaffUser.objects().get(StaffUser.email == "dpo@staff.example")
        for letter, address in zip(LETTERS, addresses, strict=False):
            entered = Entered(
                rights=(letter.right,), channel="letter", received_at=at - timedelta(days=letter.days_ago),
                text=letter.text, method="address-on-record", everything=letter.right == "erasure", email=address,
                language=letter.language,
            )  # fmt: skip
            await enter(entered, policy=policy, settings=settings, at=at, actor=f"staff:{dpo.id if dpo else 0}")
    return len(LETTERS)


if __name__ == "__main__":
    here = read_settings()
    people = msgspec.json.decode(sys.stdin.buffer.read(), type=list[str])
    print(asyncio.run(write(people, load(here.policy_file), here)))
