"""Runs a function in a process of its own, so that its peak memory is its own: `python -m benchmarks.apart`.

Always true here: the peak is that of the process since it began to run this program, never its parent's.
"""

import importlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

ROOT = Path(__file__).parent.parent


class Ran(msgspec.Struct, frozen=True):
    """What a function measured, and the peak memory of the process it ran in."""

    seconds: float
    peak_mib: float


def apart(function: Callable[..., float], **arguments: str | int | bool) -> Ran:
    """Run `function`, which returns the seconds that count, in a fresh process."""
    name = f"{function.__module__}:{function.__name__}"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.apart", name], cwd=ROOT, input=msgspec.json.encode(arguments),
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    return msgspec.json.decode(done.stdout, type=Ran)


def peak_mib(process: int | str = "self") -> float:
    """Return the most memory a process has held; 0 when it has ended.

    From /proc, because `ru_maxrss` of a child begins with its parent's memory.
    """
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    """Run the function that the command line names with the arguments on standard input."""
    module, _, name = sys.argv[1].partition(":")
    seconds = getattr(importlib.import_module(module), name)(**msgspec.json.decode(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(msgspec.json.encode(Ran(seconds, peak_mib())))


if __name__ == "__main__":
    main()
