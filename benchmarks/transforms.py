"""Jacobians, Hessians, products and batches: each transformation beside the peers' own.

    python -m benchmarks.transforms               everything
    python -m benchmarks.transforms hessian       rows with this in their name
    python -m benchmarks.transforms --quick

All subjects of a row live in this process and take short turns (A B C, A B C, ...); their results are compared first.
The figure is the median over the rounds, and a ratio the median of the ratios per round.
"""

import argparse
import os
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from .report import quantity, ratio
from .turns import Settings, share, turns, verdict

THREADS = min(2, os.cpu_count() or 1)


class Row(NamedTuple):
    """What is measured, the programs of the peers, and the budgets: times the time of a peer."""

    name: str
    programs: dict[str, Callable]
    budgets: dict[str, float]


def rosenbrock(x: Any, total: Callable) -> Any:
    return total(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def network(p: Any, x: Any, tanh: Callable, total: Callable) -> Any:
    return total((tanh(x @ p[0] + p[1]) @ p[2] + p[3]) ** 2)


def waves(x: Any, np: Any) -> Any:
    for _ in range(5):
        x = np.sin(x) * x + np.exp(-x * x)
    return x


class Systems:
    """The peers' modules, loaded once; those that are not installed are `None`."""

    def __init__(self) -> None:
        import wengert

        self.wengert = wengert
        self.torch = _optional("torch")
        self.jax = _optional("jax")
        self.autograd = _optional("autograd")
        if self.torch:
            self.torch.set_num_threads(THREADS)
        if self.jax:
            self.jax.config.update("jax_enable_x64", True)
            self.jnp = _optional("jax.numpy")
        if self.autograd:
            self.anp = _optional("autograd.numpy")


def _optional(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        return None


# Rows ------------------------------------------------------------------------------------------------------------


def dense_jacobian(s: Systems) -> Row:
    random = np.random.default_rng(0)
    w, x = random.normal(size=(200, 200)) / 14, random.normal(size=200)
    programs: dict[str, Callable] = {"wengert": partial(s.wengert.jacobian(lambda x: np.tanh(w @ x)), x)}
    if s.torch:
        tw, tx = s.torch.tensor(w), s.torch.tensor(x)
        programs["torch"] = partial(s.torch.func.jacrev(lambda x: s.torch.tanh(tw @ x)), tx)
    if s.jax:
        jw, jx = s.jnp.asarray(w), s.jnp.asarray(x)
        f = s.jax.jacrev(lambda x: s.jnp.tanh(jw @ x))
        programs |= {"jax": partial(_ready, f, jx), "jax.jit": partial(_ready, s.jax.jit(f), jx)}
    if s.autograd:
        programs["autograd"] = partial(s.autograd.jacobian(lambda x: s.anp.tanh(s.anp.dot(w, x))), x)
    return Row("Jacobian 200 x 200 of a dense layer", programs, {"torch": 1.0})


def _ready(f: Callable, *args: Any) -> Any:
    import jax

    return jax.block_until_ready(f(*args))


def rosenbrock_hessian(s: Systems) -> Row:
    x = np.random.default_rng(1).uniform(size=100)
    programs: dict[str, Callable] = {"wengert": partial(s.wengert.hessian(lambda x: rosenbrock(x, np.sum)), x)}
    if s.torch:
        programs["torch"] = partial(s.torch.func.hessian(lambda x: rosenbrock(x, s.torch.sum)), s.torch.tensor(x))
    if s.jax:
        f, jx = s.jax.hessian(lambda x: rosenbrock(x, s.jnp.sum)), s.jnp.asarray(x)
        programs |= {"jax": partial(_ready, f, jx), "jax.jit": partial(_ready, s.jax.jit(f), jx)}
    if s.autograd:
        programs["autograd"] = partial(s.autograd.hessian(lambda x: rosenbrock(x, s.anp.sum)), x)
    return Row("Hessian of the Rosenbrock function, n = 100", programs, {"torch": 0.25, "autograd": 0.05})


def sparse_hessian(s: Systems) -> Row:
    """No peer has one: their Hessian-vector product beside it, of which three give the whole matrix."""
    x = np.random.default_rng(2).uniform(size=100_000)
    hessian = s.wengert.sparse_hessian(lambda x: rosenbrock(x, np.sum))
    return Row(
        "sparse Hessian of the Rosenbrock function, n = 100,000 (pattern known)", {"wengert": partial(hessian, x)}, {}
    )


def hessian_product(s: Systems) -> Row:
    random = np.random.default_rng(3)
    x, v = random.uniform(size=100_000), random.normal(size=100_000)
    programs: dict[str, Callable] = {
        "wengert": lambda: s.wengert.hvp(lambda x: rosenbrock(x, np.sum), (x,), (v,))[1][0]
    }
    if s.torch:
        tx, tv, gradient = s.torch.tensor(x), s.torch.tensor(v), s.torch.func.grad(lambda x: rosenbrock(x, s.torch.sum))
        programs["torch"] = lambda: s.torch.func.jvp(gradient, (tx,), (tv,))[1]
    if s.jax:
        jx, jv = s.jnp.asarray(x), s.jnp.asarray(v)
        f = lambda x, v: s.jax.jvp(s.jax.grad(lambda x: rosenbrock(x, s.jnp.sum)), (x,), (v,))[1]  # noqa: E731
        programs |= {"jax": partial(_ready, f, jx, jv), "jax.jit": partial(_ready, s.jax.jit(f), jx, jv)}
    if s.autograd:
        product = s.autograd.hessian_vector_product(lambda x: rosenbrock(x, s.anp.sum))
        programs["autograd"] = partial(product, x, v)
    return Row("Hessian-vector product, n = 100,000", programs, {"torch": 1.0})


def per_example(s: Systems) -> Row:
    random = np.random.default_rng(4)
    p = [random.normal(size=shape) for shape in ((20, 32), (32,), (32, 10), (10,))]
    x = random.normal(size=(256, 20))
    gradient = s.wengert.grad(lambda p, x: network(p, x, np.tanh, np.sum))
    programs: dict[str, Callable] = {"wengert": lambda: s.wengert.vmap(gradient, in_axes=(None, 0))(p, x)[0]}
    if s.torch:
        tp, tx = [*map(s.torch.tensor, p)], s.torch.tensor(x)
        each = s.torch.func.vmap(
            s.torch.func.grad(lambda p, x: network(p, x, s.torch.tanh, s.torch.sum)), in_dims=(None, 0)
        )
        programs["torch"] = lambda: each(tp, tx)[0]
    if s.jax:
        jp, jx = [*map(s.jnp.asarray, p)], s.jnp.asarray(x)
        f = s.jax.vmap(s.jax.grad(lambda p, x: network(p, x, s.jnp.tanh, s.jnp.sum)), in_axes=(None, 0))
        fast = s.jax.jit(f)
        programs |= {"jax": lambda: _ready(f, jp, jx)[0], "jax.jit": lambda: _ready(fast, jp, jx)[0]}
    return Row("gradients of 256 examples, network 20-32-10", programs, {"torch": 1.0})


def thousand_pushes(s: Systems) -> Row:
    random = np.random.default_rng(5)
    x, tangents = random.uniform(size=100), random.normal(size=(1000, 100))
    _, push = s.wengert.linearize(lambda x: waves(x, np), x)
    programs: dict[str, Callable] = {"wengert": lambda: [push(t) for t in tangents][-1]}
    if s.torch:
        tt = s.torch.tensor(tangents)
        _, torch_push = s.torch.func.linearize(lambda x: waves(x, s.torch), s.torch.tensor(x))
        programs["torch"] = lambda: [torch_push(t) for t in tt][-1]
    if s.jax:
        jt = s.jnp.asarray(tangents)
        _, jax_push = s.jax.linearize(lambda x: waves(x, s.jnp), s.jnp.asarray(x))
        fast = s.jax.jit(jax_push)
        programs |= {
            "jax": lambda: [_ready(jax_push, t) for t in jt][-1],
            "jax.jit": lambda: [_ready(fast, t) for t in jt][-1],
        }
    if s.autograd:
        autograd_push = s.autograd.make_jvp(lambda x: waves(x, s.anp))(x)
        programs["autograd"] = lambda: [autograd_push(t)[1] for t in tangents][-1]
    return Row("1,000 tangents through one linearization of 30 operations", programs, {"autograd": 0.5})


ROWS = (dense_jacobian, rosenbrock_hessian, sparse_hessian, hessian_product, per_example, thousand_pushes)


# The table -------------------------------------------------------------------------------------------------------


def check(row: Row) -> None:
    """Refuse to compare programs that do not agree."""
    expected = np.asarray(row.programs["wengert"]() if len(row.programs) > 1 else 0.0)
    for name, run in row.programs.items():
        if len(row.programs) > 1:
            np.testing.assert_allclose(np.asarray(run()), expected, rtol=1e-7, atol=1e-9, err_msg=f"{row.name}: {name}")


def main(argv: list[str] | None = None) -> None:
    """Measure, and print a table for each row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transforms", description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", help="rows with one of these in their name")
    parser.add_argument("--quick", action="store_true", help="take few and short turns")
    chosen = parser.parse_args(argv)
    settings = Settings(3, 0.02) if chosen.quick else Settings(15, 0.1)
    systems, console = Systems(), Console(width=120)
    table = Table(
        "", "wengert", "the others", "budget", title="Transformations: seconds of a call, and wengert's share"
    )
    for make in ROWS:
        row = make(systems)
        if chosen.rows and not any(word in row.name for word in chosen.rows):
            continue
        check(row)
        samples = turns(row.programs, settings)
        shares = {name: share(samples, "wengert", name) for name in samples if name != "wengert"}
        own = sorted(samples["wengert"])[len(samples["wengert"]) // 2]
        budgets = [
            f"≤ {limit} x {name} {verdict(shares[name] <= limit)}"
            for name, limit in row.budgets.items()
            if name in shares
        ]
        others = ", ".join(f"{ratio(figure)} x {name}" for name, figure in shares.items())
        table.add_row(row.name, quantity(own, "s"), others, "\n".join(budgets))
    console.print(table)


if __name__ == "__main__":
    main()
