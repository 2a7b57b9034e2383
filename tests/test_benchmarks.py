"""Each measurement still runs, at a scale at which its figures mean nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.__main__ import AREAS, main
from benchmarks.bench import Bench
from benchmarks.measure import SCALES, Figure, Goal, at_least, at_most, medians
from benchmarks.table import BEGIN, END, PERFORMANCE, Line, row, write

FIGURES = {
    "rows": 5, "packing": 2, "person": 1, "preflight": 3, "erasure": 2, "paper": 6, "pages": 5, "ready": 1, "queue": 3,
    "figures": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One PostgreSQL and one demo for all of them."""
    with Bench(SCALES["tiny"]) as bench:
        yield bench


@pytest.mark.parametrize("name", AREAS)
def test_a_measurement_yields_its_figures(bench: Bench, name: str) -> None:
    """Every figure is a number with a name, and there are as many as the table expects."""
    figures = list(AREAS[name].figures(bench))
    assert len(figures) == FIGURES[name]
    assert all(figure.ratio >= 0 and figure.what for figure in figures)


def test_what_must_hold_at_any_scale_holds(bench: Bench) -> None:
    """All planted keys are found, none is reported that has an index; pages open no connection and ask four times."""
    found, alarms, _ = AREAS["preflight"].figures(bench)
    queries, connections, *_ = AREAS["pages"].figures(bench)
    for figure in (found, alarms, queries, connections):
        assert figure.goal is not None
        assert figure.goal.met(figure.ratio), figure


@pytest.mark.parametrize(
    ("goal", "ratio", "met"),
    [(at_least(0.65), 0.65, True), (at_least(0.65), 0.64, False), (at_most(1.5), 1.5, True), (at_most(0), 0.01, False)],
)
def test_a_goal_is_met_or_missed_by_the_digits_that_are_shown(goal: Goal, ratio: float, met: bool) -> None:  # noqa: FBT001
    """A miss is printed as a miss."""
    assert goal.met(ratio) is met
    assert ("**no**" in row(Line("Area", Figure(what="a thing", ratio=ratio, goal=goal)))) is not met


def test_the_median_round_counts_for_each_way() -> None:
    """One slow round changes nothing."""
    assert medians([(1.0, 20.0), (100.0, 10.0), (2.0, 30.0)]) == [2.0, 20.0]


def test_only_the_place_of_the_figures_is_rewritten(tmp_path: Path) -> None:
    """What people wrote around the table stays, other areas keep their lines, and no path of the machine comes in."""
    document = tmp_path / "performance.md"
    document.write_text(
        f"before\n{BEGIN}\n`./run bench --scale full --write`\n| Other | old |\n| Area | old |\n{END}\nafter\n"
    )
    write([Line("Area", Figure(what="a thing", ratio=0.5))], "full", document)
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "| Other | old |" in text
    assert "| Area | old |" not in text
    with pytest.raises(ValueError, match="another scale"):
        write([], "small", document)
    assert "| Area | a thing | 0.50 |" in text
    assert str(Path.home()) not in text


def test_the_document_has_its_place() -> None:
    """`--write` finds where to write."""
    assert PERFORMANCE.read_text().count(BEGIN) == PERFORMANCE.read_text().count(END) == 1


@pytest.mark.parametrize("arguments", [["nothing"], ["--scale", "huge"]])
def test_a_wrong_word_is_refused_before_anything_is_measured(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It names what there is, and fails as other commands do."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err
