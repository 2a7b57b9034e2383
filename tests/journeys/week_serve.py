"""`habeas serve` on a clock that a journey moves: the same program, and the time of the week that is played.

Always true here: the time is the real one and an offset, which is read from a file at each look; whenever the file
changes, all that is done by the clock is done once, and then its new content is written down beside it.
"""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from piccolo.querystring import QueryString

from portal import serve
from portal.clock import system_clock
from portal.database import engine
from portal.jobs import Worker
from portal.logs import configure_logs
from portal.policy.check import load_checked
from portal.rights.workshop import Workshop
from portal.settings import read_settings

OFFSET, ROUND = "week-offset", "week-round"
"""The files, in the folder of the installation: the seconds to add, and those at which the last round was made."""
LOOK_SECONDS = 0.1

log = structlog.get_logger()


class OffsetClock:
    """The real time and the seconds that stand in a file of `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self) -> datetime:
        """Return the instant of the week that is played, aware, in UTC."""
        return system_clock() + timedelta(seconds=float(self.said()))

    def said(self) -> str:
        """Return what the file says now."""
        return (self.folder / OFFSET).read_text()


async def make_rounds(worker: Worker, clock: OffsetClock) -> None:
    """Do all that is done by the clock whenever it was moved, for nobody waits for a minute that never comes."""
    done = ""
    while not worker.stopping.is_set():
        said = clock.said()
        if said != done:
            for schedule in worker.schedules:
                try:
                    await schedule.run()
                except Exception:
                    log.exception("a round of the week failed", schedule=schedule.name)
                    raise
            await show_life(clock())
            write_whole(clock.folder / ROUND, said)
            done = said
        await asyncio.sleep(LOOK_SECONDS)


async def show_life(at: datetime) -> None:
    """Show at the time of the week that a worker is there, which the queue notes in real time only."""
    await engine().run_querystring(
        QueryString(
            "INSERT INTO pgqueuer_schedules (expression, entrypoint, heartbeat, last_run, next_run)"
            " VALUES ('0 0 1 1 *', 'week', {}, {}, {}) ON CONFLICT (expression, entrypoint)"
            " DO UPDATE SET heartbeat = excluded.heartbeat, last_run = excluded.last_run",
            at, at, at + timedelta(days=365),
        )
    )  # fmt: skip


def write_whole(file: Path, text: str) -> None:
    """Write a file so that nobody reads half of it."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def main() -> None:
    """Serve until a signal."""
    import uvloop

    settings = read_settings()
    clock, assemble = OffsetClock(settings.data_folder), serve.make_worker
    tasks: list[asyncio.Task[None]] = []

    def make_worker(shop: Workshop) -> Worker:
        worker = assemble(shop)
        tasks.append(asyncio.get_running_loop().create_task(make_rounds(worker, clock)))
        return worker

    serve.make_worker = make_worker
    configure_logs()
    policy = load_checked(settings.policy_file)
    with serve.database(settings):
        asyncio.run(serve.serve(settings, policy, clock), loop_factory=uvloop.new_event_loop)


if __name__ == "__main__":
    main()
