"""The worker processes: limits that hold, and failures that stay theirs."""

import asyncio
import os
import signal
import socket
import sys
import time

import msgspec
import pytest

from exports.press import Press, PressError
from exports.tasks import Task


class WhoAmI(msgspec.Struct, frozen=True):
    """Tells about the process it runs in."""

    def run(self) -> tuple[int, int, dict[str, str]]:
        """Do it."""
        return os.getpid(), os.nice(0), dict(os.environ)


class Sleep(msgspec.Struct, frozen=True):
    """Never ends."""

    def run(self) -> None:
        """Do it."""
        time.sleep(600)


class Eat(msgspec.Struct, frozen=True):
    """Wants more memory than there is for it."""

    def run(self) -> int:
        """Do it."""
        return len(bytearray(3 << 30))


class Die(msgspec.Struct, frozen=True):
    """Ends its process as a crash would."""

    def run(self) -> None:
        """Do it."""
        os.abort()


class CallHome(msgspec.Struct, frozen=True):
    """Tries to open a connection."""

    port: int

    def run(self) -> None:
        """Do it."""
        socket.create_connection(("127.0.0.1", self.port), timeout=1)


class Complain(msgspec.Struct, frozen=True):
    """Fails with somebody's name in its message."""

    def run(self) -> None:
        """Do it."""
        sys.stdout.write("this must not be taken for an answer")
        sys.stdout.flush()
        raise LookupError("amelie.laurent@person.example")


async def test_a_worker_is_another_process_niced_and_without_our_secrets(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lays out people's text has low priority and none of the portal's environment."""
    monkeypatch.setenv("HABEAS_SECRET_KEY", "x" * 40)
    async with Press(workers=1) as fresh:
        pid, niceness, environment = await fresh.run(WhoAmI(), seconds=60)
    assert pid != os.getpid()
    assert niceness >= 10
    assert "HABEAS_SECRET_KEY" not in environment


async def test_a_warm_worker_is_used_again(press: Press) -> None:
    """Starting costs a second; the second task does not pay it."""
    assert (await press.run(WhoAmI(), seconds=60))[0] == (await press.run(WhoAmI(), seconds=60))[0]


async def test_a_large_parent_wears_no_worker_out() -> None:
    """What the portal holds is not counted as the worker's own (Linux hands a parent's peak on)."""
    ballast = bytearray(400 << 20)
    for start in range(0, len(ballast), 4096):
        ballast[start] = 1
    async with Press(workers=1) as fresh:
        first = (await fresh.run(WhoAmI(), seconds=60))[0]
        assert (await fresh.run(WhoAmI(), seconds=60))[0] == first


async def test_a_worker_that_died_while_idle_is_passed_over() -> None:
    """The machine may end an idle process; the next task does not notice."""
    async with Press(workers=1) as press:
        pid = (await press.run(WhoAmI(), seconds=60))[0]
        os.kill(pid, signal.SIGKILL)
        await press._idle[0].wait()  # the moment the loop knows
        assert (await press.run(WhoAmI(), seconds=60))[0] != pid


@pytest.mark.parametrize(
    ("task", "seconds", "reason"),
    [
        (Sleep(), 0.2, "TimeoutError"),
        (Eat(), 60, "MemoryError"),
        (Die(), 60, "Killed"),
        (Complain(), 60, "LookupError"),
    ],
)
async def test_a_task_that_fails_costs_its_process_alone(
    press: Press, task: Task[object], seconds: float, reason: str
) -> None:
    """Time, memory, a crash or a mistake end the task with a kind and no detail; the next task has a new worker."""
    before = (await press.run(WhoAmI(), seconds=60))[0]
    with pytest.raises(PressError) as failure:
        await press.run(task, seconds=seconds)
    assert failure.value.reason == reason
    assert "amelie" not in str(failure.value)
    assert (await press.run(WhoAmI(), seconds=60))[0] != before


async def test_a_worker_has_no_network(press: Press) -> None:
    """A connection is refused inside the process, also to this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(PressError, match="PermissionError"):
            await press.run(CallHome(server.getsockname()[1]), seconds=60)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


async def test_a_cancelled_task_ends_its_process() -> None:
    """When the portal stops, or the person withdraws, nothing goes on in the background."""
    async with Press(workers=1) as press:
        pid = (await press.run(WhoAmI(), seconds=60))[0]
        task = asyncio.create_task(press.run(Sleep(), seconds=60))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
