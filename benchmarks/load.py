"""Asks for one page, without pause with wrk or now and then, and says how often and how quickly it was answered.

Always true here: an answer other than 200 is an error, never a fast page.
"""

import re
import statistics
import time
from collections.abc import Sequence

import httpx
import msgspec

from benchmarks.bench import output_of, program

REST_SECONDS = 0.02
IN_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class Load(msgspec.Struct, frozen=True):
    """What wrk saw."""

    a_second: float
    p99_seconds: float


def load(url: str, *, seconds: int, connections: int = 16, cookie: str = "") -> Load:
    """Ask for `url` for so many seconds.

    Raises:
        Missing: when wrk is not installed.
        AssertionError: when something else than the page was answered.
    """
    wrk = program("wrk", "wrk")
    headers = {"Cookie": cookie} if cookie else {}
    assert httpx.get(url, headers=headers).status_code == 200, url
    said = output_of(wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *_headers(headers), url)
    assert "Non-2xx" not in said, said
    return Load(float(_find(r"Requests/sec:\s+([\d.]+)", said)[0]), _seconds(_find(r"99%\s+([\d.]+)(\w+)", said)))


def p99_of_single_looks(url: str, *, seconds: int) -> float:
    """Open `url` again and again with a rest between, as people do. Returns the 99th percentile in seconds."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    with httpx.Client() as client:
        while (start := time.perf_counter()) < end:
            client.get(url).raise_for_status()
            times.append(time.perf_counter() - start)
            time.sleep(REST_SECONDS)
    return statistics.quantiles(times, n=100)[98]


def _headers(headers: dict[str, str]) -> Sequence[str]:
    return [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]


def _find(pattern: str, said: str) -> tuple[str, ...]:
    found = re.search(pattern, said)
    assert found is not None, said
    return found.groups()


def _seconds(parts: tuple[str, ...]) -> float:
    number, unit = parts
    return float(number) * IN_SECONDS[unit]
