"""The command line: what is printed, and one line with exit status 2 for whatever is wrong."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wengert import cli


@pytest.fixture
def run(monkeypatch, capsys):
    """Call the command line with arguments; give exit status, stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["wengert", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    return run


def numbers(text):
    """Each line's label and number."""
    return {label: float(number) for label, number in (line.split() for line in text.splitlines())}


def test_grad_prints_value_and_gradient(run):
    status, out, err = run("grad", "sin(x)*exp(-y)", "x=1", "y=2")
    assert (status, err) == (0, "")
    value = math.sin(1) * math.exp(-2)
    assert numbers(out) == pytest.approx({"value": value, "d/dx": math.cos(1) * math.exp(-2), "d/dy": -value})


def test_grad_prints_arrays_in_full(run):
    status, out, _ = run("grad", "sum(x*x*w)", "x=[[1, 2], [3, 4]]", "w=0.5")
    assert status == 0
    assert out == "value  15.0\nd/dx   [[1.0, 2.0],\n        [3.0, 4.0]]\nd/dw   30.0\n"
    status, out, _ = run("grad", "sum(x)", f"x={[1.0] * 1500}")
    assert (status, out.count("1.0")) == (0, 1500)


@pytest.mark.parametrize(
    ("formula", "derivative"),
    [("-x", -1), ("--x", 1), ("+x", 1), ("-sinh(x)", -math.cosh(2)), ("-help*x", -1), ("--help*x", 1)],
)
def test_a_formula_may_start_with_a_minus_sign(run, formula, derivative):
    status, out, _ = run("grad", formula, "x=2", *(["help=1"] if "help" in formula else []))
    assert status == 0
    assert numbers(out)["d/dx"] == pytest.approx(derivative)


def test_the_gradient_of_a_comparison_is_zero(run):
    status, out, _ = run("grad", "x > 0", "x=2")
    assert (status, numbers(out)) == (0, {"value": 1, "d/dx": 0})


def test_singular_points_print_infinity_and_nan_without_warnings(run):
    status, out, err = run("grad", "sqrt(x)", "x=0")
    assert (status, numbers(out), err) == (0, {"value": 0, "d/dx": math.inf}, "")
    status, out, err = run("grad", "9**9**9 * x", "x=1")
    assert (status, numbers(out), err) == (0, {"value": math.inf, "d/dx": math.inf}, "")
    status, out, err = run("grad", "log(x)", "x=-1")
    assert (status, err) == (0, "") and math.isnan(numbers(out)["value"])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["grad"], "FORMULA"),
        (["grad", ""], "empty"),
        (["grad", "sin(x"], "never closed"),
        (["grad", "x*y", "x=1"], "add y=1.0"),
        (["grad", "x", "x=1", "z=2"], "z has a value but does not occur"),
        (["grad", "x", "x=1", "x=2"], "received two for x"),
        (["grad", "sine(x)", "x=1"], "did you mean sin?"),
        (["grad", "x", "x=nan"], "nan is not a number"),
        (["grad", "x", "x=[1, [2]]"], "same shape"),
        (["grad", "x", "--foo"], "name=value"),
        (["grad", "1 + 1"], "a formula with a variable"),
        (["grad", "(" * 300 + "x" + ")" * 300, "x=1"], "parentheses"),
        (["grad", "2*x", "x=[1, 2, 3]"], "write sum(2*x)"),
        (["grad", "x[0]", "x=1"], "cannot be evaluated"),
        (["grad", "x[7]", "x=[1, 2]"], "out of bounds"),
        (["grad", "x[99999999999999999999]", "x=[1, 2]"], "cannot be evaluated"),
        (["grad", "sum(x + y)", "x=[1, 2]", "y=[1, 2, 3]"], "broadcast"),
        (["grad", "sum([x, [1, 2]])", "x=1"], "cannot be evaluated"),
        (["grad", "x @ x", "x=1"], "cannot be evaluated"),
        (["frobnicate"], "frobnicate"),
        (["--frobnicate"], "--frobnicate"),
        (["demo", "--epochs", "0"], "--epochs"),
        (["demo", "--epochs", "many"], "--epochs"),
        (["demo", "--seed", "-1"], "--seed"),
        (["demo", "--out"], "--out"),
        (["demo", "more"], "more"),
    ],
)
def test_what_is_wrong_gets_one_line_and_exit_status_2(run, arguments, reason):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert reason in err
    assert err.startswith("wengert: ") and err.count("\n") == 1 and err.endswith("\n")


@pytest.mark.parametrize(
    ("arguments", "contents"),
    [
        ([], ["grad", "demo", "--version", 'wengert grad "sin(x)*exp(-y)" x=1 y=2']),
        (["--help"], ["grad", "demo", "--version", 'wengert grad "sin(x)*exp(-y)" x=1 y=2']),
        (["grad", "--help"], ["FORMULA", "NAME=VALUE", "Functions", "arctan2", "Examples"]),
        (["demo", "--help"], ["--epochs", "--seed", "--out", "Examples"]),
    ],
)
def test_help_shows_commands_options_and_examples(run, arguments, contents):
    status, out, err = run(*arguments)
    assert (status, err) == (0, "")
    for part in contents:
        assert part in out


def test_version_names_what_results_depend_on(run):
    status, out, _ = run("--version")
    assert status == 0
    assert out.startswith("wengert ") and "NumPy" in out and "Python" in out


def test_the_program_runs_on_its_own():
    def program(*arguments):
        command = [sys.executable, "-m", "wengert.cli", *arguments]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        return done.returncode, done.stdout, done.stderr

    assert program("grad", "x*x", "x=3") == (0, "value  9.0\nd/dx   6.0\n", "")
    status, out, err = program("grad", "x*")
    assert (status, out, err.count("\n")) == (2, "", 1)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_output_that_cannot_be_written_is_one_line():
    program = "import sys; from wengert.cli import main; sys.argv[0] = 'wengert'; main()"
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-c", program, "grad", "x**2", "x=1"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("wengert: cannot write")
    assert done.stderr.count("\n") == 1


def test_coverage_of_named_functions(run):
    status, out, _ = run("coverage", "cumprod", "numpy.linalg.eigh", "scipy.special.betainc", "load")
    columns = "reverse: yes, forward: yes, second order: yes, compiled:"
    assert status == 0
    assert out.splitlines() == [
        f"numpy.cumprod: differentiable ({columns} native)",
        f"numpy.linalg.eigh: differentiable ({columns} a call)",
        f"scipy.special.betainc: differentiable ({columns} in part)",
        "numpy.load: not about arrays (reads or writes files, text or memory)",
    ]


def test_coverage_of_an_unknown_function(run):
    status, _, err = run("coverage", "nothing_of_the_kind")
    assert status == 2
    assert "a public function of NumPy or SciPy was required; received nothing_of_the_kind" in err


def test_the_page_on_coverage_is_up_to_date(run):
    page = Path(__file__).parents[1] / "docs" / "coverage.md"
    assert page.read_text(encoding="utf-8") == run("coverage", "--page")[1], (
        "wengert coverage --page > docs/coverage.md"
    )
