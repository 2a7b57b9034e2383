"""Tell staff by mail what changed in how they, or their colleagues, get in.

Always true here: the mail commits with the change it tells of, and holds no name and no address.
"""

from datetime import datetime

import msgspec

from admin.people_words import Change, change_in_words
from admin.roles import Permission, permits, roles_of
from admin.tables import StaffUser
from portal.mail.messages.staff import staff_invitation, staff_notice
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.settings import Settings
from portal.words import Words

ME, PEOPLE = "/staff/me", "/staff/people"


class Office(msgspec.Struct, frozen=True):
    """Whose staff it is."""

    policy: Policy
    settings: Settings

    @property
    def words(self) -> Words:
        """The words of the organisation's first language, in which staff are written to unasked."""
        return Words(self.policy.languages[0], self.policy.controller.zone)

    def address(self, path: str) -> str:
        """Return the full address of a page in that language."""
        return f"{self.settings.public_url}/{self.policy.languages[0]}{path}"


async def tell(user: int, change: Change, *, office: Office, at: datetime) -> None:
    """Tell somebody what changed for them, in the caller's transaction."""
    row = await StaffUser.select(StaffUser.email).where(StaffUser.id == user).first()
    if row:
        await _send(row["email"], change, ME, office, at)


async def tell_keepers(change: Change, *, but: set[int], office: Office, at: datetime) -> None:
    """Tell everybody who may change people, `but` those, in the caller's transaction."""
    rows = await StaffUser.select(StaffUser.id, StaffUser.email, StaffUser.roles).where(StaffUser.active.eq(True))
    for row in rows:
        if row["id"] not in but and Permission.PEOPLE in permits(roles_of(row["roles"])):
            await _send(row["email"], change, PEOPLE, office, at)


async def send_invitation(
    email: str, token: str, *, again: bool, expires_at: datetime, office: Office, at: datetime
) -> None:
    """Send an invitation's link, in the caller's transaction."""
    days = max(1, (expires_at - at).days)
    link = invitation_link(token, office)
    message = staff_invitation(office.words, office.policy, link=link, days=days, again=again)
    await post(message, to=email, language=office.policy.languages[0], at=at, expires_at=expires_at)


def invitation_link(token: str, office: Office) -> str:
    """Return the address of an invitation."""
    return office.address(f"/staff/invitation/{token}")


async def _send(email: str, change: Change, path: str, office: Office, at: datetime) -> None:
    said = change_in_words(office.words, change)
    message = staff_notice(office.words, office.policy, said=said, link=office.address(path))
    await post(message, to=email, language=office.policy.languages[0], at=at)
