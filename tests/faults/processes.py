"""Processes: who started whom, who is still there, and how one is killed.

Always true here: Linux tells the first two in /proc; only the process that is named is killed.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path


def offspring(process: int) -> list[int]:
    """Return the processes that a process has started itself."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


def alive(process: int) -> bool:
    """True while a process runs; one that has ended and is not yet collected does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def kill(process: int) -> None:
    """Kill a process as a power cut would; a child of ours is collected, so that its number is free."""
    os.kill(process, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(process, 0)
