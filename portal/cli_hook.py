"""The command that tries the staff's chat tool: `habeas hook test`.

Always true here: no database is asked; one event goes out at once, and what came of it is said in one line.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from uuid import uuid4

from portal.clock import system_clock
from portal.errors import SettingsError, SourceError
from portal.policy.check import load_checked
from portal.settings import read_settings

type Command = Callable[[argparse.Namespace], int]
type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse has no public name for it


def add_commands(commands: Commands) -> None:
    """Add the command to the parser of `habeas`."""
    hook = commands.add_parser("hook", help="Try the staff's chat tool.").add_subparsers(
        metavar="COMMAND", required=True
    )
    text = "Send one signed test event to HABEAS_STAFF_HOOK_URL."
    test = hook.add_parser("test", help=text, description=text)
    test.set_defaults(command=_test)


def _test(_: argparse.Namespace) -> int:
    """Send one event. Raises: SettingsError, PolicyError."""
    from admin import hooks

    settings = read_settings()
    policy = load_checked(settings.policy_file)
    if not hooks.is_wanted(settings):
        raise SettingsError(f"{hooks.URL} is not set: nobody listens.")
    hooks.read_hook(settings)
    at = system_clock()
    payload = {"event": "test", "id": f"msg_{uuid4().hex}", "at": at.isoformat()}
    try:
        asyncio.run(hooks.deliver(payload, policy, settings, at=at))
    except SourceError as error:
        print(f"habeas: not heard. {error}", file=sys.stderr)
        return 1
    print("heard")
    return 0
