"""All sources together: none takes the others with it."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from portal.errors import SettingsError, SourceRefused, SourceUnavailable
from portal.policy.model import S3Source
from portal.settings import read_settings
from portal.sources.base import Fault, Identifiers
from portal.sources.registry import Sources, _open
from tests.sources.platform import TITLE

START = Identifiers(emails=frozenset({"ana@example.example"}))


class Fake:
    """A source that answers as it is told; only what the registry asks."""

    def __init__(self, id: str, learn: Callable[[Identifiers], Identifiers] = lambda known: known) -> None:
        self.id = id
        self.learn = learn
        self.trouble: Exception | None = None
        self.hangs = False
        self.asked = 0
        self.closed = 0

    async def identify(self, known: Identifiers) -> Identifiers:
        self.asked += 1
        await self._answer()
        return self.learn(known)

    async def count(self, subject: Identifiers) -> Mapping[str, int]:
        await self._answer()
        return {"things": len(subject.account_ids)}

    async def check(self) -> list[Fault]:
        return [Fault(source=self.id, place="p", what="w", remedy="r")]

    async def close(self) -> None:
        self.closed += 1

    async def _answer(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.trouble:
            raise self.trouble


def learner(needs: str, field: str, value: str) -> Callable[[Identifiers], Identifiers]:
    """Add `value` to `field` once something is known in the field `needs`."""

    def learn(known: Identifiers) -> Identifiers:
        if not getattr(known, needs):
            return known
        return msgspec.structs.replace(known, **{field: getattr(known, field) | {value}})

    return learn


def together(*fakes: Fake) -> Sources:
    return Sources(fakes, patience_seconds=0.05)  # type: ignore[arg-type]


async def test_sources_are_asked_until_nothing_new_is_learnt() -> None:
    """A chain is followed whatever the order of the file."""
    last = Fake("last", learner("stripe_customers", "emails", "Ana@Example.example"))
    middle = Fake("middle", learner("account_ids", "stripe_customers", "cus_1"))
    first = Fake("first", learner("emails", "account_ids", "1"))
    found = await together(last, middle, first).identify(START)
    assert found.identifiers.emails == {"ana@example.example", "Ana@Example.example"}
    assert found.identifiers.stripe_customers == {"cus_1"}
    assert found.unreachable == ()


async def test_in_the_usual_order_nobody_is_asked_twice_for_nothing() -> None:
    """The platform tells all, the others add nothing: one question each, and none more than two."""
    platform, others = Fake("platform", learner("emails", "account_ids", "1")), [Fake("a"), Fake("b")]
    await together(platform, *others).identify(START)
    assert [fake.asked for fake in (platform, *others)] == [1, 1, 1]


@pytest.mark.parametrize("trouble", [SourceUnavailable("x", "down"), SourceRefused("x", "no")])
async def test_a_source_that_fails_is_named_and_asked_once(trouble: Exception) -> None:
    """The others are still followed to the end."""
    down, up = Fake("down"), Fake("up", learner("emails", "account_ids", "1"))
    down.trouble = trouble
    found = await together(down, up).identify(START)
    assert found.unreachable == ("down",)
    assert found.identifiers.account_ids == {"1"}
    assert down.asked == 1


async def test_what_could_not_be_counted_is_none_and_never_zero() -> None:
    """A failing source, a silent one, and one that holds nothing are three different things."""
    down, silent, empty = Fake("down"), Fake("silent"), Fake("empty")
    down.trouble, silent.hangs = SourceUnavailable("down", "x"), True
    assert await together(down, silent, empty).count(START) == {"down": None, "silent": None, "empty": {"things": 0}}


async def test_silent_sources_are_waited_for_together() -> None:
    """Five silent sources cost a page as much as one."""
    fakes = [Fake(str(number)) for number in range(5)]
    for fake in fakes:
        fake.hangs = True
    began = time.monotonic()
    assert set((await together(*fakes).count(START)).values()) == {None}
    assert time.monotonic() - began < 0.2


async def test_a_bug_of_ours_is_not_taken_for_a_source_that_is_down() -> None:
    """It is raised."""
    broken = Fake("broken")
    broken.trouble = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await together(broken).count(START)


async def test_check_and_close_reach_all_of_them() -> None:
    """Faults are added up; closing twice is allowed."""
    fakes = [Fake("a"), Fake("b")]
    sources = together(*fakes)
    assert [fault.source for fault in await sources.check()] == ["a", "b"]
    await sources.close()
    assert [fake.closed for fake in fakes] == [1, 1]
    assert sources.get("b") is sources.all[1]
    with pytest.raises(KeyError):
        sources.get("c")


def test_a_variable_that_is_not_set_is_named_with_who_needs_it(tmp_path: Path) -> None:
    """The operator learns what to put where."""
    settings = read_settings({"HABEAS_SECRET_KEY": "x" * 40, "HABEAS_DATA": str(tmp_path)})
    spec = S3Source(
        id="uploads", title=TITLE, bucket="b", access_key_variable="UPLOADS_KEY", secret_key_variable="UPLOADS_SECRET",
        region="eu-west-3", prefixes=(),
    )  # fmt: skip
    with pytest.raises(SettingsError, match=r"UPLOADS_KEY.*uploads"):
        _open(spec, (), settings)
