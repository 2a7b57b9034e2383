"""`./run demo [casagbic|caaartoons]`: one organisation with all its surroundings, until Ctrl-C.

Always true here: the data lives in `.data/demo/` and is used again the next time.
"""

import argparse
import contextlib
import json
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

from demo.letters import LETTERS
from demo.platforms import PLATFORMS
from demo.stack import ROOT, Stack, running

FIRST_PORT = {"casagbic": 8000, "caaartoons": 8010}


def main() -> int:
    """Run the demo until it is told to stop."""
    parser = argparse.ArgumentParser(prog="./run demo", description="Run Habeas with a sample organisation.")
    parser.add_argument("organisation", nargs="?", default="casagbic", choices=sorted(PLATFORMS))
    parser.add_argument("--data", type=Path, default=None, help="where the demo keeps its data")
    options = parser.parse_args()
    folder = options.data or ROOT / ".data" / "demo" / options.organisation
    stop = threading.Event()
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, lambda *_: stop.set())
    with running(options.organisation, folder, say=_say, port=FIRST_PORT[options.organisation]) as stack:
        _write_letters(stack)
        _say(_where_to_go(stack))
        while not stop.wait(1):
            if stack.habeas is None or stack.habeas.poll() is not None:
                _say(f"Habeas has ended. Its log is in {stack.folder / 'habeas.log'}.")
                return 1
        _say("Stopping …")
    return 0


def _write_letters(stack: Stack) -> None:
    """Have staff write down some letters the first time, so that the desk has something to show."""
    named = [person.email.lower() for person in stack.people if person.role == "names-others"]
    others = [person.email.lower() for person in stack.people if person.role == "ordinary"][-len(LETTERS) :]
    last = named or others[:1]
    addresses = [*others[1:], *last][: len(LETTERS)]
    _say("Writing down some letters …")
    subprocess.run(
        [sys.executable, "-m", "demo.letters"], cwd=ROOT, env=stack.environment, input=json.dumps(addresses), text=True,
        stdout=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def _where_to_go(stack: Stack) -> str:
    heavy = next(person for person in stack.people if person.role == "heavy")
    others = [person.email for person in stack.people if person.role in {"ordinary", "newcomer", "twice"}][:3]
    lines = [
        "",
        f"  {stack.organisation.capitalize()} is ready.",
        "",
        f"  The portal             {stack.portal_url}/",
        f"  Everybody's mail       {stack.inbox_url}/",
        f"  Sign in as             {heavy.email}  (more than 5,000 records, 50 files)",
        *(f"                         {email}" for email in others),
        *(f"  {_at_desk(role):23}{address}" for role, address in stack.desk_doors.items()),
        f"  Metrics                {stack.metrics_url}",
        f"  Stripe's stand-in      {stack.stripe.url}",
        f"  The S3 server          {stack.s3.endpoint}",
    ]
    if stack.openid:
        lines.append(f"  Google and Microsoft   {stack.openid.url}  (stand-ins; use the buttons on the sign-in page)")
    at = shlex.quote(str(stack.folder))
    commands = f'HABEAS_DATA={at} HABEAS_SECRET_KEY="$(cat {at}/secret)" ./habeas evidence verify'
    lines += ["", "  Commands of the operator, on this data, such as:", f"  {commands}"]
    return "\n".join([*lines, "", "  Ctrl-C stops everything; the data stays.", ""])


def _at_desk(role: str) -> str:
    return f"The desk, as {role}"


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
