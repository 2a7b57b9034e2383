"""The operator's commands about staff: invite, list, reset, remove.

Always true here: nothing that is printed gets anybody past a second factor: an invitation's link makes one. Who runs
the server can do all of this without asking anybody, so each of it is evidence, and those who keep the list are told.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from admin.roles import Role
from portal.clock import system_clock
from portal.errors import SettingsError
from portal.policy.check import load_checked
from portal.policy.model import Policy
from portal.settings import Settings, read_settings

type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse has no public name for it
type Deed = Callable[[Settings, Policy, datetime], Awaitable[Sequence[str]]]

ACTOR = "command-line"


def add_commands(commands: Commands) -> None:
    """Add `habeas staff` and what belongs to it."""
    staff = commands.add_parser("staff", help="Invite staff, and help those who lost their keys.").add_subparsers(
        metavar="COMMAND", required=True
    )
    invite = _add(staff, "invite", _invite, "Invite somebody: print a link, once good, for seven days, and mail it.")
    invite.add_argument("email", metavar="EMAIL")
    invite.add_argument("--role", action="append", required=True, choices=[str(role) for role in Role], dest="roles")
    invite.add_argument("--name", default="", help="what colleagues call them")
    _add(staff, "list", _list, "List the staff: who, which roles, what they sign in with.")
    reset = _add(staff, "reset", _reset, "Take away somebody's passkeys and codes and invite them again.")
    reset.add_argument("email", metavar="EMAIL")
    remove = _add(staff, "remove", _remove, "End somebody's access for good.")
    remove.add_argument("email", metavar="EMAIL")


def _add(
    commands: Commands, name: str, command: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    return parser


def _invite(options: argparse.Namespace) -> int:
    async def deed(settings: Settings, policy: Policy, at: datetime) -> Sequence[str]:
        from admin.invitations import invite
        from admin.people_notices import Office, invitation_link

        office = Office(policy, settings)
        token = await invite(
            options.email, [Role(role) for role in options.roles], name=options.name, by=ACTOR, inviter=None,
            office=office, at=at, mailed=bool(settings.resend_api_key),
        )  # fmt: skip
        return [invitation_link(token, office)]

    return _do(deed)


def _list(_: argparse.Namespace) -> int:
    async def deed(settings: Settings, policy: Policy, at: datetime) -> Sequence[str]:  # noqa: ARG001
        from admin.people import members

        return [
            f"{one.email}  {','.join(sorted(one.roles))}  {'active' if one.active else 'no access'}"
            f"  passkeys={one.passkeys} codes={one.codes} single-sign-on={one.identities}"
            for one in await members()
        ]

    return _do(deed)


def _reset(options: argparse.Namespace) -> int:
    async def deed(settings: Settings, policy: Policy, at: datetime) -> Sequence[str]:
        from admin.people import reset_factors
        from admin.people_notices import Office, invitation_link
        from portal.database import engine

        user, office = await _member(options.email), Office(policy, settings)
        async with engine().transaction():
            token = await reset_factors(
                user, actor=ACTOR, keeper=0, office=office, at=at, mailed=bool(settings.resend_api_key)
            )
        return [invitation_link(token, office)]

    return _do(deed)


def _remove(options: argparse.Namespace) -> int:
    async def deed(settings: Settings, policy: Policy, at: datetime) -> Sequence[str]:
        from admin.people import remove
        from admin.people_notices import Office

        await remove(await _member(options.email), actor=ACTOR, office=Office(policy, settings), at=at)
        return []

    return _do(deed)


def _do(deed: Deed) -> int:
    """Do it on this installation's database and print what comes of it. Raises: SettingsError, PolicyError, Invalid."""
    settings = read_settings()
    policy = load_checked(settings.policy_file)
    from portal.serve import database, prepare

    async def run() -> Sequence[str]:
        await prepare(settings)
        return await deed(settings, policy, system_clock())

    with database(settings):
        for line in asyncio.run(run()):
            print(line)
    return 0


async def _member(email: str) -> int:
    """Return the id of a member of staff. Raises: SettingsError, when nobody has this address."""
    from admin.tables import StaffUser

    row = await StaffUser.select(StaffUser.id).where(StaffUser.email == email.strip().lower()).first()
    if row is None:
        raise SettingsError("nobody of the staff has this address. See: habeas staff list")
    return int(row["id"])
