"""The benchmarks still run: every workload in its smallest form, with wengert and NumPy alone.

No test here depends on a time.
"""

import json
import math

import numpy as np
import pytest
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks import chart, memory, report, results, rules, runner, workloads
from benchmarks.workload import Budget, Row

TINY = runner.Settings(rounds=1, block=0.0, quick=True, timeout=60)
PRESENT = ("wengert", "wengert.numpy", "numpy")


def rows_of_two_peers() -> list[Row]:
    row = Row("a case", "s", [Budget(0.5, "torch"), Budget(2e-6)], chart="a case")
    row.samples = {"wengert": [1e-6, 1.1e-6, 0.9e-6], "torch": [4e-6, 4e-6, 4e-6]}
    slow = Row("another", "B", [Budget(0.5, "torch")], chart="another")
    slow.samples = {"wengert": [400.0], "torch": [200.0], "numpy": [100.0]}
    return [row, slow]


@pytest.mark.parametrize("name", workloads.NAMES)
def test_a_workload_runs_and_its_gradients_agree(name):
    workload = workloads.load(name)
    if workload.needs_proc and not memory.is_known():
        pytest.skip("needs Linux's /proc")
    rows = runner.run(workload, PRESENT, TINY, tell=lambda text: None)
    assert rows
    for row in rows:
        assert not row.wrong
        assert not row.remarks
        assert math.isfinite(row.value("wengert"))
    report.print_workload(Console(quiet=True), workload, rows)


def test_a_wrong_gradient_is_named():
    right, wrong = [np.array(1.0), np.ones(3)], [np.array(1.0), np.array([1.0, 1.0, 1.001])]
    assert (
        runner.disagreement({"wengert": wrong, "torch": right, "numpy": right}, 1e-6)
        == "wengert and numpy differ by 1.0e-03"
    )
    assert runner.disagreement({"wengert": right, "torch": right}, 1e-6) == ""
    assert "inf" in runner.disagreement({"wengert": [np.array(np.nan)], "torch": [np.array(1.0)]}, 1e-6)


def test_a_row_judges_its_budgets():
    row, slow = rows_of_two_peers()
    assert [(measured, met) for _, _, measured, met in row.verdicts()] == [(0.25, True), (1e-6, True)]
    assert [(measured, met) for _, _, measured, met in slow.verdicts()] == [(2.0, False)]


def test_results_and_chart_are_written(tmp_path):
    found = {"a workload": rows_of_two_peers()}
    results.write(tmp_path / "deep" / "results.json", results.document({"cores": 1}, TINY, found))
    entry = json.loads((tmp_path / "deep" / "results.json").read_text())["workloads"]["a workload"][0]
    assert entry["medians"] == {"wengert": 1e-6, "torch": 4e-6}
    pytest.importorskip("matplotlib")
    chart.draw(found["a workload"], tmp_path / "chart.png")
    assert (tmp_path / "chart.png").stat().st_size > 0
    assert (tmp_path / "chart.svg").stat().st_size > 0


def test_a_bad_argument_is_refused(capsys):
    with pytest.raises(SystemExit) as refused:
        command.arguments(["elementwize"])
    assert refused.value.code == 2
    assert "there is no workload 'elementwize'" in capsys.readouterr().err


def test_arguments_of_rules_are_made_large_and_measured():
    small = rules.Settings(rounds=1, elements=500, long=0.01)
    chosen = rules.functions(["numpy.hypot", "numpy.linalg.solve", "numpy.tril"])
    rows = {name: next(rules.rows_of(name, f, given, False, small)) for name, f, given in chosen}
    assert {"numpy.hypot", "numpy.linalg.solve", "numpy.tril"} <= rows.keys()
    for row in rows.values():
        assert isinstance(row, str) or row.over("backward", "plain") > 0
    rules.report(Console(quiet=True), [r for r in rows.values() if not isinstance(r, str)], {"f": "no sample"})
