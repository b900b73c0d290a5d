"""What the dialects cost: each array dialect beside the native tensor, and the scalar one beside everything else.

    python -m benchmarks.dialects               both parts
    python -m benchmarks.dialects scalar        one of them
    python -m benchmarks.dialects --quick

All subjects of a row live in this process and take short turns (A B C, A B C, ...), so that a busy moment of the
machine falls on everybody. The figure is the median over the rounds, and a ratio the median of the ratios per round. A
dialect that cannot be imported is left out, and said so.
"""

import argparse
import gc
import importlib
import tracemalloc
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from math import sin
from statistics import median
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from . import peers
from .report import digits, quantity, ratio
from .turns import Settings, share, turns, verdict
from .workloads.scalars import X, Y, operations, orbit, orbit_by_hand

PER_OPERATION = 0.5e-6  # seconds, forward and backward
BYTES = 250
ROUTES = 20  # times faster than the walk over every route
OVERHEAD = 1.15  # of a dialect, to the native tensor
REPEATS = 20  # operations in one reading of the clock


# ---------------------------------------------------------------------------------------------------------------
# The scalar dialect
# ---------------------------------------------------------------------------------------------------------------


class Operators:
    """The document's system in our own words: a class per operation, edges in a list, subtraction by negation."""

    def __add__(self, other):
        return Sum(self, other)

    def __mul__(self, other):
        return Product(self, other)

    def __sub__(self, other):
        return Sum(self, Negative(other))


class Leaf(Operators):
    def __init__(self, value):
        self.value = value


class Sum(Operators):
    def __init__(self, a, b):
        self.value = a.value + b.value
        self.grad = [(a, 1), (b, 1)]


class Product(Operators):
    def __init__(self, a, b):
        self.value = a.value * b.value
        self.grad = [(a, b.value), (b, a.value)]


class Negative(Operators):
    def __init__(self, x):
        self.value = -1 * x.value
        self.grad = [(x, -1)]


def walk_every_route(result: Operators) -> dict:
    """Visit each node once for each route to it, and add up what the routes are worth."""
    worth: dict[Operators, float] = defaultdict(lambda: 0)
    waiting = result.grad.copy()
    while waiting:
        node, route = waiting.pop()
        worth[node] += route
        if not isinstance(node, Leaf):
            for child, slope in node.grad:
                waiting.append((child, slope * route))
    return dict(worth)


def linear_layer(var: Callable, get_gradients: Callable, steps: int) -> float:
    """Train the document's layer of 50 inputs and 10 outputs, a Python object per number; return the last loss."""
    to_var = np.vectorize(lambda x: var(x))
    random = np.random.RandomState(0)
    x, truth, weights = to_var(random.random(50)), to_var(random.random(10)), to_var(random.random((50, 10)))
    for _ in range(steps):
        predicted = np.dot(x, weights)
        loss = np.sum((truth - predicted) * (truth - predicted))
        gradients = get_gradients(loss)
        for i in range(50):
            for j in range(10):
                weights[i, j].value -= 0.001 * gradients[weights[i, j]]
    return float(loss.value)


def shared_chain(var: Callable, get_gradients: Callable, depth: int) -> float:
    """``x = x + x`` again and again: the number of routes doubles each time."""
    x = y = var(0.5)
    for _ in range(depth):
        y = y + y
    return get_gradients(y)[x]


def orbit_of_vars(scalar) -> list[float]:
    x, y = scalar.Var(X), scalar.Var(Y)
    gradients = scalar.get_gradients(orbit(scalar.Sin, x, y))
    return [gradients[x], gradients[y]]


def orbit_of_tensors(name: str) -> Callable:
    peer = peers.load(name)
    return peer.gradient(lambda x, y: orbit(peer.np.sin, x, y), np.float64(X), np.float64(Y))


def bytes_per_operation(scalar) -> tuple[float, float]:
    """Return the bytes of the graph, and the most that were in use during the backward pass."""
    gc.collect()
    tracemalloc.start()
    x, y = scalar.Var(X), scalar.Var(Y)
    result = orbit(scalar.Sin, x, y)
    graph, _ = tracemalloc.get_traced_memory()
    scalar.get_gradients(result)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return graph / operations(), peak / operations()


def measure_scalar(console: Console, settings: Settings) -> None:
    scalar = importlib.import_module("wengert.dialects.scalar")
    n = operations()
    np.testing.assert_allclose(orbit_of_vars(scalar), orbit_by_hand(X, Y)[1], rtol=1e-12)
    programs = {
        "scalar dialect": partial(orbit_of_vars, scalar),
        "Python, no gradients": partial(orbit, sin, X, Y),
        "Python, by hand": partial(orbit_by_hand, X, Y),
        "wengert": orbit_of_tensors("wengert"),
    }
    if peers.PEERS["torch"].is_present():
        programs["PyTorch"] = orbit_of_tensors("torch")
    samples = turns(programs, settings)
    table = Table(title=f"A scalar program of {n:,} operations, each forward + backward")
    for column in ("", "per operation", "fastest round", "scalar dialect: times it"):
        table.add_column(column, justify="left" if not column else "right")
    for name, times in samples.items():
        relative = ratio(share(samples, "scalar dialect", name))
        table.add_row(name, quantity(median(times) / n, "s"), quantity(min(times) / n, "s"), relative)
    console.print(table)
    own = median(samples["scalar dialect"]) / n
    graph, peak = bytes_per_operation(scalar)
    console.print(
        f"≤ {quantity(PER_OPERATION, 's')} per operation: {quantity(own, 's')} {verdict(own <= PER_OPERATION)}"
    )
    console.print(f"≤ {BYTES} bytes: graph {graph:.0f}, with its gradients {peak:.0f} {verdict(peak <= BYTES)}\n")
    measure_routes(console, scalar, settings)


def measure_routes(console: Console, scalar, settings: Settings) -> None:
    """Compare with the walk over every route: where there are few routes, and where there are many."""
    ours, walked = (scalar.Var, scalar.get_gradients), (Leaf, walk_every_route)
    few = settings._replace(rounds=max(3, settings.rounds // 3))
    for title, program, size in (
        ("linear layer, 50 inputs, 10 outputs, 100 steps", linear_layer, 100),
        ("x = x + x, 12 times", shared_chain, 12),
        ("x = x + x, 16 times", shared_chain, 16),
    ):
        np.testing.assert_allclose(program(*ours, size), program(*walked, size), rtol=1e-10)
        samples = turns({"ours": partial(program, *ours, size), "walked": partial(program, *walked, size)}, few)
        faster = share(samples, "walked", "ours")
        console.print(
            f"{title}: {quantity(median(samples['ours']), 's')}, walking every route "
            f"{quantity(median(samples['walked']), 's')}: {digits(faster)} times faster "
            f"(≥ {ROUTES}) {verdict(faster >= ROUTES)}"
        )
    deep = turns({"ours": partial(shared_chain, *ours, 10**5)}, few)["ours"]
    console.print(f"x = x + x, 100,000 times: {quantity(median(deep), 's')}\n")


# ---------------------------------------------------------------------------------------------------------------
# The array dialects
# ---------------------------------------------------------------------------------------------------------------


class Spelling(NamedTuple):
    """How a system makes a leaf of a float32 array, records, calls its functions and goes backward."""

    leaf: Callable
    recording: Callable
    functions: dict[str, Callable]
    backward: Callable


def functions(sin, total, matmul, first=lambda x: x[0]) -> dict[str, Callable]:
    return {"sin": sin, "x + x": lambda x: x + x, "sum": total, "matmul": matmul, "x[0]": first}


def native() -> Spelling:
    wg, wnp = importlib.import_module("wengert"), importlib.import_module("wengert.numpy")
    calls = functions(wnp.sin, lambda x: x.sum(), lambda x: x @ x)
    return Spelling(partial(wg.tensor, requires_grad=True), nullcontext, calls, lambda y, _: y.backward())


def mxnet() -> Spelling:
    mx = importlib.import_module("wengert.dialects.mxnet")

    def leaf(array):
        x = mx.nd.array(array)
        x.attach_grad()
        return x

    calls = functions(mx.nd.sin, lambda x: x.sum(), lambda x: mx.nd.dot(x, x))
    return Spelling(leaf, mx.autograd.record, calls, lambda y, _: y.backward())


def torch() -> Spelling:
    system = importlib.import_module("wengert.dialects.torch")
    calls = functions(system.sin, lambda x: x.sum(), lambda x: x @ x)
    return Spelling(partial(system.tensor, requires_grad=True), nullcontext, calls, lambda y, _: y.backward())


def djl() -> Spelling:
    system = importlib.import_module("wengert.dialects.djl")
    manager = system.NDManager.newBaseManager()

    def leaf(array):
        x = manager.create(array)
        x.setRequiresGradient(True)
        return x

    calls = functions(lambda x: x.sin(), lambda x: x.sum(), lambda x: x.matMul(x), lambda x: x.get(0))
    calls["x + x"] = lambda x: x.add(x)
    recording = system.Engine.getInstance().newGradientCollector
    return Spelling(leaf, recording, calls, lambda y, collector: collector.backward(y))


DIALECTS = {"mxnet": mxnet, "torch": torch, "djl": djl}


def forward(system: Spelling, x, call: Callable) -> None:
    with system.recording():
        for _ in range(REPEATS):
            call(x)


def forward_backward(system: Spelling, x, call: Callable) -> None:
    total = system.functions["sum"]
    with system.recording() as context:
        y = call(x)
        for _ in range(REPEATS - 1):
            y = y + call(x)
        system.backward(total(y), context)


def load_systems(console: Console) -> dict[str, Spelling]:
    systems = {"native": native()}
    for name, spell in DIALECTS.items():
        try:
            systems[name] = spell()
        except (ImportError, AttributeError) as error:
            console.print(f"{name} cannot be measured yet: {error}", style="yellow")
    return systems


def measure_arrays(console: Console, settings: Settings) -> None:
    systems = load_systems(console)
    table = Table(title=f"Array dialects, float32: times the native tensor, per operation (≤ {OVERHEAD})")
    for column in ("", "native", *list(systems)[1:]):
        table.add_column(column, justify="left" if not column else "right")
    found: dict[str, list[float]] = {name: [] for name in list(systems)[1:]}
    for program, title in ((forward, "forward"), (forward_backward, "forward, added up, backward")):
        for n in (1, 100):
            for call in systems["native"].functions:
                row = measure_call(systems, program, call, n, settings)
                figures = {name: share(row, name, "native") for name in found}
                for name, figure in figures.items():
                    found[name].append(figure)
                cells = [f"{ratio(f)} {verdict(f <= OVERHEAD)}" for f in figures.values()]
                table.add_row(f"{call}, n = {n}, {title}", quantity(median(row["native"]) / REPEATS, "s"), *cells)
        table.add_section()
    table.add_row("median of the rows", "", *(ratio(median(figures)) for figures in found.values()))
    console.print(table)


def measure_call(systems: dict[str, Spelling], program: Callable, call: str, n: int, settings: Settings) -> dict:
    """Return the seconds of one program in every system."""
    array = np.random.default_rng(0).random((n, n) if call == "matmul" else n).astype(np.float32)
    programs = {name: partial(program, s, s.leaf(array), s.functions[call]) for name, s in systems.items()}
    return turns(programs, settings._replace(block=settings.block / 5))


PARTS = {"scalar": measure_scalar, "arrays": measure_arrays}


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dialects", description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all, or some of: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="take few and short turns")
    chosen = parser.parse_args(argv)
    if unknown := set(chosen.parts) - PARTS.keys():
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    console = Console()
    for name in chosen.parts or PARTS:
        PARTS[name](console, Settings(3, 0.01) if chosen.quick else Settings())


if __name__ == "__main__":
    main()
