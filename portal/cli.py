"""The operator's commands: serve, worker, migrate, check, policy check; the others are next door.

Always true here: what goes wrong is said in one clear line on standard error, with what to do about it; a traceback
means a bug of ours.
"""

import argparse
import asyncio
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from portal import cli_backup, cli_clocks, cli_figures, cli_hook, cli_proof, cli_staff
from portal.clock import system_clock
from portal.errors import HabeasError, PolicyError, SettingsError
from portal.policy.check import gaps, load_checked, report
from portal.policy.model import Policy
from portal.settings import Settings, read_settings

type Command = Callable[[argparse.Namespace], int]
type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse has no public name for it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 refused or found wrong, 2 not understood."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    try:
        return command(options)
    except HabeasError as error:
        for line in str(error).splitlines():
            print(f"habeas: {line}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="habeas", description="A self-hosted data-rights portal.",
        epilog="Exit status: 0 done; 1 refused, or found wrong; 2 the command line was not understood.",
    )  # fmt: skip
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "serve", _serve, "Run the portal and a worker until SIGTERM or SIGINT.")
    _add(commands, "worker", _worker, "Run one more worker, on this machine or another.")
    _add(commands, "migrate", _migrate, "Bring the database to the newest schema.")
    _add(commands, "check", _check, "Say what is wrong or missing: settings, policy, database, storage, sources.")

    cli_clocks.add_commands(commands)
    cli_proof.add_commands(commands)
    cli_backup.add_commands(commands)
    cli_figures.add_commands(commands)
    cli_hook.add_commands(commands)
    cli_staff.add_commands(commands)

    policy = commands.add_parser("policy", help="Look at policy files.").add_subparsers(
        metavar="COMMAND", required=True
    )
    check = _add(policy, "check", _policy_check, "Name every mistake in policy files, and what you must still confirm.")
    check.add_argument("-q", "--quiet", action="store_true", help="leave out what you must still confirm")
    check.add_argument("files", metavar="FILE", nargs="+", type=Path)
    return parser


def _add(commands: Commands, name: str, command: Command, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    return parser


def _installation() -> tuple[Settings, Policy]:
    """Read the settings and the policy. Raises: SettingsError, PolicyError."""
    settings = read_settings()
    return settings, load_checked(settings.policy_file)


def _serve(_: argparse.Namespace) -> int:
    settings, policy = _installation()
    import uvloop

    from portal.logs import configure_logs
    from portal.serve import database, serve

    configure_logs()
    with database(settings):
        asyncio.run(serve(settings, policy, system_clock), loop_factory=uvloop.new_event_loop)
    return _stopped()


def _worker(_: argparse.Namespace) -> int:
    settings, policy = _installation()
    import uvloop

    from portal.logs import configure_logs
    from portal.serve import database, work

    configure_logs()
    with database(settings):
        asyncio.run(work(settings, policy, system_clock), loop_factory=uvloop.new_event_loop)
    return _stopped()


def _stopped() -> int:
    """Return 0, or end at once if a thread still waits for a silent source: Python would wait a minute for it."""
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.stdout.flush()
        os._exit(0)
    return 0


def _migrate(_: argparse.Namespace) -> int:
    settings = read_settings()
    from portal.serve import database, prepare

    with database(settings):
        asyncio.run(prepare(settings))
    return 0


def _policy_check(options: argparse.Namespace) -> int:
    wrong = 0
    for file in options.files:
        mistakes, unconfirmed = report(file)
        wrong += len(mistakes)
        for line in mistakes:
            print(line, file=sys.stderr)
        for line in [] if options.quiet else unconfirmed:
            print(f"{file}: to confirm: {line}")
        if not mistakes:
            print(f"{file}: no mistakes, {len(unconfirmed)} to confirm")
    return 1 if wrong else 0


def _check(_: argparse.Namespace) -> int:
    """Look at everything that can be looked at, in the order in which it would fail, and print one line each."""
    from portal.inspection import Finding, inspect
    from portal.serve import database

    findings: list[Finding] = []
    try:
        settings, policy = _installation()
        findings += [Finding("ok", "settings", ""), Finding("ok", "policy", str(settings.policy_file))]
        findings += [Finding("warning", "policy", line) for line in gaps(policy)]
        with database(settings):
            findings += asyncio.run(inspect(settings, policy))
    except SettingsError as error:
        findings += [Finding("error", "settings", line) for line in str(error).splitlines()]
    except PolicyError as error:
        findings += [Finding("error", "policy", line) for line in error.mistakes]
    for finding in findings:
        print(f"{finding.severity:8} {finding.place:10} {finding.text}".rstrip())
    errors = sum(finding.severity == "error" for finding in findings)
    print(f"{errors} errors, {sum(finding.severity == 'warning' for finding in findings)} warnings")
    return 1 if errors else 0
