"""The compiler's benchmark still runs: every program in its smallest form, compiled, eager, and in C where it can be.

No test here depends on a time.
"""

import numpy as np
import pytest
from rich.console import Console

from benchmarks import compile as command
from benchmarks.compiled import floor, rounds, systems, table
from benchmarks.compiled.catalogue import WORKLOADS
from benchmarks.compiled.child import leaves
from benchmarks.runner import difference

pytest.importorskip("llvmlite")


@pytest.fixture(scope="module")
def present(tmp_path_factory):
    """The systems that are here without further packages."""
    names = ["wengert", "eager"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(floor.LIBRARY, "")
        if not floor.build(tmp_path_factory.mktemp("floor")):
            names.append("floor")
        yield {name: systems.SYSTEMS[name]() for name in names}
        floor.load.cache_clear()


def answers(system, workload):
    """The results of a second call, as NumPy's arrays."""
    run = workload.make(system, **workload.small)
    run()
    return [np.array(system.read(x)) for x in leaves(run())]


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda w: w.title)
def test_systems_agree(present, workload):
    expected = answers(present["eager"], workload)
    for name in ("wengert", "floor"):
        if name in present and name in workload.systems:
            found = answers(present[name], workload)
            assert len(found) == len(expected)
            assert max(map(difference, expected, found)) <= workload.tolerance, name


def line_of(samples, demands):
    line = rounds.Line("a program", "s", demands=demands)
    line.samples = samples
    return line


def test_a_line_is_judged_against_the_best():
    demand = rounds.Demand("wengert", 0.5, ("jax", "torch"))
    above = rounds.Demand("wengert", 1e-6, ("floor",), is_difference=True)
    line = line_of({"wengert": [2e-6], "jax": [8e-6], "torch": [5e-6], "floor": [1.5e-6]}, [demand, above])
    assert [(round(measured, 9), met) for _, _, measured, met in line.verdicts()] == [(0.4, True), (5e-7, True)]
    assert demand.best(line) == "torch"
    assert rounds.Demand("wengert", 1e-6, ()).measured(line) == 2e-6
    assert "0.40 x PyTorch ≤ 0.5 ✓" in table.judgement(line).plain


def test_nothing_is_judged_against_a_peak_below_zero():
    demand = rounds.Demand("wengert", 1.0, ("jax", "torch"))
    assert demand.measured(line_of({"wengert": [2e6], "jax": [-3e7], "torch": [4e6]}, [demand])) == 0.5
    assert demand.measured(line_of({"wengert": [2e6], "jax": [-3e7]}, [demand])) is None


def test_what_is_wrong_or_failed_says_so():
    workload = WORKLOADS[0]
    right, wrong = [np.ones(3)], [np.array([1.0, 1.0, 1.1])]
    remarks = rounds.disagreeing({"jax": right, "torch": right, "wengert": wrong}, workload)
    assert list(remarks) == ["wengert"]
    line = line_of({"jax": [1e-6]}, [rounds.Demand("wengert", 0.5, ("jax",))])
    line.remarks = remarks | {"torch": "failed: out of patience"}
    assert table.cell(line, "wengert").plain == "WRONG"
    assert table.cell(line, "torch").plain == "failed"
    assert table.judgement(line).plain == "not met"
    console = Console(width=170)
    with console.capture() as written:
        table.print_lines(console, "Time", [line])
        table.print_summary(console, {"Time": [line]})
    assert "differs from jax by" in written.get()
    assert "0 met, 0 missed, 1 failed, 0 not judged" in written.get()


def test_a_bad_argument_is_refused(capsys):
    with pytest.raises(SystemExit) as refused:
        command.arguments(["--only", "chian"])
    assert refused.value.code == 2
    assert "invalid choice: 'chian'" in capsys.readouterr().err
