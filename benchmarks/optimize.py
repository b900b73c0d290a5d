"""What a solver costs: `wengert.optimize.minimize` beside SciPy's own, fed with gradients by PyTorch or by hand.

    python -m benchmarks.optimize
    python -m benchmarks.optimize --quick

The problem is a logistic regression of 200,000 examples in 50 variables, solved from 0. Each subject lives in a process
of its own, as its libraries and their threads come at their defaults; the processes take turns, and a ratio is the
median of the ratios per round. The solutions are compared first.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter, sleep
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

LIMIT = 0.6  # of SciPy's own minimize, fed with gradients by PyTorch
TOLERANCE = 1e-3  # of the solution: two ways of the same method stop at slightly different points
PAUSE = 0.3  # seconds in which the threads of the subject before come to rest
METHODS = ("L-BFGS-B", "BFGS")
SUBJECTS = {
    "wengert": "wengert.optimize.minimize",
    "torch": "SciPy with PyTorch",
    "numpy": "SciPy with a gradient by hand",
}


class Size(NamedTuple):
    """How much to measure."""

    examples: int = 200_000
    variables: int = 50
    rounds: int = 9


def data(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Examples, and which of two classes each is in."""
    random = np.random.default_rng(11)
    x = random.standard_normal((size.examples, size.variables))
    slope = 3 * random.standard_normal(size.variables) / np.sqrt(size.variables)
    return x, (random.random(size.examples) < 1 / (1 + np.exp(-x @ slope))).astype(float)


def by_wengert(x: np.ndarray, y: np.ndarray, method: str) -> Callable:
    import wengert as wg
    from wengert.optimize import minimize

    def loss(w):
        z = x @ w
        return np.mean(wg.softplus(z) - y * z)

    return lambda: minimize(loss, np.zeros(x.shape[1]), method=method)


def by_torch(x: np.ndarray, y: np.ndarray, method: str) -> Callable:
    import torch
    from scipy.optimize import minimize

    tx, ty = torch.tensor(x), torch.tensor(y)

    def loss(w):
        w = torch.tensor(w, requires_grad=True)
        z = tx @ w
        value = torch.mean(torch.nn.functional.softplus(z) - ty * z)
        value.backward()
        return value.item(), w.grad.numpy()

    return lambda: minimize(loss, np.zeros(x.shape[1]), method=method, jac=True)


def by_numpy(x: np.ndarray, y: np.ndarray, method: str) -> Callable:
    from scipy.optimize import minimize

    def loss(w):
        z = x @ w
        e = np.exp(-np.abs(z))
        value = np.mean(np.maximum(z, 0) + np.log1p(e) - y * z)
        return value, (np.where(z > 0, 1, e) / (1 + e) - y) @ x / len(y)

    return lambda: minimize(loss, np.zeros(x.shape[1]), method=method, jac=True)


MAKERS = {"wengert": by_wengert, "torch": by_torch, "numpy": by_numpy}


def work(subject: str, size: Size, questions) -> None:
    """Solve whenever a method is asked for, and answer with seconds, evaluations and the solution."""
    x, y = data(size)
    solvers = {}
    while method := questions.recv():
        if method not in solvers:
            solvers[method] = MAKERS[subject](x, y, method)
            solvers[method]()
        sleep(PAUSE)
        start = perf_counter()
        found = solvers[method]()
        questions.send((perf_counter() - start, found.nfev, found.x))


def measure(console: Console, size: Size) -> dict:
    """For each method and subject the seconds of each round, the evaluations and the solution."""
    context = multiprocessing.get_context("spawn")
    pipes, processes, found = {}, [], {}
    for subject in SUBJECTS:
        pipes[subject], other = context.Pipe()
        processes.append(context.Process(target=work, args=(subject, size, other), daemon=True))
        processes[-1].start()
    with console.status("optimize") as status:
        for method in METHODS:
            for turn in range(size.rounds):
                for subject, pipe in pipes.items():
                    status.update(f"{method}: round {turn + 1} of {size.rounds}, {subject}")
                    pipe.send(method)
                    seconds, evaluations, x = pipe.recv()
                    entry = found.setdefault(method, {}).setdefault(subject, ([], evaluations, x))
                    entry[0].append(seconds)
    for pipe, process in zip(pipes.values(), processes, strict=True):
        pipe.send("")
        process.join()
    return found


def report(console: Console, found: dict) -> bool:
    """Print a table for each method; whether all solutions agree."""
    agree = True
    for method, entries in found.items():
        table = Table(title=f"{method}, logistic regression")
        for heading in ("", "ms", "evaluations", "wengert's time over this"):
            table.add_column(heading, justify="right" if heading else "left")
        ours, _, reference = entries["wengert"]
        for subject, (seconds, evaluations, x) in entries.items():
            share = median(a / b for a, b in zip(ours, seconds, strict=True))
            verdict = "" if subject != "torch" else f" (at most {LIMIT}: {'kept' if share <= LIMIT else 'missed'})"
            table.add_row(SUBJECTS[subject], f"{1e3 * median(seconds):.0f}", str(evaluations), f"{share:.2f}{verdict}")
            if np.abs(x - reference).max() > TOLERANCE:
                agree = False
                console.print(f"{subject} found another solution", style="red")
        console.print(table)
    return agree


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.optimize", description="Measure whole solves of a logistic regression."
    )
    parser.add_argument("--quick", action="store_true", help="a small problem and few rounds")
    chosen = parser.parse_args(argv)
    console = Console()
    size = Size(20_000, 50, 3) if chosen.quick else Size()
    return 0 if report(console, measure(console, size)) else 1


if __name__ == "__main__":
    sys.exit(main())
